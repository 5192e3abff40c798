"""Fill a new workspace with the demo: project, catalogue, library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from domain.catalog.commands import add_to_library, create_project, save_version
from domain.catalog.demo.content import DemoPicture, DemoWorkspace
from domain.catalog.model import LibraryPicture, Project
from domain.production.model import Artifact
from domain.production.ports import ObjectStore, Stored
from tenants.principal import Principal
from tenants.unit import Unit, Units


def seeding_principal(tenant_id: UUID) -> Principal:
    """The installation itself, acting once as the owner of a workspace that has no people yet."""
    return Principal(tenant_id=tenant_id, kind="system", role="owner", name="first start")


async def seed_demo(
    units: Units, store: ObjectStore, tenant_id: UUID, demo: DemoWorkspace, sound_seconds: Callable[[Path], str]
) -> UUID:
    """Create the demo in one transaction, unless its project exists already; answer the project's id.

    What people have changed since the first start is theirs and stays as it is.
    `sound_seconds` answers the exact length ("n/d" seconds) of a sound file.
    """
    principal = seeding_principal(tenant_id)
    stored = [(picture, await store.put_bytes(tenant_id, picture.path.read_bytes())) for picture in demo.pictures]
    async with units.open(principal) as unit:
        if (existing := await _find_project(unit, demo.project.slug)) is not None:
            return existing.id
        project = await create_project(
            unit,
            demo.project.slug,
            demo.project.name,
            tagline=demo.project.tagline,
            languages=list(demo.project.languages),
        )
        for item in demo.items:
            await save_version(unit, item.kind, item.slug, item.name, item.body, note="Demo")
        for picture, kept in stored:
            await _add_file(unit, project.id, picture, kept, sound_seconds)
        return project.id


async def _find_project(unit: Unit, slug: str) -> Project | None:
    return (await unit.session.execute(select(Project).where(Project.slug == slug))).scalar_one_or_none()


async def _add_file(
    unit: Unit, project_id: UUID, picture: DemoPicture, kept: Stored, sound_seconds: Callable[[Path], str]
) -> None:
    if await unit.session.get(Artifact, (unit.tenant_id, kept.sha256)) is None:
        unit.session.add(Artifact(sha256=kept.sha256, size=kept.size, media_type=picture.media_type, facts={}))
    seconds = sound_seconds(picture.path) if picture.role == "music" else ""
    item = LibraryPicture(
        sha256=kept.sha256,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        captions=dict(picture.captions),
        tags={language: list(tags) for language, tags in picture.tags.items()},
        focus=list(picture.focus),
        licence=picture.licence,
        credit=picture.credit,
        role=picture.role,
        seconds=seconds,
    )
    await add_to_library(unit, project_id, item)
