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

from pydantic import BaseModel, ConfigDict, Field


class PlanPart(BaseModel):
    """Base of all parts: immutable, hashable by content, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rate(PlanPart):
    """Frames per second as a fraction, such as 30000/1001."""

    num: int
    den: int = 1


class Box(PlanPart):
    """A rectangle on the canvas in whole pixels."""

    x: int
    y: int
    w: int
    h: int


class Window(PlanPart):
    """A rectangle of the fitted picture in fractions 0..1 of it (decimal strings), of the box's aspect."""

    x: str
    y: str
    w: str
    h: str


class Motion(PlanPart):
    """A camera path over a still: the window at the first and at the last frame of the whole item.

    `item_frames` is the length of the whole item and `offset` the item frame at which this segment begins, so
    that bodies and transitions cut from one item move as one. `ease`: control points of a cubic Bézier.
    """

    start: Window
    end: Window
    ease: tuple[str, str, str, str] = ("0", "0", "1", "1")
    item_frames: int
    offset: int


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


Picture = Annotated[Shot | Colour, Field(discriminator="kind")]


class Blend(PlanPart):
    """A transition from `a` to `b`, over `length` frames in all; the segment starts at frame `offset`."""

    kind: Literal["blend"] = "blend"
    transition: str
    params: dict[str, str] = Field(default_factory=dict)
    a: Picture
    b: Picture
    length: int
    offset: int = 0
    ease: tuple[str, str, str, str] = ("0", "0", "1", "1")


class Key(PlanPart):
    """One key of a curve: `frame` is relative to the segment, `value` a decimal; linear between keys."""

    frame: int
    value: str


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
    picture: Annotated[Shot | Colour | Blend, Field(discriminator="kind")]
    overlays: tuple[Annotated[Overlay | TextState, Field(discriminator="kind")], ...] = ()
    captions: tuple[TextState, ...] = ()
    items: tuple[str, ...] = ()
    key: str = ""


class Sound(PlanPart):
    """One piece of sound on a bus, in samples of the film.

    Plays `asset` from its sample `source_in` at film sample `start` for `samples` samples, repeating from
    `source_in` when `loop` is set. Gain in milli-decibels; fades in samples.
    """

    asset: str
    bus: Literal["narration", "music", "sfx", "source"]
    start: int
    samples: int
    source_in: int = 0
    loop: bool = False
    gain_mdb: int = 0
    fade_in: int = 240
    fade_out: int = 240


class Duck(PlanPart):
    """Lower `bus` by `amount_mdb` while any of `speech` (film samples, half-open) lasts. Times in samples."""

    bus: Literal["music", "sfx", "source"]
    amount_mdb: int
    attack: int
    hold: int
    release: int
    lookahead: int
    speech: tuple[tuple[int, int], ...]


class Master(PlanPart):
    """What the finished sound must measure: loudness in milli-LUFS, true peak in milli-dBTP."""

    loudness_mlufs: int = -14000
    true_peak_mdbtp: int = -1000


class SoundMix(PlanPart):
    """The whole film's sound: `samples` long, to the sample."""

    sample_rate: int = 48000
    samples: int
    sounds: tuple[Sound, ...]
    ducks: tuple[Duck, ...] = ()
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


class AssStyle(PlanPart):
    """A named ASS style: the value part of a `Style:` line without the name."""

    name: str
    value: str


class Encoding(PlanPart):
    """How the film is written; the same for each of its segments."""

    codec: Literal["h264"] = "h264"
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
