"""What lies on tracks: clips and nests, gaps, transitions; and how they are placed."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, model_validator

from timeline import authoring
from timeline.base import Identifier, Metadata, Part
from timeline.easing import EASINGS
from timeline.generators import Figure, GradientFill, Progress, QrCode, Tone, Waveform
from timeline.looks import TIME_EFFECTS, Animation, Easing, EffectUse, Fades, ItemTime, Layout, Motion
from timeline.time import Moment, parse_moment
from timeline.transitions import TRANSITIONS
from timeline.values import Colour, Number, Text, Time


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
    """How long an item lasts: a time, the rest of its media, up to the next placed item, until an anchor, or a share.

    `"2fr"` takes two shares of what is left between the placed items around it.
    """

    mode: Literal["time", "media", "fill", "until", "fr"]
    value: Time | None = None
    until: Anchor | None = None
    fr: Number | None = None

    _short = model_validator(mode="before")(authoring.lower_length)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = {"time": self.value, "until": self.until, "fr": self.fr}
        if any((self.mode == mode) != (value is not None) for mode, value in given.items()):
            raise ValueError('Write a time, "media", "fill", "1fr" or {"until": {"ref": …}}, only one of them.')
        if self.fr is not None and not 0 < self.fr <= 1000:
            raise ValueError("A share lies above 0 and up to 1000.")
        return self

    def __str__(self) -> str:
        if self.mode == "fr":
            return f"{self.fr}fr"
        return {"time": str(self.value), "until": f"until {self.until}"}.get(self.mode, self.mode)


class Source(Part):
    """Which part of the file is used: from `in`, for `dur` (default: the rest)."""

    in_: Time = Field(default=Moment(), alias="in")
    dur: Time | None = None


# ── Sound of an item ──────────────────────────────────────────────────────────────────────────────────────
class GainPoint(Part):
    """One point of a gain curve: decibels at a time of the item; straight lines between, in decibels."""

    t: ItemTime
    gain_db: Number


class Audio(Part):
    """Loudness and place of a sound. `pan`: -1 left to 1 right; `keep_pitch` when the speed is not 1."""

    gain_db: Number = Fraction(0)
    mute: bool = False
    pan: Number = Fraction(0)
    curve: Annotated[tuple[GainPoint, ...], Field(max_length=2000)] = ()
    keep_pitch: bool = True

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        if not -1 <= self.pan <= 1:
            raise ValueError("pan lies from -1 (left) to 1 (right).")
        if abs(self.gain_db) > 100 or any(abs(point.gain_db) > 100 for point in self.curve):
            raise ValueError("Gains lie from -100 to 100 decibels.")
        return self


# ── Items ─────────────────────────────────────────────────────────────────────────────────────────────────
class Approval(Part):
    """Whether somebody has said yes to an item."""

    state: Literal["none", "approved", "changes"] = "none"
    by: str = ""
    at: str = ""


class Named(Part):
    """What all items have."""

    id: Identifier = ""
    name: str = ""
    enabled: bool = True
    tags: tuple[str, ...] = ()
    approval: Approval | None = None
    metadata: Metadata = Field(default_factory=dict)


def _as_written(layout: Layout) -> dict[str, Any]:
    return layout.model_dump(exclude_unset=True)


class ProfileChange(Part):
    """What is different about an item in one output profile; only the layout fields written here change."""

    enabled: bool | None = None
    style: str | None = None
    motion: Motion | None = None
    layout: Annotated[Layout, PlainSerializer(_as_written)] = Layout()

    _short = model_validator(mode="before")(authoring.lower_layout)


class Clip(Named):
    """Something to see or hear: an asset, a text, a colour or another generator, or a nested sequence."""

    kind: Literal["clip", "nest"] = "clip"
    asset: Identifier | None = None
    text: Annotated[Text, Field(max_length=600)] | None = None
    color: Colour | None = None
    gradient: GradientFill | None = None
    shape: Figure | None = None
    progress: Progress | None = None
    waveform: Waveform | None = None
    qr: QrCode | None = None
    tone: Tone | None = None
    sequence: Identifier | None = None
    source: Source = Source()
    place: Place = Place()
    length: Extent | None = None
    speed: Number = Fraction(1)
    loop: bool = False
    layout: Layout = Layout()
    motion: Motion | None = None
    fades: Fades = Fades()
    animations: Annotated[tuple[Animation, ...], Field(max_length=100)] = ()
    effects: Annotated[tuple[EffectUse, ...], Field(max_length=50)] = ()
    audio: Audio = Audio()
    style: str | None = None
    profile_overrides: dict[str, ProfileChange] = Field(default_factory=dict)

    _short = model_validator(mode="before")(authoring.lower_clip)

    @property
    def content(self) -> str:
        """Answer which kind of thing it shows or plays: the name of the field that is given."""
        return next(name for name in authoring.CONTENTS if getattr(self, name) is not None)

    def in_profile(self, profile: str) -> Clip:
        """Answer the clip with what is different about it in an output profile."""
        change = self.profile_overrides.get(profile)
        if change is None:
            return self
        own = {name: getattr(change.layout, name) for name in change.layout.model_fields_set}
        given = {"enabled": change.enabled, "style": change.style, "motion": change.motion}
        update = {name: value for name, value in given.items() if value is not None}
        return self.model_copy(update={**update, "layout": self.layout.model_copy(update=own)})

    @property
    def reversed(self) -> bool:
        return any(effect.enabled and effect.effect == "reverse" for effect in self.effects)

    @property
    def frozen(self) -> Moment | None:
        """Answer the source time that a frozen clip shows, if it is one."""
        found = [effect for effect in self.effects if effect.enabled and effect.effect == "freeze"]
        return parse_moment(found[0].params.get("at", "0")) if found else None

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if sum(getattr(self, name) is not None for name in authoring.CONTENTS) != 1:
            names = ", ".join(f'"{name}"' for name in authoring.CONTENTS)
            raise ValueError(f"An item has exactly one of {names}.")
        if not Fraction(1, 100) <= self.speed <= 100:
            raise ValueError("speed lies from 0.01 to 100; freeze and reverse are effects.")
        if (self.kind == "nest") != (self.sequence is not None):
            raise ValueError('An item of kind nest, and only it, has a "sequence".')
        self._check_time_effects()
        return self

    def _check_time_effects(self) -> None:
        used = [effect.effect for effect in self.effects if effect.effect in TIME_EFFECTS]
        if used and self.asset is None:
            raise ValueError(f"Only clips of a file can {used[0]}.")
        if len(used) > 1:
            raise ValueError("A clip has one of reverse and freeze, once.")


class Gap(Named):
    """A stretch of nothing: what lies below shows."""

    kind: Literal["gap"] = "gap"
    gap: Time


class Transition(Named):
    """A way from the item before to the item after; it sits on their cut and never changes the track's length.

    Either `duration` with `align`, or `in_offset` (how far it reaches back) and `out_offset` (forward). `handles` says
    what happens where a film has no picture left to give: hold the last one, play slower, take a shorter transition,
    or refuse. `link` takes the clips' own sound along. With `mode: overlap` the later items move forward.
    """

    kind: Literal["transition"] = "transition"
    transition: Annotated[str, BeforeValidator(authoring.known_word("transition", TRANSITIONS))]
    duration: Time | None = None
    align: Literal["center", "start", "end"] = "center"
    in_offset: Time | None = None
    out_offset: Time | None = None
    ease: Easing = EASINGS["linear"]
    params: dict[str, Text] = Field(default_factory=dict)
    handles: Literal["freeze", "slow", "trim", "error"] = "freeze"
    mode: Literal["keep", "overlap"] = "keep"
    link: bool = False

    @model_validator(mode="after")
    def _complete(self) -> Self:
        offsets = self.in_offset is not None or self.out_offset is not None
        if (self.duration is None) != offsets:
            raise ValueError('A transition has either "duration" or "in_offset"/"out_offset".')
        if self.mode == "overlap" and self.duration is None:
            raise ValueError('With "mode": "overlap" a transition has a "duration".')
        TRANSITIONS[self.transition].read_params(self.params)
        return self


Item = Annotated[
    Annotated[Clip, Tag("clip")] | Annotated[Gap, Tag("gap")] | Annotated[Transition, Tag("transition")],
    Discriminator(authoring.item_kind),
]
ITEM_KINDS: dict[str, type[Named]] = {"clip": Clip, "gap": Gap, "transition": Transition}
