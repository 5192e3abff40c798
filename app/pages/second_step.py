"""Signing in with a second factor, or with a passkey alone; and what a page may ask a browser for."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.response import Redirect

from adapters.signin.passkeys import PasskeyRefused, ask_known, ask_new
from app.door import door_page, next_path, proved, welcome
from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.pages.settings import visitor_of
from app.pages.sign_in import door_form
from app.passkeys import SIGN_IN, fresh_challenge, party_of, prove
from app.recent import require_recent
from app.second_step import PATH, step_cookie, step_token, try_codes
from app.session import browser_of, tongue_of
from app.site import AnyRequest, site_of
from app.throttle import knock
from tenants import entrance, factors
from tenants.directory import token_hash
from tenants.factors import Pending
from tenants.passkeys import credentials_of

JSON = "application/json"


def second_use(token: str) -> str:
    """What a challenge of a waiting sign-in is for."""
    return f"second {token_hash(token)}"


# ── What is asked of a browser ────────────────────────────────────────────────────────────────────────────
@get("/passkeys/ask/sign-in")
async def ask_sign_in(request: AnyRequest) -> Response[str]:
    """Ask for any passkey that this browser has for us; the same for everybody."""
    party = party_of(request)
    if party is None:
        raise Missing
    return Response(ask_known(party, fresh_challenge(request, SIGN_IN)), media_type=JSON)


@get("/passkeys/ask/second")
async def ask_second(request: AnyRequest) -> Response[str]:
    """Ask for a passkey of the person who has just given their password."""
    party, token = party_of(request), step_token(request)
    pending = await factors.look_at_second_step(site_of(request).units, token)
    if party is None or pending is None:
        raise Missing
    known = await credentials_of(site_of(request).units, pending.user_id)
    return Response(ask_known(party, fresh_challenge(request, second_use(token)), known), media_type=JSON)


@get("/passkeys/ask/confirm")
async def ask_confirm(request: AnyRequest) -> Response[str]:
    """Ask for a passkey of the signed-in person."""
    visitor, party = await visitor_of(request), party_of(request)
    if party is None:
        raise Missing
    known = await credentials_of(site_of(request).units, visitor.person.id)
    challenge = fresh_challenge(request, f"confirm {visitor.session_hash}")
    return Response(ask_known(party, challenge, known), media_type=JSON)


@get("/passkeys/ask/new")
async def ask_for_new(request: AnyRequest) -> Response[str]:
    """Ask for a new passkey of the signed-in person."""
    visitor, party = await visitor_of(request), party_of(request)
    require_recent(request, visitor, "/settings/factors")
    if party is None:
        raise Missing
    known = await credentials_of(site_of(request).units, visitor.person.id)
    challenge = fresh_challenge(request, f"new {visitor.session_hash}")
    name = visitor.person.email or visitor.person.name
    return Response(ask_new(party, challenge, visitor.person.id, name, known), media_type=JSON)


# ── Signing in ────────────────────────────────────────────────────────────────────────────────────────────
@post("/sign-in/passkey")
async def sign_in_with_passkey(request: AnyRequest) -> Response[Any]:
    """Let in whoever's passkey has answered: it is both factors at once."""
    values = await read_form(request)
    site, path = site_of(request), next_path(values.get("next", "/"))
    await knock(request)
    try:
        user_id = await prove(request, SIGN_IN, values.get("credential", ""))
    except PasskeyRefused:
        fault = FormFault("", _unknown(request))
        form = FormState({"next": path}, [fault])
        return await door_form(request, form, 422)
    token = await entrance.let_in(site.units, user_id, ["passkey"], browser_of(request))
    return await welcome(request, token, path)


@get(PATH)
async def show_second(request: AnyRequest) -> Response[Any]:
    """Ask for the second factor of a waiting sign-in."""
    pending = await factors.look_at_second_step(site_of(request).units, step_token(request))
    if pending is None:
        return Redirect("/sign-in", status_code=303)
    return await _page(request, pending, FormState({}))


@post(PATH)
async def second(request: AnyRequest) -> Response[Any]:
    """Check the second factor and begin the session."""
    values = await read_form(request)
    site, token = site_of(request), step_token(request)
    pending = await factors.look_at_second_step(site.units, token)
    if pending is None:
        return Redirect("/sign-in", status_code=303)
    method = await _try(request, pending, token, values)
    if isinstance(method, FormFault):
        return await _page(request, pending, FormState({}, [method]), 422)
    cookie = await factors.finish_second_step(site.units, token, method, browser_of(request))
    if cookie is None:
        return Redirect("/sign-in", status_code=303)
    response = await welcome(request, cookie, next_path(pending.next))
    response.set_cookie(step_cookie(site, ""))
    return response


async def _try(request: AnyRequest, pending: Pending, token: str, values: dict[str, str]) -> str | FormFault:
    if not values.get("credential"):
        return await try_codes(request, tongue_of(request, None), pending.user_id, values)
    await knock(request)
    try:
        await prove(request, second_use(token), values["credential"], pending.user_id)
    except PasskeyRefused:
        return FormFault("", _unknown(request))
    return "passkey"


def _unknown(request: AnyRequest) -> str:
    return tongue_of(request, None).gettext(
        "This passkey is not known here, or it took too long. Try again, or use another way."
    )


async def _page(request: AnyRequest, pending: Pending, form: FormState, status: int = 200) -> Response[str]:
    held = await factors.factors_of(site_of(request).units, pending.user_id)
    passkeys = held.passkeys > 0 and party_of(request) is not None
    return door_page(request, "factors/second.html", status, form=form, held=held, passkeys=passkeys)


# ── Once more ─────────────────────────────────────────────────────────────────────────────────────────────
@post("/confirm/passkey")
async def confirm_with_passkey(request: AnyRequest) -> Response[Any]:
    """A fresh proof by passkey; a refused one leads back to the page that asks."""
    visitor = await visitor_of(request)
    values = await read_form(request)
    path = next_path(values.get("next", "/"))
    await knock(request)
    try:
        await prove(request, f"confirm {visitor.session_hash}", values.get("credential", ""), visitor.person.id)
    except PasskeyRefused:
        return Redirect(f"/confirm?refused=1&next={quote(path, safe='/')}", status_code=303)
    return await proved(request, visitor, "passkey", path)
