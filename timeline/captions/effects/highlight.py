"""The word being spoken takes the accent colour; nothing moves."""

from __future__ import annotations

from timeline import ass
from timeline.captions.effects.base import State, TimedPage, line_events, shadow_events
from timeline.metrics import FontMetrics
from timeline.profiles import CaptionPolicy


def draw(timed: TimedPage, policy: CaptionPolicy, font: FontMetrics) -> list[State]:
    """Answer one state per word: the full page each time, the active word in the accent colour."""
    below = shadow_events(timed.page, policy, font)
    return [
        State(first, stop, (*below, *line_events(timed.page, policy, font, _texts(timed, word, policy))))
        for word, first, stop in timed.turns()
    ]


def _texts(timed: TimedPage, active: int, policy: CaptionPolicy) -> list[str]:
    words = [ass.escape(word.text) for word in timed.page.words]
    accent, plain = ass.fill_colour(policy.accent), ass.fill_colour(policy.colour)
    words[active] = f"{{{accent}}}{words[active]}{{{plain}}}"
    return [" ".join(words[a:b]) for a, b in timed.page.lines]
