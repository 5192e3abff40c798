"""Turn events of a workspace into messages for its endpoints: each event once for each endpoint that wants it.

How far an endpoint has been told is a number in its row, moved in the transaction that makes its messages. So nothing
is left out or doubled, whenever the program that does this is killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.catalog.model import Project
from domain.dispatch.model import Step
from domain.outreach.kinds import kind_of
from domain.outreach.messages import Happening, JobFacts, message_id, write_body
from domain.outreach.model import WebhookDelivery, WebhookEndpoint
from domain.production.model import Approval, Job
from tenants.model import IS_TOLD, Event, Tenant
from tenants.records import uuid7
from tenants.unit import Unit

BATCH = 200
"""Events that are told in one transaction."""


async def tell(unit: Unit, address: str) -> int:
    """Make messages of the next events; answer how many events there were (BATCH: there may be more).

    `address` is where this installation is reached.
    """
    rows = await unit.session.scalars(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.state != "disabled")
        .order_by(WebhookEndpoint.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    endpoints = rows.all()
    if not endpoints:
        return 0
    events = await _next_events(unit, min(endpoint.told_seq for endpoint in endpoints))
    if not events:
        return 0
    told = await _read(unit, events)
    for endpoint in endpoints:
        await _deliver(unit, endpoint, told, address)
        endpoint.told_seq = max(endpoint.told_seq, events[-1].seq)
    return len(events)


async def _next_events(unit: Unit, after: int) -> Sequence[Event]:
    found = await unit.session.scalars(select(Event).where(Event.seq > after, IS_TOLD).order_by(Event.seq).limit(BATCH))
    return found.all()


async def _deliver(unit: Unit, endpoint: WebhookEndpoint, told: Mapping[int, Happening], address: str) -> None:
    wanted = [seq for seq, one in told.items() if seq > endpoint.told_seq and one.kind in endpoint.kinds]
    held = endpoint.state == "paused"
    made = [
        {
            "id": uuid7(),
            "tenant_id": unit.tenant_id,
            "endpoint_id": endpoint.id,
            "message_id": message_id(unit.tenant_id, seq),
            "kind": told[seq].kind,
            "body": write_body(told[seq], address),
            "state": "held" if held else "waiting",
            "next_at": None if held else func.clock_timestamp(),
            "happened_at": told[seq].at,
        }
        for seq in wanted
    ]
    if made:
        again = ["tenant_id", "endpoint_id", "message_id"]
        await unit.session.execute(upsert(WebhookDelivery).values(made).on_conflict_do_nothing(index_elements=again))


async def _read(unit: Unit, events: Sequence[Event]) -> dict[int, Happening]:
    """The events that are told, by number, with what their messages say."""
    kinds = {event.seq: kind for event in events if (kind := kind_of(event.type, event.data)) is not None}
    mine = [event for event in events if event.seq in kinds and event.job_id is not None]
    jobs = await _jobs(unit, {event.job_id for event in mine if event.job_id is not None})
    asked = await _questions(unit, [event for event in mine if event.type.startswith(("approval.", "step.waiting"))])
    return {
        event.seq: Happening(kinds[event.seq], event.at, event.data, jobs[event.job_id], asked.get(event.seq))
        for event in mine
        if event.job_id in jobs
    }


async def _jobs(unit: Unit, ids: Iterable[UUID]) -> dict[UUID | None, JobFacts]:
    rows = await unit.session.execute(
        select(Job.id, Job.number, Job.title, Project.slug, Project.name, Tenant.slug)
        .join(Project, (Project.tenant_id == Job.tenant_id) & (Project.id == Job.project_id))
        .join(Tenant, Tenant.id == Job.tenant_id)
        .where(Job.id.in_(list(ids)))
    )
    return {row[0]: JobFacts(*row) for row in rows}


async def _questions(unit: Unit, events: Sequence[Event]) -> dict[int, dict[str, Any]]:
    """What is known of the questions that events are about: by their id, or of a new one by its step."""
    steps = [UUID(str(event.data["step_id"])) for event in events if event.type == "step.waiting"]
    ids = [UUID(str(event.data["approval"])) for event in events if event.data.get("approval")]
    if not (steps or ids):
        return {}
    rows = await unit.session.execute(
        select(Approval, Step.kind)
        .join(Step, (Step.tenant_id == Approval.tenant_id) & (Step.id == Approval.step_id))
        .where(Approval.id.in_(ids) | Approval.step_id.in_(steps))
        .order_by(Approval.id)
    )
    found = [(approval, kind) for approval, kind in rows]
    questions = {event.seq: _asked(event, found) for event in events}
    return {
        event.seq: _question(*question, event.data)
        for event in events
        if (question := questions[event.seq]) is not None
    }


def _asked(event: Event, found: Sequence[tuple[Approval, str]]) -> tuple[Approval, str] | None:
    """The question that an event is about; of a step that asked more than once, the one that was asked by then."""
    if event.type != "step.waiting":
        return next((one for one in found if str(one[0].id) == event.data.get("approval")), None)
    here = [one for one in found if str(one[0].step_id) == event.data["step_id"]]
    return next((one for one in reversed(here) if one[0].created_at <= event.at), None)


def _question(approval: Approval, step: str, told: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"id": str(approval.id), "step": step}
    if "decision" in told:
        return {**said, "decision": told["decision"], "by": str(told.get("by", ""))}
    if "step_id" in told and approval.expires_at is not None:
        said["expires_at"] = approval.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return said
