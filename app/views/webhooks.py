"""Endpoints of webhooks and their messages, as their pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from app.i18n import N_, Tongue
from app.views.marks import Mark
from domain.outreach.kinds import KINDS, TEST
from domain.outreach.model import WebhookEndpoint, WebhookSecret
from domain.outreach.queries import EndpointLine
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
        mark=mark_of(tongue, STATES[state]),
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


def mark_of(tongue: Tongue, parts: tuple[str, str, str]) -> Mark:
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
