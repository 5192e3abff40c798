"""Readings for the wizard that the job's page and its live updates share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.room import Room
from app.views.gate import GateView, Signature, make_gates, make_signatures
from domain.production.editing import read_script
from domain.production.outlook import Line
from domain.production.queries.gate import Decision, decisions_of, line_of
from domain.production.queries.job import JobDetail
from tenants.unit import Unit


@dataclass(frozen=True)
class Asked:
    """What is asked and was decided; `line` is read only while something waits."""

    decisions: tuple[Decision, ...] = ()
    line: Line | None = None


async def read_asked(unit: Unit, detail: JobDetail) -> Asked:
    """Read the questions of a job; a job without a wizard that asks nothing needs no statement for it."""
    waits = any(step.state == "waiting_approval" for step in detail.steps)
    if not waits and detail.job.mode != "wizard":
        return Asked()
    return Asked(tuple(await decisions_of(unit, detail.job.id)), await line_of(unit, detail) if waits else None)


async def show_asked(room: Room, detail: JobDetail, asked: Asked) -> dict[str, Any]:
    """The names under which the page shows them."""
    gates: tuple[GateView, ...] = ()
    signed: tuple[Signature, ...] = make_signatures(room.tongue, asked.decisions)
    if asked.line is not None:
        open_kinds = {one.kind for one in asked.decisions if one.approval.state == "waiting"}
        script = await read_script(room.site.store, detail) if "script" in open_kinds else None
        gates = make_gates(room.tongue, asked.decisions, asked.line, script)
    may = room.principal.can("approvals:decide", detail.job.project_id)
    return {"gates": gates, "signed": signed, "may_answer": may}
