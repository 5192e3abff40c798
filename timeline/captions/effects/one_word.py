"""Only the word being spoken shows, alone in the middle of the caption's place."""

from __future__ import annotations

from fractions import Fraction

from timeline import ass
from timeline.captions.effects.base import State, TimedPage, line_middles, size_tag, word_event
from timeline.metrics import FontMetrics
from timeline.profiles import CaptionPolicy


def draw(timed: TimedPage, policy: CaptionPolicy, font: FontMetrics) -> list[State]:
    """Answer one state per word, each at the same place."""
    middles = line_middles(timed.page, policy, font)
    place = (Fraction(policy.x), sum(middles, Fraction(0)) / len(middles))
    size = size_tag(timed.page, policy, font)
    states: list[State] = []
    for word, first, stop in timed.turns():
        tags = ass.at(5, *place) + size
        events = [word_event(timed.page, word, font, tags)]
        if policy.shadow:
            events.insert(0, word_event(timed.page, word, font, tags + ass.soft_shadow(policy.shadow)))
        states.append(State(first, stop, tuple(events)))
    return states
