"""Signing in with e-mail and password, asking for a reset link, setting a new password, proving oneself again."""

from __future__ import annotations

from typing import Any

import structlog
from litestar import Response, get, post
from litestar.response import Redirect

from adapters.signin.passwords import judge
from app.door import door_page, next_path, password_fault, proved
from app.forms import FormFault, FormState, read_form
from app.pages.settings import visitor_of
from app.pages.sign_in_with import door_buttons, proof_buttons, refusal_faults
from app.passkeys import party_of
from app.second_step import admit, try_codes
from app.session import browser_of, find_visitor, tongue_of
from app.site import AnyRequest, site_of
from app.throttle import ACCOUNT, LETTERS, knock, short
from tenants import entrance, factors
from tenants.letters import mail_reset, tell_person
from tenants.people import Visitor, clean_email

log = structlog.get_logger(__name__)


@get("/sign-in")
async def show_door(request: AnyRequest) -> Response[Any]:
    """How to get in, for people who are out."""
    visitor = await find_visitor(request)
    if visitor is not None and visitor.seats:
        return Redirect(next_path(request.query_params.get("next", "/")), status_code=303)
    values = {"next": next_path(request.query_params.get("next", "/"))}
    return await door_form(request, FormState(values, refusal_faults(request, visitor)))


@post("/sign-in")
async def sign_in(request: AnyRequest) -> Response[Any]:
    """Compare the password; unknown people and wrong passwords take the same time and get the same words.

    Whoever has a second factor is asked for it next.
    """
    values = await read_form(request)
    site = site_of(request)
    email = clean_email(values.get("email", "")) or ""
    await knock(request, (f"account:{email}", ACCOUNT))
    login = await entrance.find_login(site.units, email)
    password = values.get("password", "")[:1024]
    if not await site.passwords.matches(login.hash if login else None, password) or login is None:
        log.warning("sign_in.refused", account=short(email), address=browser_of(request).address)
        tongue = tongue_of(request, None)
        fault = FormFault("", tongue.gettext("This address and password do not belong together. Try again."))
        kept = {"email": values.get("email", "")[:254], "next": next_path(values.get("next", "/"))}
        return await door_form(request, FormState(kept, [fault]), 422)
    if site.passwords.outdated(login.hash):
        await entrance.improve_hash(site.units, login.user_id, await site.passwords.hash(password))
    return await admit(request, login.user_id, ["password"], next_path(values.get("next", "/")))


async def door_form(request: AnyRequest, form: FormState, status: int = 200, **more: Any) -> Response[str]:
    """The door with all its ways in, and what is wrong with the last try."""
    return door_page(
        request,
        "start/door.html",
        status,
        form=form,
        mails=site_of(request).settings.mail,
        passkeys=party_of(request) is not None,
        buttons=await door_buttons(request, form.value("next")),
        **more,
    )


# ── Reset ─────────────────────────────────────────────────────────────────────────────────────────────────
@get("/forgot")
async def show_forgot(request: AnyRequest) -> Response[str]:
    """The form that asks for a reset link."""
    return door_page(
        request, "start/forgot.html", form=FormState({}), asked=False, mails=site_of(request).settings.mail
    )


@post("/forgot")
async def forgot(request: AnyRequest) -> Response[str]:
    """Queue a letter if somebody has this address; the answer is the same for everybody."""
    values = await read_form(request)
    site, tongue = site_of(request), tongue_of(request, None)
    email = clean_email(values.get("email", ""))
    if email is None:
        fault = FormFault("email", tongue.gettext("This is not an e-mail address. Write it like name@example.org."))
        form = FormState({"email": values.get("email", "")[:254]}, [fault])
        return door_page(request, "start/forgot.html", 422, form=form, asked=False, mails=site.settings.mail)
    await knock(request, (f"letter:{email}", LETTERS))
    if site.settings.mail:
        await mail_reset(site.units, email)
    form = FormState({"email": email})
    return door_page(request, "start/forgot.html", form=form, asked=True, mails=site.settings.mail)


@get("/reset/{token:str}")
async def show_reset(request: AnyRequest) -> Response[str]:
    """The form behind a reset link; looking does not use it up."""
    if not await entrance.reset_is_open(site_of(request).units, request.path_params["token"]):
        return door_page(request, "start/gone.html", 410, way="/forgot")
    return door_page(request, "start/reset.html", form=FormState({}))


@post("/reset/{token:str}")
async def reset(request: AnyRequest) -> Response[Any]:
    """Set the new password, end every session, and let the person sign in with it."""
    values = await read_form(request)
    site, tongue = site_of(request), tongue_of(request, None)
    await knock(request)
    password = values.get("password", "")
    if (fault := judge(password)) is not None:
        form = FormState({}, [FormFault("password", password_fault(tongue, fault))])
        return door_page(request, "start/reset.html", 422, form=form)
    if not await entrance.reset_is_open(site.units, request.path_params["token"]):
        return door_page(request, "start/gone.html", 410, way="/forgot")
    hashed = await site.passwords.hash(password)
    try:
        user_id = await entrance.reset_password(
            site.units, request.path_params["token"], hashed, browser_of(request).address
        )
    except entrance.ResetRefused:
        return door_page(request, "start/gone.html", 410, way="/forgot")
    await tell_person(site.units, user_id, "password")
    return await door_form(request, FormState({"next": "/"}), changed=True)


# ── Once more ─────────────────────────────────────────────────────────────────────────────────────────────
@get("/confirm")
async def show_confirm(request: AnyRequest) -> Response[str]:
    """Ask for a fresh proof before something sensitive."""
    visitor = await visitor_of(request)
    values = {"next": next_path(request.query_params.get("next", "/settings/security"))}
    faults = refusal_faults(request, visitor)
    if request.query_params.get("refused") == "1":
        text = tongue_of(request, visitor).gettext("The passkey did not confirm it. Try again, or use another way.")
        faults.append(FormFault("", text))
    return await _confirm(request, visitor, FormState(values, faults))


@post("/confirm")
async def confirm(request: AnyRequest) -> Response[Any]:
    """Compare the password once more and go back; the act itself is asked for again there."""
    visitor = await visitor_of(request)
    values = await read_form(request)
    site, tongue = site_of(request), tongue_of(request, visitor)
    await knock(request, (f"account:{visitor.person.id}", ACCOUNT))
    hashed = await entrance.hash_of(site.units, visitor.person.id)
    form = FormState({"next": next_path(values.get("next", "/"))})
    if not await site.passwords.matches(hashed, values.get("password", "")[:1024]):
        fault = FormFault("password", tongue.gettext("This is not your password. Try again."))
        return await _confirm(request, visitor, FormState(form.values, [fault]), 422)
    if (await factors.factors_of(site.units, visitor.person.id)).any:
        method = await try_codes(request, tongue, visitor.person.id, values)
        if isinstance(method, FormFault):
            return await _confirm(request, visitor, FormState(form.values, [method]), 422)
    return await proved(request, visitor, "password", form.value("next"))


async def _confirm(request: AnyRequest, visitor: Visitor, form: FormState, status: int = 200) -> Response[str]:
    units, person = site_of(request).units, visitor.person
    held = await factors.factors_of(units, person.id)
    return door_page(
        request,
        "start/confirm.html",
        status,
        visitor=visitor,
        form=form,
        ways=await entrance.ways_of(units, person.id),
        held=held,
        buttons=await proof_buttons(request, visitor, form.value("next")),
        passkeys=held.passkeys > 0 and party_of(request) is not None,
    )
