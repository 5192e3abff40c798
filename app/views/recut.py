"""What making a film with an edited timeline takes, as shown before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from app.i18n import N_, Tongue
from app.views import cut_words as words
from app.views.script import Line
from app.views.timeline import timecode
from domain.production.recut import Recut
from timeline.changes import Change

REASONS: Mapping[str, str] = {
    "its length": N_("its length"),
    "its picture": N_("its picture"),
    "what lies over it": N_("what lies over it"),
    "its captions": N_("its captions"),
    "where transitions are": N_("where transitions are"),
    "new": N_("it is new"),
    "never made": N_("it was never made"),
    "the output changed": N_("the output has changed"),
    "the tools or typefaces changed": N_("the tools or typefaces have changed"),
}


@dataclass(frozen=True)
class Again:
    """A segment that is made again: when, what it shows, why."""

    at: str
    length: str
    items: str
    why: str


@dataclass(frozen=True)
class RecutView:
    """The preview; `time` is an estimate. `plain`: nothing would be made again."""

    lines: tuple[Line, ...]
    again: tuple[Again, ...]
    time: str
    price: str


def make_recut(tongue: Tongue, found: Recut, names: Mapping[str, str]) -> RecutView:
    """Say what is made again and what is kept."""
    everything, nothing = tongue.gettext("the whole film"), tongue.gettext("nothing")
    kept = found.comparison.sound_kept
    lines = (
        Line(tongue.gettext("Sentences"), nothing, tongue.gettext("all")),
        Line(tongue.gettext("Pictures"), nothing, tongue.gettext("all")),
        Line(tongue.gettext("Video segments"), tongue.number(len(found.made)), tongue.number(found.kept)),
        Line(tongue.gettext("Sound mix"), nothing if kept else everything, everything if kept else nothing),
        Line(tongue.gettext("Joining and checks"), everything, nothing),
    )
    return RecutView(
        lines,
        tuple(_again(tongue, change, found, names) for change in found.made),
        tongue.gettext("about %(time)s", time=tongue.rough(found.seconds)),
        tongue.money(found.micro_dollars),
    )


def _again(tongue: Tongue, change: Change, found: Recut, names: Mapping[str, str]) -> Again:
    fps = Fraction(found.fps).limit_denominator(1001)
    shown = [item for item in change.items if not item.startswith(("track-", "cut-"))]
    return Again(
        at=timecode(change.start, fps),
        length=tongue.duration(change.frames / found.fps),
        items=", ".join(words.item_name(tongue, names, item) for item in shown) or tongue.gettext("nothing"),
        why=_why(tongue, change.why),
    )


def _why(tongue: Tongue, why: str) -> str:
    parts = [part.strip() for part in why.removesuffix(" changed").split(",")] if why not in REASONS else [why]
    return ", ".join(tongue.gettext(REASONS[part]) if part in REASONS else part for part in parts)
