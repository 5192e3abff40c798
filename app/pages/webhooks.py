"""Webhooks of a workspace: endpoints, their messages, and everything that can be done with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormState, read_form
from app.recent import is_recent
from app.room import Room
from app.site import AnyRequest
from app.views.keys import overlap_options
from app.views.webhook_messages import filter_links, make_messages
from app.views.webhooks import (
    OVERLAPS,
    kind_choices,
    kind_field,
    make_card,
    make_secrets,
)
from app.webhook_forms import DONE, fault_of, filled, is_busy, read_id, read_since, read_wish, say_done
from domain.outreach import endpoints
from domain.outreach.model import DELIVERY_STATES
from domain.outreach.queries import endpoint_detail, endpoints_of
from domain.outreach.wish import WebhookRefused
from tenants.unit import Unit

PATH = "/w/{tenant:str}/webhooks"
ONE = f"{PATH}/{{id:uuid}}"
FIRST_CHOICE = ("job.finished", "job.failed", "job.cancelled", "approval.waiting")


@get(PATH)
async def show_webhooks(request: AnyRequest) -> Response[str]:
    """The endpoints, and the form for another one."""
    return await _list(await Room.enter(request))


@post(PATH, opt={"recent": "/webhooks"})
async def add(request: AnyRequest) -> Response[Any]:
    """Add an endpoint and show its signing secret this once."""
    room = await Room.enter(request)
    room.principal.require(endpoints.NEEDS)
    values = await read_form(request)
    try:
        wish = await read_wish(room, values)
        async with room.open() as unit:
            row, secret = await endpoints.add_endpoint(unit, room.site.runtime.vault, wish)
    except WebhookRefused as refusal:
        return await _list(room, FormState(values, [fault_of(room, refusal)]), 422)
    return await _endpoint(room, row.id, done="added", secret=secret.reveal())


@get(ONE)
async def show_webhook(request: AnyRequest) -> Response[str]:
    """One endpoint with its messages."""
    room = await Room.enter(request)
    return await _endpoint(room, request.path_params["id"])


@post(ONE, opt={"recent": "/webhooks"})
async def save(request: AnyRequest) -> Response[Any]:
    """Change address, description or the choice of messages."""
    room = await Room.enter(request)
    room.principal.require(endpoints.NEEDS)
    endpoint_id, values = request.path_params["id"], await read_form(request)
    try:
        wish = await read_wish(room, values)
        async with room.open() as unit:
            await endpoints.change_endpoint(unit, endpoint_id, wish)
    except WebhookRefused as refusal:
        return await _refuse(room, endpoint_id, refusal, values)
    return room.go(f"{room.base}/webhooks/{endpoint_id}?done=saved")


@post(f"{ONE}/rotate", opt={"recent": "/webhooks"})
async def rotate(request: AnyRequest) -> Response[Any]:
    """Make a new signing secret and show it this once; the old one signs beside it for a while."""
    room = await Room.enter(request)
    room.principal.require(endpoints.NEEDS)
    endpoint_id, overlap = request.path_params["id"], OVERLAPS.get((await read_form(request)).get("overlap", "24"))
    try:
        if overlap is None:
            raise WebhookRefused("lasts")
        async with room.open() as unit:
            secret = await endpoints.rotate_secret(unit, room.site.runtime.vault, endpoint_id, overlap)
    except WebhookRefused as refusal:
        return await _refuse(room, endpoint_id, refusal)
    return await _endpoint(room, endpoint_id, done="rotated", secret=secret.reveal())


@post(f"{ONE}/test")
async def send_test(request: AnyRequest) -> Response[Any]:
    """Send a message that is about nothing."""
    now = (await Room.enter(request)).site.clock.now()
    return await act_on(request, "tested", lambda unit, one: endpoints.send_test(unit, one, now))


@post(f"{ONE}/pause", opt={"archived": True})
async def pause(request: AnyRequest) -> Response[Any]:
    """Keep messages until it is resumed."""
    return await act_on(request, "paused", endpoints.pause_endpoint)


@post(f"{ONE}/resume")
async def resume(request: AnyRequest) -> Response[Any]:
    """Go on with a paused or switched-off endpoint."""
    return await act_on(request, "resumed", endpoints.resume_endpoint)


@post(f"{ONE}/recover")
async def recover(request: AnyRequest) -> Response[Any]:
    """Send what was missed since a time."""
    room = await Room.enter(request)
    room.principal.require(endpoints.NEEDS)
    endpoint_id, values = request.path_params["id"], await read_form(request)
    try:
        since = read_since(room, values)
        async with room.open() as unit:
            await endpoints.recover(unit, endpoint_id, since, room.site.clock.now())
    except WebhookRefused as refusal:
        return await _refuse(room, endpoint_id, refusal, {"since": values.get("since", "")[:40]})
    return room.go(f"{room.base}/webhooks/{endpoint_id}?done=recovering")


@post(f"{ONE}/delete", opt={"archived": True})
async def remove(request: AnyRequest) -> Response[Any]:
    """Forget an endpoint."""
    room = await Room.enter(request)
    room.principal.require(endpoints.NEEDS)
    await read_form(request)
    try:
        async with room.open() as unit:
            await endpoints.remove_endpoint(unit, room.site.runtime.vault, request.path_params["id"])
    except WebhookRefused:
        raise Missing from None
    return room.go(f"{room.base}/webhooks?done=removed")


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────────
async def act_on(
    request: AnyRequest, done: str, act: Callable[[Unit, UUID], Awaitable[object]], tail: str = ""
) -> Response[Any]:
    """Do something to the endpoint of the address, then lead back to its page (or `tail` below it)."""
    room = await Room.enter(request)
    room.principal.require(endpoints.NEEDS)
    await read_form(request)
    endpoint_id = request.path_params["id"]
    try:
        async with room.open() as unit:
            await act(unit, endpoint_id)
    except WebhookRefused as refusal:
        return await _refuse(room, endpoint_id, refusal)
    return room.go(f"{room.base}/webhooks/{endpoint_id}{tail}?done={done}")


async def _refuse(
    room: Room, endpoint_id: UUID, refusal: WebhookRefused, values: Mapping[str, str] | None = None
) -> Response[str]:
    """An endpoint that is not there, or another workspace's, is missing like any page; other refusals are said."""
    if refusal.reason == "missing":
        raise Missing
    form = FormState(values or {}, [fault_of(room, refusal)])
    return await _endpoint(room, endpoint_id, form, 422 if values else 409)


