"""A track of pictures as scenes: each item's own frames, and what the transitions beside it reach beyond them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.layers import Cut
from timeline.plan import Box
from timeline.resolved import ResolvedItem
from timeline.stage import Layer, Mix
from timeline.transitions import TRANSITIONS

if TYPE_CHECKING:
    from timeline.drawing import Drawer


@dataclass(frozen=True)
class Scene:
    """One item as seen: its own frames [first, stop) and, with what transitions reach beyond them, `seen`."""

    item: ResolvedItem | None
    first: int
    stop: int
    before: ResolvedItem | None
    after: ResolvedItem | None

    @property
    def body(self) -> tuple[int, int]:
        begin = self.first + (self.before.reach[1] if self.before else 0)
        return begin, self.stop - (self.after.reach[0] if self.after else 0)

    @property
    def seen(self) -> tuple[int, int]:
        begin = self.first - (self.before.reach[0] if self.before else 0)
        return begin, self.stop + (self.after.reach[1] if self.after else 0)

    @property
    def slow(self) -> bool:
        """Whether a transition asks to play the file slower because it gives too few pictures."""
        sides = ((self.before, 0), (self.after, 1))
        return any(
            cut.transition.handles == "slow" and cut.short[side] for cut, side in sides if cut and cut.transition
        )


def nothing(frame: int) -> Scene:
    """Answer the empty scene at a frame."""
    return Scene(None, frame, frame, None, None)


def scenes_of(items: tuple[ResolvedItem, ...]) -> list[Scene]:
    """Answer clips and gaps with the transitions at their ends."""
    cuts = {item.first + item.reach[0]: item for item in items if item.kind == "transition"}
    return [
        Scene(item, item.first, item.stop, cuts.get(item.first), cuts.get(item.stop))
        for item in items
        if item.kind != "transition"
    ]


def parameters(item: ResolvedItem) -> dict[str, str]:
    """Answer a transition's parameters in canonical form."""
    assert item.transition is not None
    return TRANSITIONS[item.transition.transition].read_params(item.transition.params)


def mixed(drawer: Drawer, item: ResolvedItem, a: Scene | None, b: Scene | None, picture: bool) -> Cut:
    """Answer a transition between two scenes on transparent ground; a missing one is nothing at all."""
    assert item.transition is not None
    name, ease, params = item.transition.transition, item.transition.ease, parameters(item)
    sides = [drawer.side(scene, picture) for scene in (a, b)]
    box = Box(x=0, y=0, w=drawer.width, h=drawer.height)

    def draw(first: int, frames: int, offset: int) -> Layer:
        layers = [make(first, frames, item.first + offset - zero) if make is not None else None for make, zero in sides]
        content = Mix(
            transition=name, params=params, a=layers[0], b=layers[1], length=item.count, offset=offset, ease=ease
        )
        return Layer(
            content=content, first=first, frames=frames, offset=offset, item_frames=item.count, box=box, fit="fill"
        )

    return Cut(item.first, item.stop, item.first, draw)
