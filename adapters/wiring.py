"""The only chooser: which adapter stands behind which port, for each kind of process."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.database import Engines, make_engines
from adapters.queue.signal import RedisSignal
from adapters.settings import Settings
from adapters.store.objects import open_store
from domain.production.pipeline.base import Tools
from domain.production.ports import ObjectStore
from tenants.unit import Units

if TYPE_CHECKING:
    from timeline.metrics import FontMetrics


@dataclass(frozen=True)
class Runtime:
    """What every process of an installation has: rows, hints and objects."""

    settings: Settings
    engines: Engines
    signal: RedisSignal
    units: Units
    store: ObjectStore

    async def close(self) -> None:
        """Close every connection."""
        await self.signal.close()
        await self.engines.dispose()


def build_runtime(settings: Settings, process: str = "command") -> Runtime:
    """Wire a process (web, pump, worker or command); nothing connects before the first use."""
    engines = make_engines(settings, process)
    signal = RedisSignal(settings.redis_url)
    store = open_store(settings.store_url, settings.home, settings.staging)
    return Runtime(settings, engines, signal, engines.units(signal), store)


def build_tools(settings: Settings, store: ObjectStore) -> Tools:
    """Choose the providers of a worker. Without keys everything is made on this machine, and says so (draft)."""
    from adapters.images.artboard import ArtBoard
    from adapters.media.renderer import FfmpegRenderer
    from adapters.speech.espeak import EspeakNarrator
    from adapters.text.liquid import render_prompt
    from adapters.text.offline import OfflineWriter

    renderer, writer, narrator, images = FfmpegRenderer(), OfflineWriter(), EspeakNarrator(), ArtBoard()
    return Tools(
        store=store,
        writer=writer,
        narrator=narrator,
        images=images,
        renderer=renderer,
        build=" ".join((renderer.build, writer.build, narrator.build, images.build)),
        extra={"render_prompt": render_prompt, "font_metrics": film_fonts},
    )


def narrator_build() -> str:
    """Name the build of the narrator that workers speak with, without starting it; part of a sentence's key."""
    from adapters.speech.espeak import EspeakNarrator

    return EspeakNarrator.build


@functools.cache
def film_fonts() -> Mapping[str, FontMetrics]:
    """Read the metrics of the faces that films are set in, once per process."""
    from adapters.media.fonts import load_metrics
    from adapters.media.typefaces import TYPEFACES

    return {role: load_metrics(face.path) for role, face in TYPEFACES.items()}
