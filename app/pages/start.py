"""The door: the one-time owner link, the signed-out page, signing out."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from app.door import welcome
from app.forms import FormFault, FormState, read_form
from app.i18n import LANGUAGES, Tongue
from app.room import HTML, answer, go
from app.session import browser_of, csrf_of, find_visitor, no_cookie, token_of, tongue_of
from app.site import AnyRequest, site_of
from app.views.shell import look_of
from tenants.directory import end_session, look_at_link, redeem_owner_link
from tenants.names import is_blank
from tenants.people import LinkRefused

NAME_LIMIT = 80


@get("/")
async def enter(request: AnyRequest) -> Response[Any]:
    """The root: to the workspace visited last, to the door, or to founding the first workspace."""
    visitor = await find_visitor(request)
    if visitor is None:
        return Redirect("/sign-in", status_code=303)
    if not visitor.seats:
        return Redirect("/workspaces/new", status_code=303)
    return Redirect(f"/w/{visitor.seats[0].slug}", status_code=303)


@get("/start/{token:str}")
async def show_start(request: AnyRequest) -> Response[str]:
    """The form behind an owner link; looking at it does not use the link up."""
    tongue = tongue_of(request, None)
    token = str(request.path_params["token"])
    try:
        owner = await look_at_link(site_of(request).units, token)
    except LinkRefused:
        return _refused(request, tongue)
    form = FormState({"name": "", "language": tongue.language})
    return answer(request, tongue, "start/link.html", "", _values(request, tongue, form=form, owner=owner))


@post("/start/{token:str}")
async def use_start(request: AnyRequest) -> Response[Any]:
    """Use the link up: sign the owner in with a fresh session; the first one says how they are called."""
    values = await read_form(request)
    tongue = Tongue(values["language"]) if values.get("language") in LANGUAGES else tongue_of(request, None)
    site, token = site_of(request), str(request.path_params["token"])
    name = " ".join(values.get("name", "").split())
    try:
        owner = await look_at_link(site.units, token)
        if not owner and (faults := check_name(tongue, name)):
            form = FormState(values, faults)
            return answer(request, tongue, "start/link.html", "", _values(request, tongue, form=form, owner=""), 422)
        signed = await redeem_owner_link(
            site.units, token, browser_of(request), name=name or owner, language=tongue.language
        )
    except LinkRefused:
        return _refused(request, tongue)
    return await welcome(request, signed.token, f"/w/{signed.slug}")


@post("/sign-out")
async def sign_out(request: AnyRequest) -> Response[Any]:
    """End this session."""
    site = site_of(request)
    await end_session(site.units, token_of(request))
    response = go(request, "/sign-in")
    response.set_cookie(no_cookie(site))
    return response


def check_name(tongue: Tongue, name: str) -> list[FormFault]:
    """What is wrong with a person's name."""
    if is_blank(name):
        return [FormFault("name", tongue.gettext("Your name is missing. It is shown beside what you start."))]
    if len(name) > NAME_LIMIT:
        text = tongue.gettext(
            "Your name has %(length)s characters. Use at most %(limit)s.", length=len(name), limit=NAME_LIMIT
        )
        return [FormFault("name", text)]
    if not name.isprintable():
        return [FormFault("name", tongue.gettext("Your name holds a control character. Type it again."))]
    return []


def _refused(request: AnyRequest, tongue: Tongue) -> Response[str]:
    values = _values(request, tongue)
    body = site_of(request).templates.page("start/refused.html", tongue, values)
    return Response(body, status_code=410, media_type=HTML)


def _values(request: AnyRequest, tongue: Tongue, **values: Any) -> dict[str, Any]:
    return {"me": None, "look": look_of(None), "shell": None, "csrf": csrf_of(token_of(request)), **values}
