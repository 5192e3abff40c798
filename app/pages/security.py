"""One's own ways in: password, and where one is signed in."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from adapters.signin.passwords import judge
from app.door import password_fault
from app.forms import FormFault, FormState, read_form
from app.pages.settings import personal_page, visitor_of
from app.pages.sign_in_with import link_buttons, refusal_faults
from app.recent import is_recent, require_recent
from app.room import go, local_path
from app.session import browser_of, tongue_of
from app.site import AnyRequest, site_of
from app.throttle import ACCOUNT, knock
from app.views.settings import make_sessions
from app.views.sign_in import make_identities
from tenants import entrance
from tenants.directory import end_other_sessions, end_session_of, sessions_of
from tenants.letters import tell_person
from tenants.people import Visitor, clean_email
from tenants.signin import identities_of

PATH = "/settings/security"


@get(PATH)
async def show_security(request: AnyRequest) -> Response[str]:
    """Password and sessions."""
    visitor = await visitor_of(request)
    values = {"email": visitor.person.email or ""}
    return await _page(request, visitor, FormState(values, refusal_faults(request, visitor)))


@post(f"{PATH}/password")
async def save_password(request: AnyRequest) -> Response[Any]:
    """Set or change the password; every other session ends. A change needs the present one, the first a fresh proof."""
    visitor = await visitor_of(request)
    values = await read_form(request)
    site, tongue, person = site_of(request), tongue_of(request, visitor), visitor.person
    present = await entrance.hash_of(site.units, person.id)
    faults = []
    await knock(request, (f"account:{person.id}", ACCOUNT))
    if present is None:
        require_recent(request, visitor, PATH)
    elif not await site.passwords.matches(present, values.get("present", "")[:1024]):
        faults.append(FormFault("present", tongue.gettext("This is not your password. Try again.")))
    email = clean_email(values.get("email", "")) if person.email is None else person.email
    if email is None:
        text = tongue.gettext("This is not an e-mail address. Write it like name@example.org.")
        faults.append(FormFault("email", text))
    if (fault := judge(values.get("password", ""), person.name, email or "")) is not None:
        faults.append(FormFault("password", password_fault(tongue, fault)))
    form = FormState({"email": values.get("email", "")[:254]}, faults)
    if faults:
        return await _page(request, visitor, form, 422)
    hashed = await site.passwords.hash(values["password"])
    done = await entrance.set_password(
        site.units,
        person.id,
        hashed,
        keep=visitor.session_hash,
        email=email if person.email is None else None,
        address=browser_of(request).address,
    )
    if not done:
        fault_text = tongue.gettext("This address cannot be used. Choose another, or ask an owner to invite it.")
        return await _page(request, visitor, FormState(form.values, [FormFault("email", fault_text)]), 422)
    await tell_person(site.units, person.id, "password")
    return go(request, f"{PATH}?saved=1")


@post("/settings/sessions")
async def end_one(request: AnyRequest) -> Response[Any]:
    """End another session of one's own."""
    visitor = await visitor_of(request)
    values = await read_form(request)
    await end_session_of(
        site_of(request).units, visitor.person.id, values.get("handle", ""), address=browser_of(request).address
    )
    return go(request, local_path(values.get("next", ""), PATH))


@post("/settings/sessions/others")
async def end_others(request: AnyRequest) -> Response[Any]:
    """Sign out everywhere else."""
    visitor = await visitor_of(request)
    await read_form(request)
    await end_other_sessions(
        site_of(request).units, visitor.person.id, visitor.session_hash, address=browser_of(request).address
    )
    return go(request, f"{PATH}?ended=1")


async def _identities(request: AnyRequest, visitor: Visitor) -> dict[str, Any]:
    """One's accounts at providers, and those that could be linked."""
    site, tongue = site_of(request), tongue_of(request, visitor)
    return {
        "identities": make_identities(tongue, await identities_of(site.units, visitor.person.id), site.clock.now()),
        "linkable": await link_buttons(request, visitor),
        "linked": request.query_params.get("linked") == "1",
        "unlinked": request.query_params.get("unlinked") == "1",
    }


async def _page(request: AnyRequest, visitor: Visitor, form: FormState, status: int = 200) -> Response[str]:
    site, tongue = site_of(request), tongue_of(request, visitor)
    lines = await sessions_of(site.units, visitor.person.id)
    ways = await entrance.ways_of(site.units, visitor.person.id)
    return await personal_page(
        request,
        visitor,
        "settings/security.html",
        status,
        form=form,
        ways=ways,
        since=tongue.moment(ways.password_since, site.clock.now()) if ways.password_since else "",
        fresh=is_recent(request, visitor),
        sessions=make_sessions(tongue, lines, visitor.session_hash, site.clock.now()),
        saved=request.query_params.get("saved") == "1",
        ended=request.query_params.get("ended") == "1",
        **await _identities(request, visitor),
    )
