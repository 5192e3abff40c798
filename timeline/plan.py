"""The render plan: what the renderer is told to make, in integers only.

A plan is a directed graph with three levels: segments (independent pieces of silent picture), one sound
mix, and the join of both into a film. Every node carries a key; equal keys mean equal bytes, so a finished
node is found by its key and never made again.

Units: frames and samples are integers counted from the start of the film (or of the segment, where a field
says so); lengths on the canvas are pixels; fractions (opacity, easing, focus) are decimal strings with at
most 6 places, so that no binary float ever enters a key.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from timeline.parts import (
    LINEAR,
    Box,
    Curve,
    CurveKey,
    Ease,
    Effect,
    Key,
    Motion,
    PlanPart,
    Rate,
    Window,
    later,
)
from timeline.stage import Layer, Stage, assets_of, styles_of

__all__ = [
    "AssStyle",
    "Blend",
    "Box",
    "Bus",
    "Colour",
    "Cue",
    "CueWord",
    "Curve",
    "CurveKey",
    "Duck",
    "Effect",
    "Encoding",
    "GainKey",
    "Key",
    "Layer",
    "Master",
    "Motion",
    "Output",
    "Overlay",
    "Picture",
    "PlanPart",
    "Rate",
    "RenderPlan",
    "Segment",
    "Shot",
    "Sound",
    "SoundMix",
    "Stage",
    "TextState",
    "Window",
    "assets_in",
    "styles_in",
]


class Colour(PlanPart):
    """A flat colour as #rrggbb."""

    kind: Literal["colour"] = "colour"
    value: str


class Shot(PlanPart):
    """One picture filling the canvas for the whole segment.

    `asset` is the content hash (sha256) of the picture. `fit` has the CSS meaning; `contain` shows `backdrop`
    (`blur`: the same picture, enlarged and blurred; else #rrggbb) around it. `focus`: what a crop keeps.
    """

    kind: Literal["shot"] = "shot"
    asset: str
    fit: Literal["cover", "contain"] = "cover"
    backdrop: str = "blur"
    focus: tuple[str, str] = ("0.5", "0.5")
    motion: Motion | None = None


Picture = Annotated[Shot | Colour | Stage, Field(discriminator="kind")]


class Blend(PlanPart):
    """A transition from `a` to `b`, over `length` frames in all; the segment starts at frame `offset`."""

    kind: Literal["blend"] = "blend"
    transition: str
    params: dict[str, str] = Field(default_factory=dict)
    a: Picture
    b: Picture
    length: int
    offset: int = 0
    ease: Ease = LINEAR


class Overlay(PlanPart):
    """A picture with transparency over the canvas in `box`, from `first` for `frames` segment frames."""

    kind: Literal["overlay"] = "overlay"
    asset: str
    box: Box
    first: int
    frames: int
    opacity: tuple[Key, ...] = ()


class TextState(PlanPart):
    """Text that stands still from `first` for `frames` frames of the segment.

    `events` are complete ASS override-and-text strings (placed with \\pos, broken with \\N), one per line,
    bottom to top; `style` names one of the plan's ASS styles. Equal `events` are drawn once and reused.
    """

    kind: Literal["text"] = "text"
    style: str
    events: tuple[str, ...]
    first: int
    frames: int
    opacity: tuple[Key, ...] = ()


class Segment(PlanPart):
    """A silent piece of the film, rendered by one encoder of its own and joined to the others by copy.

    `start` is its first frame in the film; everything inside is relative to the segment, so that a segment
    which only moves keeps its key. `items` names the timeline items it shows, for progress and findings.
    """

    index: int
    kind: Literal["body", "transition"]
    start: int
    frames: int
    picture: Annotated[Shot | Colour | Blend | Stage, Field(discriminator="kind")]
    overlays: tuple[Annotated[Overlay | TextState | Layer, Field(discriminator="kind")], ...] = ()
    captions: tuple[TextState, ...] = ()
    items: tuple[str, ...] = ()
    key: str = ""


def assets_in(segment: Segment) -> set[str]:
    """Answer the content hashes of all files that a segment shows."""
    main = segment.picture
    found = {layer.asset for layer in segment.overlays if isinstance(layer, Overlay)}
    for picture in (main.a, main.b) if isinstance(main, Blend) else (main,):
        if isinstance(picture, Shot):
            found.add(picture.asset)
        elif isinstance(picture, Stage):
            found.update(*(assets_of(layer) for layer in picture.layers))
    return found.union(*(assets_of(layer) for layer in segment.overlays if isinstance(layer, Layer)))


def styles_in(segment: Segment) -> set[str]:
    """Answer the names of the text styles that a segment needs."""
    main = segment.picture
    found = {layer.style for layer in (*segment.overlays, *segment.captions) if isinstance(layer, TextState)}
    for picture in (main.a, main.b) if isinstance(main, Blend) else (main,):
        if isinstance(picture, Stage):
            found.update(*(styles_of(layer) for layer in picture.layers))
    return found.union(*(styles_of(layer) for layer in segment.overlays if isinstance(layer, Layer)))


