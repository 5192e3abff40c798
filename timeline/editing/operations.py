"""The operations on a document: plain data that can be stored, told and done again on another version of the film.

Times are whole frames of the film. Items are named by their ids; changes of time are relative, so that an edit still
says the same when the narration under it has moved. Adding one = a model here, a function and a line in `applying.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from timeline.base import Part
from timeline.captions.effects import EFFECTS as CAPTION_EFFECTS
from timeline.effects import EFFECTS
from timeline.faults import Fault, TimelineError
from timeline.media import Media
from timeline.presets import CAMERA
from timeline.transitions import TRANSITIONS
from timeline.values import Colour, Number, Text

MOST_FRAMES = 100 * 3600 * 240
NONE = "none"
"""In place of a word: take it away."""

ItemId = Annotated[str, Field(min_length=1, max_length=120)]
Frames = Annotated[int, Field(ge=0, le=MOST_FRAMES)]
Shift = Annotated[int, Field(ge=-MOST_FRAMES, le=MOST_FRAMES)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Edge = Literal["start", "end"]


def _word(what: str, known: Iterable[str], *more: str) -> AfterValidator:
    """Makes sure that a word is one of an open set."""
    words = (*known, *more)

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"No {what} {value[:60]!r}; use {', '.join(words)}.")
        return value

    return AfterValidator(read)


TransitionWord = Annotated[str, _word("transition", TRANSITIONS, NONE)]
MotionWord = Annotated[str, _word("camera path", CAMERA, NONE)]
EffectWord = Annotated[str, _word("effect", EFFECTS)]
CaptionWord = Annotated[str, _word("caption effect", CAPTION_EFFECTS)]


class Operation(Part):
    """Base of all: what is done (`op`) and to what."""


# ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────
class Trim(Operation):
    """Move one edge of an item by frames. roll: a touching neighbour gives or takes; ripple: what follows moves along;
    gap: nothing else moves."""

    op: Literal["trim"] = "trim"
    item: ItemId
    edge: Edge
    frames: Shift
    how: Literal["roll", "ripple", "gap"] = "roll"


class Lengthen(Operation):
    """Give an item a length in frames; its end moves as in a trim."""

    op: Literal["length"] = "length"
    item: ItemId
    frames: Annotated[int, Field(ge=1, le=MOST_FRAMES)]
    how: Literal["roll", "ripple", "gap"] = "roll"


class Move(Operation):
    """Move an item along its track by frames; touching neighbours give and take (a slide)."""

    op: Literal["move"] = "move"
    item: ItemId
    frames: Shift


class Reorder(Operation):
    """Put an item behind another one of its track (empty: first); lengths stay, what lies between moves up."""

    op: Literal["reorder"] = "reorder"
    item: ItemId
    after: Annotated[str, Field(max_length=120)] = ""


class Split(Operation):
    """Cut an item in two, `at` frames from its start; the later part gets an id of its own."""

    op: Literal["split"] = "split"
    item: ItemId
    at: Annotated[int, Field(ge=1, le=MOST_FRAMES)]


class Delete(Operation):
    """Take an item away. gap: nothing else moves; ripple: what follows moves up; neighbour: the item before (else
    after) takes its time."""

    op: Literal["delete"] = "delete"
    item: ItemId
    how: Literal["gap", "ripple", "neighbour"] = "gap"


# ── Looks ─────────────────────────────────────────────────────────────────────────────────────────────────
class SetTransition(Operation):
    """Say how an item begins (`start`) or ends (`end`): a kind of transition and its frames; none = a plain cut."""

    op: Literal["transition"] = "transition"
    item: ItemId
    edge: Edge = "end"
    kind: TransitionWord
    frames: Annotated[int, Field(ge=1, le=MOST_FRAMES)] = 15


class SetMotion(Operation):
    """Give a picture a ready camera path, or none."""

    op: Literal["motion"] = "motion"
    item: ItemId
    motion: MotionWord


class SetEffect(Operation):
    """Add an effect to a picture (or change its parameters), or take it away."""

    op: Literal["effect"] = "effect"
    item: ItemId
    effect: EffectWord
    on: bool = True
    params: dict[str, Text] = Field(default_factory=dict)


class ReplaceAsset(Operation):
    """Show another picture: its content and size as measured, the point a crop keeps, and how it fills the canvas.

    `label`, `credit` and `licence` are told, and change nothing of the film.
    """

    op: Literal["asset"] = "asset"
    item: ItemId
    sha256: Hash
    width: Annotated[int, Field(ge=1, le=100_000)]
    height: Annotated[int, Field(ge=1, le=100_000)]
    focus: tuple[Number, Number] | None = None
    fit: Literal["cover", "contain"] | None = None
    media_type: str = ""
    label: Annotated[str, Field(max_length=200)] = ""
    credit: Annotated[str, Field(max_length=500)] = ""
    licence: Annotated[str, Field(max_length=500)] = ""

    @property
    def alias(self) -> str:
        """The name of the picture in the document."""
        return f"picture-{self.sha256[:16]}"

    @property
    def media(self) -> Media:
        """The picture as measured."""
        return Media(self.sha256, "image", self.width, self.height, media_type=self.media_type)


class SetText(Operation):
    """Say something else in a text."""

    op: Literal["text"] = "text"
    item: ItemId
    text: Annotated[Text, Field(min_length=1, max_length=600)]


Corner = Literal["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"]


class SetPlace(Operation):
    """Put what lies over the picture into a corner or the middle; `width` in percent of the canvas."""

    op: Literal["place"] = "place"
    item: ItemId
    anchor: Corner
    width: Annotated[int, Field(ge=1, le=100)] | None = None


# ── Sound and words ───────────────────────────────────────────────────────────────────────────────────────
class SetGain(Operation):
    """How loud a sound item is, in decibels."""

    op: Literal["gain"] = "gain"
    item: ItemId
    gain_db: Annotated[Number, Field(ge=-60, le=24)]


class SetFades(Operation):
    """How many frames an item fades in and out; 0 = not."""

    op: Literal["fades"] = "fades"
    item: ItemId
    fade_in: Frames = 0
    fade_out: Frames = 0


class SetCaptions(Operation):
    """How the captions show: their effect and colour, or not at all."""

    op: Literal["captions"] = "captions"
    effect: CaptionWord
    on: bool = True
    accent: Colour | None = None


AnyOperation = (
    Trim
    | Lengthen
    | Move
    | Reorder
    | Split
    | Delete
    | SetTransition
    | SetMotion
    | SetEffect
    | ReplaceAsset
    | SetText
    | SetPlace
    | SetGain
    | SetFades
    | SetCaptions
)
WORDS: tuple[str, ...] = tuple(kind.model_fields["op"].default for kind in get_args(AnyOperation))
_READER: TypeAdapter[AnyOperation] = TypeAdapter(Annotated[AnyOperation, Field(discriminator="op")])


def read_operation(data: Any) -> AnyOperation:
    """Read an operation from plain data. Raises TimelineError with everything that is wrong."""
    try:
        return _READER.validate_python(data)
    except ValidationError as error:
        raise TimelineError([_fault(detail) for detail in error.errors()]) from None


def _fault(detail: Any) -> Fault:
    if str(detail["type"]).startswith("union_tag"):
        op = str(detail.get("ctx", {}).get("tag", ""))[:60]
        message = f"This program knows no change {op!r}; a newer version may." if op else "What to change is not said."
        return Fault(code="E_UNKNOWN_EDIT", message=message, path="/op", allowed=WORDS)
    place = "/".join(str(step) for step in detail["loc"][1:])
    message = str(detail["msg"]).removeprefix("Value error, ")
    return Fault(code="E_OPERATION", message=message if message.endswith(".") else f"{message}.", path=f"/{place}")


def write_operation(operation: AnyOperation) -> dict[str, Any]:
    """Write an operation as plain data that `read_operation` reads."""
    return operation.model_dump(mode="json", exclude_none=True)
