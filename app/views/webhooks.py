"""Endpoints of webhooks and their messages, as their pages show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from app.i18n import N_, Tongue
from app.views.marks import Mark
from app.views.settings import Option
from domain.outreach.kinds import KINDS, TEST
from domain.outreach.model import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret
from domain.outreach.queries import DeliveryLine, EndpointLine
from domain.outreach.wish import REASONS

KIND_NAMES: Mapping[str, str] = {
    "job.created": N_("A job was created"),
    "job.finished": N_("A film is finished"),
    "job.failed": N_("A job has failed"),
    "job.cancelled": N_("A job was cancelled"),
    "job.paused": N_("A job was paused, or waits for a person"),
    "step.failed": N_("A step was given up"),
    "approval.waiting": N_("A decision is asked for"),
    "approval.decided": N_("A decision was made"),
    "approval.expired": N_("Nobody decided in time"),
    TEST: N_("A test"),
}
assert KIND_NAMES.keys() == {*KINDS, TEST}
OFF: Mapping[str, str] = {
    "gone": N_("its receiver answered that it is gone for good (410)."),
    "failing": N_("nothing has got through to it for five days."),
}
"""Why an endpoint was switched off, as the end of a sentence."""
STATES: Mapping[str, tuple[str, str, str]] = {
    "enabled": ("ok", "circle-check", N_("in use")),
    "failing": ("bad", "circle-alert", N_("nothing gets through")),
    "paused": ("wait", "circle-pause", N_("paused")),
    "disabled": ("bad", "ban", N_("switched off")),
}
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
REFUSALS: Mapping[str, str] = {
    "url": N_("Give a whole address such as https://hooks.example.org/films, of at most 1,000 characters."),
    "url-login": N_("Leave user name and password out of the address: messages are proven by their signature."),
    "url-plain": N_("Use https. Plain http is for places that the operator allows in VFOS_EGRESS_ALLOW."),
    "url-unknown": N_("This host cannot be found. Check the address for typing errors."),
    "url-refused": N_(
        "Requests may not go there: give a public address on port 443, or have the operator allow this one in "
        "VFOS_EGRESS_ALLOW."
    ),
    "description": N_("Give at most 120 visible characters."),
    "kinds": N_("Choose at least one kind of message."),
    "too-many": N_("The workspace has 20 endpoints. Delete one that nobody uses first."),
    "missing": N_("This endpoint is not there any more."),
    "disabled": N_("The endpoint is switched off. Switch it on first."),
    "since": N_("Give a time within the last 14 days."),
    "lasts": N_("Choose one of the entries of the list."),
}
assert dict(REFUSALS) == REASONS  # the same words, marked for translation
OVERLAPS: Mapping[str, timedelta] = {
    "0": timedelta(0),
    "1": timedelta(hours=1),
    "24": timedelta(hours=24),
    "168": timedelta(days=7),
}
FILTERS: tuple[tuple[str, str], ...] = (
    ("", N_("All")),
    ("waiting", N_("On their way")),
    ("held", N_("Kept")),
    ("delivered", N_("Delivered")),
    ("failed", N_("Given up")),
)


@dataclass(frozen=True)
class EndpointCard:
    """An endpoint; `name` is its description, else its host. `off` says why it was switched off."""

    id: str
    name: str
    url: str
    mark: Mark
    state: str
    off: str
    kinds: Sequence[str]
    waiting: int
    failed: int
    made_by: str
    created_at: datetime
    created_said: str
    delivered_at: datetime | None
    delivered_said: str
    failing_since: datetime | None
    failing_said: str


@dataclass(frozen=True)
class MessageRow:
    """A message: what it says, how it fares, and its last try."""

    id: str
    kind: str
    name: str
    about: str
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


@dataclass(frozen=True)
class KindChoice:
    """A kind of message that can be ticked."""

    field: str
    code: str
    name: str
    chosen: bool


def make_card(tongue: Tongue, line: EndpointLine, now: datetime) -> EndpointCard:
    """An endpoint for its page and for the list."""
    row = line.row
    state = "failing" if row.state == "enabled" and row.failing_since is not None else row.state
    return EndpointCard(
        id=str(row.id),
        name=name_of(row),
        url=row.url,
        mark=_mark(tongue, STATES[state]),
        state=row.state,
        off=tongue.gettext(OFF[row.reason]) if row.reason in OFF else "",
        kinds=[tongue.gettext(KIND_NAMES[kind]) for kind in KINDS if kind in row.kinds],
        waiting=line.counts.get("waiting", 0) + line.counts.get("held", 0),
        failed=line.counts.get("failed", 0),
        made_by=row.made_by_name,
        created_at=row.created_at,
        created_said=tongue.moment(row.created_at, now),
        delivered_at=row.delivered_at,
        delivered_said=tongue.moment(row.delivered_at, now) if row.delivered_at else "",
        failing_since=row.failing_since,
        failing_said=tongue.moment(row.failing_since, now) if row.failing_since else "",
    )


def name_of(row: WebhookEndpoint) -> str:
    return row.description or urlsplit(row.url).hostname or row.url


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
        mark=_mark(tongue, MESSAGE_STATES["again" if again else row.state]),
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
            mark=_mark(tongue, OUTCOMES[row.outcome]),
            status=row.status,
            took=_took(tongue, row.millis),
            at=row.begun_at,
            said=tongue.moment(row.begun_at, now),
            answer=row.answer,
            foreign=row.said if row.outcome == "unreachable" else "",
        )
        for row in rows
    ]


def _mark(tongue: Tongue, parts: tuple[str, str, str]) -> Mark:
    st, icon, word = parts
    return Mark(st, icon, tongue.gettext(word))


def kind_choices(tongue: Tongue, values: Mapping[str, str]) -> list[KindChoice]:
    """Every kind of message, ticked as in the form."""
    return [
        KindChoice(kind_field(kind), kind, tongue.gettext(KIND_NAMES[kind]), kind_field(kind) in values)
        for kind in KINDS
    ]


def kind_field(kind: str) -> str:
    """The name of a kind's check box."""
    return f"k-{kind.replace('.', '-')}"


def filter_links(tongue: Tongue, state: str, counts: Mapping[str, int]) -> list[tuple[str, str, bool, int]]:
    """The filters of the list: word of the address, label, whether it is the current one, how many."""
    total = sum(counts.values())
    return [
        (name, tongue.gettext(label), name == state, counts.get(name, 0) if name else total)
        for name, label in FILTERS
        if not name or counts.get(name) or name == state
    ]


def overlap_options(tongue: Tongue) -> list[Option]:
    """How long the old secret signs beside the new one."""
    return [
        Option("0", tongue.gettext("It ends at once")),
        Option("1", tongue.gettext("1 hour")),
        Option("24", tongue.gettext("1 day")),
        Option("168", tongue.gettext("7 days")),
    ]


@dataclass(frozen=True)
class SecretLine:
    """A signing secret: when it was made, how it ends, and until when it signs (None = until it is replaced)."""

    made_at: datetime
    made_said: str
    hint: str
    ends_at: datetime | None
    ends_said: str


def make_secrets(
    tongue: Tongue, rows: Sequence[WebhookSecret], hints: Mapping[str, str], now: datetime
) -> list[SecretLine]:
    """The secrets that sign at present; `hints` are their last characters by name."""
    return [
        SecretLine(
            row.created_at,
            tongue.moment(row.created_at, now),
            hints.get(row.name, ""),
            row.ends_at,
            tongue.full(row.ends_at) if row.ends_at else "",
        )
        for row in rows
    ]