async def _list(room: Room, form: FormState | None = None, status: int = 200) -> Response[str]:
    room.principal.require(endpoints.NEEDS)
    tongue, now = room.tongue, room.site.clock.now()
    shown = form or FormState({kind_field(kind): "1" for kind in FIRST_CHOICE})
    async with room.open() as unit:
        lines = await endpoints_of(unit)
    done = room.request.query_params.get("done", "")
    return await room.workspace_page(
        "webhooks/list.html",
        "webhooks",
        status,
        cards=[make_card(tongue, line, now) for line in lines],
        form=shown,
        kinds=kind_choices(tongue, shown.values),
        base=f"{room.base}/webhooks",
        fresh=is_recent(room.request, room.visitor),
        archived=room.seat.archived_at is not None,
        done=tongue.gettext(DONE[done]) if done == "removed" and not shown.faults else "",
    )


async def _endpoint(
    room: Room, endpoint_id: UUID, form: FormState | None = None, status: int = 200, *, done: str = "", secret: str = ""
) -> Response[str]:
    room.principal.require(endpoints.NEEDS)
    tongue, now, query = room.tongue, room.site.clock.now(), room.request.query_params
    state = query.get("state", "")
    try:
        async with room.open() as unit:
            detail = await endpoint_detail(unit, endpoint_id, state, read_id(query.get("before", "")))
            hints = {card.name: card.hint for card in await room.site.runtime.vault.list(unit)}
    except WebhookRefused:
        raise Missing from None
    done = done or query.get("done", "")
    shown = filled(room, detail, form, now)
    return room.page(
        "webhooks/endpoint.html",
        "messages",
        status,
        shell=room.shell(await room.projects(), None, "webhooks"),
        card=make_card(tongue, detail.line, now),
        form=shown,
        kinds=kind_choices(tongue, shown.values),
        secrets=make_secrets(tongue, detail.secrets, hints, now),
        overlaps=overlap_options(tongue),
        messages=make_messages(tongue, detail.deliveries, now),
        filters=filter_links(tongue, state, detail.line.counts),
        state=state if state in DELIVERY_STATES else "",
        older=str(detail.older) if detail.older else "",
        base=f"{room.base}/webhooks",
        fresh=is_recent(room.request, room.visitor),
        archived=room.seat.archived_at is not None,
        secret=secret,
        busy=not query.get("before") and is_busy([line.row for line in detail.deliveries], now),
        done=say_done(room, done, secret) if not shown.faults else "",
    )
