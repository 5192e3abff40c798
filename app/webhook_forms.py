"""Reading what people ask of webhooks, and the words for what has been done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from adapters.egress_rules import Allowance
from adapters.notify.webhook import examine
from app.forms import FormFault, FormState
from app.i18n import N_
from app.room import Room
from app.views.webhooks import REFUSALS, kind_field
from domain.outreach.kinds import KINDS
from domain.outreach.model import WebhookDelivery
from domain.outreach.queries import EndpointDetail
from domain.outreach.wish import EndpointWish, WebhookRefused, check_wish

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


async def read_wish(room: Room, values: Mapping[str, str]) -> EndpointWish:
    """Read the form, and look where its address leads. Raises WebhookRefused."""
    wish = EndpointWish(
        values.get("url", "").strip(),
        " ".join(values.get("description", "").split()),
        tuple(kind for kind in KINDS if values.get(kind_field(kind))),
    )
    check_wish(wish)
    await examine(wish.url, Allowance.parse(room.site.settings.egress_allow))
    return wish


def read_since(room: Room, values: Mapping[str, str]) -> datetime:
    """The local time of the form. Raises WebhookRefused."""
    try:
        local = datetime.fromisoformat(values.get("since", "").strip())
    except ValueError:
        raise WebhookRefused("since") from None
    return local if local.tzinfo is not None else local.replace(tzinfo=room.tongue.tz)


def fault_of(room: Room, refusal: WebhookRefused) -> FormFault:
    """A refusal at its field, in the person's language."""
    field = refusal.reason.partition("-")[0]
    known = field in ("url", "description", "kinds", "since")
    return FormFault(field if known else "", room.tongue.gettext(REFUSALS[refusal.reason]))


def say_done(room: Room, done: str, secret: str) -> str:
    """What has just been done; that something can be copied is said only where it stands."""
    return room.tongue.gettext(DONE[done]) if done in DONE and (secret or done not in SHOWN_ONCE) else ""


def filled(room: Room, detail: EndpointDetail, form: FormState | None, now: datetime) -> FormState:
    """The forms of the page: as they are stored, but what was refused as it was sent."""
    row = detail.line.row
    since = (row.failing_since or row.state_at or now - timedelta(days=1)).astimezone(room.tongue.tz)
    stored = {"url": row.url, "description": row.description, "since": f"{since:%Y-%m-%dT%H:%M}"}
    ticked = {kind_field(kind): "1" for kind in row.kinds}
    if form is None:
        return FormState({**stored, **ticked})
    sent_kinds = {} if "url" in form.values else ticked
    return FormState({**stored, **sent_kinds, **form.values}, form.faults)


def read_id(text: str) -> UUID | None:
    """An id from an address; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def is_busy(rows: Iterable[WebhookDelivery], now: datetime) -> bool:
    """Whether something will have happened to one of these messages in a moment."""
    return any(row.state == "waiting" and row.next_at is not None and row.next_at < now + SOON for row in rows)
