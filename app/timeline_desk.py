"""Everything the page of a job's timeline shows, read once a request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from litestar import Response
from sqlalchemy import select

from app.errors import Missing
from app.forms import FormState
from app.job_reading import read_view
from app.room import Room
from app.timeline_form import read_frame
from app.views.cut_edits import say_edit
from app.views.cut_inspector import Choice, inspect_item, make_words
from app.views.cut_words import names_of
from app.views.history import History, make_history
from app.views.job import JobView
from app.views.recut import RecutView
from app.views.shell import Shell
from app.views.strip import Shown, Sight
from app.views.timeline import ZOOMS, make_strip
from app.views.wave import FINE, wave_path
from domain.catalog.model import LibraryPicture
from domain.production.composing import fit_picture
from domain.production.cutting import Changes, Cut, Desk, read_changes, read_cut
from domain.production.cutting import sit_down as take_seat
from domain.production.editing import read_script
from domain.production.model import ArtifactRef
from domain.production.ports import Finding
from domain.production.queries.job import JobDetail, find_job, job_detail
from tenants.unit import Unit
from timeline.editing.draft import Draft, refused
from timeline.media import Media

MOST_CHOICES = 60
"""Pictures of the library that are offered; the newest."""


@dataclass(frozen=True)
class Table:
    """A job's timeline with all that its page shows around it; `desk` is None until the film is planned."""

    room: Room
    shell: Shell | None
    detail: JobDetail
    view: JobView | None
    desk: Desk | None
    sight: Sight
    library: tuple[LibraryPicture, ...] = ()
    shown: Shown = field(default_factory=Shown)

    @property
    def names(self) -> Mapping[str, str]:
        return self.shown.names

    def need_desk(self) -> Desk:
        """The film on its tracks. Raises Missing while there is none."""
        if self.desk is None:
            raise Missing
        return self.desk

    def check(self, draft: Draft) -> None:
        """Look whether everything of a draft can be shown. Raises TimelineError."""
        self.room.site.frames.plan(draft, self.need_desk().cut.spec)

    def choices(self) -> tuple[Choice, ...]:
        """Pictures that could be shown: the job's own, then those of the project's library."""
        if self.desk is None:
            return ()
        own = {media.sha256: alias for alias, media in self.desk.draft.media.items() if _is_picture(alias, media)}
        library = {row.sha256: _caption(row, self.room.tongue.language) for row in self.library}
        found = {sha256: library.get(sha256) or self.names.get(alias, "") for sha256, alias in own.items()}
        found |= {sha256: label for sha256, label in library.items() if sha256 not in found}
        return tuple(Choice(sha256, label, self.thumb(sha256), False) for sha256, label in found.items())

    def thumb(self, sha256: str) -> str:
        return f"{self.room.job_base}/timeline/picture/{sha256}"

    def page(
        self,
        form: FormState | None = None,
        *,
        status: int = 200,
        since: int | None = None,
        outlook: RecutView | None = None,
        mine: Mapping[str, Any] | None = None,
    ) -> Response[str]:
        """The whole page, or for a part of it just the timeline. `mine`: the operation that came too late."""
        room, desk = self.room, self.desk
        strip = make_strip(room.tongue, desk.draft, self.sight, self.shown) if desk else None
        item = None
        if desk and strip and self.sight.item:
            item = inspect_item(room.tongue, desk.draft, self.sight, strip, self.shown, self.choices())
        return room.page(
            "jobs/job_timeline.html",
            "timeline",
            status,
            view=self.view,
            shell=self.shell,
            tab="timeline",
            strip=strip,
            item=item,
            sight=self.sight,
            words=make_words(room.tongue),
            history=self.history(since) if desk else None,
            form=form or FormState({}),
            since=since,
            mine=say_edit(room.tongue, mine, self.names) if mine else "",
            outlook=outlook,
            may_edit=room.principal.can("jobs:run", self.detail.job.project_id),
            size=_size(desk) if desk else (16, 9),
        )

    def history(self, since: int | None) -> History:
        desk = self.need_desk()
        return make_history(self.room.tongue, self.detail, desk, self.names, since, self.room.jobs_base)


def _size(desk: Desk) -> tuple[int, int]:
    return desk.cut.plan.output.width, desk.cut.plan.output.height


def _is_picture(alias: str, media: Media) -> bool:
    return media.kind == "image" and alias.startswith("picture-")


def _caption(row: LibraryPicture, language: str) -> str:
    return str(row.captions.get(language) or next(iter(row.captions.values()), ""))


async def sit_down(room: Room, query: Mapping[str, Any], *, bare: bool = False) -> Table:
    """Read a job and its timeline; `bare`: without what only the page shows. Raises Missing."""
    async with room.open() as unit:
        project, projects = await room.project(unit)
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        detail = await job_detail(unit, job)
        changes = await read_changes(unit, job.id)
        library = () if bare else await _library(unit, job.project_id)
    desk = await _desk(room, detail, changes)
    sight = _sight(room, query, desk)
    if bare:
        return Table(room, None, detail, None, desk, sight)
    shell, view = room.shell(projects, project, "jobs"), read_view(room, detail, "timeline")
    table = Table(room, shell, detail, view, desk, sight, library)
    return replace(table, shown=await _shown(room, detail, table)) if desk else table


