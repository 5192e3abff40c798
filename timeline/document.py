"""The document: what people and programs write. Models accept the short form and hold the canonical one.

Times stay as written (`Moment`) until a sequence's frame rate makes them seconds; everything else is exact.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from timeline import authoring
from timeline.easing import EASINGS, Curve
from timeline.time import Moment
from timeline.transitions import TRANSITIONS
from timeline.values import Colour, FrameRate, Length, MaybeLength, Number, Text, Time, as_pair

MAX_ITEMS = 20_000
Identifier = Annotated[str, Field(max_length=120)]
Metadata = dict[str, Any]
Role = Literal["picture", "overlay", "caption", "narration", "music", "sfx", "source"]
TrackKind = Literal["video", "audio", "caption"]

KIND_OF_ROLE: dict[str, TrackKind] = {
    "picture": "video",
    "overlay": "video",
    "caption": "caption",
    "narration": "audio",
    "music": "audio",
    "sfx": "audio",
    "source": "audio",
}


class Part(BaseModel):
    """Base of all parts: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


# ── Variables, assets, styles ─────────────────────────────────────────────────────────────────────────────
class Variable(Part):
    """A named hole in the document, filled when it is resolved; `{{name}}` inside texts."""

    type: Literal["text", "number", "color", "time"] = "text"
    default: Text | None = None
    required: bool = False
    enum: tuple[Text, ...] = ()
    min: Number | None = None
    max: Number | None = None
    description: str = ""


class Asset(Part):
    """A file: where it is (`uri`), where its words are (`words`), and what a crop should keep (`focus`, 0..1)."""

    uri: Annotated[str, Field(min_length=1, max_length=4000)]
    kind: Literal["image", "audio", "video", "captions"] | None = None
    words: str | None = None
    focus: Annotated[tuple[Number, Number], BeforeValidator(as_pair)] | None = None
    licence: str = ""
    attribution: str = ""
    metadata: Metadata = Field(default_factory=dict)


class TextStyle(Part):
    """A look of texts: changes to a built-in style (`base`). `size`: pixels per em as a length on the canvas."""

    base: str = "title"
    face: Literal["regular", "medium", "bold", "extrabold", "black"] | None = None
    size: Length | None = None
    color: Colour | None = None
    outline_color: Colour | None = None
    anchor: authoring.Anchor9 | None = None
    position: Annotated[tuple[Length, Length], BeforeValidator(as_pair)] | None = None
    width: Length | None = None
    uppercase: bool | None = None


# ── Placement ─────────────────────────────────────────────────────────────────────────────────────────────
class Anchor(Part):
    """A point hung on something: an item, a marker, or `asset#s3` / `asset#w17` (sentence, word), from 1."""

    ref: Annotated[str, Field(min_length=1, max_length=200)]
    edge: Literal["start", "end"] = "start"
    offset: Time = Moment()

    def __str__(self) -> str:
        plus = f" + {self.offset}" if self.offset != Moment() else ""
        return f"{self.edge} of {self.ref}{plus}"


class Place(Part):
    """Where an item starts: right after the previous one, at a time, or at an anchor."""

    mode: Literal["follow", "at", "anchor"] = "follow"
    at: Time | None = None
    anchor: Anchor | None = None

    _short = model_validator(mode="before")(authoring.lower_place)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.mode == "at") != (self.at is not None) or (self.mode == "anchor") != (self.anchor is not None):
            raise ValueError('Write "follow", {"at": time} or {"anchor": {"ref": …}}, only one of them.')
        return self

    def __str__(self) -> str:
        return {"follow": "follow", "at": f"at {self.at}", "anchor": f"at {self.anchor}"}[self.mode]


class Extent(Part):
    """How long an item lasts: a time, the rest of its media, up to the next placed item, or until an anchor."""

    mode: Literal["time", "media", "fill", "until"]
    value: Time | None = None
    until: Anchor | None = None

    _short = model_validator(mode="before")(authoring.lower_length)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.mode == "time") != (self.value is not None) or (self.mode == "until") != (self.until is not None):
            raise ValueError('Write a time, "media", "fill" or {"until": {"ref": …}}, only one of them.')
        return self

    def __str__(self) -> str:
        return {"time": str(self.value), "until": f"until {self.until}"}.get(self.mode, self.mode)