# ── Sound ─────────────────────────────────────────────────────────────────────────────────────────────────
BusName = Literal["narration", "music", "sfx", "source"]
FadeCurve = Literal["linear", "equal-power", "smooth"]
"""How a fade runs over u from 0 to 1: u; sin(u·π/2); 3u² − 2u³."""


class GainKey(PlanPart):
    """One key of a gain curve: `sample` counts from the sound's start, gain in milli-decibels; linear in decibels."""

    sample: int
    mdb: int


class Sound(PlanPart):
    """One piece of sound on a bus, in samples of the film.

    Plays `asset` from its sample `source_in` at film sample `start` for `samples` samples, repeating from
    `source_in` when `loop` is set (`loop_samples`: length of the repeated part in source samples, 0 = to the end).
    `start` may lie before the film's (negative): what comes before is not heard.
    Gain in milli-decibels; fades in samples. `speed_num`/`speed_den`: source seconds per film second, pitch kept
    if `keep_pitch`; `source_in` is a source sample at 48 kHz. `reverse` plays the part that ends at `source_in` +
    samples · speed backwards. `pan`: −1 left … 1 right, decimal. `gain`: a curve added to `gain_mdb`, constant
    before its first key and after its last. `tone_mhz`: a sine of so many millihertz instead of a file (`asset` empty).
    """

    asset: str
    bus: BusName
    start: int
    samples: int
    source_in: int = 0
    loop: bool = False
    gain_mdb: int = 0
    fade_in: int = 240
    fade_out: int = 240
    fade_in_curve: FadeCurve = later("linear")
    fade_out_curve: FadeCurve = later("linear")
    loop_samples: int = later(0)
    speed_num: int = later(1)
    speed_den: int = later(1)
    keep_pitch: bool = later(True)
    reverse: bool = later(False)
    pan: str = later("0")
    gain: tuple[GainKey, ...] = later(())
    tone_mhz: int = later(0)


class Bus(PlanPart):
    """What happens to a bus as a whole, after ducking: gain in milli-decibels."""

    name: BusName
    gain_mdb: int = 0


class Duck(PlanPart):
    """Lower `bus` by `amount_mdb` while any of `speech` (film samples, half-open) lasts. Times in samples."""

    bus: Literal["music", "sfx", "source"]
    amount_mdb: int
    attack: int
    hold: int
    release: int
    lookahead: int
    speech: tuple[tuple[int, int], ...]
    mode: Literal["envelope", "sidechain"] = later("envelope")
    by: str = later("")
    """With `sidechain`, the bus whose loudness steers; with `envelope` the known `speech` does."""


class Master(PlanPart):
    """What the finished sound must measure: loudness in milli-LUFS, true peak in milli-dBTP."""

    loudness_mlufs: int = -14000
    true_peak_mdbtp: int = -1000
    range_max_mlu: int = later(0)
    """Widest loudness range in milli-LU; 0 = any."""


class SoundMix(PlanPart):
    """The whole film's sound: `samples` long, to the sample."""

    sample_rate: int = 48000
    samples: int
    sounds: tuple[Sound, ...]
    ducks: tuple[Duck, ...] = ()
    buses: tuple[Bus, ...] = later(())
    master: Master = Master()
    key: str = ""


class CueWord(PlanPart):
    """One word of a cue in film samples; `source` says where its time comes from."""

    text: str
    start: int
    end: int
    source: str = "synth"


class Cue(PlanPart):
    """One caption as people read it: one or two `lines`, shown from `start` to `end` (film samples)."""

    start: int
    end: int
    lines: tuple[str, ...]
    words: tuple[CueWord, ...] = ()
    id: str = later("")
    speaker: str = later("")


class AssStyle(PlanPart):
    """A named ASS style: the value part of a `Style:` line without the name, and the language of its texts."""

    name: str
    value: str
    language: str = ""


class Encoding(PlanPart):
    """How the film is written; the same for each of its segments."""

    codec: Literal["h264", "hevc", "av1"] = "h264"
    preset: str = "veryfast"
    crf: int = 20
    gop: int = 60
    pix_fmt: Literal["yuv420p"] = "yuv420p"
    threads: int = 1
    audio_bitrate: int = 192_000


class Output(PlanPart):
    """The profile that this plan was compiled for."""

    profile: str
    width: int
    height: int
    rate: Rate
    encoding: Encoding = Encoding()
    poster_frame: int = 0
    burn_captions: bool = True
    safe_area: Box | None = None


class RenderPlan(PlanPart):
    """Everything the renderer needs, and nothing that could change its mind."""

    schema_version: Literal["plan/1"] = "plan/1"
    title: str
    language: str
    output: Output
    frames: int
    segments: tuple[Segment, ...]
    sound: SoundMix
    cues: tuple[Cue, ...] = ()
    styles: tuple[AssStyle, ...] = ()
    assets: dict[str, str] = Field(default_factory=dict)
    """Content hash → media type of every asset that a node names."""
