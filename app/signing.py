"""A sign-in through a provider, from our page to it and back: kept in a row, bound to the browser by a cookie."""

from __future__ import annotations

import hmac
import secrets
import time
from urllib.parse import quote
from uuid import UUID

import structlog
from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from adapters.signin.doors import back_handle
from adapters.signin.kinds import serves
from adapters.signin.port import Answer, Attempt
from app.errors import Forged
from app.session import browser_of
from app.site import AnyRequest, Site, site_of
from app.throttle import knock
from tenants.directory import token_hash
from tenants.people import Visitor
from tenants.signin import identities_of, note_refusal
from tenants.signin_attempts import LIFE, Pending, Purpose, begin_attempt, take_attempt
from tenants.signin_providers import find_again, house_ways
from tenants.signin_rules import Proof, SignInRefused, Way

log = structlog.get_logger(__name__)

SECURE_NAME = "__Host-vfos-try"
PLAIN_NAME = "vfos_try"


def try_cookie(site: Site, state: str, token: str) -> Cookie:
    """The cookie of one sign-in under way, so that windows do not disturb each other; no token takes it away."""
    name = f"{SECURE_NAME if site.secure else PLAIN_NAME}-{token_hash(state)[:8]}"
    age = int(LIFE.total_seconds()) if token else 0
    return Cookie(key=name, value=token, path="/", httponly=True, secure=site.secure, samesite="lax", max_age=age)


def came_from_elsewhere(request: AnyRequest) -> bool:
    """Whether another site has caused this request. Beginning a sign-in is a link, so this is all that is known."""
    return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


async def send_out(
    request: AnyRequest,
    way: Way,
    purpose: Purpose,
    path: str,
    *,
    door: str = "/sign-in",
    visitor: Visitor | None = None,
    invitation: str = "",
) -> Response[None]:
    """Begin a sign-in and send the browser to the provider; `path` is where it ends, `door` where it may fail.

    Raises Forged, TooOften.
    """
    if came_from_elsewhere(request):
        raise Forged
    await knock(request)
    site = site_of(request)
    attempt, token = Attempt.fresh(int(time.time())), secrets.token_urlsafe(32)
    try:
        address = await site.runtime.doors.begin(way, attempt, site.settings.address, again=purpose == "confirm")
    except SignInRefused as refusal:
        await note(request, refusal, way, visitor.person.id if visitor else None)
        return turn_back(door, path, refusal)
    data = {
        "nonce": attempt.nonce,
        "verifier": attempt.verifier,
        "begun": attempt.begun,
        "next": path,
        "door": door,
        "invitation": invitation,
    }
    person, session = (visitor.person.id, visitor.session_hash) if visitor else (None, None)
    pending = Pending(purpose, way.tenant_id, way.id, data, person, session)
    await begin_attempt(site.units, attempt.state, token, pending)
    response: Response[None] = Redirect(address, status_code=303)
    response.set_cookie(try_cookie(site, attempt.state, token))
    return response


async def take_back(request: AnyRequest) -> Pending:
    """The attempt that a browser comes back with, used up. Raises TooOften, SignInRefused."""
    await knock(request)
    site = site_of(request)
    state = request.query_params.get("state", "")
    token = request.cookies.get(try_cookie(site, state, "").key, "")
    pending = await take_attempt(site.units, state, token)
    if pending is None or pending.purpose == "linking":
        refusal = SignInRefused("gone", "no such attempt in this browser")
        log.warning("signin.refused", reason=refusal.reason, detail=refusal.detail)
        raise refusal
    return pending


async def house_issuers(request: AnyRequest, user_id: UUID) -> frozenset[str]:
    """Issuers of a person's identities with which the installation lets them in at present."""
    units = site_of(request).units
    held, ways = await identities_of(units, user_id), await house_ways(units)
    return frozenset(one.issuer for one in held for way in ways if serves(way.kind, way.issuer, one.issuer))


async def read_answer(request: AnyRequest, pending: Pending) -> tuple[Way, Proof]:
    """Check what the browser brought back. Raises SignInRefused, noted already where the provider is known."""
    site, given = site_of(request), request.query_params
    way = await find_again(site.units, pending.tenant_id, pending.provider_id)
    try:
        if not hmac.compare_digest(str(request.path_params["handle"]), back_handle(way)):
            raise SignInRefused("token", "the answer came to another provider's address")
        if (error := given.get("error")) is not None:
            raise SignInRefused("denied" if error == "access_denied" else "provider", f"it says {_word(error)}")
        if not (code := given.get("code", "")) or len(code) > 4096:
            raise SignInRefused("provider", "it sent no code")
        data = pending.data
        attempt = Attempt(given["state"], data["nonce"], data["verifier"], int(data["begun"]))
        answer = Answer(code, given.get("iss"))
        again = pending.purpose == "confirm"
        return way, await site.runtime.doors.finish(way, attempt, answer, site.settings.address, again=again)
    except SignInRefused as refusal:
        await note(request, refusal, way, pending.user_id)
        raise


def _word(error: str) -> str:
    """An error's name as RFC 6749 spells them, or that it has none."""
    return error[:40] if error.replace("_", "").isalnum() and error.isascii() else "something unreadable"


async def note(request: AnyRequest, refusal: SignInRefused, way: Way, user_id: UUID | None = None) -> None:
    """Log a refusal, and write it into the trail of whom it concerns."""
    log.warning("signin.refused", reason=refusal.reason, detail=refusal.detail, provider=way.slug)
    address = browser_of(request).address
    await note_refusal(site_of(request).units, way, user_id, address, refusal.reason, refusal.detail)


def turn_back(door: str, path: str, refusal: SignInRefused) -> Response[None]:
    """Tell why on a page where another way can be tried; its address holds nothing that the provider sent."""
    query = f"{'&' if '?' in door else '?'}refused={refusal.reason}"
    if path not in ("", "/"):
        query += f"&next={quote(path, safe='/')}"
    return Redirect(f"{door}{query}", status_code=303)
