"""A job's film as it lies on the tracks, read for editing: what was composed, and what people have changed since."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from domain.production.editing import ENDED
from domain.production.ports import ObjectStore
from domain.production.pressing import stored_operations, wished_spec
from domain.production.queries.job import JobDetail
from domain.production.spec import JobSpec
from domain.studio.model import TimelineDraft, TimelineEdit
from tenants.unit import Unit
from timeline.editing.applying import Replayed, Unfit, replay
from timeline.editing.draft import Draft
from timeline.editing.operations import AnyOperation, ReplaceAsset
from timeline.faults import TimelineError
from timeline.loading import load, parse
from timeline.media import Media
from timeline.plan import RenderPlan
from timeline.resolved import ResolvedTimeline

DOCUMENT, RESOLVED, PLAN = "timeline.json", "timeline.resolved.json", "plan.json"


@dataclass(frozen=True)
class Cut:
    """A planned film: its choices, what lies on the tracks (with the content hash of that), and its plan."""

    spec: JobSpec
    base: str
    draft: Draft
    plan: RenderPlan


@dataclass(frozen=True)
class Changes:
    """What people have changed about a film that is not made yet. `edits` in their order, undone ones included."""

    version: int = 0
    edits: Sequence[TimelineEdit] = ()
    base: str = ""
    document: Mapping[str, object] = field(default_factory=dict)
    made_number: int | None = None
    made_version: int | None = None

    @property
    def done(self) -> list[TimelineEdit]:
        return [edit for edit in self.edits if edit.state == "done"]

    @property
    def unmade(self) -> int:
        """How many of them no film has been made with."""
        return 0 if self.made_version == self.version else len(self.done)


@dataclass(frozen=True)
class Desk:
    """A film with the changes made to it; `unfit` are those that the present film no longer takes."""

    cut: Cut
    changes: Changes
    draft: Draft
    unfit: tuple[Unfit, ...] = ()


async def read_cut(store: ObjectStore, detail: JobDetail) -> Cut | None:
    """A job's planned film, or None until its compose step has ended."""
    step = next((step for step in detail.steps if step.kind == "compose"), None)
    files = {output.name: output.sha256 for output in detail.outputs if output.name in (DOCUMENT, RESOLVED, PLAN)}
    if step is None or step.state not in ENDED or len(files) < 3:
        return None
    tenant_id = detail.job.tenant_id
    document, resolved, plan = [await store.get_bytes(tenant_id, files[name]) for name in (DOCUMENT, RESOLVED, PLAN)]
    spec = wished_spec(JobSpec.read(detail.job.spec), step.instruction)
    return await asyncio.to_thread(_read, spec, files[DOCUMENT], document, resolved, plan)


def _read(spec: JobSpec, base: str, document: bytes, resolved: bytes, plan: bytes) -> Cut:
    media = ResolvedTimeline.model_validate_json(resolved).media
    return Cut(spec, base, Draft(load(document), media), RenderPlan.model_validate_json(plan))


async def read_changes(unit: Unit, job_id: UUID, *, lock: bool = False) -> Changes:
    """What has been changed about a job's timeline; locked, nobody else changes it meanwhile."""
    draft = select(TimelineDraft).where(TimelineDraft.job_id == job_id).execution_options(populate_existing=True)
    row = (await unit.session.execute(draft.with_for_update() if lock else draft)).scalar_one_or_none()
    if row is None:
        return Changes()
    edits = await unit.session.execute(
        select(TimelineEdit)
        .where(TimelineEdit.job_id == job_id)
        .order_by(TimelineEdit.number)
        .execution_options(populate_existing=True)
    )
    return Changes(row.version, tuple(edits.scalars()), row.base, row.document, row.made_number, row.made_version)


def sit_down(cut: Cut, changes: Changes) -> Desk:
    """The film with its changes. Where it was composed anew since, they are made again on the new one.

    A change that this program does not know, as a newer one may have stored it, is left out and named.
    """
    done = changes.done
    if not done:
        return Desk(cut, changes, cut.draft)
    operations = known_operations(done)
    if changes.base == cut.base and operations is not None:
        media = {**cut.draft.media, **_brought(operations)}
        document = parse(dict(changes.document))
        return Desk(cut, changes, Draft(document, {name: media[name] for name in document.assets if name in media}))
    again = redone(cut, done)
    return Desk(cut, changes, again.draft, again.unfit)


def redone(cut: Cut, edits: Sequence[TimelineEdit]) -> Replayed:
    """Make edits on the composed film, from the first."""
    return replay(cut.draft, [edit.operation for edit in edits])


def known_operations(edits: Sequence[TimelineEdit]) -> list[AnyOperation] | None:
    """Edits as operations, or None where one of them is none that this program knows."""
    try:
        return stored_operations([edit.operation for edit in edits])
    except TimelineError:
        return None


def _brought(operations: Sequence[object]) -> dict[str, Media]:
    """Pictures that edits have brought in, by alias."""
    return {wish.alias: wish.media for wish in operations if isinstance(wish, ReplaceAsset)}
