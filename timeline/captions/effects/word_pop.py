"""The word being spoken takes the accent colour and swells for a moment; the others keep their places."""

from __future__ import annotations

from fractions import Fraction

from timeline import ass
from timeline.captions.effects.base import State, TimedPage, shadow_events, size_tag, word_event, word_places
from timeline.captions.pages import Page
from timeline.metrics import FontMetrics
from timeline.profiles import CaptionPolicy

SWELL = (103, 109)
"""Scale in percent on the first frames of a word's turn…"""
REST = 105
"""…and for the rest of it."""


def draw(timed: TimedPage, policy: CaptionPolicy, font: FontMetrics) -> list[State]:
    """Answer a few states per word. Every word is an event of its own, centred on its own place."""
    below = shadow_events(timed.page, policy, font)
    places = word_places(timed.page, policy, font)
    states: list[State] = []
    for word, first, stop in timed.turns():
        for scale, begin, end in _phases(first, stop):
            events = _events(timed.page, places, word, scale, policy, font)
            states.append(State(begin, end, (*below, *events)))
    return states


def _phases(first: int, stop: int) -> list[tuple[int, int, int]]:
    """Answer (scale, first, stop) of a turn."""
    swell = [(scale, first + step, first + step + 1) for step, scale in enumerate(SWELL) if first + step < stop]
    rest = first + len(SWELL)
    return [*swell, (REST, rest, stop)] if rest < stop else swell


def _events(
    page: Page,
    places: list[tuple[Fraction, Fraction]],
    active: int,
    scale: int,
    policy: CaptionPolicy,
    font: FontMetrics,
) -> list[str]:
    """The active word comes last, so that it lies over its neighbours."""
    size = size_tag(page, policy, font)
    order = [word for word in range(len(page.words)) if word != active] + [active]
    events = []
    for word in order:
        swollen = f"{ass.fill_colour(policy.accent)}\\fscx{scale}\\fscy{scale}" if word == active else ""
        events.append(word_event(page, word, font, ass.at(5, *places[word]) + size + swollen))
    return events
