"""The context of one running step: the concrete form of `pipeline.base.StepContext`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from domain.production.artifacts import Kept, all_stored, record_files
from domain.production.cache import part_key, record_part
from domain.production.keeper import SMALL, Keeper
from domain.production.logs import Journal
from domain.production.model import Made
from domain.production.pipeline.base import Json, MadeThing, NewFile, Product, StoredFile, Tools, Work
from domain.production.tether import Tether
from domain.usage.effects import Ledger
from tenants.principal import worker_principal
from tenants.unit import Unit, Units


@dataclass
class Counts:
    """Parts of a step made now and found again."""

    made: int = 0
    reused: int = 0


@dataclass
class RunningStep:
    """All a running step may touch (see `pipeline.base.StepContext` for what each method promises).

    `staging`: a folder of this try alone, made when the first part is, and removed when the step ends.
    """

    work: Work
    tools: Tools
    effects: Ledger
    staging: Path
    units: Units
    journal: Journal
    tether: Tether
    counts: Counts = field(default_factory=Counts)
    kept: dict[str, Kept] = field(default_factory=dict)
    _folders: int = 0

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.tools.store, self.work.tenant_id)

    def stop(self) -> bool:
        return self.tether.stop()

    def progress(self, done: int, total: int, stage: str = "") -> None:
        self.journal.progress(done, total, stage)

    def log(self, text: str, level: str = "info", group: str = "") -> None:
        self.journal.line(text, level, group)

    def event(self, event_type: str, **data: Any) -> None:
        self.journal.event(event_type, data)

    def unit(self) -> AbstractAsyncContextManager[Unit]:
        return self.units.open(worker_principal(self.work.tenant_id))

    async def artifact(
        self,
        name: str,
        role: str,
        content: Path | bytes | StoredFile,
        media_type: str = "",
        facts: Json | None = None,
        position: int = 0,
    ) -> StoredFile:
        if isinstance(content, StoredFile):
            stored = StoredFile(
                content.sha256,
                content.size,
                media_type or content.media_type,
                content.facts if facts is None else facts,
            )
        elif isinstance(content, bytes) and len(content) <= SMALL:
            promised = self.keeper.promise(content)
            stored = StoredFile(promised.sha256, promised.size, media_type, dict(facts or {}))
        else:
            stored = await self._store(NewFile(content, media_type, facts or {}))
        self.kept[name] = Kept(name, role, stored.sha256, stored.size, stored.media_type, dict(stored.facts), position)
        return stored

    async def _store(self, file: NewFile) -> StoredFile:
        store, tenant_id = self.tools.store, self.work.tenant_id
        if isinstance(file.content, bytes):
            kept = await store.put_bytes(tenant_id, file.content)
        else:
            kept = await store.put_file(tenant_id, file.content)
        return StoredFile(kept.sha256, kept.size, file.media_type, dict(file.facts))

    async def made_once(self, kind: str, parts: Json, make: Callable[[Path], Awaitable[Product]]) -> MadeThing:
        key = part_key(kind, parts, self.work.step.salt)
        found = await self._find_part(key)
        if found is not None:
            self.counts.reused += 1
            return found
        self._folders += 1
        folder = self.staging / f"part-{self._folders}"
        await asyncio.to_thread(folder.mkdir, parents=True)
        begun = time.monotonic()
        product = await make(folder)
        files = {name: await self._store(file) for name, file in product.files.items()}
        await self._record_part(key, kind, files, product.facts, time.monotonic() - begun)
        self.counts.made += 1
        return MadeThing(files, product.facts, reused=False)

    async def _find_part(self, key: str) -> MadeThing | None:
        async with self.unit() as unit:
            row = (await unit.session.execute(select(Made).where(Made.key == key))).scalar_one_or_none()
        if row is None:
            return None
        files = {name: StoredFile(**values) for name, values in row.outputs.items()}
        hashes = [file.sha256 for file in files.values()]
        if not await all_stored(self.tools.store, self.work.tenant_id, hashes):
            return None
        return MadeThing(files, row.facts, reused=True)

    async def _record_part(
        self, key: str, kind: str, files: Mapping[str, StoredFile], facts: Json, seconds: float
    ) -> None:
        tenant_id, job_id = self.work.tenant_id, self.work.job.id
        outputs = {name: asdict(file) for name, file in files.items()}
        async with self.unit() as unit:
            await record_files(unit.session, tenant_id, list(files.values()))
            await record_part(unit.session, tenant_id, job_id, kind, key, outputs, facts, seconds)

    async def local(self, sha256: str) -> Path:
        await self.keeper.keep(sha256)
        return await self.tools.store.local_path(self.work.tenant_id, sha256)

    async def read(self, sha256: str) -> bytes:
        await self.keeper.keep(sha256)
        return await self.tools.store.get_bytes(self.work.tenant_id, sha256)
