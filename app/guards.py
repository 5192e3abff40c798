"""What stands before every handler: forged requests are refused before a body is read, strangers are stopped."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

from litestar.handlers.base import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from app.errors import Forged, SignedOut, Tied
from app.session import csrf_matches, find_visitor, token_of
from app.site import AnyConnection, AnyRequest

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"


async def same_site(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    """Refuse unsafe requests that another site has caused. Raises Forged."""
    if connection.scope["method"] in SAFE or handler.opt.get("api"):  # type: ignore[typeddict-item]
        # No browser adds a key by itself, so a request with one was not caused by another site.
        return
    if not came_from_us(connection.headers.get("sec-fetch-site"), connection.headers.get("origin"), _host(connection)):
        raise Forged


def came_from_us(fetch_site: str | None, origin: str | None, host: str) -> bool:
    """Decide by what the browser says of itself; a request that says nothing at all is refused."""
    if fetch_site is not None:
        return fetch_site == "same-origin"
    return origin is not None and origin != "null" and urlsplit(origin).netloc.lower() == host.lower()


def _host(connection: AnyConnection) -> str:
    return connection.headers.get("host", "")


async def signed_in(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    """Let only signed-in people pass, and tied sessions only where they reach. Raises SignedOut, Tied."""
    visitor = await find_visitor(connection)
    if visitor is None:
        raise SignedOut
    if visitor.only is not None and not reaches(connection.scope["path"]):
        raise Tied


def reaches(path: str) -> bool:
    """Whether a session tied to one workspace may use a page: those of workspaces, and how pages look to the person.

    Everything else about an account would let a workspace's own provider take it over.
    """
    return path.startswith(("/w/", "/confirm/")) or path in ("/settings", "/confirm", "/passkeys/ask/confirm")


async def synchronised(request: AnyRequest) -> None:
    """Refuse an unsafe request of a session without the session's own token. Raises Forged."""
    token = token_of(request)
    if request.method in SAFE or request.route_handler.opt.get("api") or await find_visitor(request) is None:
        return
    if request.route_handler.opt.get("reads_token"):
        # A form with large files: its handler looks at the token before it takes the first file.
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not given:
        given = str((await request.form()).get(CSRF_FIELD, ""))
    if not csrf_matches(token, given):
        raise Forged


def without_nul(app: ASGIApp) -> ASGIApp:
    """Leave the one sign that no row can hold out of the query, so that a filter with it finds what the rest says."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"")
        while b"%00" in query:
            query = query.replace(b"%00", b"")
        scope["query_string"] = query
        await app(scope, receive, send)

    return run


POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FILE_POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
)
"""For files of people and providers: shown alone, without scripts, in an origin of their own."""
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"),
    (b"x-frame-options", b"DENY"),
)
MORE_HEADERS = "vfos_headers"
"""Where a request keeps headers that its answer carries, whatever the answer is."""
TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


async def add_headers(message: Any, scope: Scope) -> None:
    """Give every answer the security headers; what an answer sets itself stays."""
    if message["type"] != "http.response.start":
        return
    headers: list[tuple[bytes, bytes]] = list(message.get("headers", []))
    headers += cast("list[tuple[bytes, bytes]]", scope.get(MORE_HEADERS, []))
    present = {name.lower() for name, _ in headers}
    wanted = [*HEADERS, (b"content-security-policy", POLICY.encode()), (b"cache-control", b"no-store")]
    if scope["app"].state.site.secure:
        wanted.append(TRANSPORT)
    headers += [(name, value) for name, value in wanted if name not in present]
    message["headers"] = headers
