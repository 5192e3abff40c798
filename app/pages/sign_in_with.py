"""Signing in with a provider: the buttons of a workspace, the way out and back, and linking it to one's account."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.response import Redirect

from adapters.signin.kinds import serves
from app.door import door_page, next_path, proved, welcome
from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.pages.settings import visitor_of
from app.recent import require_recent
from app.room import go
from app.session import browser_of, find_visitor, tongue_of
from app.signing import house_issuers, note, read_answer, send_out, take_back, try_cookie, turn_back
from app.site import AnyRequest, site_of
from app.throttle import knock
from app.views.sign_in import Button, make_buttons, told
from tenants import signin, signin_attempts
from tenants.directory import token_hash
from tenants.members import InvitationGone, look_at_offer
from tenants.people import Visitor
from tenants.signin_attempts import Pending
from tenants.signin_providers import house_ways, ways_at, ways_of_tenants
from tenants.signin_rules import Proof, SignInRefused, Way

SECURITY = "/settings/security"
LINKING = "linking"
ONCE = {"once": True}
"""Marks handlers that HEAD must not reach: asking twice is not the same as asking once."""


# ── The door ──────────────────────────────────────────────────────────────────────────────────────────────
@get("/sign-in/at")
async def show_workspace_door(request: AnyRequest) -> Response[str]:
    """The providers of a workspace's own; a workspace without any is told as one that does not exist."""
    await knock(request)
    name = request.query_params.get("workspace", "").strip().lower()[:40]
    path = next_path(request.query_params.get("next", "/"))
    ways = await ways_at(site_of(request).units, name) if name else []
    faults = refusal_faults(request, None)
    if name and not ways:
        text = tongue_of(request, None).gettext("There is no sign-in of its own at this address.")
        faults.append(FormFault("workspace", text))
    buttons = make_buttons(ways, f"/sign-in/at/{quote(name, safe='')}", path)
    form = FormState({"workspace": name, "next": path}, faults)
    return door_page(request, "start/workspace.html", 422 if name and not ways else 200, form=form, buttons=buttons)


def refusal_faults(request: AnyRequest, visitor: Visitor | None) -> list[FormFault]:
    """Why the sign-in that has just come back failed, if one did."""
    text = told(tongue_of(request, visitor), request.query_params.get("refused", ""))
    return [FormFault("", text)] if text else []


async def door_buttons(request: AnyRequest, path: str) -> list[Button]:
    """The providers everybody may sign in with."""
    return make_buttons(await house_ways(site_of(request).units), "/sign-in/with", path)


@get("/sign-in/with/{provider:str}", opt=ONCE)
async def begin(request: AnyRequest) -> Response[Any]:
    """Go to a provider of the installation."""
    way = _pick(await house_ways(site_of(request).units), request)
    return await send_out(request, way, "enter", next_path(request.query_params.get("next", "/")))


@get("/sign-in/at/{workspace:str}/{provider:str}", opt=ONCE)
async def begin_at(request: AnyRequest) -> Response[Any]:
    """Go to a provider of a workspace."""
    name = str(request.path_params["workspace"])
    way = _pick(await ways_at(site_of(request).units, name), request)
    path = next_path(request.query_params.get("next", "/"))
    return await send_out(request, way, "enter", path, door=f"/sign-in/at?workspace={quote(name, safe='')}")


def _pick(ways: list[Way], request: AnyRequest) -> Way:
    wanted = str(request.path_params["provider"])
    found = next((way for way in ways if way.slug == wanted), None)
    if found is None:
        raise Missing
    return found


# ── An invitation ─────────────────────────────────────────────────────────────────────────────────────────
async def invitation_buttons(request: AnyRequest, slug: str, token: str) -> list[Button]:
    """The providers with which somebody invited can join: the installation's and the workspace's."""
    units, base = site_of(request).units, f"/invite/{token}/with"
    return make_buttons(await house_ways(units), base, "") + make_buttons(await ways_at(units, slug), base, "", "own=1")


