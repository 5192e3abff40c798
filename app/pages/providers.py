"""Providers of a workspace: the list, one provider, its test; and what a project works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Response, get, post

from adapters.egress_rules import Allowance
from app.errors import Missing
from app.forms import FormState, read_form
from app.provider_forms import Read, read_provider
from app.room import Room
from app.site import AnyRequest
from app.views.providers import make_card, make_kind, make_slots, tell_faults, values_of
from app.views.voices import make_slots as make_voice_slots
from domain.catalog.provider_rows import Provider
from domain.catalog.providers import (
    Choice,
    InvalidProvider,
    NoSuchProvider,
    add_provider,
    choices_of,
    choose_providers,
    find_provider,
    list_providers,
    record_test,
    remove_provider,
    save_provider,
    switch_provider,
    uses_of,
)
from domain.catalog.vendors import VENDORS, sorted_kinds
from domain.catalog.voices import bound_voices, list_voices
from domain.production.queries.projects import projects_of, recipes_of
from tenants.roles import Permission
from tenants.unit import Unit
from tenants.vault import SecretCard, SecretRefused

MANAGE: Permission = "credentials:manage"
LINKS = 4
"""Makers of pictures that a project can put in order, before the art board."""


def base_of(room: Room) -> str:
    return f"/w/{room.seat.slug}/providers"


# ── The list ──────────────────────────────────────────────────────────────────────────────────────────────
@get("/w/{tenant:str}/providers")
async def show_providers(request: AnyRequest) -> Response[str]:
    """All providers of the workspace, with their health."""
    room = await Room.enter(request)
    now = room.site.clock.now()
    async with room.open() as unit:
        rows, uses = await list_providers(unit), await uses_of(unit)
        keys = await _keys(room, unit)
        projects = await projects_of(unit)
    return room.page(
        "providers/list.html",
        "content",
        shell=room.shell(projects, None, "accounts"),
        cards=[make_card(room.tongue, row, base_of(room), now, uses, keys) for row in rows],
        base=base_of(room),
        may_edit=room.principal.can(MANAGE),
        removed=request.query_params.get("removed") == "1",
    )


async def _keys(room: Room, unit: Unit) -> Mapping[str, SecretCard]:
    """What may be shown of the keys, to those who may change them."""
    if not room.principal.can(MANAGE):
        return {}
    return {card.name: card for card in await room.site.runtime.vault.list(unit)}


# ── One provider ──────────────────────────────────────────────────────────────────────────────────────────
@get("/w/{tenant:str}/providers/new")
async def show_new_provider(request: AnyRequest) -> Response[str]:
    """The kinds there are, or the empty form of the chosen one."""
    room = await Room.enter(request)
    room.principal.require(MANAGE)
    kind = request.query_params.get("kind", "")
    vendor = VENDORS.get(kind)
    values: dict[str, str] = {}
    if vendor is not None:
        options = {f"option_{option.name}": option.default for option in vendor.options}
        values = {"kind": kind, "name": vendor.label, "model": vendor.model, **options}
    return await _form_page(room, FormState(values), None)


@post("/w/{tenant:str}/providers")
async def add_one(request: AnyRequest) -> Response[Any]:
    """Add a provider with its key, then show it."""
    room = await Room.enter(request)
    room.principal.require(MANAGE)
    values = await read_form(request)
    read = _read(room, values)
    if not read.faults:
        try:
            async with room.open() as unit:
                row = await add_provider(unit, room.site.runtime.vault, read.form, read.key)
                return room.go(f"{base_of(room)}/{row.slug}?added=1")
        except (InvalidProvider, SecretRefused) as error:
            read.faults.extend(_faults_of(error))
    return await _refused(room, values, read, None)


@get("/w/{tenant:str}/providers/{slug:str}")
async def show_provider(request: AnyRequest) -> Response[str]:
    """The form of one provider, beside its health."""
    room = await Room.enter(request)
    room.principal.require(MANAGE)
    async with room.open() as unit:
        row = await _find(unit, request)
    return await _form_page(room, FormState(values_of(row)), row)


@post("/w/{tenant:str}/providers/{slug:str}")
async def save_one(request: AnyRequest) -> Response[Any]:
    """Save a provider; an empty key keeps the one that is set."""
    room = await Room.enter(request)
    room.principal.require(MANAGE)
    values = await read_form(request)
    async with room.open() as unit:
        row = await _find(unit, request)
    read = _read(room, {**values, "kind": row.kind})
    if not read.faults:
        try:
            async with room.open() as unit:
                saved = await save_provider(unit, room.site.runtime.vault, row.slug, read.form, read.key)
            if read.key:
                await _forgive(room, saved)
            return room.go(f"{base_of(room)}/{row.slug}?saved=1")
        except (InvalidProvider, SecretRefused) as error:
            read.faults.extend(_faults_of(error))
    return await _refused(room, {**values, "kind": row.kind}, read, row)


async def _find(unit: Unit, request: AnyRequest) -> Provider:
    try:
        return await find_provider(unit, str(request.path_params["slug"]))
    except NoSuchProvider as error:
        raise Missing from error


def _read(room: Room, values: Mapping[str, str]) -> Read:
    return read_provider(values, Allowance.parse(room.site.settings.egress_allow))


def _faults_of(error: Exception) -> list[tuple[str, str]]:
    return error.faults if isinstance(error, InvalidProvider) else [("key", "key_form")]


async def _refused(room: Room, values: Mapping[str, str], read: Read, row: Provider | None) -> Response[str]:
    """The form again, with all that is wrong; a key is never sent back."""
    shown = {name: text[:2000] for name, text in values.items() if name != "key"}
    return await _form_page(room, FormState(shown, tell_faults(room.tongue, read.faults, read.words)), row, 422)


async def _form_page(room: Room, form: FormState, row: Provider | None, status: int = 200) -> Response[str]:
    now, vendor = room.site.clock.now(), VENDORS.get(form.value("kind"))
    async with room.open() as unit:
        projects, uses, keys = await projects_of(unit), await uses_of(unit), await _keys(room, unit)
    return room.page(
        "providers/form.html",
        "content",
        status,
        shell=room.shell(projects, None, "accounts"),
        form=form,
        kind=make_kind(room.tongue, vendor) if vendor else None,
        kinds=[make_kind(room.tongue, one) for one in sorted_kinds()],
        card=make_card(room.tongue, row, base_of(room), now, uses, keys) if row else None,
        base=base_of(room),
        told={name: room.request.query_params.get(name) == "1" for name in ("added", "saved", "tested")},
    )


# ── What can be done with one ─────────────────────────────────────────────────────────────────────────────
@post("/w/{tenant:str}/providers/{slug:str}/{action:str}")
async def do_with_provider(request: AnyRequest) -> Response[Any]:
    """Test its connection, switch it on or off, or remove it."""
    room = await Room.enter(request)
    action = ACTIONS.get(str(request.path_params["action"]))
    if action is None:
        raise Missing
    room.principal.require(MANAGE)
    await read_form(request)
    async with room.open() as unit:
        row = await _find(unit, request)
    return room.go(await action(room, row))


async def _test(room: Room, row: Provider) -> str:
    """Ask the provider something that costs nothing, as the factory, and keep its own answer."""
    desk = room.site.runtime.open_desk()
    try:
        test = await desk.test(room.principal.tenant_id, row.id)
    finally:
        await desk.close()
    async with room.open() as unit:
        await record_test(unit, row.id, test)
        unit.audit("provider.tested", "provider", row.id, after={"ok": test.ok, "said": test.said})
    return f"{base_of(room)}/{row.slug}?tested=1"


async def _forgive(room: Room, row: Provider) -> None:
    """A new key ends what breakers remember of the old one."""
    desk = room.site.runtime.open_desk()
    try:
        await desk.forgive(row)
    finally:
        await desk.close()


async def _switch_on(room: Room, row: Provider) -> str:
    async with room.open() as unit:
        await switch_provider(unit, row.slug, on=True)
    return f"{base_of(room)}/{row.slug}?saved=1"


async def _switch_off(room: Room, row: Provider) -> str:
    async with room.open() as unit:
        await switch_provider(unit, row.slug, on=False)
    return f"{base_of(room)}/{row.slug}?saved=1"


async def _remove(room: Room, row: Provider) -> str:
    async with room.open() as unit:
        await remove_provider(unit, room.site.runtime.vault, row.slug)
    return f"{base_of(room)}?removed=1"


ACTIONS: Mapping[str, Callable[[Room, Provider], Awaitable[str]]] = {
    "test": _test,
    "enable": _switch_on,
    "disable": _switch_off,
    "remove": _remove,
}


# ── A project's choice ────────────────────────────────────────────────────────────────────────────────────
@get("/w/{tenant:str}/p/{project:str}/providers")
async def show_choice(request: AnyRequest) -> Response[str]:
    """Who writes, speaks and draws for the project."""
    room = await Room.enter(request)
    async with room.open() as unit:
        project, _ = await room.project(unit)
        chosen = await choices_of(unit.session, project.id)
    values = {port: rows[0].slug for port, rows in chosen.items() if rows and port != "images"}
    values |= {f"images_{number}": row.slug for number, row in enumerate(chosen["images"], 1)}
    return await _choice_page(room, FormState(values))


@post("/w/{tenant:str}/p/{project:str}/providers")
async def save_choice(request: AnyRequest) -> Response[Any]:
    """Set who writes, speaks and draws; jobs that are started from now on use it."""
    room = await Room.enter(request)
    values = await read_form(request)
    images = tuple(values.get(f"images_{number}", "") for number in range(1, LINKS + 1))
    choice = Choice(values.get("writer", ""), values.get("narrator", ""), tuple(filter(None, images)))
    try:
        async with room.open() as unit:
            project, _ = await room.project(unit)
            await choose_providers(unit, project.id, choice)
    except InvalidProvider as error:
        places = [("images_1" if name == "images" else name, code) for name, code in error.faults]
        return await _choice_page(room, FormState(values, tell_faults(room.tongue, places)), 422)
    return room.go(f"/w/{room.seat.slug}/p/{room.project_slug}/providers?saved=1")


async def _choice_page(room: Room, form: FormState, status: int = 200) -> Response[str]:
    async with room.open() as unit:
        project, projects = await room.project(unit)
        rows = await list_providers(unit)
        voices = await list_voices(unit, project.id)
        recipes, bound = await recipes_of(unit, project.id), await bound_voices(unit, project.id)
    return room.page(
        "providers/choice.html",
        "content",
        status,
        shell=room.shell(projects, project, "providers"),
        form=form,
        slots=make_slots(room.tongue, rows, LINKS),
        base=base_of(room),
        here=room.request.scope["path"],
        any_at_all=bool(rows),
        may_choose=room.principal.can("projects:manage", project.id),
        saved=room.request.query_params.get("saved") == "1",
        voices=make_voice_slots(room.tongue, recipes, voices, bound),
        voices_at=f"{room.base}/p/{room.project_slug}/voices",
        presets=f"{room.base}/voices",
        wrong_voice=room.request.query_params.get("wrong") == "1",
    )