class Source(Part):
    """Which part of the file is used: from `in`, for `dur` (default: the rest)."""

    in_: Time = Field(default=Moment(), alias="in")
    dur: Time | None = None


# ── Looks ─────────────────────────────────────────────────────────────────────────────────────────────────
class Layout(Part):
    """How a picture lies on the canvas. `fit` has the CSS meaning; `position` is where the anchor point lies."""

    fit: Literal["cover", "contain"] | None = None
    backdrop: Annotated[str, BeforeValidator(authoring.read_backdrop)] = "blur"
    focus: Annotated[tuple[Number, Number], BeforeValidator(as_pair)] | None = None
    anchor: authoring.Anchor9 | None = None
    position: Annotated[tuple[Length, Length], BeforeValidator(as_pair)] | None = None
    size: Annotated[tuple[MaybeLength, MaybeLength], BeforeValidator(as_pair)] | None = None
    opacity: Number = Fraction(1)

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if not 0 <= self.opacity <= 1:
            raise ValueError("opacity lies from 0 (invisible) to 1.")
        if self.focus and not all(0 <= part <= 1 for part in self.focus):
            raise ValueError("focus is [x, y], each from 0 to 1.")
        return self


Rect = tuple[Number, Number, Number, Number]


class Motion(Part):
    """A camera path over a still: windows [x, y, w, h] of the fitted picture (0..1) and the easing between."""

    from_: Rect = Field(alias="from")
    to: Rect
    ease: Annotated[Curve, BeforeValidator(authoring.read_ease)] = EASINGS["linear"]

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for x, y, w, h in (self.from_, self.to):
            if min(x, y) < 0 or min(w, h) < Fraction(1, 20) or max(x + w, y + h) > 1:
                raise ValueError("A window is [x, y, w, h] inside 0..1, not smaller than 0.05.")
        return self


class Fades(Part):
    """Fade in from nothing and out to nothing: opacity of pictures and texts, loudness of sounds."""

    in_: Time | None = Field(default=None, alias="in")
    out: Time | None = None


class Audio(Part):
    """Loudness of a sound."""

    gain_db: Number = Fraction(0)
    mute: bool = False


# ── Items ─────────────────────────────────────────────────────────────────────────────────────────────────
class Named(Part):
    """What all items have."""

    id: Identifier = ""
    name: str = ""
    enabled: bool = True
    tags: tuple[str, ...] = ()
    metadata: Metadata = Field(default_factory=dict)


class Clip(Named):
    """Something to see or hear: an asset, a text, or a flat colour."""

    kind: Literal["clip"] = "clip"
    asset: Identifier | None = None
    text: Annotated[Text, Field(max_length=600)] | None = None
    color: Colour | None = None
    source: Source = Source()
    place: Place = Place()
    length: Extent | None = None
    loop: bool = False
    layout: Layout = Layout()
    motion: Motion | None = None
    fades: Fades = Fades()
    audio: Audio = Audio()
    style: str | None = None

    _short = model_validator(mode="before")(authoring.lower_clip)

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if [self.asset, self.text, self.color].count(None) != 2:
            raise ValueError('An item has exactly one of "asset", "text" and "color".')
        return self


class Gap(Named):
    """A stretch of nothing: the background shows."""

    kind: Literal["gap"] = "gap"
    gap: Time


