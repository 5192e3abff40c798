"""Webhooks of a workspace: endpoints, their messages, and everything that can be done with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from adapters.egress_rules import Allowance
from adapters.notify.webhook import examine
from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.i18n import N_
from app.recent import is_recent
from app.room import Room
from app.site import AnyRequest
from app.views.webhooks import (
    OVERLAPS,
    REFUSALS,
    filter_links,
    kind_choices,
    kind_field,
    make_card,
    make_message,
    make_messages,
    make_secrets,
    make_tries,
    name_of,
    overlap_options,
)
from domain.outreach import endpoints
from domain.outreach.kinds import KINDS
from domain.outreach.model import DELIVERY_STATES
from domain.outreach.queries import EndpointDetail, delivery_detail, endpoint_detail, endpoints_of
from domain.outreach.wish import EndpointWish, WebhookRefused, check_wish
from tenants.unit import Unit

PATH = "/w/{tenant:str}/webhooks"
ONE = f"{PATH}/{{id:uuid}}"
MESSAGE = f"{ONE}/messages/{{message:uuid}}"
FIRST_CHOICE = ("job.finished", "job.failed", "job.cancelled", "approval.waiting")
SOON = timedelta(seconds=20)
"""A page looks again by itself while a message is due within so long."""
DONE: Mapping[str, str] = {
    "added": N_("The endpoint is added. Copy its signing secret now: it is not shown again."),
    "rotated": N_("The new signing secret is made. Copy it now: it is not shown again."),
    "saved": N_("Saved."),
    "paused": N_("The endpoint is paused. What happens meanwhile is kept for it."),
    "resumed": N_("The endpoint is in use again."),
    "removed": N_("The endpoint is deleted, with its messages and secrets."),
    "tested": N_("The test message is on its way; how it fares stands below."),
    "recovering": N_("What was missed is on its way."),
    "replayed": N_("The message is on its way once more."),
}
SHOWN_ONCE = ("added", "rotated")


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
        wish = await _wish(room, values)
        async with room.open() as unit:
            row, secret = await endpoints.add_endpoint(unit, room.site.runtime.vault, wish)
    except WebhookRefused as refusal:
        return await _list(room, FormState(values, [_fault(room, refusal)]), 422)
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
        wish = await _wish(room, values)
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
    return await _do(request, "tested", lambda unit, one: endpoints.send_test(unit, one, now))


@post(f"{ONE}/pause", opt={"archived": True})
async def pause(request: AnyRequest) -> Response[Any]:
    """Keep messages until it is resumed."""
    return await _do(request, "paused", endpoints.pause_endpoint)


@post(f"{ONE}/resume")
async def resume(request: AnyRequest) -> Response[Any]:
    """Go on with a paused or switched-off endpoint."""
    return await _do(request, "resumed", endpoints.resume_endpoint)


@post(f"{ONE}/recover")
async def recover(request: AnyRequest) -> Response[Any]:
    """Send what was missed since a time."""
    room = await Room.enter(request)
    room.principal.require(endpoints.NEEDS)
    endpoint_id, values = request.path_params["id"], await read_form(request)
    try:
        since = _since(room, values)
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


@get(MESSAGE)
async def show_message(request: AnyRequest) -> Response[str]:
    """One message: what was sent, and every try."""
    room = await Room.enter(request)
    room.principal.require(endpoints.NEEDS)
    tongue, now = room.tongue, room.site.clock.now()
    try:
        async with room.open() as unit:
            endpoint, row, tries = await delivery_detail(
                unit, request.path_params["id"], request.path_params["message"]
            )
    except WebhookRefused:
        raise Missing from None
    done = request.query_params.get("done", "")
    return await room.workspace_page(
        "webhooks/message.html",
        "webhooks",
        message=make_message(tongue, row, tries[0] if tries else None, now),
        message_id=row.message_id,
        body=row.body,
        tries=make_tries(tongue, tries, now),
        endpoint=name_of(endpoint),
        base=f"{room.base}/webhooks",
        href=f"{room.base}/webhooks/{endpoint.id}",
        may_replay=room.seat.archived_at is None and (endpoint.state != "disabled" or row.kind not in KINDS),
        done=tongue.gettext(DONE[done]) if done == "replayed" else "",
        busy=_busy([row], now),
    )


@post(f"{MESSAGE}/replay")
async def replay(request: AnyRequest) -> Response[Any]:
    """Send a message once more."""
    message = request.path_params["message"]
    tail = f"/messages/{message}"
    return await _do(request, "replayed", lambda unit, one: endpoints.replay(unit, one, message), tail)


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────────
async def _do(
    request: AnyRequest, done: str, act: Callable[[Unit, UUID], Awaitable[object]], tail: str = ""
) -> Response[Any]:
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


async def _wish(room: Room, values: Mapping[str, str]) -> EndpointWish:
    """Read the form, and look where its address leads. Raises WebhookRefused."""
    wish = EndpointWish(
        values.get("url", "").strip(),
        " ".join(values.get("description", "").split()),
        tuple(kind for kind in KINDS if values.get(kind_field(kind))),
    )
    check_wish(wish)
    await examine(wish.url, Allowance.parse(room.site.settings.egress_allow))
    return wish


def _since(room: Room, values: Mapping[str, str]) -> datetime:
    """The local time of the form. Raises WebhookRefused."""
    try:
        local = datetime.fromisoformat(values.get("since", "").strip())
    except ValueError:
        raise WebhookRefused("since") from None
    return local if local.tzinfo is not None else local.replace(tzinfo=room.tongue.tz)


def _fault(room: Room, refusal: WebhookRefused) -> FormFault:
    field = refusal.reason.partition("-")[0]
    known = field in ("url", "description", "kinds", "since")
    return FormFault(field if known else "", room.tongue.gettext(REFUSALS[refusal.reason]))


async def _refuse(
    room: Room, endpoint_id: UUID, refusal: WebhookRefused, values: Mapping[str, str] | None = None
) -> Response[str]:
    """An endpoint that is not there, or another workspace's, is missing like any page; other refusals are said."""
    if refusal.reason == "missing":
        raise Missing
    form = FormState(values or {}, [_fault(room, refusal)])
    return await _endpoint(room, endpoint_id, form, 422 if values else 409)


