"""The inbox: what is asked, how old it is, and where its result can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.i18n import Tongue
from app.views.gate import short_version
from app.views.marks import kind_name
from app.views.outlook import say_hearing
from domain.production.queries.line import Question
from domain.production.wishes import hearing


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
    takes: bool
    hears: str
    version: str


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
        left = tongue.gettext("Without a decision the job is cancelled on %(day)s.", day=tongue.day(one.expires_at))
    return Card(
        id=str(one.id),
        title=one.title,
        number=one.number,
        step=kind_name(tongue, one.kind),
        project=one.project_name,
        href=href,
        results=f"{href}?from=inbox#gates",
        takes=hearing(one.kind, one.spec).takes != "none",
        hears=say_hearing(tongue, hearing(one.kind, one.spec)),
        version=short_version(one.seen_version),
        asked_at=one.asked_at,
        asked=tongue.moment(one.asked_at, now),
        left=left,
        seen=one.seen_version,
        instruction=one.instruction,
        may_decide=one.may_decide,
    )