@get("/invite/{token:str}/with/{provider:str}", opt=ONCE)
async def begin_joining(request: AnyRequest) -> Response[Any]:
    """Go to a provider, to come back as a member."""
    token, units = str(request.path_params["token"]), site_of(request).units
    try:
        offer = await look_at_offer(units, token)
    except InvitationGone:
        return door_page(request, "start/gone.html", 410, way="")
    own = request.query_params.get("own") == "1"
    way = _pick(await ways_at(units, offer.slug) if own else await house_ways(units), request)
    return await send_out(request, way, "join", f"/w/{offer.slug}", invitation=token_hash(token))


# ── Back from the provider ────────────────────────────────────────────────────────────────────────────────
@get("/sign-in/back/{handle:str}", opt=ONCE)
async def come_back(request: AnyRequest) -> Response[Any]:
    """Take what the provider sent, once, and finish what was begun."""
    visitor = await find_visitor(request)
    try:
        pending = await take_back(request)
    except SignInRefused as refusal:
        return turn_back("/sign-in" if visitor is None else SECURITY, "", refusal)
    try:
        response = await _finish(request, pending, visitor)
    except SignInRefused as refusal:
        response = turn_back(pending.data["door"], pending.data["next"], refusal)
    response.set_cookie(try_cookie(site_of(request), request.query_params["state"], ""))
    return response


async def _finish(request: AnyRequest, pending: Pending, visitor: Visitor | None) -> Response[Any]:
    way, proof = await read_answer(request, pending)
    try:
        if pending.purpose in ("enter", "join"):
            return await _enter(request, pending, way, proof)
        if visitor is None or visitor.session_hash != pending.session_hash:
            raise SignInRefused("gone", "the session that began it has ended")
        return await (_prove if pending.purpose == "confirm" else _hold)(request, pending, visitor, way, proof)
    except SignInRefused as refusal:
        await note(request, refusal, way, pending.user_id)
        raise


async def _enter(request: AnyRequest, pending: Pending, way: Way, proof: Proof) -> Response[Any]:
    language = tongue_of(request, None).language
    invitation = pending.data["invitation"]
    entered = await signin.enter(
        site_of(request).units, way, proof, browser_of(request), language=language, invitation=invitation
    )
    path = pending.data["next"]
    return await welcome(request, entered.token, f"/w/{entered.slug}" if path == "/" and entered.slug else path)


async def _prove(request: AnyRequest, pending: Pending, visitor: Visitor, way: Way, proof: Proof) -> Response[Any]:
    """A fresh proof for the session that asked for it, by the same person."""
    units = site_of(request).units
    if await signin.owner_of(units, proof) != visitor.person.id:
        raise SignInRefused("other", "the proof is of somebody else")
    return await proved(request, visitor, f"oidc:{way.kind}", pending.data["next"])


# ── Fresh proof and linking, for somebody who is signed in ────────────────────────────────────────────────
async def own_ways(request: AnyRequest, visitor: Visitor) -> list[Way]:
    """Providers that may prove who holds this session: the installation's, or in a tied session its workspace's."""
    units = site_of(request).units
    return await house_ways(units) if visitor.only is None else await ways_of_tenants(units, [visitor.only])


async def proof_buttons(request: AnyRequest, visitor: Visitor, path: str) -> list[Button]:
    """Linked providers with which a person can prove who they are once more."""
    held = await signin.identities_of(site_of(request).units, visitor.person.id)
    ways = [
        way
        for way in await own_ways(request, visitor)
        if any(one.kind == way.kind and serves(way.kind, way.issuer, one.issuer) for one in held)
    ]
    return make_buttons(ways, "/confirm/with", path)


@get("/confirm/with/{provider:str}", opt=ONCE)
async def begin_proof(request: AnyRequest) -> Response[Any]:
    """Go to a provider to prove who one is, afresh."""
    visitor = await visitor_of(request)
    way = _pick(await own_ways(request, visitor), request)
    path = next_path(request.query_params.get("next", SECURITY))
    return await send_out(request, way, "confirm", path, door="/confirm", visitor=visitor)


