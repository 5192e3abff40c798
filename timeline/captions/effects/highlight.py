"""The word being spoken takes the accent colour; nothing moves."""

from __future__ import annotations

from timeline import ass
from timeline.captions.effects.base import State, TimedPage, line_events, shadow_events
from timeline.captions.joining import glue
from timeline.metrics import FontMetrics
from timeline.profiles import CaptionPolicy


def draw(timed: TimedPage, policy: CaptionPolicy, font: FontMetrics) -> list[State]:
    """Answer one state per word: the full page each time, the active word in the accent colour."""
    below = shadow_events(timed.page, policy, font)
    return [
        State(first, stop, (*below, *line_events(timed.page, policy, font, _texts(timed, word, policy, font))))
        for word, first, stop in timed.turns()
    ]


def _texts(timed: TimedPage, active: int, policy: CaptionPolicy, font: FontMetrics) -> list[str]:
    accent, plain = ass.fill_colour(policy.accent), ass.fill_colour(policy.colour)
    texts = [word.text for word in timed.page.words]
    shown = [ass.spell(text, font) for text in texts]
    shown[active] = f"{{{accent}}}{shown[active]}{{{plain}}}"
    return [
        "".join(shown[n] + (glue(texts[n], texts[n + 1]) if n + 1 < b else "") for n in range(a, b))
        for a, b in timed.page.lines
    ]
