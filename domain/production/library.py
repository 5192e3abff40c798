"""The picture library where it meets files and jobs: keep an upload, remove and bring back, lists for screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH

from domain.catalog.library import (
    BadDetails,
    NoSuchPicture,
    PictureDetails,
    add_picture,
    check_details,
    clean_details,
    describe,
    find_picture,
    make_row,
)
from domain.catalog.model import LibraryPicture
from domain.dispatch.model import Step
from domain.production.artifacts import record_files
from domain.production.errors import NotFound, WrongState
from domain.production.model import ArtifactRef, Job
from domain.production.pipeline.base import StoredFile
from domain.production.ports import ObjectStore
from domain.production.states import OPEN
from tenants.model import AuditEntry
from tenants.principal import Principal
from tenants.unit import Unit, Units

PAGE = 60


class PictureInUse(WrongState):
    """Raised when a job that is not finished may still show the picture; `jobs` are their numbers."""

    def __init__(self, jobs: Sequence[int]) -> None:
        numbers = ", ".join(f"#{number}" for number in jobs)
        super().__init__(f"The picture is used by {numbers}. Wait until that is done, or cancel it, and try again.")
        self.jobs = list(jobs)


@dataclass(frozen=True)
class PictureFile:
    """A clean picture on this machine's disk, about to move into the store; sides in pixels."""

    path: Path
    media_type: str
    width: int
    height: int


@dataclass(frozen=True)
class Kept:
    """The row of an upload; `new` is false when the project had this very picture already."""

    id: UUID
    sha256: str
    new: bool


# ── Commands ──────────────────────────────────────────────────────────────────────────────────────────────
async def keep_picture(
    units: Units, store: ObjectStore, principal: Principal, project_id: UUID, file: PictureFile, details: PictureDetails
) -> Kept:
    """Move a clean picture into the store, then write its row: what a row names is always there.

    Raises Forbidden, BadDetails; OSError when the disk is full, and then nothing is written.
    """
    principal.require("catalog:edit", project_id)
    if faults := check_details(clean_details(details)):
        raise BadDetails(faults)
    stored = await store.put_file(principal.tenant_id, file.path)
    row = make_row(stored.sha256, file.media_type, file.width, file.height, details)
    async with units.open(principal) as unit:
        known = StoredFile(stored.sha256, stored.size, file.media_type)
        await record_files(unit.session, principal.tenant_id, [known])
        kept, new = await add_picture(unit, project_id, row)
        return Kept(kept.id, kept.sha256, new)


async def remove_picture(unit: Unit, project_id: UUID, picture_id: UUID) -> None:
    """Take a picture out of the library; its file stays, for old jobs and for `restore_picture`.

    Raises Forbidden, NoSuchPicture, PictureInUse.
    """
    unit.principal.require("catalog:edit", project_id)
    picture = await find_picture(unit, project_id, picture_id)
    if busy := await jobs_using(unit, project_id, picture):
        raise PictureInUse(busy)
    unit.audit(
        "library.removed", "library_picture", picture.id, before={**describe(picture), "project": str(project_id)}
    )
    unit.emit("library.removed", project_id=project_id, picture=str(picture.id))
    await unit.session.delete(picture)


async def restore_picture(unit: Unit, project_id: UUID, picture_id: UUID) -> LibraryPicture:
    """Bring back a removed picture as it was, under its old id.

    Raises Forbidden, NotFound when this project never had it.
    """
    unit.principal.require("catalog:edit", project_id)
    present = await unit.session.get(LibraryPicture, (unit.tenant_id, picture_id))
    if present is not None and present.project_id == project_id:
        return present
    entry = await _removal(unit, picture_id)
    if entry is None or entry.before is None or entry.before.get("project") != str(project_id):
        raise NotFound("picture")
    row = LibraryPicture(id=picture_id, role="picture", **{name: entry.before[name] for name in _KEPT})
    kept, _ = await add_picture(unit, project_id, row)
    return kept


_KEPT = ("sha256", "media_type", "width", "height", "captions", "tags", "focus", "licence", "credit")


async def _removal(unit: Unit, picture_id: UUID) -> AuditEntry | None:
    """What the trail says of the picture when it was last removed."""
    found = await unit.session.execute(
        select(AuditEntry)
        .where(
            AuditEntry.action == "library.removed",
            AuditEntry.object_type == "library_picture",
            AuditEntry.object_id == str(picture_id),
        )
        .order_by(AuditEntry.seq.desc())
        .limit(1)
    )
    return found.scalar_one_or_none()


