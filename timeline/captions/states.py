"""Caption tracks of a resolved timeline: pages, the states to burn in, and the cues for caption files."""

from __future__ import annotations

from dataclasses import dataclass

from timeline import ass
from timeline.captions.effects import EFFECTS
from timeline.captions.effects.base import State
from timeline.captions.pages import make_pages
from timeline.captions.timing import make_cues, time_pages
from timeline.faults import Findings
from timeline.layers import Keys, Layer
from timeline.metrics import Fonts
from timeline.outputs import CaptionChange, ProfileUse
from timeline.plan import AssStyle, Cue, TextState
from timeline.profiles import Profile
from timeline.resolved import ResolvedTimeline, ResolvedTrack
from timeline.texts import report_missing

STYLE = "caption"


@dataclass(frozen=True)
class Captions:
    """What the caption track becomes."""

    layers: tuple[Layer, ...] = ()
    cues: tuple[Cue, ...] = ()
    styles: tuple[AssStyle, ...] = ()


def make_captions(
    timeline: ResolvedTimeline, profile: Profile, fonts: Fonts, findings: Findings, use: ProfileUse | None = None
) -> Captions:
    """Answer the captions of the film; characters without a glyph and missing faces are reported."""
    tracks = [track for track in timeline.tracks if track.kind == "caption" and track.enabled]
    if not tracks or (use is not None and use.captions == "none"):
        return Captions()
    if len(tracks) > 1:
        names = ", ".join(track.id for track in tracks)
        findings.add(
            "E_UNSUPPORTED", f"One caption track can be shown at a time, not {names}.", fix="Disable the others."
        )
    font = fonts.get(profile.captions.face)
    if font is None:
        findings.add("E_FONT", f"The face {profile.captions.face!r} is not available.", item_id=tracks[0].id)
        return Captions()
    missing = font.missing("".join(word.text for word in tracks[0].words))
    if missing:
        report_missing(findings, missing, font.family, "/assets", tracks[0].id)
        return Captions()
    change = use.captions if use is not None and isinstance(use.captions, CaptionChange) else None
    effect = (change and change.effect) or tracks[0].track.effect
    return _captions(timeline, tracks[0], profile, fonts, effect)


def _captions(
    timeline: ResolvedTimeline, track: ResolvedTrack, profile: Profile, fonts: Fonts, effect: str
) -> Captions:
    policy = profile.captions
    font = fonts[policy.face]
    pages = make_pages(track.words, policy, font, timeline.language)
    timed = time_pages(pages, policy, timeline.fps, timeline.sample_rate, timeline.frames)
    draw = EFFECTS[effect]
    style = ass.style(STYLE, font, policy.size, policy.colour, policy.outline_colour, policy.outline, timeline.language)
    return Captions(
        layers=tuple(_layer(state) for page in timed for state in draw(page, policy, font)),
        cues=make_cues(timed, timeline.fps, timeline.sample_rate),
        styles=(style,),
    )


def _layer(state: State) -> Layer:
    def make(first: int, frames: int, opacity: Keys) -> TextState:
        return TextState(style=STYLE, events=state.events, first=first, frames=frames, opacity=opacity)

    return Layer(state.first, state.stop, make)
