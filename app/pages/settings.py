"""Personal settings: name, language, theme, density, time zone, single keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from app.errors import SignedOut
from app.forms import FormFault, FormState, read_form
from app.i18n import LANGUAGES, Tongue, zone_names
from app.pages.start import check_name
from app.room import answer, go
from app.session import csrf_of, find_visitor, token_of, tongue_of
from app.site import AnyRequest, site_of
from app.views.settings import make_options
from app.views.shell import look_of, make_shell
from domain.production.queries.projects import ProjectLine, projects_of
from tenants.directory import save_preferences
from tenants.people import Visitor

THEMES = ("system", "light", "dark")
DENSITIES = ("comfortable", "compact")


@get("/settings")
async def show_settings(request: AnyRequest) -> Response[str]:
    """The form with what is set now."""
    visitor = await visitor_of(request)
    person = visitor.person
    values = {
        "name": person.name,
        "language": person.language,
        "theme": person.theme,
        "density": person.density,
        "time_zone": person.time_zone,
        "shortcuts": "1" if person.shortcuts else "",
        "mail_approvals": "1" if person.mail_approvals else "",
    }
    return await _page(request, visitor, FormState(values))


@post("/settings")
async def save_settings(request: AnyRequest) -> Response[Any]:
    """Save all at once; the next page already looks the new way."""
    visitor = await visitor_of(request)
    values = await read_form(request)
    tongue = tongue_of(request, visitor)
    values["name"] = " ".join(values.get("name", "").split())
    faults = check_settings(tongue, values)
    if faults:
        return await _page(request, visitor, FormState(values, faults), 422)
    wanted = {name: values[name] for name in ("name", "language", "theme", "density", "time_zone")}
    ticked = {name: values.get(name) == "1" for name in ("shortcuts", "mail_approvals")}
    await save_preferences(site_of(request).units, visitor.person.id, **ticked, **wanted)
    return go(request, "/settings?saved=1")


def check_settings(tongue: Tongue, values: Mapping[str, str]) -> list[FormFault]:
    """Everything wrong with the form."""
    faults = check_name(tongue, values.get("name", ""))
    allowed = {"language": tuple(LANGUAGES), "theme": THEMES, "density": DENSITIES, "time_zone": zone_names()}
    for name, choices in allowed.items():
        if values.get(name) not in choices:
            faults.append(FormFault(name, tongue.gettext("Choose one of the entries of the list.")))
    return faults


async def visitor_of(request: AnyRequest) -> Visitor:
    """Who is asking. Raises SignedOut."""
    visitor = await find_visitor(request)
    if visitor is None:
        raise SignedOut
    return visitor


async def _page(request: AnyRequest, visitor: Visitor, form: FormState, status: int = 200) -> Response[str]:
    tongue = tongue_of(request, visitor)
    values = {
        "form": form,
        "options": make_options(tongue),
        "saved": request.query_params.get("saved") == "1",
        "mails": site_of(request).settings.mail,
    }
    return await personal_page(request, visitor, "settings/personal.html", status, **values)


async def personal_page(
    request: AnyRequest, visitor: Visitor, template: str, status: int = 200, **values: Any
) -> Response[str]:
    """A page about the person, in the frame of the workspace they were in last."""
    tongue = tongue_of(request, visitor)
    seat = visitor.seats[0] if visitor.seats else None
    principal = visitor.principal(seat.slug) if seat else None
    projects: list[ProjectLine] = []
    if principal is not None:
        async with site_of(request).units.open(principal) as unit:
            projects = await projects_of(unit)
    frame = {
        "me": visitor.person,
        "look": look_of(visitor.person),
        "csrf": csrf_of(token_of(request)),
        "here": request.scope["path"],
        "shell": make_shell(tongue, visitor.seats, seat, projects, None, "") if seat else None,
    }
    return answer(request, tongue, template, "content", {**frame, **values}, status)
