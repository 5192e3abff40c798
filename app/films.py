"""Finished films under readable names: links beside the object store, complete or not there at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import func, select

from adapters.wiring import Runtime
from app.follow import JobRef
from domain.catalog.model import Project
from domain.production.model import ArtifactRef, Job
from domain.usage.budget import Spent, spent_by
from tenants.model import Tenant
from tenants.principal import worker_principal

FILM_ROLE = "film"
LONGEST_NAME = 80
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Film:
    """A finished film: where it is stored, how it may be called, what it took."""

    tenant_id: UUID
    workspace: str
    sha256: str
    name: str
    spent: Spent
    facts: dict[str, object]


def readable_name(project: str, number: int, title: str) -> str:
    """A file name from project, job number and title; safe on every file system."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return f"{project}-{number:03d}-{words}"[:LONGEST_NAME].rstrip("-") + ".mp4"


async def find_film(runtime: Runtime, ref: JobRef) -> Film | None:
    """The film of a job, or None while it has none."""
    async with runtime.units.open(worker_principal(ref.tenant_id)) as unit:
        row = (
            await unit.session.execute(
                select(ArtifactRef.sha256, ArtifactRef.facts, Job.number, Job.title, Project.slug, Tenant.slug)
                .join(Job, Job.id == ArtifactRef.job_id)
                .join(Tenant, Tenant.id == Job.tenant_id)
                .join(Project, Project.id == Job.project_id)
                .where(ArtifactRef.job_id == ref.job_id, ArtifactRef.role == FILM_ROLE)
            )
        ).one_or_none()
        if row is None:
            return None
        sha256, facts, number, title, slug, workspace = row
        spent = await spent_by(unit.session, ref.tenant_id, ref.job_id)
        return Film(ref.tenant_id, workspace, sha256, readable_name(slug, number, title), spent, dict(facts))


async def publish(runtime: Runtime, film: Film) -> Path:
    """Link a film into its workspace's folder of films; answer its path."""
    source = await runtime.store.local_path(film.tenant_id, film.sha256)
    return await asyncio.to_thread(place, source, runtime.settings.films / film.workspace / film.name)


def move_films(films: Path, old: str, new: str) -> None:
    """Let a workspace's folder of films follow its address; whoever gets the old address begins with none."""
    if old != new and (films / old).is_dir():
        with contextlib.suppress(OSError):
            (films / old).rename(films / new)


def place(source: Path, target: Path, *, copy: bool = False) -> Path:
    """Put a finished file at `target` in one move; a hard link where the disk allows it and `copy` is not wanted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{uuid4().hex[:8]}.part")
    try:
        if copy:
            shutil.copyfile(source, beside)
        else:
            _link_or_copy(source, beside)
        beside.replace(target)
    finally:
        # Renaming a link over another link of the same file leaves both names.
        beside.unlink(missing_ok=True)
    return target


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


async def publish_all(runtime: Runtime, stop: asyncio.Event, tell: Callable[[str], None]) -> None:
    """Link every film that gets finished, of any workspace, until `stop` is set."""
    since: datetime | None = None
    while not stop.is_set():
        for ref, finished in await _finished_since(runtime, since):
            film = await find_film(runtime, ref)
            if film is not None:
                tell(f"film finished: {await publish(runtime, film)}")
            since = finished
        if since is None:
            since = await _now(runtime)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)


async def _finished_since(runtime: Runtime, since: datetime | None) -> list[tuple[JobRef, datetime]]:
    if since is None:
        return []
    async with runtime.units.system("films") as unit:
        rows = await unit.session.execute(
            select(Job.tenant_id, Job.id, Job.finished_at)
            .where(Job.state == "succeeded", Job.finished_at > since)
            .order_by(Job.finished_at)
        )
        return [(JobRef(tenant_id, job_id), finished) for tenant_id, job_id, finished in rows if finished]


async def _now(runtime: Runtime) -> datetime:
    async with runtime.units.system("films") as unit:
        now: datetime = (await unit.session.execute(select(func.clock_timestamp()))).scalar_one()
        return now