async def jobs_using(unit: Unit, project_id: UUID, picture: LibraryPicture) -> list[int]:
    """Numbers of unfinished jobs that show the picture, or have not chosen their pictures yet."""
    chosen = exists().where(
        ArtifactRef.tenant_id == Job.tenant_id, ArtifactRef.job_id == Job.id, ArtifactRef.sha256 == picture.sha256
    )
    decided = exists().where(
        Step.tenant_id == Job.tenant_id,
        Step.job_id == Job.id,
        Step.kind == "illustrate",
        Step.state == "succeeded",
    )
    rows = await unit.session.execute(
        select(Job.number)
        .where(
            Job.project_id == project_id,
            Job.state.in_(OPEN),
            Job.spec["library"].contains([{"id": str(picture.id)}]),
            or_(chosen, ~decided),
        )
        .order_by(Job.number)
        .limit(20)
    )
    return list(rows.scalars())


# ── Reads ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class PictureLine:
    """A picture as screens show it; `last_job` is the newest job that shows it."""

    id: UUID
    sha256: str
    media_type: str
    width: int
    height: int
    captions: Mapping[str, str]
    tags: Mapping[str, Sequence[str]]
    focus: tuple[str, str]
    licence: str
    credit: str
    uploaded_at: datetime
    last_job: int | None


@dataclass(frozen=True)
class PictureList:
    """One page of pictures, newest first; `page` counts from 1."""

    lines: tuple[PictureLine, ...]
    page: int
    pages: int
    total: int
    any_at_all: bool


async def list_pictures(unit: Unit, project_id: UUID, wanted: str, page: int = 1, size: int = PAGE) -> PictureList:
    """Answer a page of a project's pictures in four statements; `wanted` words must all be in a picture's words."""
    unit.principal.require("catalog:read", project_id)
    everything = _pictures(project_id)
    matching = _narrowed(everything, wanted)
    some = await unit.session.scalar(select(everything.exists())) or False
    total = await unit.session.scalar(select(func.count()).select_from(matching.subquery())) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    statement = matching.order_by(LibraryPicture.id.desc()).limit(size).offset((page - 1) * size)
    rows = (await unit.session.execute(statement)).scalars().all()
    shown = await _last_jobs(unit, project_id, [row.sha256 for row in rows])
    return PictureList(tuple(_line(row, shown.get(row.sha256)) for row in rows), page, pages, total, some)


async def read_picture(unit: Unit, project_id: UUID, picture_id: UUID) -> PictureLine:
    """One picture. Raises NoSuchPicture."""
    unit.principal.require("catalog:read", project_id)
    row = (
        await unit.session.execute(_pictures(project_id).where(LibraryPicture.id == picture_id))
    ).scalar_one_or_none()
    if row is None:
        raise NoSuchPicture(str(picture_id))
    shown = await _last_jobs(unit, project_id, [row.sha256])
    return _line(row, shown.get(row.sha256))


def _pictures(project_id: UUID) -> Select[LibraryPicture]:
    return select(LibraryPicture).where(LibraryPicture.project_id == project_id, LibraryPicture.role == "picture")


def _narrowed(statement: Select[LibraryPicture], wanted: str) -> Select[LibraryPicture]:
    words: Any = func.concat_ws(
        " ",
        cast(func.jsonb_path_query_array(LibraryPicture.captions, cast("$.*", JSONPATH)), String),
        cast(func.jsonb_path_query_array(LibraryPicture.tags, cast("$.*[*]", JSONPATH)), String),
        LibraryPicture.licence,
        LibraryPicture.credit,
    )
    for word in wanted.split()[:10]:
        pattern = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        statement = statement.where(words.ilike(f"%{pattern}%", escape="\\"))
    return statement


async def _last_jobs(unit: Unit, project_id: UUID, hashes: Sequence[str]) -> dict[str, int]:
    """The newest job of the project that shows each of these files."""
    if not hashes:
        return {}
    statement = (
        select(ArtifactRef.sha256, func.max(Job.number))
        .join(Job, (Job.tenant_id == ArtifactRef.tenant_id) & (Job.id == ArtifactRef.job_id))
        .where(ArtifactRef.sha256.in_(set(hashes)), Job.project_id == project_id)
        .group_by(ArtifactRef.sha256)
    )
    return {row[0]: row[1] for row in await unit.session.execute(statement)}


def _line(row: LibraryPicture, last_job: int | None) -> PictureLine:
    return PictureLine(
        id=row.id,
        sha256=row.sha256,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        captions=row.captions,
        tags=row.tags,
        focus=(str(row.focus[0]), str(row.focus[1])),
        licence=row.licence,
        credit=row.credit,
        uploaded_at=row.uploaded_at,
        last_job=last_job,
    )