class Transition(Named):
    """A way from the item before to the item after; it sits on their cut and never changes the track's length.

    Either `duration` with `align`, or `in_offset` (how far it reaches back) and `out_offset` (forward).
    """

    kind: Literal["transition"] = "transition"
    transition: Annotated[str, BeforeValidator(authoring.known_word("transition", TRANSITIONS))]
    duration: Time | None = None
    align: Literal["center", "start", "end"] = "center"
    in_offset: Time | None = None
    out_offset: Time | None = None
    ease: Annotated[Curve, BeforeValidator(authoring.read_ease)] = EASINGS["linear"]
    params: dict[str, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        offsets = self.in_offset is not None or self.out_offset is not None
        if (self.duration is None) != offsets:
            raise ValueError('A transition has either "duration" or "in_offset"/"out_offset".')
        TRANSITIONS[self.transition].read_params(self.params)
        return self


Item = Annotated[
    Annotated[Clip, Tag("clip")] | Annotated[Gap, Tag("gap")] | Annotated[Transition, Tag("transition")],
    Discriminator(authoring.item_kind),
]
ITEM_KINDS: dict[str, type[Named]] = {"clip": Clip, "gap": Gap, "transition": Transition}


# ── Tracks and sequence ───────────────────────────────────────────────────────────────────────────────────
class DuckBy(Part):
    """Step back while another role sounds. Decibels and times."""

    by: Role
    amount_db: Number = Fraction(-12)
    attack: Time = Moment(Fraction(80, 1000))
    release: Time = Moment(Fraction(350, 1000))
    hold: Time = Moment(Fraction(200, 1000))
    lookahead: Time = Moment(Fraction(60, 1000))


class Track(Part):
    """A row of items, in which nothing overlaps except in a transition. Later tracks lie on top."""

    id: Identifier = ""
    name: str = ""
    role: Role
    kind: TrackKind | None = None
    enabled: bool = True
    locked: bool = False
    gain_db: Number = Fraction(0)
    duck_by: Annotated[DuckBy, BeforeValidator(authoring.lower_duck)] | None = None
    drives_duration: bool | None = None
    items: Annotated[tuple[Item, ...], Field(max_length=MAX_ITEMS)] = ()
    from_: str | None = Field(default=None, alias="from")
    effect: Annotated[str, BeforeValidator(authoring.read_effect)] = "highlight"
    metadata: Metadata = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kind = KIND_OF_ROLE[self.role]
        if self.kind not in (None, kind):
            raise ValueError(f"A {self.role} track is of kind {kind}, not {self.kind}.")
        if (self.role == "caption") != (self.from_ is not None):
            raise ValueError('Caption tracks, and only they, have "from": the asset or track whose words they show.')
        if self.role == "caption" and self.items:
            raise ValueError('Caption tracks take their words "from" a narration and have no items of their own.')
        return self


class Marker(Part):
    """A named point or range that other things can hang on."""

    id: Annotated[str, Field(min_length=1, max_length=120)]
    kind: Literal["scene", "sentence", "word", "chapter", "beat", "note"] = "note"
    at: Time
    length: Time = Moment()
    text: str = ""
    color: Colour | None = None


Side = Annotated[int, Field(ge=16, le=8192)]


class Sequence(Part):
    """Tracks on one canvas at one frame rate. `duration`: auto (the driving track's end) or a time."""

    fps: FrameRate = Fraction(30)
    canvas: Annotated[tuple[Side, Side], BeforeValidator(as_pair)] = (1920, 1080)
    sample_rate: Literal[48000] = 48000
    background: Colour = "#000000"
    duration: Annotated[Time | None, BeforeValidator(authoring.lower_auto)] = None
    tracks: Annotated[tuple[Track, ...], BeforeValidator(authoring.not_empty), Field(max_length=200)]
    markers: tuple[Marker, ...] = ()

    _ids = model_validator(mode="before")(authoring.give_ids)


class Document(Part):
    """A whole video: its assets, variables, styles, output profiles and the sequence."""

    schema_version: Literal["timeline/1"] = Field(alias="schema")
    id: str = ""
    title: Annotated[str, Field(max_length=500)] = ""
    language: Annotated[str, Field(max_length=35)] = "en"
    profiles: tuple[Annotated[str, BeforeValidator(authoring.known_profile)], ...] = ("longform-16x9",)
    variables: dict[str, Variable] = Field(default_factory=dict)
    assets: dict[str, Asset] = Field(default_factory=dict)
    styles: dict[str, TextStyle] = Field(default_factory=dict)
    sequence: Sequence
    provenance: Metadata = Field(default_factory=dict)
    metadata: Metadata = Field(default_factory=dict)
