"""Layers of a render plan: everything that can be drawn on a canvas, bottom to top.

Frames: `first` of a layer is always a segment frame, however deep it lies in groups. The item's own clock runs
through transitions and splits: item frame = segment frame − `first` + `offset`, from 0 to `item_frames` − 1.

A layer is drawn in this order: content; `crop`; `fit` into `box` (seen through the `motion` window, `backdrop`
behind a contained picture); `effects` in order; `radius`; `opacity`; `shadow` under it; scale and rotation about
`pivot`; the offsets `x` and `y`; `blend` onto what lies below.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from timeline.parts import LINEAR, Box, Curve, Ease, Effect, Motion, PlanPart, later

BLEND_MODES = ("normal", "multiply", "screen", "overlay", "darken", "lighten", "add", "difference", "soft-light")
BlendMode = Literal["normal", "multiply", "screen", "overlay", "darken", "lighten", "add", "difference", "soft-light"]
SHAPES = ("rectangle", "ellipse", "triangle", "line", "arrow", "star", "polygon")
ShapeName = Literal["rectangle", "ellipse", "triangle", "line", "arrow", "star", "polygon"]


# ── Contents ──────────────────────────────────────────────────────────────────────────────────────────────
class Image(PlanPart):
    """A still; `asset` is its content hash. Orientation tags are honoured, transparency is kept."""

    kind: Literal["image"] = "image"
    asset: str


class Video(PlanPart):
    """A moving picture, upright and with square pixels (rotation and sample aspect ratio of the file honoured).

    Item frame k shows the file's frame that covers media time (`start` + k · `step`) / `scale` seconds, counted
    from the file's first frame: speed is folded into `step`, a reversed clip has a negative one, a frozen one 0.
    Times outside [`low`, `high`) (same unit) are held at the nearest frame inside, or with `loop` wrapped into it.
    """

    kind: Literal["video"] = "video"
    asset: str
    start: int
    step: int
    scale: int
    low: int
    high: int
    loop: bool = False


class Fill(PlanPart):
    """A flat colour (#rrggbb)."""

    kind: Literal["fill"] = "fill"
    colour: str


class Stop(PlanPart):
    """A colour of a gradient at a place 0..1 of its way."""

    at: str
    colour: str
    opacity: str = "1"


class Gradient(PlanPart):
    """Colours running into each other. `angle`: degrees clockwise from left-to-right; radial ones start in the middle.

    Linear: the way is the box's extent along the angle. Radial: from the middle to the farthest corner.
    """

    kind: Literal["gradient"] = "gradient"
    shape: Literal["linear", "radial"] = "linear"
    angle: str = "0"
    stops: tuple[Stop, ...]


class Shape(PlanPart):
    """A drawn figure filling its box. An empty `fill` or `stroke` draws none; `stroke_width` in pixels, inside the box.

    `line` runs from top left to bottom right, `arrow` and `triangle` point right and up. `points`: corners of a
    polygon as fractions of the box.
    """

    kind: Literal["shape"] = "shape"
    shape: ShapeName
    fill: str = "#ffffff"
    stroke: str = ""
    stroke_width: int = 0
    points: tuple[tuple[str, str], ...] = ()


class Bar(PlanPart):
    """A progress bar: at item frame k, (k + 1) / `item_frames` of the box is filled, growing in `direction`."""

    kind: Literal["bar"] = "bar"
    colour: str
    ground: str = ""
    direction: Literal["right", "left", "up", "down"] = "right"


class Wave(PlanPart):
    """The shape of a sound. `start` and `samples`: the part of `asset` shown over the whole item, at 48 kHz.

    `whole`: all of it, `bars` columns, what has been played in `colour`, the rest in `ground`. `live`: only the
    `window` samples about the moment. `bars` draws columns symmetrical about the middle, `line` one joined line.
    """

    kind: Literal["wave"] = "wave"
    asset: str
    style: Literal["bars", "line"] = "bars"
    mode: Literal["whole", "live"] = "whole"
    colour: str = "#ffffff"
    ground: str = ""
    bars: int = 64
    start: int
    samples: int
    window: int = 9600


class Code(PlanPart):
    """A QR code. `level`: error correction; `quiet`: modules of margin; an empty `ground` is transparent."""

    kind: Literal["code"] = "code"
    text: str
    colour: str = "#000000"
    ground: str = "#ffffff"
    level: Literal["L", "M", "Q", "H"] = "M"
    quiet: int = 4


class Text(PlanPart):
    """Text set for the whole canvas, as in TextState; used where a text is turned, scaled or has effects."""

    kind: Literal["text"] = "text"
    style: str
    events: tuple[str, ...]


class Group(PlanPart):
    """Layers on a transparent canvas of its own size (`ground`: colour behind them), then treated as one picture."""

    kind: Literal["group"] = "group"
    width: int
    height: int
    ground: str = ""
    layers: tuple[Layer, ...]


class Mix(PlanPart):
    """A transition between two layers on a transparent canvas of the film's size; None is nothing at all.

    Its first frame is the owning layer's `first`; `offset` of `length` frames have passed by then. Progress as in
    Blend: step k of n shows (k + 1) / (n + 1) of the way, eased.
    """

    kind: Literal["mix"] = "mix"
    transition: str
    params: dict[str, str] = Field(default_factory=dict)
    a: Layer | None = None
    b: Layer | None = None
    length: int
    offset: int = 0
    ease: Ease = LINEAR


Content = Annotated[
    Image | Video | Fill | Gradient | Shape | Bar | Wave | Code | Text | Group | Mix, Field(discriminator="kind")
]


# ── Layers ────────────────────────────────────────────────────────────────────────────────────────────────
class Shadow(PlanPart):
    """A soft shadow of the layer's own outline. Lengths in pixels; `blur` is the Gaussian's sigma."""

    x: int = 0
    y: int = 0
    blur: int = 0
    colour: str = "#000000"
    opacity: str = "0.5"


class Layer(PlanPart):
    """One thing on the canvas for segment frames [`first`, `first` + `frames`); see the module for clock and order.

    `fit`: CSS meaning, or `none` (own pixels, times the canvas's scale, cut by the box). `backdrop` (contain only):
    `none`, `blur` (the same picture) or #rrggbb. `crop`: fractions cut off left, top, right, bottom of the content.
    `pivot`: canvas pixels that scale and rotation turn about. `rotation` in degrees clockwise. `fades`: frames of
    linear fade at the item's start and end; frame k of a fade of n shows (k + 1) / (n + 1).
    """

    kind: Literal["layer"] = "layer"
    content: Content
    first: int
    frames: int
    offset: int = 0
    item_frames: int
    box: Box
    fit: Literal["cover", "contain", "fill", "none"] = "cover"
    backdrop: str = "none"
    focus: tuple[str, str] = ("0.5", "0.5")
    crop: tuple[str, str, str, str] = ("0", "0", "0", "0")
    motion: Motion | None = None
    radius: int = 0
    shadow: Shadow | None = None
    opacity: str = "1"
    rotation: str = "0"
    pivot: tuple[str, str] = ("0", "0")
    fades: tuple[int, int] = (0, 0)
    blend: BlendMode = "normal"
    effects: tuple[Effect, ...] = ()
    curves: tuple[Curve, ...] = ()
    scale: str = later("1")


class Stage(PlanPart):
    """Layers on a flat ground (#rrggbb) filling the canvas, bottom to top."""

    kind: Literal["stage"] = "stage"
    ground: str
    layers: tuple[Layer, ...]


Group.model_rebuild()
Mix.model_rebuild()


def inside(layer: Layer) -> tuple[Layer, ...]:
    """Answer the layers that lie directly in a layer's content."""
    content = layer.content
    if isinstance(content, Group):
        return content.layers
    return tuple(side for side in (content.a, content.b) if side) if isinstance(content, Mix) else ()


def assets_of(layer: Layer) -> set[str]:
    """Answer the content hashes of all files that a layer shows, groups, sounds and colour tables included."""
    content = layer.content
    found = {effect.params["asset"] for effect in layer.effects if "asset" in effect.params}
    if isinstance(content, Image | Video | Wave):
        found.add(content.asset)
    return found.union(*(assets_of(each) for each in inside(layer)))


def styles_of(layer: Layer) -> set[str]:
    """Answer the names of the text styles that a layer needs."""
    own = {layer.content.style} if isinstance(layer.content, Text) else set[str]()
    return own.union(*(styles_of(each) for each in inside(layer)))
