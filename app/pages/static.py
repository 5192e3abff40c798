"""Static files and the two health addresses."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response, get
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.errors import Missing
from app.site import AnyRequest, Site, site_of

FOREVER = "public, max-age=31536000, immutable"
READY_SECONDS = 3.0


@get("/static/{path:path}")
async def serve_static(request: AnyRequest) -> Response[bytes]:
    """A file by its hashed name."""
    found = site_of(request).assets.find(str(request.path_params["path"]).lstrip("/"))
    if found is None:
        raise Missing
    headers = {"Cache-Control": FOREVER}
    body = found.body
    if found.squeezed is not None:
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = found.squeezed
            headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=found.media_type, headers=headers)


@get("/health/live")
async def live() -> Response[dict[str, str]]:
    """The process answers."""
    return Response({"status": "live"})


@get("/health/ready")
async def ready(request: AnyRequest) -> Response[dict[str, Any]]:
    """The process can serve: database and Redis answer. 503 names what does not."""
    site = site_of(request)
    checks = {"database": await _database(site), "redis": await _redis(site)}
    # Pages work without Redis, only slower: it does not make the server unready.
    good = checks["database"]
    return Response(
        {"status": "ready" if good else "unready", "checks": checks},
        status_code=200 if good else 503,
    )


async def _database(site: Site) -> bool:
    try:
        async with asyncio.timeout(READY_SECONDS), site.engines.app.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True


async def _redis(site: Site) -> bool:
    client = Redis.from_url(site.settings.redis_url, socket_connect_timeout=1, socket_timeout=1)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
