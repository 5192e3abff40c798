"""The page stands still until the next."""

from __future__ import annotations

from timeline import ass
from timeline.captions.effects.base import State, TimedPage, line_events, shadow_events
from timeline.metrics import FontMetrics
from timeline.profiles import CaptionPolicy


def draw(timed: TimedPage, policy: CaptionPolicy, font: FontMetrics) -> list[State]:
    """Answer one state for the whole page."""
    texts = [ass.spell(text, font) for text in timed.page.texts]
    events = shadow_events(timed.page, policy, font) + line_events(timed.page, policy, font, texts)
    return [State(timed.first, timed.stop, tuple(events))]
