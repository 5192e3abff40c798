"""One message of a webhook: what was sent, every try, and sending it once more."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from app.errors import Missing
from app.pages.webhooks import ONE, act_on
from app.room import Room
from app.site import AnyRequest
from app.views.webhook_messages import make_message, make_tries
from app.views.webhooks import name_of
from app.webhook_forms import DONE, is_busy
from domain.outreach import endpoints
from domain.outreach.kinds import KINDS
from domain.outreach.queries import delivery_detail
from domain.outreach.wish import WebhookRefused

MESSAGE = f"{ONE}/messages/{{message:uuid}}"


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
        url=endpoint.url,
        body=row.body,
        tries=make_tries(tongue, tries, now),
        endpoint=name_of(endpoint),
        base=f"{room.base}/webhooks",
        href=f"{room.base}/webhooks/{endpoint.id}",
        may_replay=room.seat.archived_at is None and (endpoint.state != "disabled" or row.kind not in KINDS),
        done=tongue.gettext(DONE[done]) if done == "replayed" else "",
        busy=is_busy([row], now),
    )


@post(f"{MESSAGE}/replay")
async def replay(request: AnyRequest) -> Response[Any]:
    """Send a message once more."""
    message = request.path_params["message"]
    tail = f"/messages/{message}"
    return await act_on(request, "replayed", lambda unit, one: endpoints.replay(unit, one, message), tail)
