"""From a resolved timeline to a render plan for one profile: integers only, every node under its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from timeline.captions.states import Captions, make_captions
from timeline.document import Clip
from timeline.drawing import Drawer
from timeline.faults import Fault, Findings, TimelineError, nearest
from timeline.keys import node_key
from timeline.layers import Sheet, lay
from timeline.metrics import FontMetrics, Fonts
from timeline.outputs import ProfileUse, profile_of
from timeline.overlays import OverlayMaker
from timeline.picture import Piece, cut_picture
from timeline.plan import AssStyle, Cue, Encoding, Output, Rate, RenderPlan, Segment, TextState, styles_in
from timeline.profiles import PROFILES, Profile
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.sound import mix_sound
from timeline.staging import base_of, visible
from timeline.texts import TextMaker
from timeline.time import format_seconds, frames_to_samples, round_half_up, snap_frame

GOP_SECONDS = 2
_IDENTITY = {"index", "start", "kind", "items", "key"}
"""What a segment is called and where it lies: nothing of it shapes its bytes."""


def compile_plan(
    resolved: ResolvedTimeline,
    profile: str | Profile | ProfileUse,
    fonts: Mapping[str, FontMetrics],
    build: str,
    *,
    told: Findings | None = None,
    span: tuple[int, int] | None = None,
) -> RenderPlan:
    """Answer the plan of a film for a profile.

    `fonts` holds faces by role (regular, medium, bold, extrabold, black), `build` names the tools that shape bytes.
    Warnings go into `told`. `span`: film frames [first, stop) to make instead of the profile's own range.
    Raises TimelineError with everything that cannot be shown or played.
    """
    findings = told if told is not None else Findings()
    use = _use_of(resolved, profile)
    chosen = profile if isinstance(profile, Profile) else profile_of(use) if use else find_profile(str(profile))
    resolved = _switched(resolved, use, findings)
    texts = TextMaker(resolved, chosen, fonts, findings)
    drawer = Drawer(resolved, chosen, texts, findings)
    span = span or _range_of(resolved, use, findings)
    tracks = visible(resolved)
    base = base_of(tracks)
    pieces = cut_picture(drawer, base.items if base else (), span)
    above = OverlayMaker(texts, drawer, findings).sheets(tracks[1:] if base else tracks)
    captions = make_captions(resolved, chosen, fonts, findings, use)
    sound = mix_sound(resolved, chosen.master, build, findings, span, chosen.id)
    _check_length(resolved, chosen, span, findings)
    findings.raise_errors()
    output = _output(resolved, chosen, span)
    styles = {**texts.styles, **{style.name: style for style in captions.styles}}
    segments = _segments(pieces, above, captions, span)
    seal = _Seal(output, styles, build, _digest_of(fonts))
    return RenderPlan(
        title=resolved.title,
        language=resolved.language,
        output=output,
        frames=span[1] - span[0],
        segments=tuple(seal.keyed(segment) for segment in segments),
        sound=sound,
        cues=_cues(captions.cues, resolved, span),
        styles=tuple(styles[name] for name in sorted(styles)),
        assets=_assets(resolved),
    )


def find_profile(profile: str | Profile) -> Profile:
    """Answer a profile by its name. Raises TimelineError when there is none."""
    if isinstance(profile, Profile):
        return profile
    if profile not in PROFILES:
        message = f"There is no profile {profile[:60]!r}; there are {', '.join(PROFILES)}."
        raise TimelineError([Fault(code="E_UNKNOWN_PROFILE", message=message, fix=nearest(profile, PROFILES))])
    return PROFILES[profile]


# ── What a document changes about a profile ───────────────────────────────────────────────────────────────
def _use_of(resolved: ResolvedTimeline, profile: str | Profile | ProfileUse) -> ProfileUse | None:
    if isinstance(profile, ProfileUse):
        return profile
    name = profile.id if isinstance(profile, Profile) else profile
    return next((use for use in resolved.profiles if use.id == name), None)


def _switched(resolved: ResolvedTimeline, use: ProfileUse | None, findings: Findings) -> ResolvedTimeline:
    """Answer the timeline with the tracks that a profile switches on or off, and its fit of pictures."""
    if use is None or not (use.tracks or use.fit):
        return resolved
    known = {track.id for track in resolved.tracks}
    for name in use.tracks:
        if name not in known:
            message = f"The profile {use.id!r} changes the track {name[:60]!r}, which is not there."
            findings.add("E_UNKNOWN_REF", message, fix=nearest(name, known))
    tracks = [
        track.model_copy(
            update={
                "enabled": use.tracks[track.id].enabled if track.id in use.tracks else track.enabled,
                "items": tuple(_fitted(item, use) for item in track.items) if track.role == "picture" else track.items,
            }
        )
        for track in resolved.tracks
    ]
    return resolved.model_copy(update={"tracks": tuple(tracks)})


def _fitted(item: ResolvedItem, use: ProfileUse) -> ResolvedItem:
    """Give pictures without a fit of their own the profile's."""
    if item.clip is None or use.fit is None or item.clip.layout.fit is not None:
        return item
    layout = item.clip.layout.model_copy(update={"fit": use.fit})
    return item.model_copy(update={"clip": item.clip.model_copy(update={"layout": layout})})


