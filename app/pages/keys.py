"""API keys of a workspace: which there are, made, renewed, revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.i18n import N_
from app.recent import is_recent
from app.room import Room
from app.site import AnyRequest
from app.views.keys import (
    LASTS,
    OVERLAPS,
    REFUSALS,
    last_options,
    make_keys,
    overlap_options,
    scope_choices,
    scope_field,
)
from app.views.members import project_choices
from app.views.settings import Option
from domain.production.queries.projects import projects_of
from tenants import api_keys
from tenants.key_format import WrittenKey
from tenants.key_rules import OFFERED, ApiKeyRefused, KeyWish, read_networks

PATH = "/w/{tenant:str}/keys"
DONE: Mapping[str, str] = {
    "created": N_("The key is made. Copy it now: it is not shown again."),
    "renewed": N_("The new key is made. Copy it now: it is not shown again."),
    "revoked": N_("The key is revoked; the next request with it is refused."),
}


@get(PATH)
async def show_keys(request: AnyRequest) -> Response[str]:
    """The keys, and the form for another one."""
    return await _page(await Room.enter(request))


@post(PATH, opt={"recent": "/keys"})
async def create(request: AnyRequest) -> Response[Any]:
    """Make a key and show it this once."""
    room = await Room.enter(request)
    room.principal.require("keys:manage")
    values = await read_form(request)
    try:
        async with room.open() as unit:
            known = {line.id for line in await projects_of(unit)}
            written = await api_keys.create_key(unit, _wish(values, known))
    except ApiKeyRefused as refusal:
        return await _page(room, FormState(values, [_fault(room, refusal)]), 422)
    return await _page(room, done="created", written=written, name=values["name"].strip())


@post(f"{PATH}/{{id:uuid}}/renew", opt={"recent": "/keys"})
async def renew(request: AnyRequest) -> Response[Any]:
    """Make a successor and show it this once; the old key goes on for a while."""
    room = await Room.enter(request)
    room.principal.require("keys:manage")
    overlap = OVERLAPS.get((await read_form(request)).get("overlap", "24"))
    if overlap is None:
        return await _refuse(room, ApiKeyRefused("lasts"))
    try:
        async with room.open() as unit:
            written, name = await api_keys.renew_key(unit, request.path_params["id"], overlap)
    except ApiKeyRefused as refusal:
        return await _refuse(room, refusal)
    return await _page(room, done="renewed", written=written, name=name)


@post(f"{PATH}/{{id:uuid}}/revoke", opt={"archived": True})
async def revoke(request: AnyRequest) -> Response[Any]:
    """End a key."""
    room = await Room.enter(request)
    room.principal.require("keys:manage")
    await read_form(request)
    try:
        async with room.open() as unit:
            await api_keys.revoke_key(unit, request.path_params["id"])
    except ApiKeyRefused as refusal:
        return await _refuse(room, refusal)
    return room.go(f"{room.base}/keys?done=revoked")


async def _refuse(room: Room, refusal: ApiKeyRefused) -> Response[str]:
    """A key that is not there, or another workspace's, is missing like any page; other refusals are said."""
    if refusal.reason == "missing":
        raise Missing
    return await _page(room, FormState({}, [FormFault("", room.tongue.gettext(REFUSALS[refusal.reason]))]), 409)


def _wish(values: Mapping[str, str], known: set[UUID]) -> KeyWish:
    """Read the form. Raises ApiKeyRefused."""
    if values.get("lasts") not in LASTS:
        raise ApiKeyRefused("lasts")
    chosen = frozenset(project for project in known if values.get(f"p-{project}"))
    return KeyWish(
        name=" ".join(values.get("name", "").split()),
        scopes=frozenset(scope for scope in OFFERED if values.get(scope_field(scope))),
        projects=chosen if values.get("scope") == "some" else None,
        networks=tuple(read_networks(values.get("networks", "")[:2000])),
        lasts=LASTS[values["lasts"]],
    )


def _fault(room: Room, refusal: ApiKeyRefused) -> FormFault:
    field = refusal.reason if refusal.reason in ("name", "scopes", "projects", "networks", "lasts") else ""
    return FormFault(field, room.tongue.gettext(REFUSALS[refusal.reason]))


async def _page(
    room: Room,
    form: FormState | None = None,
    status: int = 200,
    *,
    done: str = "",
    written: WrittenKey | None = None,
    name: str = "",
) -> Response[str]:
    room.principal.require("keys:manage")
    tongue, now = room.tongue, room.site.clock.now()
    shown = form or FormState({"lasts": "90", scope_field("jobs:read"): "1", scope_field("artifacts:read"): "1"})
    async with room.open() as unit:
        projects = await projects_of(unit)
        lines = await api_keys.keys_of(unit)
    done = done or room.request.query_params.get("done", "")
    asked = {UUID(field[2:]) for field in shown.values if field.startswith("p-") and _is_id(field[2:])}
    return await room.workspace_page(
        "keys/list.html",
        "keys",
        status,
        projects=projects,
        keys=make_keys(tongue, lines, projects, now),
        form=shown,
        scopes=scope_choices(tongue, room.principal, shown.values),
        choices=project_choices(projects, asked),
        reach=[Option("all", tongue.gettext("All projects")), Option("some", tongue.gettext("Only these:"))],
        lasts=last_options(tongue),
        overlaps=overlap_options(tongue),
        fresh=is_recent(room.request, room.visitor),
        archived=room.seat.archived_at is not None,
        written=written.text.reveal() if written else "",
        name=name,
        done=tongue.gettext(DONE[done]) if done in DONE and not shown.faults and (written or done == "revoked") else "",
        base=room.base,
        api=f"{room.site.settings.address}/api/v1",
    )


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
