"""Which track is the base picture, what lies above it, and sequences drawn as stacks of layers."""

from __future__ import annotations

from timeline.drawing import Drawer
from timeline.faults import Findings
from timeline.layers import Sheet
from timeline.overlays import OverlayMaker
from timeline.profiles import Profile
from timeline.resolved import ResolvedTimeline, ResolvedTrack
from timeline.texts import TextMaker


def visible(timeline: ResolvedTimeline) -> list[ResolvedTrack]:
    """Answer the tracks that show pictures, bottom to top."""
    return [track for track in timeline.tracks if track.kind == "video" and track.enabled and track.items]


def base_of(tracks: list[ResolvedTrack]) -> ResolvedTrack | None:
    """Answer the track that fills the canvas below all others: the lowest, if it is one of pictures.

    The film is cut into segments at its items. Overlays written below the first picture track lie under it, so
    then there is none, and everything is drawn as layers.
    """
    return tracks[0] if tracks and tracks[0].role == "picture" else None


def stack(timeline: ResolvedTimeline, profile: Profile, texts: TextMaker, findings: Findings) -> list[Sheet]:
    """Answer all pictures of a nested sequence as layers; its captions are not drawn."""
    for track in timeline.tracks:
        if track.kind == "caption" and track.enabled:
            message = "Captions of a nested sequence are not shown; put the caption track into the main one."
            findings.warn("W_NEST_CAPTIONS", message, item_id=track.id)
    drawer = Drawer(timeline, profile, texts, findings)
    return OverlayMaker(texts, drawer, findings, deep=True).sheets(visible(timeline))
