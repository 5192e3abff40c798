"""Messages to endpoints of webhooks and the tries at them, as their pages show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.i18n import N_, Tongue
from app.views.marks import Mark
from app.views.webhooks import KIND_NAMES, mark_of
from domain.outreach.model import WebhookAttempt, WebhookDelivery
from domain.outreach.queries import DeliveryLine

MESSAGE_STATES: Mapping[str, tuple[str, str, str]] = {
    "waiting": ("run", "clock", N_("on its way")),
    "again": ("wait", "timer", N_("will be tried again")),
    "held": ("idle", "circle-pause", N_("kept until the endpoint is resumed")),
    "delivered": ("ok", "circle-check", N_("delivered")),
    "failed": ("bad", "circle-x", N_("given up")),
}
OUTCOMES: Mapping[str, tuple[str, str, str]] = {
    "sending": ("run", "clock", N_("under way")),
    "lost": ("wait", "rotate-ccw", N_("broken off with the program that made it; made again")),
    "delivered": ("ok", "circle-check", N_("accepted")),
    "refused": ("bad", "circle-x", N_("not accepted")),
    "redirected": ("bad", "circle-x", N_("led elsewhere; redirects are not followed")),
    "gone": ("bad", "ban", N_("gone for good")),
    "late": ("bad", "timer", N_("no answer within 15 seconds")),
    "unreachable": ("bad", "circle-x", N_("no connection, or one that broke off")),
    "forbidden": ("bad", "ban", N_("the address leads to a place that requests may not reach")),
    "sealed": ("bad", "circle-alert", N_("its signing secret could not be opened: make a new one")),
}
FILTERS: tuple[tuple[str, str], ...] = (
    ("", N_("All")),
    ("waiting", N_("On their way")),
    ("held", N_("Kept")),
    ("delivered", N_("Delivered")),
    ("failed", N_("Given up")),
)


@dataclass(frozen=True)
class MessageRow:
    """A message: what it says, how it fares, and its last try."""

    id: str
    kind: str
    name: str
    about: str
    href: str
    mark: Mark
    at: datetime
    said: str
    tries: int
    last: str
    next_at: datetime | None
    next_said: str


@dataclass(frozen=True)
class TryRow:
    """One try at a message; `answer` is how what came back begins, `foreign` words of the program or the other side."""

    number: int
    mark: Mark
    status: int | None
    took: str
    at: datetime
    said: str
    answer: str
    foreign: str


def make_messages(tongue: Tongue, lines: Sequence[DeliveryLine], now: datetime) -> list[MessageRow]:
    """Rows of the list of messages."""
    return [make_message(tongue, line.row, line.last, now) for line in lines]


def make_message(tongue: Tongue, row: WebhookDelivery, last: WebhookAttempt | None, now: datetime) -> MessageRow:
    """A message with its last try."""
    again = row.state == "waiting" and row.failures > 0
    busy = last is not None and last.outcome == "sending"
    return MessageRow(
        id=str(row.id),
        kind=row.kind,
        name=tongue.gettext(KIND_NAMES.get(row.kind, row.kind)),
        about=_about(row.body),
        href=_job_href(row.body),
        mark=mark_of(tongue, MESSAGE_STATES["again" if again else row.state]),
        at=row.happened_at,
        said=tongue.moment(row.happened_at, now),
        tries=row.tries,
        last=_last(tongue, last) if last is not None else "",
        next_at=row.next_at if again and not busy else None,
        next_said=tongue.full(row.next_at) if again and row.next_at is not None and not busy else "",
    )


def _about(body: str) -> str:
    """The job that a message is about, from its own words."""
    job: Mapping[str, Any] = json.loads(body).get("data", {}).get("job", {})
    return f"#{job['number']} {job['title']}" if job else ""


def _job_href(body: str) -> str:
    """Where that job's page is."""
    data: Mapping[str, Any] = json.loads(body).get("data", {})
    if "job" not in data:
        return ""
    return f"/w/{data['workspace']['slug']}/p/{data['project']['slug']}/jobs/{data['job']['number']}"


def _last(tongue: Tongue, last: WebhookAttempt) -> str:
    """The last try in one line: status or outcome, and how long it took."""
    what = str(last.status) if last.status is not None else tongue.gettext(OUTCOMES[last.outcome][2])
    return f"{what} · {_took(tongue, last.millis)}" if last.millis is not None else what


def _took(tongue: Tongue, millis: int | None) -> str:
    if millis is None:
        return ""
    return f"{millis} ms" if millis < 1000 else tongue.duration(millis / 1000)


def make_tries(tongue: Tongue, rows: Sequence[WebhookAttempt], now: datetime) -> list[TryRow]:
    """All tries at a message."""
    return [
        TryRow(
            number=row.number,
            mark=mark_of(tongue, OUTCOMES[row.outcome]),
            status=row.status,
            took=_took(tongue, row.millis),
            at=row.begun_at,
            said=tongue.moment(row.begun_at, now),
            answer=row.answer,
            foreign=row.said if row.outcome == "unreachable" else "",
        )
        for row in rows
    ]


def filter_links(tongue: Tongue, state: str, counts: Mapping[str, int]) -> list[tuple[str, str, bool, int]]:
    """The filters of the list: word of the address, label, whether it is the current one, how many."""
    total = sum(counts.values())
    return [
        (name, tongue.gettext(label), name == state, counts.get(name, 0) if name else total)
        for name, label in FILTERS
        if not name or counts.get(name) or name == state
    ]