def _busy(rows: Any, now: datetime) -> bool:
    return any(row.state == "waiting" and row.next_at is not None and row.next_at < now + SOON for row in rows)


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
            detail = await endpoint_detail(unit, endpoint_id, state, _before(query.get("before", "")))
            hints = {card.name: card.hint for card in await room.site.runtime.vault.list(unit)}
    except WebhookRefused:
        raise Missing from None
    done = done or query.get("done", "")
    shown = _filled(room, detail, form, now)
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
        busy=not query.get("before") and _busy([line.row for line in detail.deliveries], now),
        done=_said(room, done, secret) if not shown.faults else "",
    )


def _said(room: Room, done: str, secret: str) -> str:
    """What has just been done; that something can be copied is said only where it stands."""
    return room.tongue.gettext(DONE[done]) if done in DONE and (secret or done not in SHOWN_ONCE) else ""


def _filled(room: Room, detail: EndpointDetail, form: FormState | None, now: datetime) -> FormState:
    """The forms of the page: as they are stored, but what was refused as it was sent."""
    row = detail.line.row
    since = (row.failing_since or row.state_at or now - timedelta(days=1)).astimezone(room.tongue.tz)
    stored = {"url": row.url, "description": row.description, "since": f"{since:%Y-%m-%dT%H:%M}"}
    ticked = {kind_field(kind): "1" for kind in row.kinds}
    if form is None:
        return FormState({**stored, **ticked})
    sent_kinds = {} if "url" in form.values else ticked
    return FormState({**stored, **sent_kinds, **form.values}, form.faults)


def _before(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
