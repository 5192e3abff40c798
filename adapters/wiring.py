"""The only chooser: which adapter stands behind which port, for each kind of process."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from adapters.database import Engines, make_engines
from adapters.egress_rules import Allowance
from adapters.queue.signal import RedisSignal
from adapters.settings import Settings
from adapters.store.objects import open_store
from domain.production.pipeline.base import Tools, Work
from domain.production.ports import ImageMaker, ObjectStore
from tenants.unit import Unit, Units

if TYPE_CHECKING:
    from adapters.signin.doors import Doors
    from adapters.vendors.desk import Desk
    from tenants.house_vault import HouseVault
    from tenants.personal import PersonalVault
    from tenants.vault import Vault
    from timeline.metrics import FontMetrics


@dataclass(frozen=True)
class Runtime:
    """What every process of an installation has: rows, hints and objects."""

    settings: Settings
    engines: Engines
    signal: RedisSignal
    units: Units
    store: ObjectStore

    @functools.cached_property
    def vault(self) -> Vault:
        """The secrets of all workspaces; the key file is read, or made with mode 0600, at the first use.

        Raises KeyFault.
        """
        from tenants.keyring import load_ring
        from tenants.vault import Vault

        read = functools.partial(load_ring, self.settings.secret_key_file, self.settings.secret_keys)
        return Vault(read(), read)

    @functools.cached_property
    def personal(self) -> PersonalVault:
        """What is sealed for people; from the same key as the vault. Raises KeyFault."""
        from tenants.keyring import load_ring
        from tenants.personal import PersonalVault

        read = functools.partial(load_ring, self.settings.secret_key_file, self.settings.secret_keys)
        return PersonalVault(read(), read)

    @functools.cached_property
    def house(self) -> HouseVault:
        """Secrets of the installation itself; from the same key as the vault. Raises KeyFault."""
        from tenants.house_vault import HouseVault
        from tenants.keyring import load_ring

        read = functools.partial(load_ring, self.settings.secret_key_file, self.settings.secret_keys)
        return HouseVault(read(), read)

    @functools.cached_property
    def doors(self) -> Doors:
        """Every kind of provider people sign in with."""
        from adapters.signin.doors import Doors

        allow = Allowance.parse(self.settings.egress_allow)
        return Doors(self.units, lambda: self.vault, lambda: self.house, allow)

    def open_desk(self) -> Desk:
        """Open the desk of providers; close it with `close`. Raises KeyFault."""
        from adapters.vendors.desk import Desk

        return Desk(self.units, self.vault, Allowance.parse(self.settings.egress_allow), self.settings.redis_url)

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


def build_tools(settings: Settings, store: ObjectStore, desk: Desk | None = None) -> Tools:
    """Choose the tools of a worker. What needs no provider is made on this machine, and says so (draft).

    Jobs whose project has chosen providers get those in their place, from the desk.
    """
    from adapters.images.artboard import ArtBoard
    from adapters.images.chain import ImageChain
    from adapters.media.renderer import FfmpegRenderer
    from adapters.speech.espeak import EspeakNarrator
    from adapters.text.liquid import render_prompt
    from adapters.text.offline import OfflineWriter

    renderer, writer, narrator, board = FfmpegRenderer(), OfflineWriter(), EspeakNarrator(), ArtBoard()
    images = ImageChain([board])
    return Tools(
        store=store,
        writer=writer,
        narrator=narrator,
        images=images,
        renderer=renderer,
        build=" ".join((renderer.build, writer.build, narrator.build, images.build)),
        extra={"render_prompt": render_prompt, "font_metrics": film_fonts, "board": board},
        fit=functools.partial(_outfit, desk, board),
    )


async def _outfit(desk: Desk | None, board: ImageMaker, tools: Tools, work: Work) -> Tools:
    if desk is None:
        return tools
    from adapters.vendors.outfit import outfit

    return await outfit(desk, board, tools, work)


async def narrator_build(unit: Unit, spec: Mapping[str, Any]) -> str:
    """Name the build of the narrator that a job is spoken with, without starting it; part of a sentence's key."""
    chosen = (spec.get("providers") or {}).get("narrator")
    if chosen is None:
        from adapters.speech.espeak import EspeakNarrator

        return EspeakNarrator.build
    from adapters.vendors.makers import build_of
    from domain.catalog.provider_rows import Provider

    row = await unit.session.get(Provider, (unit.tenant_id, UUID(chosen["id"])))
    return build_of(row) if row else f"{chosen['kind']}:removed"


@functools.cache
def film_fonts() -> Mapping[str, FontMetrics]:
    """Read the metrics of the faces that films are set in, once per process."""
    from adapters.media.fonts import load_chain
    from adapters.media.typefaces import TYPEFACES

    return {role: load_chain(role) for role in TYPEFACES}
