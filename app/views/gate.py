"""A gate as shown: left the output, right the decision; and what was decided before, signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.i18n import N_, Tongue
from app.views.marks import Mark, kind_name
from app.views.outlook import Ahead, make_ahead, say_hearing
from domain.dispatch.model import Step
from domain.production.outlook import Line, foresee_redo, foresee_rest
from domain.production.queries.gate import Decision
from domain.production.wishes import hearing
from domain.studio.script import Script


@dataclass(frozen=True)
class GateView:
    """One open question. `shows` says which output is put beside it; `rest` follows an approval, `again` a new try.

    `takes`: whether the step takes an instruction at all; `hears` says how.
    """

    id: str
    step: str
    address: str
    shows: str
    seen: str
    version: str
    asked_at: datetime
    until: str
    instruction: str
    rest: Ahead
    again: Ahead
    takes: bool
    hears: str
    script: Script | None


@dataclass(frozen=True)
class Signature:
    """A question that has its answer: who, when, on which version, and whether it still stands."""

    step: str
    mark: Mark
    by: str
    at: datetime | None
    version: str
    note: str
    voided_at: datetime | None


SHOWS = {"script": "script", "narrate": "sound", "illustrate": "pictures", "compose": "files"}
"""What a gate after a kind of step shows; after all others it is the film."""


def make_gates(
    tongue: Tongue, decisions: Sequence[Decision], line: Line, script: Script | None
) -> tuple[GateView, ...]:
    """The open questions of a job."""
    steps = {step.id: step for step in line.steps}
    return tuple(
        _gate(tongue, one, steps[one.approval.step_id], line, script if one.kind == "script" else None)
        for one in decisions
        if one.approval.state == "waiting"
    )


def _gate(tongue: Tongue, one: Decision, step: Step, line: Line, script: Script | None) -> GateView:
    heard = hearing(step.kind, line.spec)
    expires = one.approval.expires_at
    return GateView(
        id=str(one.approval.id),
        step=kind_name(tongue, step.kind),
        address=step_address(step),
        shows=SHOWS.get(step.kind, "film"),
        seen=one.approval.seen_version,
        version=short_version(one.approval.seen_version),
        asked_at=one.approval.created_at,
        until=tongue.day(expires) if expires else "",
        instruction=step.instruction or "",
        rest=make_ahead(tongue, foresee_rest(line, [step.id])),
        again=make_ahead(tongue, foresee_redo(line, step)),
        takes=heard.takes != "none",
        hears=say_hearing(tongue, heard),
        script=script,
    )


def step_address(step: Step) -> str:
    """How a step is named in addresses: its kind, and its part after a dot."""
    return f"{step.kind}.{step.shard}" if step.shard else step.kind


def short_version(version: str) -> str:
    """A version as people compare it."""
    return f"{version[:4]}…{version[-4:]}" if len(version) > 12 else version or "–"


ANSWERS: dict[str, tuple[str, str, str]] = {
    "approved": ("ok", "circle-check", N_("Approved")),
    "edited": ("ok", "scroll-text", N_("Edited and approved")),
    "changes": ("wait", "rotate-ccw", N_("Changes asked for")),
    "again": ("wait", "refresh-cw", N_("Another version asked for")),
    "expired": ("idle", "timer", N_("Expired: nobody decided in time")),
    "void": ("idle", "ban", N_("Withdrawn: there is a newer version")),
}


def make_signatures(tongue: Tongue, decisions: Sequence[Decision]) -> tuple[Signature, ...]:
    """What was decided about a job, the newest first."""
    return tuple(_signature(tongue, one) for one in reversed(decisions) if one.approval.state in ANSWERS)


def _signature(tongue: Tongue, one: Decision) -> Signature:
    row = one.approval
    st, icon, word = ANSWERS[row.state]
    signed = row.state in ("approved", "edited")
    return Signature(
        step=kind_name(tongue, one.kind),
        mark=Mark("idle" if row.voided_at else st, "ban" if row.voided_at and signed else icon, tongue.gettext(word)),
        by=row.decided_by_name,
        at=row.decided_at,
        version=short_version(row.decided_version or row.seen_version),
        note=row.note,
        voided_at=row.voided_at if signed else None,
    )
