"""The first start: a demo workspace, the link that signs in its owner, and its first film."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from app.follow import JobRef
from tenants import directory
from tenants.principal import Principal
from tenants.unit import Units

if TYPE_CHECKING:
    from adapters.wiring import Runtime

WORKSPACE = "demo"
ENTER = "/start/"
"""Where the pages take the token of an owner link."""
FIRST_FILM = "first-film"
"""Idempotency key of the film that a first start makes: later starts find it instead of making another."""


@dataclass(frozen=True)
class Seeded:
    """What the start shows: a fresh owner link's path while nobody owns the workspace, and the first film."""

    owner_path: str | None
    job: JobRef | None


def machine_owner(tenant_id: UUID) -> Principal:
    """Whoever may start programs on this machine, acting in a workspace."""
    return Principal(tenant_id=tenant_id, kind="system", role="owner", name="command line")


async def prepare(runtime: Runtime, *, film: bool = True) -> Seeded:
    """Make the demo workspace and its first job where they are missing; answer what the start should show."""
    job = None
    if runtime.settings.demo:
        tenant_id: UUID | None = await seed(runtime)
        job = await first_film(runtime.units, tenant_id) if film and tenant_id else None
    else:
        tenant_id = await directory.find_tenant(runtime.units, WORKSPACE)
    if tenant_id is None or await directory.has_owner(runtime.units, tenant_id):
        return Seeded(None, job)
    # Whoever starts the program for the first time has the machine, so they operate what serves all workspaces too.
    token = await directory.issue_owner_link(runtime.units, tenant_id, operates_farm=True)
    return Seeded(ENTER + token, job)


async def seed(runtime: Runtime) -> UUID:
    """Make the demo workspace, its project, catalogue and library where they are missing; answer its id."""
    from domain.catalog.demo.content import demo_workspace
    from domain.production.demo import seed_demo

    content = demo_workspace()
    tenant_id = await directory.find_tenant(runtime.units, content.slug)
    if tenant_id is None:
        tenant_id = await directory.create_tenant(runtime.units, content.slug, content.name)
    await seed_demo(runtime.units, runtime.store, tenant_id, content, sound_seconds)
    return tenant_id


async def first_film(units: Units, tenant_id: UUID) -> JobRef:
    """The job of the first film, entered now if it is not there."""
    from domain.catalog.demo.content import demo_workspace
    from domain.production.commands.create_job import create_job
    from domain.production.commands.new_job import NewJob

    content = demo_workspace()
    wanted = content.first_job
    new = NewJob(
        project=content.project.slug,
        recipe=wanted.recipe,
        topic=wanted.topic,
        language=wanted.language,
        idem_key=FIRST_FILM,
    )
    async with units.open(machine_owner(tenant_id)) as unit:
        job = await create_job(unit, new)
        return JobRef(tenant_id, job.id)


def sound_seconds(path: Path) -> str:
    """The exact length of a sound file as a fraction of seconds, "n/d"."""
    import av

    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        samples = sum(frame.samples for frame in file.decode(stream))
        return f"{samples}/{stream.rate}"


async def new_owner_link(runtime: Runtime, workspace: str) -> str | None:
    """Make a one-time link for a workspace's owner and answer its path; None when there is no such workspace."""
    tenant_id = await directory.find_tenant(runtime.units, workspace)
    return None if tenant_id is None else ENTER + await directory.issue_owner_link(runtime.units, tenant_id)