async def link_buttons(request: AnyRequest, visitor: Visitor) -> list[Button]:
    """Every provider that a person may link: the installation's, and those of their workspaces."""
    units, base = site_of(request).units, f"{SECURITY}/with"
    buttons = make_buttons(await house_ways(units), base, "")
    for seat in visitor.seats:
        ways = await ways_of_tenants(units, [seat.tenant_id])
        buttons += [
            Button(f"{button.label} · {seat.name}", button.href)
            for button in make_buttons(ways, base, "", f"own={quote(seat.slug, safe='')}")
        ]
    return buttons


@get(f"{SECURITY}/with/{{provider:str}}", opt=ONCE)
async def begin_linking(request: AnyRequest) -> Response[Any]:
    """Go to a provider whose account is to become another way in."""
    visitor = await visitor_of(request)
    require_recent(request, visitor, SECURITY)
    units, own = site_of(request).units, request.query_params.get("own", "")
    seat = visitor.seat(own) if own else None
    if own and seat is None:
        raise Missing
    way = _pick(await ways_of_tenants(units, [seat.tenant_id]) if seat else await house_ways(units), request)
    return await send_out(request, way, "link", "/", door=SECURITY, visitor=visitor)


async def _hold(request: AnyRequest, pending: Pending, visitor: Visitor, way: Way, proof: Proof) -> Response[Any]:
    """Keep what was proved until the person has said that this account is theirs."""
    site = site_of(request)
    owner = await signin.owner_of(site.units, proof)
    if owner is not None:
        if owner == visitor.person.id:
            return Redirect(f"{SECURITY}?linked=1", status_code=303)
        raise SignInRefused("taken", "the identity is somebody else's")
    key = await signin.hold_identity(site.units, pending, way, proof)
    response: Response[Any] = Redirect(f"{SECURITY}/link", status_code=303)
    response.set_cookie(try_cookie(site, LINKING, key))
    return response


@get(f"{SECURITY}/link")
async def show_link(request: AnyRequest) -> Response[Any]:
    """Ask whether this is the account that is meant."""
    visitor = await visitor_of(request)
    key = request.cookies.get(try_cookie(site_of(request), LINKING, "").key, "")
    held = await signin_attempts.look_at_attempt(site_of(request).units, key, "linking")
    if held is None or held.session_hash != visitor.session_hash:
        return turn_back(SECURITY, "", SignInRefused("gone"))
    return door_page(
        request,
        "start/link_identity.html",
        visitor=visitor,
        label=held.data["label"],
        provider=held.data["provider"],
        whole=held.tenant_id is None,
    )


@post(f"{SECURITY}/link")
async def link(request: AnyRequest) -> Response[Any]:
    """Make the account that was shown another way in."""
    visitor = await visitor_of(request)
    require_recent(request, visitor, SECURITY)
    await read_form(request)
    site = site_of(request)
    key = request.cookies.get(try_cookie(site, LINKING, "").key, "")
    held = await signin_attempts.take_attempt(site.units, key, key)
    if held is None or held.purpose != "linking" or held.session_hash != visitor.session_hash:
        return turn_back(SECURITY, "", SignInRefused("gone"))
    try:
        await signin.link_held(site.units, held, visitor.person.id, browser_of(request).address)
    except SignInRefused as refusal:
        return turn_back(SECURITY, "", refusal)
    response = go(request, f"{SECURITY}?linked=1")
    response.set_cookie(try_cookie(site, LINKING, ""))
    return response


@post(f"{SECURITY}/unlink")
async def unlink(request: AnyRequest) -> Response[Any]:
    """Take an account's way in away."""
    visitor = await visitor_of(request)
    require_recent(request, visitor, SECURITY)
    values = await read_form(request)
    units = site_of(request).units
    try:
        await signin.unlink(
            units,
            visitor.person.id,
            values.get("issuer", ""),
            values.get("subject", ""),
            house=await house_issuers(request, visitor.person.id),
            keep=visitor.session_hash,
            address=browser_of(request).address,
        )
    except SignInRefused as refusal:
        return turn_back(SECURITY, "", refusal)
    return go(request, f"{SECURITY}?unlinked=1")
