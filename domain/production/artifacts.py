"""Artifacts: what steps keep, by content and by readable name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.production.model import Artifact, ArtifactRef
from domain.production.pipeline.base import StoredFile
from domain.production.ports import ObjectStore


@dataclass(frozen=True)
class Kept:
    """A stored file under its name in the job."""

    name: str
    role: str
    sha256: str
    size: int
    media_type: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    position: int = 0

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "name"}

    @staticmethod
    def from_json(name: str, values: Mapping[str, Any]) -> Kept:
        return Kept(name=name, **values)


async def record_files(session: AsyncSession, tenant_id: UUID, files: Sequence[Kept | StoredFile]) -> None:
    """Write that files are in the store; a file known already stays as it is."""
    rows = {
        file.sha256: {
            "tenant_id": tenant_id,
            "sha256": file.sha256,
            "size": file.size,
            "media_type": file.media_type,
            "facts": dict(file.facts),
        }
        for file in sorted(files, key=lambda file: file.sha256)
    }
    if rows:
        await session.execute(upsert(Artifact).values(list(rows.values())).on_conflict_do_nothing())


async def record_refs(
    session: AsyncSession, tenant_id: UUID, job_id: UUID, step_id: UUID, files: Sequence[Kept]
) -> None:
    """Name files as a step's outputs in its job; the same name from an earlier run is replaced."""
    await record_files(session, tenant_id, files)
    rows = [
        {
            "tenant_id": tenant_id,
            "job_id": job_id,
            "name": file.name,
            "step_id": step_id,
            "sha256": file.sha256,
            "role": file.role,
            "position": file.position,
            "facts": dict(file.facts),
        }
        for file in files
    ]
    if not rows:
        return
    statement = upsert(ArtifactRef).values(rows)
    replaced = {name: statement.excluded[name] for name in ("step_id", "sha256", "role", "position", "facts")}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "job_id", "name"], set_=replaced)
    )


async def all_stored(store: ObjectStore, tenant_id: UUID, hashes: Sequence[str]) -> bool:
    """Answer whether every file is still in the store."""
    for sha256 in hashes:
        if not await store.exists(tenant_id, sha256):
            return False
    return True
