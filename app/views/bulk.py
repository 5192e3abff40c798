"""Acts on many jobs in words: what is offered, what is asked before, what is told after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.i18n import N_, Tongue
from app.views.settings import Option
from domain.production.commands.bulk import MOST

OFFERED: Mapping[str, tuple[str, str]] = {
    "retry": (N_("Retry"), N_("Finished steps are kept; the failed ones get new tries.")),
    "pause": (N_("Pause"), N_("What runs may finish; nothing new starts until somebody resumes them.")),
    "resume": (N_("Resume"), N_("They take their places in the queue again.")),
    "cancel": (N_("Cancel"), N_("What runs is stopped. Finished steps are kept, but the jobs cannot go on.")),
    "discard": (
        N_("Discard"),
        N_("They are given up for good and cannot be tried again. Finished steps are kept."),
    ),
    "urgent": (N_("Make urgent"), N_("They run before the other jobs of this workspace.")),
    "standard": (N_("Make standard"), N_("They run in their usual order.")),
    "batch": (N_("Make batch"), N_("They run when nothing else of this workspace waits.")),
}
"""Word of an act → its label and what it means."""
GRAVE = frozenset({"cancel", "discard"})
SHOWN = 12
"""Titles that the question names."""


@dataclass(frozen=True)
class Question:
    """What is asked before anything happens. `hidden` carries the filter and the selection."""

    label: str
    meaning: str
    grave: bool
    total: int
    asked: str
    rest: str
    titles: tuple[tuple[int, str], ...]
    more: str
    action: str
    back: str
    hidden: Mapping[str, str]


def act_options(tongue: Tongue) -> tuple[Option, ...]:
    """The acts that a list offers."""
    return tuple(Option(act, tongue.gettext(label)) for act, (label, _) in OFFERED.items())


def make_question(
    tongue: Tongue,
    act: str,
    total: int,
    jobs: Sequence[tuple[UUID, int, str]],
    *,
    action: str,
    back: str,
    hidden: Mapping[str, str],
) -> Question:
    """Build the question; the number comes first."""
    label, meaning = OFFERED[act]
    rest = ""
    if total > MOST:
        rest = tongue.gettext("At most %(most)s at a time: the oldest come first.", most=tongue.number(MOST))
    more = max(0, min(total, MOST) - SHOWN)
    return Question(
        label=tongue.gettext(label),
        meaning=tongue.gettext(meaning),
        grave=act in GRAVE,
        total=total,
        asked=tongue.ngettext("%(num)s job", "%(num)s jobs", total),
        rest=rest,
        titles=tuple((number, title) for _, number, title in jobs[:SHOWN]),
        more=tongue.ngettext("and %(num)s more", "and %(num)s more", more) if more else "",
        action=action,
        back=back,
        hidden={"act": act, **{name: value for name, value in hidden.items() if value}},
    )


def read_outcome(tongue: Tongue, query: Mapping[str, str]) -> str:
    """What a bulk act has done, from the address it has led to; nothing when there was none."""
    done, refused = _count(query.get("done", "")), _count(query.get("refused", ""))
    if done is None:
        return ""
    said = tongue.ngettext("%(num)s job was changed.", "%(num)s jobs were changed.", done)
    if refused:
        left = tongue.ngettext(
            "%(num)s had changed meanwhile and was left alone.",
            "%(num)s had changed meanwhile and were left alone.",
            refused,
        )
        said = f"{said} {left}"
    if rest := _count(query.get("left", "")):
        more = tongue.ngettext(
            "%(num)s was not reached in time: do it once more.",
            "%(num)s were not reached in time: do it once more.",
            rest,
        )
        said = f"{said} {more}"
    return said


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
