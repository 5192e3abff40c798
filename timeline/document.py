"""The document: what people and programs write. Models accept the short form and hold the canonical one.

Times stay as written (`Moment`) until a sequence's frame rate makes them seconds; everything else is exact.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from timeline import authoring
from timeline.base import KIND_OF_ROLE, Identifier, Metadata, Part, Role, TrackKind
from timeline.items import ITEM_KINDS, Anchor, Clip, Extent, Gap, Item, Place, Source, Transition
from timeline.looks import Layout, Motion
from timeline.outputs import ProfileUse
from timeline.time import Moment
from timeline.values import Colour, FrameRate, Length, Number, Text, Time, as_pair

__all__ = [
    "ITEM_KINDS",
    "KIND_OF_ROLE",
    "MAX_ITEMS",
    "Anchor",
    "Asset",
    "Clip",
    "Document",
    "DuckBy",
    "Extent",
    "Gap",
    "Item",
    "Layout",
    "Marker",
    "Motion",
    "Place",
    "Sequence",
    "Source",
    "TextStyle",
    "Track",
    "Transition",
    "Variable",
]

MAX_ITEMS = 20_000


# ── Variables, assets, styles ─────────────────────────────────────────────────────────────────────────────
class Variable(Part):
    """A named hole in the document, filled when it is resolved; `{{name}}` inside texts."""

    type: Literal["text", "number", "bool", "color", "time", "asset", "list"] = "text"
    default: Any = None
    required: bool = False
    enum: tuple[Text, ...] = ()
    pattern: Annotated[str, Field(max_length=200)] | None = None
    min: Number | None = None
    max: Number | None = None
    description: str = ""


class Asset(Part):
    """A file: where it is (`uri`), where its words are (`words`), and what a crop should keep (`focus`, 0..1)."""

    uri: Annotated[str, Field(min_length=1, max_length=4000)]
    kind: Literal["image", "audio", "video", "captions", "lut"] | None = None
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


# ── Tracks and sequence ───────────────────────────────────────────────────────────────────────────────────
class DuckBy(Part):
    """Step back while another role sounds. Decibels and times."""

    by: Role
    mode: Literal["envelope", "sidechain"] = "envelope"
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
    profiles: Annotated[tuple[ProfileUse, ...], BeforeValidator(authoring.not_empty), Field(max_length=50)] = (
        ProfileUse(id="longform-16x9", base="longform-16x9"),
    )
    variables: dict[str, Variable] = Field(default_factory=dict)
    assets: dict[str, Asset] = Field(default_factory=dict)
    styles: dict[str, TextStyle] = Field(default_factory=dict)
    sequence: Sequence
    sequences: Annotated[dict[str, Sequence], BeforeValidator(authoring.give_nested_ids)] = Field(default_factory=dict)
    provenance: Metadata = Field(default_factory=dict)
    metadata: Metadata = Field(default_factory=dict)

    bound: tuple[str, ...] = Field(default=(), exclude=True)
    """Variables that were referred to as {"var": name}; their values stand in their places."""

    _root = model_validator(mode="before")(authoring.lower_root)

    @model_validator(mode="after")
    def _inherit(self) -> Self:
        """Other sequences take rate and canvas from the main one unless they say their own."""
        main = {"fps": self.sequence.fps, "canvas": self.sequence.canvas}
        for name, each in self.sequences.items():
            own = {field: value for field, value in main.items() if field not in each.model_fields_set}
            self.sequences[name] = each.model_copy(update=own)
        return self
