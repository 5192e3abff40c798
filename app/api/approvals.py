"""Questions at gates: what waits for a decision, and deciding it with the version that was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody
from pydantic import Field

from app.api.asker import Asker
from app.api.job_acts import placed
from app.api.job_shapes import ENGLISH
from app.api.problems import invalid, not_yet
from app.api.script import SceneEditShape, read_edits
from app.api.shapes import JobState, ProblemFault, Shape, Wish, refusals
from app.errors import Missing
from app.pages.gate import check_note
from app.site import AnyRequest
from domain.production.commands.decide_gate import decide_gate, edit_at_gate
from domain.production.editing import read_script
from domain.production.queries.job import job_detail
from domain.production.queries.line import Question, inbox
from domain.production.queries.program import reach_question
from tenants.unit import Unit


class ApprovalShape(Shape):
    """A question that waits for a decision: is the result of a step good?"""

    id: UUID
    job: UUID
    project: str
    number: int
    title: str
    step: str = Field(description="Kind of the step whose result it is about.", examples=["script"])
    version: str = Field(description="Version of the result; a decision carries the version that was seen.")
    instruction: str = Field(description="What was asked of this version; empty for the first.")
    asked_at: datetime
    expires_at: datetime | None = Field(description="Undecided until then, the job is cancelled.")
    may_decide: bool = Field(description="Whether this key may decide it.")


class ApprovalList(Shape):
    """What waits for a decision, the oldest first; at most 100."""

    items: list[ApprovalShape]


class DecisionShape(Wish):
    """A decision. `changes` needs a note; `edited` needs scenes, and is for scripts."""

    decision: Literal["approved", "changes", "again", "edited"]
    version: str = Field(description="The `version` that was looked at.", min_length=1, max_length=200)
    note: str = Field(default="", description="What should be different. At most 2,000 characters.")
    scenes: list[SceneEditShape] = Field(default_factory=list, max_length=400, description="New text of scenes.")


@get("/approvals", operation_id="listApprovals", tags=["Approvals"], summary="List questions", responses=refusals())
async def list_approvals(request: AnyRequest) -> Response[ApprovalList]:
    """Questions of all projects within reach of the key. Needs `jobs:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        questions = await inbox(unit)
    return Response(ApprovalList(items=[_shown(one) for one in questions]))


@post(
    "/approvals/{approval:uuid}",
    operation_id="decideApproval",
    tags=["Approvals"],
    summary="Decide a question",
    status_code=200,
    responses=refusals(404, 409, 422),
)
async def decide(request: AnyRequest, approval: FromPath[UUID], data: JSONBody[DecisionShape]) -> Response[JobState]:
    """Approve a result, ask for changes, have another version made, or go on with an edited script.

    Of two who decide at once, one is told with 409 that it is decided. Needs `approvals:decide`.
    """
    asker = Asker.of(request)
    _check(data)
    edits = await _edits(asker, approval, data.scenes) if data.decision == "edited" else {}
    async with asker.open() as unit:
        job_id = await _job(asker, unit, approval)
        found, project = await asker.job(unit, job_id, "approvals:decide")
        if data.decision == "edited":
            job = await edit_at_gate(unit, found.id, approval, edits, data.version)
        else:
            job = await decide_gate(unit, found.id, approval, data.decision, data.version, data.note)
        answer = asker.state(job, project)
    return Response(answer)


def _check(data: DecisionShape) -> None:
    """Everything wrong with what a decision carries. Raises ApiProblem."""
    faults: list[ProblemFault] = []
    if data.decision == "edited":
        if not data.scenes:
            faults.append(ProblemFault(detail="Give the scenes whose text is changed.", pointer="/scenes"))
        if data.note:
            detail = "A note goes with “changes” and “again”; an edit speaks for itself."
            faults.append(ProblemFault(detail=detail, pointer="/note"))
    else:
        faults += placed(check_note(ENGLISH, data.decision, data.note))
        if data.scenes:
            faults.append(ProblemFault(detail="Scenes go with the decision “edited” only.", pointer="/scenes"))
    if faults:
        raise invalid(faults)


async def _edits(asker: Asker, approval: UUID, scenes: Sequence[SceneEditShape]) -> Mapping[str, Sequence[str]]:
    async with asker.open() as unit:
        job, _ = await asker.job(unit, await _job(asker, unit, approval), "approvals:decide")
        detail = await job_detail(unit, job)
    script = await read_script(asker.site.store, detail)
    if script is None:
        raise not_yet("script")
    return read_edits(script, scenes, "/scenes")


async def _job(asker: Asker, unit: Unit, approval: UUID) -> UUID:
    """The job of a question, waiting or answered. Raises Forbidden, Missing."""
    asker.principal.require("approvals:decide")
    job_id = await reach_question(unit, approval)
    if job_id is None:
        raise Missing
    return job_id


def _shown(question: Question) -> ApprovalShape:
    return ApprovalShape(
        id=question.id,
        job=question.job_id,
        project=question.project,
        number=question.number,
        title=question.title,
        step=question.kind,
        version=question.seen_version,
        instruction=question.instruction,
        asked_at=question.asked_at,
        expires_at=question.expires_at,
        may_decide=question.may_decide,
    )
