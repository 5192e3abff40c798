"""A small listener of the pump that tells the farm's numbers: GET /metrics for Prometheus, /metrics.json for programs.

It answers these two and nothing else, says nothing of single workspaces, and belongs on an inner network.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.insight.farm import FarmNumbers, as_json, gauges, prometheus

log = structlog.get_logger(__name__)

PATIENCE_S = 5.0
LONGEST_LINE = 2048
HEADERS_MOST = 60
TEXT = "text/plain; version=0.0.4; charset=utf-8"

Read = Callable[[], Awaitable[FarmNumbers]]


def _as_text(seen: FarmNumbers) -> str:
    return prometheus(gauges(seen))


def _as_json(seen: FarmNumbers) -> str:
    return json.dumps(as_json(seen))


PATHS: Mapping[str, tuple[str, Callable[[FarmNumbers], str]]] = {
    "/metrics": (TEXT, _as_text),
    "/metrics.json": ("application/json", _as_json),
}
"""Path → media type and how the numbers are written."""


class Teller:
    """Answers scrapers one after the other: a reading is never made twice at once."""

    def __init__(self, read: Read) -> None:
        self._read, self._one = read, asyncio.Lock()

    async def serve(self, bind: str) -> asyncio.Server | None:
        """Listen on `host:port`; an address that cannot be had is said and does not stop the pump."""
        host, _, port = bind.rpartition(":")
        try:
            return await asyncio.start_server(self.answer, host.strip("[]"), int(port), limit=LONGEST_LINE)
        except OSError as error:
            log.warning("metrics.not_served", bind=bind, error=error.strerror or str(error))
            return None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                asked = await _request(reader)
            status, kind, body = await self._body(asked)
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
            raw = body.encode()
            writer.write(f"{head}Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n".encode() + raw)
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            log.debug("metrics.broken_request")
        finally:
            writer.close()

    async def _body(self, asked: tuple[str, str]) -> tuple[HTTPStatus, str, str]:
        verb, path = asked
        if path not in PATHS:
            return HTTPStatus.NOT_FOUND, TEXT, "There are /metrics and /metrics.json.\n"
        if verb != "GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, TEXT, "Only GET is answered.\n"
        kind, write = PATHS[path]
        try:
            async with self._one:
                seen = await self._read()
        except (SQLAlchemyError, OSError):
            return HTTPStatus.SERVICE_UNAVAILABLE, TEXT, "The database is away.\n"
        return HTTPStatus.OK, kind, write(seen)


async def _request(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Verb and path of a request, its headers read over. Raises ValueError."""
    words = (await reader.readline()).decode("latin-1").split()
    if len(words) != 3:
        raise ValueError("not a request")
    for _ in range(HEADERS_MOST):
        if not (await reader.readline()).strip():
            return words[0], words[1].partition("?")[0]
    raise ValueError("too many headers")
