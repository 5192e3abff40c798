"""The inbox: what is asked, how old it is, and where its result can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.i18n import Tongue
from app.views.marks import kind_name
from domain.production.queries.line import Question


@dataclass(frozen=True)
class Card:
    """One question. `left` says when it expires."""

    id: str
    title: str
    number: int
    step: str
    project: str
    href: str
    results: str
    asked_at: datetime
    asked: str
    left: str
    seen: str
    instruction: str
    may_decide: bool


@dataclass(frozen=True)
class Inbox:
    """The page."""

    cards: tuple[Card, ...]
    total: str
    base: str


def make_inbox(tongue: Tongue, questions: Sequence[Question], base: str, now: datetime) -> Inbox:
    """Build the page."""
    total = tongue.ngettext("%(num)s waiting", "%(num)s waiting", len(questions))
    return Inbox(tuple(_card(tongue, one, base, now) for one in questions), total, f"{base}/approvals")


def _card(tongue: Tongue, one: Question, base: str, now: datetime) -> Card:
    href = f"{base}/p/{one.project}/jobs/{one.number}"
    left = ""
    if one.expires_at is not None and one.expires_at > now:
        left = tongue.gettext("expires in %(time)s", time=tongue.rough((one.expires_at - now).total_seconds()))
    return Card(
        id=str(one.id),
        title=one.title,
        number=one.number,
        step=kind_name(tongue, one.kind),
        project=one.project_name,
        href=href,
        results=f"{href}/artifacts",
        asked_at=one.asked_at,
        asked=tongue.moment(one.asked_at, now),
        left=left,
        seen=one.seen_version,
        instruction=one.instruction,
        may_decide=one.may_decide,
    )