def _range_of(resolved: ResolvedTimeline, use: ProfileUse | None, findings: Findings) -> tuple[int, int]:
    if use is None or use.range is None:
        return 0, resolved.frames
    start = snap_frame(use.range.start.at(resolved.fps), resolved.fps)
    end = resolved.frames if use.range.end is None else snap_frame(use.range.end.at(resolved.fps), resolved.fps)
    if not 0 <= start < end <= resolved.frames:
        message = f"The range of {use.id!r} (frames {start} to {end}) does not lie in the film's {resolved.frames}."
        findings.add("E_RANGE", message, path="/profiles", frame=max(start, 0))
        return 0, resolved.frames
    return start, end


def _check_length(resolved: ResolvedTimeline, profile: Profile, span: tuple[int, int], findings: Findings) -> None:
    seconds = Fraction(span[1] - span[0]) / resolved.fps
    if profile.max_seconds and seconds > profile.max_seconds:
        message = (
            f"The film lasts {format_seconds(seconds)}; {profile.name} takes at most {profile.max_seconds} seconds."
        )
        fix = "Shorten it or choose another profile."
        findings.add("E_TOO_LONG", message, path="/sequence", frame=span[0], fix=fix)


# ── Parts of the plan ─────────────────────────────────────────────────────────────────────────────────────
def _output(resolved: ResolvedTimeline, profile: Profile, span: tuple[int, int]) -> Output:
    encoding = Encoding(
        codec=profile.codec,
        preset=profile.preset,
        crf=profile.crf,
        gop=max(round_half_up(GOP_SECONDS * resolved.fps), 1),
        audio_bitrate=profile.audio_bitrate,
    )
    return Output(
        profile=profile.id,
        width=profile.width,
        height=profile.height,
        rate=Rate(num=resolved.fps.numerator, den=resolved.fps.denominator),
        encoding=encoding,
        poster_frame=min(max(_poster(resolved, profile) - span[0], 0), span[1] - span[0] - 1),
        safe_area=profile.safe,
    )


def _poster(resolved: ResolvedTimeline, profile: Profile) -> int:
    """Answer the frame that stands for the film: the middle of its first text, else the profile's choice."""
    texts = [item for track in resolved.tracks if track.role == "overlay" for item in track.items if item.text]
    wanted = texts[0].first + texts[0].count // 2 if texts else snap_frame(profile.poster, resolved.fps)
    return min(wanted, resolved.frames - 1)


def _cues(cues: Sequence[Cue], resolved: ResolvedTimeline, span: tuple[int, int]) -> tuple[Cue, ...]:
    """Answer the cues of a part of the film, counted from its start."""
    if span == (0, resolved.frames):
        return tuple(cues)
    begin, end = (frames_to_samples(frame, resolved.fps, resolved.sample_rate) for frame in span)
    return tuple(
        cue.model_copy(
            update={
                "start": max(cue.start, begin) - begin,
                "end": min(cue.end, end) - begin,
                "words": tuple(
                    word.model_copy(update={"start": word.start - begin, "end": min(word.end, end) - begin})
                    for word in cue.words
                ),
            }
        )
        for cue in cues
        if cue.start < end and cue.end > begin
    )


def _segments(
    pieces: Sequence[Piece], overlays: Sequence[Sheet], captions: Captions, span: tuple[int, int]
) -> list[Segment]:
    starts = [piece.start for piece in pieces]
    above = lay(overlays, starts, span[1])
    spoken = lay(captions.layers, starts, span[1])
    return [
        Segment(
            index=number,
            kind=piece.kind,
            start=piece.start - span[0],
            frames=piece.frames,
            picture=piece.picture,
            overlays=tuple(above[number]),
            captions=tuple(state for state in spoken[number] if isinstance(state, TextState)),
            items=piece.items,
        )
        for number, piece in enumerate(pieces)
    ]


class _Seal:
    """Puts keys on segments: what they show, how it is written, and the styles and faces of their texts."""

    def __init__(self, output: Output, styles: Mapping[str, AssStyle], build: str, fonts: str) -> None:
        self._styles, self._build, self._fonts = styles, build, fonts
        self._output = output.model_dump(include={"width", "height", "rate", "encoding"})

    def keyed(self, segment: Segment) -> Segment:
        texts = sorted(styles_in(segment))
        params: dict[str, Any] = {
            "segment": segment.model_dump(exclude=_IDENTITY),
            "output": self._output,
            "styles": {name: self._styles[name].model_dump(exclude={"name"}) for name in texts},
        }
        key = node_key("segment", params, build=self._build, fonts=self._fonts if texts else "")
        return segment.model_copy(update={"key": key})


def _digest_of(fonts: Fonts) -> str:
    return ",".join(f"{role}:{font.digest}" for role, font in sorted(fonts.items()))


def _assets(resolved: ResolvedTimeline) -> dict[str, str]:
    """Answer the media type of every asset that is seen or heard."""
    used = {
        name
        for timeline in (resolved, *resolved.nests.values())
        for track in timeline.tracks
        if track.enabled
        for item in track.items
        if item.clip and item.clip.enabled
        for name in _names(item.clip)
    }
    measured = (resolved.media[name] for name in sorted(used))
    return {media.sha256: media.media_type or f"{media.kind}/*" for media in measured}


def _names(clip: Clip) -> set[str]:
    luts = {effect.params.get("asset", "") for effect in clip.effects if effect.enabled and effect.effect == "lut"}
    return luts | {name for name in (clip.asset, clip.waveform and clip.waveform.asset) if name}
