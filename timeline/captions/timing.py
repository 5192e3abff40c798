"""When pages come and go: snapped once on absolute time, joined where the pause is too short to look away."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from timeline.captions.effects.base import TimedPage
from timeline.captions.pages import Page
from timeline.plan import Cue, CueWord
from timeline.profiles import CaptionPolicy
from timeline.time import frames_to_samples, snap_frame

SIDECAR_GAP = 2
"""Frames between cues in caption files, so that players show them as two."""


def time_pages(pages: Sequence[Page], policy: CaptionPolicy, fps: Fraction, rate: int, frames: int) -> list[TimedPage]:
    """Give each page its frames; pages that snap to nothing are left out."""
    starts = [Fraction(page.words[0].start, rate) for page in pages]
    timed: list[TimedPage] = []
    for number, page in enumerate(pages):
        following = starts[number + 1] if number + 1 < len(pages) else None
        first = snap_frame(starts[number], fps)
        stop = min(snap_frame(_end(page, starts[number], following, policy, rate), fps), frames)
        if stop > first:
            words = tuple(snap_frame(Fraction(word.start, rate), fps) for word in page.words)
            timed.append(TimedPage(page, first, stop, words))
    return timed


def _end(page: Page, start: Fraction, following: Fraction | None, policy: CaptionPolicy, rate: int) -> Fraction:
    spoken = Fraction(page.words[-1].end, rate)
    end = max(spoken + policy.linger, start + policy.min_dwell)
    if following is not None and following - end < policy.close_gap:
        return following
    return end


def make_cues(timed: Sequence[TimedPage], fps: Fraction, rate: int) -> tuple[Cue, ...]:
    """Answer the cues of caption files: as burnt in, but with a small gap between them."""
    cues: list[Cue] = []
    for number, page in enumerate(timed):
        stop = page.stop
        if number + 1 < len(timed):
            stop = max(page.first + 1, min(stop, timed[number + 1].first - SIDECAR_GAP))
        words = tuple(
            CueWord(text=word.text, start=word.start, end=word.end, source=word.source) for word in page.page.words
        )
        start, end = (frames_to_samples(frame, fps, rate) for frame in (page.first, stop))
        cues.append(Cue(start=start, end=end, lines=page.page.texts, words=words))
    return tuple(cues)
