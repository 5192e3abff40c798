"""From a resolved timeline to a render plan for one profile: integers only, every node under its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from timeline.captions.states import Captions, make_captions
from timeline.document import Clip, Layout
from timeline.faults import Fault, Findings, TimelineError, nearest
from timeline.keys import node_key
from timeline.layers import Layer, lay
from timeline.metrics import FontMetrics, Fonts
from timeline.overlays import OverlayMaker
from timeline.picture import Piece, cut_picture
from timeline.plan import AssStyle, Encoding, Output, Rate, RenderPlan, Segment, TextState
from timeline.profiles import PROFILES, Profile
from timeline.resolved import ResolvedItem, ResolvedTimeline
from timeline.sound import mix_sound
from timeline.time import format_seconds, round_half_up, snap_frame

GOP_SECONDS = 2
_IDENTITY = {"index", "start", "kind", "items", "key"}
"""What a segment is called and where it lies: nothing of it shapes its bytes."""


def compile_plan(
    resolved: ResolvedTimeline, profile: str | Profile, fonts: Mapping[str, FontMetrics], build: str
) -> RenderPlan:
    """Answer the plan of a film for a profile.

    `fonts` holds faces by role (regular, medium, bold, extrabold, black), `build` names the tools that shape bytes.
    Raises TimelineError with everything that cannot be shown or played.
    """
    chosen = find_profile(profile)
    findings = Findings()
    pieces = cut_picture(resolved, _picture_items(resolved, findings))
    overlays = OverlayMaker(resolved, chosen, fonts, findings)
    layers = overlays.layers()
    captions = make_captions(resolved, chosen, fonts, findings)
    sound = mix_sound(resolved, chosen.master, build, findings)
    _check_length(resolved, chosen, findings)
    findings.raise_errors()
    output = _output(resolved, chosen)
    styles = {**overlays.styles, **{style.name: style for style in captions.styles}}
    segments = _segments(pieces, layers, captions, resolved.frames)
    seal = _Seal(output, styles, build, _digest_of(fonts))
    return RenderPlan(
        title=resolved.title,
        language=resolved.language,
        output=output,
        frames=resolved.frames,
        segments=tuple(seal.keyed(segment) for segment in segments),
        sound=sound,
        cues=captions.cues,
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


# ── Checks ────────────────────────────────────────────────────────────────────────────────────────────────
def _picture_items(resolved: ResolvedTimeline, findings: Findings) -> tuple[ResolvedItem, ...]:
    """Answer the items of the picture track, of which there is at most one."""
    tracks = [track for track in resolved.tracks if track.role == "picture" and track.enabled and track.items]
    if len(tracks) > 1:
        names = ", ".join(track.id for track in tracks)
        message = f"One picture track can be shown, not {names}."
        findings.add("E_UNSUPPORTED", message, fix="Put further pictures on overlay tracks, or disable tracks.")
    items = tracks[0].items if tracks else ()
    for item in items:
        if item.clip:
            _check_picture(item, item.clip, findings)
    return items


def _check_picture(item: ResolvedItem, clip: Clip, findings: Findings) -> None:
    """Pictures fill the canvas; what only overlays can do is refused, not ignored."""
    plain = Layout(fit=clip.layout.fit, backdrop=clip.layout.backdrop, focus=clip.layout.focus)
    wrong = {
        "a text": clip.text is not None,
        "fades (use a transition)": clip.fades.in_ is not None or clip.fades.out is not None,
        "anchor, position, size or opacity": clip.layout != plain,
        "a camera path over a flat colour": clip.color is not None and clip.motion is not None,
    }
    for what, given in wrong.items():
        if given:
            message = f"{item.id!r} on the picture track cannot have {what}."
            fix = "Put it on an overlay track."
            findings.add("E_UNSUPPORTED", message, path=item.path, item_id=item.id, fix=fix)


def _check_length(resolved: ResolvedTimeline, profile: Profile, findings: Findings) -> None:
    if profile.max_seconds and resolved.duration > profile.max_seconds:
        message = (
            f"The film lasts {format_seconds(resolved.duration)}; "
            f"{profile.name} takes at most {profile.max_seconds} seconds."
        )
        findings.add("E_TOO_LONG", message, path="/sequence", fix="Shorten it or choose another profile.")


# ── Parts of the plan ─────────────────────────────────────────────────────────────────────────────────────
def _output(resolved: ResolvedTimeline, profile: Profile) -> Output:
    encoding = Encoding(
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
        poster_frame=_poster(resolved, profile),
        safe_area=profile.safe,
    )


def _poster(resolved: ResolvedTimeline, profile: Profile) -> int:
    """Answer the frame that stands for the film: the middle of its first text, else the profile's choice."""
    texts = [item for track in resolved.tracks if track.role == "overlay" for item in track.items if item.text]
    wanted = texts[0].first + texts[0].count // 2 if texts else snap_frame(profile.poster, resolved.fps)
    return min(wanted, resolved.frames - 1)


def _segments(pieces: Sequence[Piece], overlays: Sequence[Layer], captions: Captions, frames: int) -> list[Segment]:
    starts = [piece.start for piece in pieces]
    above = lay(overlays, starts, frames)
    spoken = lay(captions.layers, starts, frames)
    return [
        Segment(
            index=number,
            kind=piece.kind,
            start=piece.start,
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
        texts = [layer.style for layer in (*segment.overlays, *segment.captions) if isinstance(layer, TextState)]
        params: dict[str, Any] = {
            "segment": segment.model_dump(exclude=_IDENTITY),
            "output": self._output,
            "styles": {name: self._styles[name].value for name in texts},
        }
        key = node_key("segment", params, build=self._build, fonts=self._fonts if texts else "")
        return segment.model_copy(update={"key": key})


def _digest_of(fonts: Fonts) -> str:
    return ",".join(f"{role}:{font.digest}" for role, font in sorted(fonts.items()))


def _assets(resolved: ResolvedTimeline) -> dict[str, str]:
    """Answer the media type of every asset that is seen or heard."""
    used = {
        item.clip.asset
        for track in resolved.tracks
        if track.enabled
        for item in track.items
        if item.clip and item.clip.enabled and item.clip.asset
    }
    measured = (resolved.media[name] for name in sorted(used))
    return {media.sha256: media.media_type or f"{media.kind}/*" for media in measured}