async def _desk(room: Room, detail: JobDetail, changes: Changes) -> Desk | None:
    cut = await read_cut(room.site.store, detail)
    return await asyncio.to_thread(_seated, cut, changes) if cut else None


def _seated(cut: Cut, changes: Changes) -> Desk:
    """The film with its changes and all its times, worked out beside the server's other requests."""
    desk = take_seat(cut, changes)
    _ = desk.draft.resolved
    return desk


def _sight(room: Room, query: Mapping[str, Any], desk: Desk | None) -> Sight:
    zoom = str(query.get("zoom", ""))
    frames = desk.draft.resolved.frames if desk else 0
    return Sight(
        base=f"{room.job_base}/timeline",
        item=str(query.get("item", ""))[:120],
        zoom=int(zoom) if zoom in {str(each) for each in ZOOMS} else 1,
        frame=read_frame(str(query.get("at", "")), frames),
    )


async def _library(unit: Unit, project_id: Any) -> tuple[LibraryPicture, ...]:
    found = (
        select(LibraryPicture)
        .where(LibraryPicture.project_id == project_id, LibraryPicture.role == "picture")
        .order_by(LibraryPicture.uploaded_at.desc(), LibraryPicture.id)
        .limit(MOST_CHOICES)
    )
    return tuple((await unit.session.execute(found)).scalars())


async def _shown(room: Room, detail: JobDetail, table: Table) -> Shown:
    store, tenant_id = room.site.store, detail.job.tenant_id
    media = table.need_desk().draft.media
    waves = {}
    for one in media.values():
        if one.kind == "audio":
            waves[one.sha256] = await wave_path(store, tenant_id, one.sha256, FINE)
    pictures = {one.sha256: table.thumb(one.sha256) for one in media.values() if one.kind == "image"}
    names = names_of(await read_script(store, detail))
    return Shown(names, pictures, waves, await _findings(room, detail))


async def _findings(room: Room, detail: JobDetail) -> tuple[Finding, ...]:
    """What the quality gate noticed in the film that was made."""
    report = next((output for output in detail.outputs if output.name == "inspection.json"), None)
    if report is None:
        return ()
    found = json.loads(await room.site.store.get_bytes(detail.job.tenant_id, report.sha256))
    return tuple(Finding(**finding) for finding in found["findings"])


# ── Pictures ──────────────────────────────────────────────────────────────────────────────────────────────
async def find_choice(unit: Unit, table: Table, sha256: str) -> dict[str, Any]:
    """What is known of a picture that may be shown, and how it fills the canvas. Raises TimelineError for another."""
    desk = table.need_desk()
    canvas = desk.draft.document.sequence.canvas
    row = await _row(unit, table.detail.job.project_id, sha256)
    if row is not None:
        facts = {"width": row.width, "height": row.height, "focus": row.focus, "media_type": row.media_type}
        facts["label"] = _caption(row, table.room.tongue.language)[:200]
        facts |= {"credit": row.credit[:500], "licence": row.licence[:500]}
        return _fitted(sha256, facts, canvas)
    for alias, media in desk.draft.media.items():
        if media.sha256 == sha256 and _is_picture(alias, media):
            focus = desk.draft.document.assets[alias].focus if alias in desk.draft.document.assets else None
            facts = {"width": media.width, "height": media.height, "media_type": media.media_type}
            facts |= {"focus": [str(part) for part in focus]} if focus else {}
            return _fitted(sha256, facts, canvas)
    raise refused("E_UNKNOWN_ASSET", "The picture is not there, or no longer.", fix="Choose another one.")


def _fitted(sha256: str, facts: dict[str, Any], canvas: tuple[int, int]) -> dict[str, Any]:
    fit = fit_picture((int(facts["width"]), int(facts["height"])), canvas)["fit"]
    return {"sha256": sha256, "fit": fit, **facts}


async def _row(unit: Unit, project_id: Any, sha256: str) -> LibraryPicture | None:
    found = select(LibraryPicture).where(
        LibraryPicture.project_id == project_id, LibraryPicture.sha256 == sha256, LibraryPicture.role == "picture"
    )
    return (await unit.session.execute(found.limit(1))).scalar_one_or_none()


async def takes_picture(room: Room, unit: Unit, sha256: str) -> bool:
    """Whether a picture belongs to the job of the address or to its project's library."""
    job = await find_job(unit, room.project_slug, room.number)
    if job is None:
        return False
    own = select(ArtifactRef.name).where(ArtifactRef.job_id == job.id, ArtifactRef.sha256 == sha256)
    if (await unit.session.execute(own.limit(1))).first() is not None:
        return True
    anywhere = select(LibraryPicture.id).where(
        LibraryPicture.project_id == job.project_id, LibraryPicture.sha256 == sha256
    )
    return (await unit.session.execute(anywhere.limit(1))).first() is not None
