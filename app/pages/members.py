"""Members of a workspace: who they are, inviting, changing, removing, leaving, and the table of rights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast
from uuid import UUID

from litestar import Response, get, post

from app.forms import FormFault, FormState, read_form
from app.i18n import N_
from app.room import Room
from app.session import browser_of
from app.site import AnyRequest
from app.views.members import (
    REFUSALS,
    ROLE_NAMES,
    make_invitations,
    make_members,
    make_rights,
    narrowable,
    project_choices,
    role_options,
)
from app.views.settings import Option
from domain.production.queries.projects import projects_of
from tenants import members as people
from tenants.letters import mail_invitation
from tenants.member_rules import MemberRefused
from tenants.people import clean_email
from tenants.roles import ROLES, Role

PATH = "/w/{tenant:str}/members"
DONE: Mapping[str, str] = {
    "invited": N_("The invitation is made. Copy its link below and give it to the person."),
    "mailed": N_("The invitation is on its way by e-mail."),
    "withdrawn": N_("The invitation is withdrawn; its links no longer work."),
    "changed": N_("The change is in force with the person’s next click."),
    "removed": N_("The person is no longer a member."),
    "transferred": N_("Ownership has been handed over; you are an admin now."),
}


@get(PATH)
async def show_members(request: AnyRequest) -> Response[str]:
    """The people, the open invitations, and the form for another one."""
    return await _page(await Room.enter(request))


@get("/w/{tenant:str}/roles")
async def show_roles(request: AnyRequest) -> Response[str]:
    """What every role may do."""
    room = await Room.enter(request)
    room.principal.require("members:read")
    return await room.workspace_page(
        "members/roles.html",
        "members",
        rights=make_rights(room.tongue),
        roles=[room.tongue.gettext(ROLE_NAMES[role]) for role in ROLES],
        mine=room.tongue.gettext(ROLE_NAMES[room.seat.role]),
        narrowable=narrowable(room.tongue),
    )


@post(f"{PATH}/invite")
async def invite(request: AnyRequest) -> Response[Any]:
    """Make an invitation; by e-mail where this installation sends e-mail and it is wanted."""
    room = await Room.enter(request)
    room.principal.require("members:manage")
    values = await read_form(request)
    email = clean_email(values.get("email", ""))
    faults = _role_faults(room, values)
    if email is None:
        text = room.tongue.gettext("This is not an e-mail address. Write it like name@example.org.")
        faults.insert(0, FormFault("email", text))
    if faults or email is None:
        return await _page(room, FormState(values, faults), status=422)
    narrowed = await _narrowed(room, values)
    try:
        async with room.open() as unit:
            made = await people.invite(unit, email, cast("Role", values["role"]), narrowed)
        link = await people.invitation_link(room.site.units, room.principal, made.id)
    except MemberRefused as refusal:
        return await _page(room, FormState(values, [_refusal(room, refusal, "email")]), status=422)
    if room.site.settings.mail and values.get("mail"):
        await mail_invitation(room.site.units, room.principal, made.id, room.tongue.language)
        return room.go(f"{room.base}/members?done=mailed")
    return await _page(room, link=link, done="invited", email=email)


@post(f"{PATH}/invitations/{{id:uuid}}/link")
async def new_link(request: AnyRequest) -> Response[Any]:
    """Another link for an open invitation; it is shown once."""
    room = await Room.enter(request)
    await read_form(request)
    try:
        link = await people.invitation_link(room.site.units, room.principal, request.path_params["id"])
    except MemberRefused as refusal:
        return await _page(room, refusal=refusal, status=409)
    return await _page(room, link=link, done="invited")


@post(f"{PATH}/invitations/{{id:uuid}}/withdraw")
async def withdraw(request: AnyRequest) -> Response[Any]:
    """Take an invitation back."""

    async def act(room: Room, _values: Mapping[str, str]) -> str:
        async with room.open() as unit:
            await people.withdraw_invitation(unit, request.path_params["id"])
        return "withdrawn"

    return await _act(request, act)


@post(f"{PATH}/{{person:uuid}}/change")
async def change(request: AnyRequest) -> Response[Any]:
    """Give a member another role or other projects."""

    async def act(room: Room, values: Mapping[str, str]) -> str:
        role = values.get("role", "")
        if role not in ROLES:
            raise MemberRefused("rank")
        await people.change_member(
            room.site.units, room.principal, _person(request), role, await _narrowed(room, values), address=_from(room)
        )
        return "changed"

    return await _act(request, act)


@post(f"{PATH}/{{person:uuid}}/remove")
async def remove(request: AnyRequest) -> Response[Any]:
    """Take a member out."""

    async def act(room: Room, _values: Mapping[str, str]) -> str:
        await people.remove_member(room.site.units, room.principal, _person(request), address=_from(room))
        return "removed"

    return await _act(request, act)


@post(f"{PATH}/{{person:uuid}}/transfer", opt={"recent": "/members"})
async def transfer(request: AnyRequest) -> Response[Any]:
    """Hand ownership over to a member."""

    async def act(room: Room, _values: Mapping[str, str]) -> str:
        await people.transfer_ownership(room.site.units, room.principal, _person(request), address=_from(room))
        return "transferred"

    return await _act(request, act)


@post(f"{PATH}/leave", opt={"archived": True})
async def leave(request: AnyRequest) -> Response[Any]:
    """Leave the workspace oneself."""
    room = await Room.enter(request)
    await read_form(request)
    try:
        await people.leave(room.site.units, room.principal, address=_from(room))
    except MemberRefused as refusal:
        return await _page(room, refusal=refusal, status=409)
    return room.go("/")


Act = Callable[[Room, Mapping[str, str]], Awaitable[str]]


async def _act(request: AnyRequest, act: Act) -> Response[Any]:
    """Do one thing to the members and go back to them; a refusal is said on the page."""
    room = await Room.enter(request)
    values = await read_form(request)
    try:
        done = await act(room, values)
    except MemberRefused as refusal:
        return await _page(room, refusal=refusal, status=409)
    return room.go(f"{room.base}/members?done={done}")


def _person(request: AnyRequest) -> UUID:
    return cast("UUID", request.path_params["person"])


def _from(room: Room) -> str:
    return browser_of(room.request).address


def _chosen(values: Mapping[str, str]) -> list[UUID] | None:
    """The projects that were ticked; None = all."""
    if values.get("scope") != "some":
        return None
    found = []
    for name in values:
        if name.startswith("p-"):
            try:
                found.append(UUID(name[2:]))
            except ValueError:
                continue
    return found


async def _narrowed(room: Room, values: Mapping[str, str]) -> list[UUID] | None:
    """The projects that were ticked, as far as the workspace has them; None = all."""
    chosen = _chosen(values)
    if chosen is None:
        return None
    known = {line.id for line in await room.projects()}
    return [project for project in chosen if project in known]


def _role_faults(room: Room, values: Mapping[str, str]) -> list[FormFault]:
    if values.get("role") in ROLES:
        return []
    return [FormFault("role", room.tongue.gettext("Choose one of the entries of the list."))]


def _refusal(room: Room, refusal: MemberRefused, field: str = "") -> FormFault:
    return FormFault(field, room.tongue.gettext(REFUSALS[refusal.reason]))


async def _page(
    room: Room,
    form: FormState | None = None,
    *,
    refusal: MemberRefused | None = None,
    link: str = "",
    done: str = "",
    email: str = "",
    status: int = 200,
) -> Response[str]:
    manages = room.principal.can("members:manage")
    async with room.open() as unit:
        projects = await projects_of(unit)
        members = await people.members_of(unit)
        open_ones = await people.open_invitations(unit) if manages else []
    tongue, now = room.tongue, room.site.clock.now()
    state = form or FormState({"role": "operator", "scope": "all"})
    done = done or room.request.query_params.get("done", "")
    return await room.workspace_page(
        "members/list.html",
        "members",
        status,
        projects=projects,
        members=make_members(tongue, members, projects, room.visitor.person.id, room.seat.role, manages, now),
        invitations=make_invitations(tongue, open_ones, projects),
        form=state,
        roles=role_options(tongue, room.seat.role),
        scopes=_scopes(room),
        choices=project_choices(projects, _chosen(state.values) or ()),
        manages=manages,
        mails=room.site.settings.mail,
        refused=_refusal(room, refusal).text if refusal else "",
        done=tongue.gettext(DONE[done]) if done in DONE else "",
        link=f"{room.site.settings.address}/invite/{link}" if link else "",
        invited=email,
        base=room.base,
    )


def _scopes(room: Room) -> list[Option]:
    return [Option("all", room.tongue.gettext("All projects")), Option("some", room.tongue.gettext("Only these:"))]
