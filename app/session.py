"""The session cookie, the token against forged requests, and who is asking.

The cookie holds a random token; the row holds its hash (tenants/directory.py). Role and membership are read with
every request, so a session never carries rights.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from typing import cast

from litestar.datastructures import Cookie

from app.i18n import Tongue, pick_language
from app.site import AnyConnection, Site, site_of
from tenants.directory import ABSOLUTE, load_visitor
from tenants.people import Browser, Visitor

SECURE_NAME = "__Host-vfos"
PLAIN_NAME = "vfos_session"
"""Used where there is no TLS (loopback): browsers refuse the `__Host-` prefix there."""
VISITOR = "vfos_visitor"
TRACE = "vfos_trace"


def cookie_name(site: Site) -> str:
    return SECURE_NAME if site.secure else PLAIN_NAME


def session_cookie(site: Site, token: str) -> Cookie:
    """The cookie of a fresh session."""
    return Cookie(
        key=cookie_name(site),
        value=token,
        path="/",
        httponly=True,
        secure=site.secure,
        samesite="lax",
        max_age=int(ABSOLUTE.total_seconds()),
    )


def no_cookie(site: Site) -> Cookie:
    """Takes the session cookie away."""
    return Cookie(
        key=cookie_name(site), value="", path="/", httponly=True, secure=site.secure, samesite="lax", max_age=0
    )


def token_of(connection: AnyConnection) -> str:
    """The session token a browser sent, or nothing."""
    return connection.cookies.get(cookie_name(site_of(connection)), "")


def csrf_of(token: str) -> str:
    """The synchroniser token of a session: bound to it, and of no use without its cookie."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest() if token else ""


def csrf_matches(token: str, given: str) -> bool:
    return bool(token) and hmac.compare_digest(csrf_of(token), given)


async def find_visitor(connection: AnyConnection) -> Visitor | None:
    """Who is asking, read once per request."""
    scope = connection.scope
    if VISITOR not in scope:
        token = token_of(connection)
        found = await load_visitor(site_of(connection).units, token) if token else None
        scope[VISITOR] = found  # type: ignore[literal-required]
    return cast("Visitor | None", scope[VISITOR])  # type: ignore[literal-required]


def known_visitor(connection: AnyConnection) -> Visitor | None:
    """Who is asking, if that has been read already (error pages ask nobody)."""
    return cast("Visitor | None", connection.scope.get(VISITOR))


def tongue_of(connection: AnyConnection, visitor: Visitor | None) -> Tongue:
    """The language and zone of a page: the person's, else what the browser asks for."""
    if visitor is None:
        return Tongue(pick_language(connection.headers.get("accept-language", "")))
    return Tongue(visitor.person.language, visitor.person.time_zone)


def trace_of(connection: AnyConnection) -> str:
    """The reference of this request: in the audit trail, in the log, and on the page when it fails."""
    if TRACE not in connection.scope:
        connection.scope[TRACE] = uuid.uuid4().hex[:16]  # type: ignore[literal-required]
    return cast("str", connection.scope[TRACE])  # type: ignore[literal-required]


def browser_of(connection: AnyConnection) -> Browser:
    """Where a request came from."""
    client = connection.client
    return Browser(client.host if client else "", connection.headers.get("user-agent", ""))
