"""How a workspace lets people in: its own providers to sign in with; the list, one of them, its test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from adapters.egress_rules import Allowance
from adapters.signin.doors import BACK, back_handle
from adapters.signin.kinds import KINDS
from app.errors import Missing
from app.forms import FormState, read_form
from app.room import Room
from app.session import browser_of
from app.sign_in_forms import ReadWay, read_way
from app.site import AnyRequest
from app.views.sign_in import make_choices, make_kind, make_way, return_address, tell_faults, values_of
from tenants.roles import Permission
from tenants.signin_model import SignInProvider
from tenants.signin_providers import (
    NoSuchWay,
    TooManyWays,
    add_way,
    find_way,
    list_ways,
    note_test,
    remove_way,
    save_way,
    switch_way,
    way_of,
)
from tenants.signin_rules import Way
from tenants.vault import SecretRefused

MANAGE: Permission = "members:manage"
PATH = "/w/{tenant:str}/settings/sign-in"
SENSITIVE = {"recent": "/settings/sign-in"}


def base_of(room: Room) -> str:
    return f"{room.base}/settings/sign-in"


@get(PATH)
async def show_ways(request: AnyRequest) -> Response[str]:
    """The workspace's providers, and its own page of the door."""
    room = await Room.enter(request)
    async with room.open() as unit:
        rows = await list_ways(unit)
    now = room.site.clock.now()
    return await room.workspace_page(
        "sign_in/list.html",
        "workspace",
        cards=[make_way(room.tongue, row, base_of(room), now) for row in rows],
        base=base_of(room),
        door=f"{room.site.settings.address}/sign-in/at?workspace={room.seat.slug}",
        removed=request.query_params.get("removed") == "1",
    )


@get(f"{PATH}/new")
async def show_new(request: AnyRequest) -> Response[str]:
    """The kinds there are, or the empty form of the chosen one."""
    room = await Room.enter(request)
    room.principal.require(MANAGE)
    kind = request.query_params.get("kind", "")
    values = {"newcomers": "invited", "role": "viewer"}
    if kind in KINDS:
        values |= {"kind": kind, "name": KINDS[kind].label if kind != "oidc" else ""}
    return await _form(room, FormState(values), None)


@post(PATH, opt=SENSITIVE)
async def add(request: AnyRequest) -> Response[Any]:
    """Add a provider with its secret, then show it."""
    room = await Room.enter(request)
    room.principal.require(MANAGE)
    values = await read_form(request)
    read = _read(room, values, new=True)
    if not read.faults:
        try:
            async with room.open() as unit:
                row = await add_way(unit, room.site.runtime.vault, read.form, read.secret, _from(room))
                return room.go(f"{base_of(room)}/{row.slug}?saved=1")
        except (TooManyWays, SecretRefused) as error:
            read.faults.append(_fault_of(error))
    return await _refused(room, values, read, None)


@get(f"{PATH}/{{slug:str}}")
async def show_one(request: AnyRequest) -> Response[str]:
    """The form of one provider, beside what its test brought."""
    room = await Room.enter(request)
    row = await _find(room)
    return await _form(room, FormState(values_of(row)), row)


@post(f"{PATH}/{{slug:str}}", opt=SENSITIVE)
async def save(request: AnyRequest) -> Response[Any]:
    """Save a provider; an empty secret keeps the one that is set."""
    room = await Room.enter(request)
    row = await _find(room)
    values = {**await read_form(request), "kind": row.kind}
    read = _read(room, values, new=False)
    if not read.faults:
        try:
            async with room.open() as unit:
                await save_way(unit, room.site.runtime.vault, row.slug, read.form, read.secret, _from(room))
            return room.go(f"{base_of(room)}/{row.slug}?saved=1")
        except SecretRefused as error:
            read.faults.append(_fault_of(error))
    return await _refused(room, values, read, row)


@post(f"{PATH}/{{slug:str}}/{{action:str}}", opt=SENSITIVE)
async def act(request: AnyRequest) -> Response[Any]:
    """Test it, switch it on or off, or remove it."""
    room = await Room.enter(request)
    action = ACTIONS.get(str(request.path_params["action"]))
    room.principal.require(MANAGE)
    if action is None:
        raise Missing
    await read_form(request)
    return room.go(await action(room, await _find(room)))


async def _find(room: Room) -> SignInProvider:
    try:
        async with room.open() as unit:
            return await find_way(unit, str(room.request.path_params["slug"]))
    except NoSuchWay as error:
        raise Missing from error


def _read(room: Room, values: Mapping[str, str], *, new: bool) -> ReadWay:
    return read_way(values, Allowance.parse(room.site.settings.egress_allow), new=new)


def _fault_of(error: Exception) -> tuple[str, str]:
    return ("", "many") if isinstance(error, TooManyWays) else ("secret", "secret_form")


def _from(room: Room) -> str:
    return browser_of(room.request).address


async def _refused(room: Room, values: Mapping[str, str], read: ReadWay, row: SignInProvider | None) -> Response[str]:
    """The form again, with all that is wrong; a secret is never sent back."""
    shown = {name: text[:2000] for name, text in values.items() if name != "secret"}
    return await _form(room, FormState(shown, tell_faults(room.tongue, read.faults, read.words)), row, 422)


async def _form(room: Room, form: FormState, row: SignInProvider | None, status: int = 200) -> Response[str]:
    kind = KINDS.get(form.value("kind"))
    address = room.site.settings.address
    return await room.workspace_page(
        "sign_in/form.html",
        "workspace",
        status,
        form=form,
        kind=make_kind(room.tongue, kind) if kind else None,
        kinds=[make_kind(room.tongue, one) for one in KINDS.values()],
        options=make_choices(room.tongue, kind.word, row.issuer if row else "") if kind else {},
        card=make_way(room.tongue, row, base_of(room), room.site.clock.now()) if row else None,
        back=return_address(address, row) if row else f"{address}{BACK}{_handle(room, kind.word)}" if kind else "",
        base=base_of(room),
        saved=room.request.query_params.get("saved") == "1",
    )


def _handle(room: Room, kind: str) -> str:
    """The return address of a kind before there is a provider of it."""
    return back_handle(Way(UUID(int=0), room.seat.tenant_id, "", kind, "", "", ""))


# ── What can be done with one ─────────────────────────────────────────────────────────────────────────────
async def _test(room: Room, row: SignInProvider) -> str:
    """Ask the provider what it says of itself, and keep its answer."""
    ok, said = await room.site.runtime.doors.look(way_of(row), room.site.settings.address)
    async with room.open() as unit:
        await note_test(unit, row.slug, ok, said)
    return f"{base_of(room)}/{row.slug}"


async def _switch_on(room: Room, row: SignInProvider) -> str:
    async with room.open() as unit:
        await switch_way(unit, row.slug, on=True, address=_from(room))
    return f"{base_of(room)}/{row.slug}?saved=1"


async def _switch_off(room: Room, row: SignInProvider) -> str:
    async with room.open() as unit:
        await switch_way(unit, row.slug, on=False, address=_from(room))
    return f"{base_of(room)}/{row.slug}?saved=1"


async def _remove(room: Room, row: SignInProvider) -> str:
    async with room.open() as unit:
        await remove_way(unit, room.site.runtime.vault, row.slug, _from(room))
    return f"{base_of(room)}?removed=1"


ACTIONS: Mapping[str, Callable[[Room, SignInProvider], Awaitable[str]]] = {
    "test": _test,
    "enable": _switch_on,
    "disable": _switch_off,
    "remove": _remove,
}
