"""Words take the accent colour as they are spoken and keep it; the colour sweeps through the word being spoken."""

from __future__ import annotations

from fractions import Fraction

from timeline import ass
from timeline.captions.effects.base import State, TimedPage, shadow_events, size_tag, word_event, word_places
from timeline.direction import strong
from timeline.metrics import FontMetrics
from timeline.profiles import CaptionPolicy
from timeline.time import round_half_up

MOST_STEPS = 6
"""How many pictures a sweep takes at most; each is drawn once."""


def draw(timed: TimedPage, policy: CaptionPolicy, font: FontMetrics) -> list[State]:
    """Answer a few states per word; nothing moves."""
    below = shadow_events(timed.page, policy, font)
    places = word_places(timed.page, policy, font)
    states: list[State] = []
    for word, first, stop in timed.turns():
        for share, begin, end in _steps(first, stop):
            events = [_event(timed, n, places[n], n < word, policy, font) for n in range(len(timed.page.words))]
            states.append(State(begin, end, (*below, *events, _swept(timed, word, places[word], share, policy, font))))
    return states


def _steps(first: int, stop: int) -> list[tuple[Fraction, int, int]]:
    """Answer (share of the word, first, stop) of a turn."""
    frames = stop - first
    count = min(frames, MOST_STEPS)
    edges = [first + frames * step // count for step in range(count + 1)]
    return [(Fraction(step + 1, count), edges[step], edges[step + 1]) for step in range(count)]


def _event(
    timed: TimedPage,
    word: int,
    place: tuple[Fraction, Fraction],
    spoken: bool,
    policy: CaptionPolicy,
    font: FontMetrics,
    tags: str = "",
) -> str:
    fill = ass.fill_colour(policy.accent if spoken else policy.colour)
    return word_event(timed.page, word, font, ass.at(5, *place) + size_tag(timed.page, policy, font) + fill + tags)


def _swept(
    timed: TimedPage,
    word: int,
    place: tuple[Fraction, Fraction],
    share: Fraction,
    policy: CaptionPolicy,
    font: FontMetrics,
) -> str:
    """Answer the word in the accent colour, cut off where its sound has come to."""
    width, height = font.width(timed.page.words[word].text, timed.page.size), font.line_height(timed.page.size)
    edge = policy.outline
    left, top = place[0] - width / 2 - edge, place[1] - height / 2 - edge
    right = left + width + 2 * edge
    if strong(timed.page.words[word].text) == "R":
        left = right - (right - left) * share
    else:
        right = left + (right - left) * share
    corners = (left, top, right, top + height + 2 * edge)
    clip = ",".join(str(round_half_up(corner)) for corner in corners)
    return _event(timed, word, place, True, policy, font, f"\\clip({clip})")
