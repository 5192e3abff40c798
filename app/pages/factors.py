"""One's own second factors: passkeys, the authenticator app, recovery codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from adapters.signin.codes import matching_step, new_secret, picture, setup_address, spaced
from adapters.signin.passkeys import NAME, PasskeyRefused
from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.i18n import N_
from app.pages.settings import personal_page, visitor_of
from app.passkeys import keep, party_of
from app.recent import is_recent, require_recent
from app.room import go
from app.session import browser_of, tongue_of
from app.signing import house_issuers
from app.site import AnyRequest, site_of
from app.throttle import SECOND, knock
from app.views.factors import make_passkeys
from app.views.sign_in import REFUSED
from tenants import factors
from tenants.letters import tell_person
from tenants.names import is_name
from tenants.passkeys import MOST, NAME_LIMIT, passkeys_of, remove_passkey
from tenants.people import Visitor
from tenants.signin_rules import SignInRefused

PATH = "/settings/factors"
APP = f"{PATH}/app"
DONE: Mapping[str, str] = {
    "app": N_("The authenticator app is set up. From now on a password alone does not let anybody in."),
    "app-removed": N_("The authenticator app is removed."),
    "passkey": N_("The passkey is added. You can sign in with it."),
    "passkey-removed": N_("The passkey is removed. Delete it on the device too."),
}


@get(PATH)
async def show_factors(request: AnyRequest) -> Response[str]:
    """What there is, and how to add to it."""
    return await _page(request, await visitor_of(request), FormState({}))


# ── The authenticator app ─────────────────────────────────────────────────────────────────────────────────
@post(APP)
async def start_app(request: AnyRequest) -> Response[Any]:
    """Make a secret and show it until its first code is typed."""
    visitor = await _sensitive(request)
    await read_form(request)
    site = site_of(request)
    box = site.runtime.personal.seal_app(visitor.person.id, new_secret())
    made = await factors.start_app(site.units, visitor.person.id, box)
    return go(request, APP if made else PATH)


@get(APP)
async def show_app(request: AnyRequest) -> Response[Any]:
    """The picture for the phone, and the field for its first code."""
    return await _setup(request, await _sensitive(request), FormState({}))


@post(f"{APP}/confirm")
async def confirm_app(request: AnyRequest) -> Response[Any]:
    """Put the app in force by its first code; the first factor of a person comes with recovery codes."""
    visitor = await _sensitive(request)
    values = await read_form(request)
    site, tongue, person = site_of(request), tongue_of(request, visitor), visitor.person
    await knock(request, (f"second:{person.id}", SECOND))
    row = await factors.app_of(site.units, person.id, waiting=True)
    if row is None:
        return go(request, PATH)
    secret = site.runtime.personal.open_app(row)
    step = matching_step(secret, values.get("code", "")[:20], site.clock.now())
    if step is None:
        text = tongue.gettext("This code is not right. Type the six digits that your app shows now.")
        return await _setup(request, visitor, FormState({}, [FormFault("code", text)]), 422)
    if await factors.confirm_app(site.units, person.id, step, browser_of(request).address):
        await tell_person(site.units, person.id, "app-added")
    return await _added(request, visitor, "app")


@post(f"{APP}/remove")
async def remove_app(request: AnyRequest) -> Response[Any]:
    """Forget the app."""
    visitor = await _sensitive(request)
    await read_form(request)
    site = site_of(request)
    if await factors.remove_app(site.units, visitor.person.id, browser_of(request).address):
        await tell_person(site.units, visitor.person.id, "app-removed")
    return go(request, f"{PATH}?done=app-removed")


# ── Passkeys ──────────────────────────────────────────────────────────────────────────────────────────────
@post(f"{PATH}/passkeys")
async def add_passkey(request: AnyRequest) -> Response[Any]:
    """Keep the passkey that this browser has just made."""
    visitor = await _sensitive(request)
    values = await read_form(request)
    site, tongue, person = site_of(request), tongue_of(request, visitor), visitor.person
    name = " ".join(values.get("name", "").split()) or tongue.gettext("Passkey")
    faults = []
    if not is_name(name, NAME_LIMIT):
        text = tongue.gettext("Give a name of 1 to %(limit)s visible characters.", limit=NAME_LIMIT)
        faults.append(FormFault("name", text))
    elif len(await passkeys_of(site.units, person.id)) >= MOST:
        text = tongue.gettext("You have %(limit)s passkeys, the most there can be. Remove one first.", limit=MOST)
        faults.append(FormFault("", text))
    else:
        try:
            await keep(request, f"new {visitor.session_hash}", values.get("credential", ""), person.id, name)
        except PasskeyRefused:
            text = tongue.gettext("The passkey could not be added: it took too long or is known already. Try again.")
            faults.append(FormFault("", text))
    if faults:
        return await _page(request, visitor, FormState({"name": name[:100]}, faults), 422)
    await tell_person(site.units, person.id, "passkey-added")
    return await _added(request, visitor, "passkey")


@post(f"{PATH}/passkeys/{{id:uuid}}/remove")
async def drop_passkey(request: AnyRequest) -> Response[Any]:
    """Forget one passkey."""
    visitor = await _sensitive(request)
    await read_form(request)
    site, person = site_of(request), visitor.person
    house, address = await house_issuers(request, person.id), browser_of(request).address
    try:
        gone = await remove_passkey(site.units, person.id, request.path_params["id"], house=house, address=address)
    except SignInRefused as refusal:
        text = tongue_of(request, visitor).gettext(REFUSED[refusal.reason])
        return await _page(request, visitor, FormState({}, [FormFault("", text)]), 422)
    if not gone:
        raise Missing
    await tell_person(site.units, visitor.person.id, "passkey-removed")
    return go(request, f"{PATH}?done=passkey-removed")


# ── Recovery codes ────────────────────────────────────────────────────────────────────────────────────────
@post(f"{PATH}/codes")
async def make_codes(request: AnyRequest) -> Response[Any]:
    """Make a new set; the one before ends."""
    visitor = await _sensitive(request)
    await read_form(request)
    if not (await factors.factors_of(site_of(request).units, visitor.person.id)).any:
        return go(request, PATH)
    return await _codes(request, visitor, "")


async def _added(request: AnyRequest, visitor: Visitor, what: str) -> Response[Any]:
    """After a factor was added: recovery codes if there are none, else back to the list."""
    held = await factors.factors_of(site_of(request).units, visitor.person.id)
    return go(request, f"{PATH}?done={what}") if held.codes_left else await _codes(request, visitor, what)


async def _codes(request: AnyRequest, visitor: Visitor, done: str) -> Response[str]:
    """The one page that shows codes."""
    site, tongue = site_of(request), tongue_of(request, visitor)
    codes = await factors.new_codes(site.units, visitor.person.id, browser_of(request).address)
    if not done:
        await tell_person(site.units, visitor.person.id, "codes-made")
    barred = next((seat for seat in visitor.seats if visitor.barred(seat)), None)
    return await personal_page(
        request,
        visitor,
        "factors/codes.html",
        codes=codes,
        done=tongue.gettext(DONE[done]) if done else "",
        onward=f"/w/{barred.slug}" if barred else "",
        workspace=barred.name if barred else "",
    )


# ── Pages ─────────────────────────────────────────────────────────────────────────────────────────────────
async def _sensitive(request: AnyRequest) -> Visitor:
    visitor = await visitor_of(request)
    require_recent(request, visitor, PATH)
    return visitor


async def _setup(request: AnyRequest, visitor: Visitor, form: FormState, status: int = 200) -> Response[Any]:
    site, person = site_of(request), visitor.person
    row = await factors.app_of(site.units, person.id, waiting=True)
    if row is None:
        return go(request, PATH)
    secret = site.runtime.personal.open_app(row)
    address = setup_address(secret, person.email or person.name, NAME)
    return await personal_page(
        request, visitor, "factors/app.html", status, form=form, picture=picture(address), secret=spaced(secret)
    )


async def _page(request: AnyRequest, visitor: Visitor, form: FormState, status: int = 200) -> Response[str]:
    site, tongue = site_of(request), tongue_of(request, visitor)
    held = await factors.factors_of(site.units, visitor.person.id)
    done = request.query_params.get("done", "")
    return await personal_page(
        request,
        visitor,
        "factors/list.html",
        status,
        form=form,
        held=held,
        app_since=tongue.moment(held.app_since, site.clock.now()) if held.app_since else "",
        passkeys=make_passkeys(tongue, await passkeys_of(site.units, visitor.person.id), site.clock.now()),
        possible=party_of(request) is not None,
        fresh=is_recent(request, visitor),
        total=factors.CODES,
        needed=[seat.name for seat in visitor.seats if visitor.barred(seat)],
        done=tongue.gettext(DONE[done]) if done in DONE and not form.faults else "",
    )
