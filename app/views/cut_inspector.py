"""The inspector of the timeline: what can be changed about the item looked at, with its present values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.i18n import Tongue
from app.timeline_form import seconds_of
from app.views import cut_words as words
from app.views.marks import said
from app.views.strip import Shown, Sight, Strip
from app.views.timeline import timecode
from timeline.document import Clip
from timeline.editing.draft import Bench, Draft, Spot
from timeline.effects import EFFECTS
from timeline.faults import TimelineError
from timeline.looks import Motion
from timeline.presets import CAMERA
from timeline.time import format_decimal


@dataclass(frozen=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True)
class Edge:
    """How an item begins or ends: the kind of transition and its frames."""

    name: str
    kind: str
    frames: int


@dataclass(frozen=True)
class Parameter:
    name: str
    label: str
    value: str


@dataclass(frozen=True)
class EffectNow:
    """An effect that an item has, with its parameters."""

    name: str
    label: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Choice:
    """A picture that could be shown instead."""

    sha256: str
    label: str
    thumb: str
    current: bool


@dataclass(frozen=True)
class Inspector:
    """One item. The flags say which forms make sense for it; `captions` stands for all captions of the film."""

    id: str
    name: str
    kind: str
    starts: str
    ends: str
    frames: int
    start_seconds: str
    seconds: str
    under_playhead: int
    base: bool = False
    picture: bool = False
    text: str | None = None
    sound: bool = False
    motion: str = ""
    anchor: str = ""
    gain: str = ""
    fade_in: int = 0
    fade_out: int = 0
    edges: tuple[Edge, ...] = ()
    effects: tuple[EffectNow, ...] = ()
    others: tuple[Option, ...] = ()
    pictures: tuple[Choice, ...] = ()
    captions: str = ""
    captions_on: bool = True


@dataclass(frozen=True)
class Words:
    """Every choice of the forms, in the reader's language."""

    transitions: tuple[Option, ...]
    sound_transitions: tuple[Option, ...]
    motions: tuple[Option, ...]
    effects: tuple[Option, ...]
    captions: tuple[Option, ...]
    corners: tuple[Option, ...]
    rolls: tuple[Option, ...]
    deletes: tuple[Option, ...]


def make_words(tongue: Tongue) -> Words:
    def options(names: Mapping[str, str], only: Iterable[str] | None = None) -> tuple[Option, ...]:
        return tuple(Option(key, tongue.gettext(names[key])) for key in (only or names))

    return Words(
        transitions=options(words.TRANSITION_NAMES),
        sound_transitions=options(words.TRANSITION_NAMES, ("none", "crossfade")),
        motions=options(words.MOTION_NAMES),
        effects=options(words.EFFECT_NAMES),
        captions=options(words.CAPTION_NAMES),
        corners=options(words.CORNER_NAMES),
        rolls=options(words.ROLL_NAMES),
        deletes=options(words.DELETE_NAMES),
    )


def inspect_item(
    tongue: Tongue, draft: Draft, sight: Sight, strip: Strip, shown: Shown, pictures: Sequence[Choice]
) -> Inspector | None:
    """The inspector of the item that the address names; None when there is no such item."""
    if sight.item == "captions":
        return _captions(tongue, draft)
    bench = Bench(draft)
    try:
        spot = bench.find(sight.item)
    except TimelineError:
        return None
    lane = next((lane for lane in strip.lanes if any(bar.id == sight.item for bar in lane.bars)), None)
    return _of_clip(tongue, bench, spot, strip, shown, pictures, lane.base if lane else False)


def _captions(tongue: Tongue, draft: Draft) -> Inspector | None:
    track = next((track for track in draft.document.sequence.tracks if track.role == "caption"), None)
    if track is None:
        return None
    name = said(tongue, words.ITEM_NAMES, "captions")
    return Inspector(
        "captions", name, "captions", "", "", 0, "", "", 0, captions=track.effect, captions_on=track.enabled
    )


def _of_clip(
    tongue: Tongue,
    bench: Bench,
    spot: Spot,
    strip: Strip,
    shown: Shown,
    pictures: Sequence[Choice],
    base: bool,
) -> Inspector:
    clip, fps = spot.clip, bench.fps
    first, stop = bench.frame(spot.span[0]), bench.frame(spot.span[1])
    media = bench.media.get(clip.asset or "")
    video = spot.kind == "video"
    return Inspector(
        id=clip.id,
        name=words.item_name(tongue, shown.names, clip.id),
        kind="video" if video else "sound",
        starts=timecode(first, fps),
        ends=timecode(stop, fps),
        frames=stop - first,
        start_seconds=seconds_of(first, fps),
        seconds=seconds_of(stop - first, fps),
        under_playhead=strip.playhead - first if first < strip.playhead < stop else (stop - first) // 2,
        base=base,
        picture=bool(media and media.kind == "image"),
        text=clip.text,
        sound=not video,
        motion=motion_word(clip.motion),
        anchor=(clip.layout.anchor or "") if video and not base else "",
        gain=format_decimal(clip.audio.gain_db, 2),
        fade_in=_fade(clip, "in", bench),
        fade_out=_fade(clip, "out", bench),
        edges=tuple(_edge(bench, spot, name) for name in ("start", "end")),
        effects=tuple(_effect(tongue, use.effect, use.params) for use in clip.effects),
        others=tuple(
            Option(each.clip.id, words.item_name(tongue, shown.names, each.clip.id))
            for each in bench.spots(spot.track)
            if each.clip.id != clip.id
        ),
        pictures=tuple(
            Choice(one.sha256, one.label, one.thumb, bool(media) and one.sha256 == media.sha256)
            for one in pictures
            if media is not None
        ),
    )


def motion_word(motion: Motion | None) -> str:
    """The ready path that a movement is; empty for one of its own."""
    if motion is None:
        return "none"
    known = (name for name, path in CAMERA.items() if Motion.model_validate(path) == motion)
    return next(known, "")


def _fade(clip: Clip, side: str, bench: Bench) -> int:
    moment = clip.fades.in_ if side == "in" else clip.fades.out
    return bench.frame(moment.at(bench.fps)) if moment else 0


def _edge(bench: Bench, spot: Spot, name: str) -> Edge:
    items = bench.items(spot.track)
    place = spot.place + (1 if name == "end" else -1)
    there = items[place] if 0 <= place < len(items) and "transition" in items[place] else None
    if there is None:
        return Edge(name, "none", 15)
    row = bench.draft.resolved.tracks[spot.track]
    found = next((item for item in row.items if item.id == there["id"]), None)
    rate = row.kind == "video"
    count = found.count if found and rate else bench.frame(found.end) - bench.frame(found.start) if found else 15
    return Edge(name, there["transition"], count)


def _effect(tongue: Tongue, name: str, params: Mapping[str, str]) -> EffectNow:
    kind = EFFECTS.get(name)
    values = kind.read_params(params) if kind else {}
    label = tongue.gettext(words.EFFECT_NAMES[name]) if name in words.EFFECT_NAMES else name
    shown = {key: value for key, value in values.items() if key in words.PARAMETER_NAMES}
    return EffectNow(
        name,
        label,
        tuple(Parameter(key, tongue.gettext(words.PARAMETER_NAMES[key]), value) for key, value in shown.items()),
    )
