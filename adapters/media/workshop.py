"""What all layers of a segment share while it is drawn: the canvas, its files, its texts, its opened videos."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from adapters.media.errors import MissingAsset
from adapters.media.footage import Footage
from adapters.media.ground import Ground
from adapters.media.pcm import Stereo, decoded
from adapters.media.planes import Size
from adapters.media.text import Ink, Look, drawings
from domain.production.ports import Assets
from timeline.plan import AssStyle, Blend, Layer, Segment, Stage
from timeline.stage import Group, Mix, Text

SAMPLE_RATE = 48_000


def asset_path(assets: Assets, key: str) -> Path:
    """Where an asset lies. Raises MissingAsset."""
    path = assets.paths.get(key)
    if path is None or not path.is_file():
        raise MissingAsset(f"The plan needs the file {key[:12]}…, which is not here.", fix="Run the step again.")
    return path


class Drawer(Protocol):
    """A layer ready to be laid on a ground; `state` is equal for frames on which it looks the same."""

    def draw(self, frame: int, ground: Ground) -> None: ...

    def state(self, frame: int) -> Hashable: ...


@dataclass
class Workshop:
    """Opened once per segment; `stack` closes what it opened. `looks`: every text that layers show."""

    canvas: Size
    assets: Assets
    styles: Sequence[AssStyle]
    folder: Path
    stack: ExitStack
    make_painter: Callable[[Layer, Workshop], Drawer]
    looks: Sequence[Look] = ()
    _inks: dict[Look, Ink | None] = field(default_factory=dict)
    _sounds: dict[str, Stereo] = field(default_factory=dict)

    def painter(self, layer: Layer) -> Drawer:
        """The way to draw a layer, however deep it lies."""
        return self.make_painter(layer, self)

    def path(self, asset: str) -> Path:
        return asset_path(self.assets, asset)

    def footage(self, asset: str) -> Footage:
        """Open a video for one layer: layers at different moments must not share a position."""
        opened = Footage(self.path(asset))
        self.stack.callback(opened.close)
        return opened

    def ink(self, look: Look) -> Ink | None:
        """A text as drawn by libass; all texts of the segment are drawn together the first time."""
        if look not in self._inks:
            wanted = list(dict.fromkeys((*self.looks, look)))
            with ExitStack() as stack:
                self._inks.update(drawings(wanted, self.styles, self.canvas, self.folder, stack))
        return self._inks[look]

    def sound(self, asset: str) -> Stereo:
        """A sound as stereo float at 48 kHz, decoded once."""
        if asset not in self._sounds:
            target = self.folder / f"wave-{len(self._sounds)}.f32"
            self._sounds[asset] = decoded(self.path(asset), target, SAMPLE_RATE, self.folder)
        return self._sounds[asset]


def looks_in(segment: Segment) -> list[Look]:
    """Every text that layers of a segment show, however deep, once."""
    picture = segment.picture
    stages = (picture.a, picture.b) if isinstance(picture, Blend) else (picture,)
    layers = [layer for stage in stages if isinstance(stage, Stage) for layer in stage.layers]
    layers += [layer for layer in segment.overlays if isinstance(layer, Layer)]
    return list(dict.fromkeys(look for layer in layers for look in _looks(layer)))


def _looks(layer: Layer) -> Iterator[Look]:
    content = layer.content
    if isinstance(content, Text):
        yield content.style, content.events
    inner: Sequence[Layer | None] = ()
    if isinstance(content, Group):
        inner = content.layers
    elif isinstance(content, Mix):
        inner = (content.a, content.b)
    for each in inner:
        if each is not None:
            yield from _looks(each)
