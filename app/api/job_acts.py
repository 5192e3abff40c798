"""What can be done with a job: hold it, let it go on, end it, have a step made again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal
from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath, JSONBody
from pydantic import Field

from app.api.asker import Asker
from app.api.job_shapes import ENGLISH
from app.api.problems import invalid
from app.api.shapes import DEAREST, JobState, Level, ProblemFault, Sent, Wish, refusals
from app.errors import Missing
from app.forms import FormFault
from app.pages.step import check_wish
from app.site import AnyRequest
from domain.production.commands.control_job import cancel_job, pause_job, resume_job, retry_job
from domain.production.commands.decide_call import decide_call, set_cost_limit
from domain.production.commands.hold_work import set_priority
from domain.production.commands.redo_step import redo_step
from domain.production.commands.skip_step import skip_step
from domain.production.model import Job
from domain.production.queries.program import reach_step
from tenants.roles import Permission
from tenants.unit import Unit

CONTROL: Permission = "jobs:control"
REFUSALS = refusals(404, 409, 422)


class ReasonShape(Wish):
    """Why, for those who look at the job."""

    reason: str = Field(default="", max_length=500, examples=["The topic is out of date."])


class RedoShape(Sent):
    """What should be different; left empty, another version is made as it is."""

    instruction: str = Field(default="", description="At most 2,000 characters.", examples=["Shorter sentences."])


class LevelShape(Wish):
    """Which of the workspace's jobs goes first."""

    level: Level


class LimitShape(Wish):
    """What a job may spend."""

    cost_limit: int | None = Field(ge=0, le=DEAREST, description="Micro-dollars; null takes the limit away.")
    resume: bool = Field(default=True, description="Whether a job that stopped at its limit goes on.")


class CallShape(Wish):
    """What becomes of a call whose outcome nobody knows."""

    decision: Literal["repeat", "skip"] = Field(description="`repeat` may pay twice; `skip` does without it.")


Reason = JSONBody[ReasonShape | None]
"""May be left out altogether."""


async def _steer(request: AnyRequest, job: UUID, act: Callable[[Unit, UUID], Awaitable[Job]]) -> Response[JobState]:
    """Do one thing with a job within reach; the command looks at the right and the state itself."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found, project = await asker.job(unit, job, CONTROL)
        done = await act(unit, found.id)
        answer = asker.state(done, project)
    return Response(answer)


def _act(path: str, name: str, summary: str) -> post:
    return post(
        f"/jobs/{{job:uuid}}/{path}",
        operation_id=name,
        tags=["Jobs"],
        summary=summary,
        status_code=200,
        responses=REFUSALS,
    )


@_act("cancel", "cancelJob", "Cancel a job")
async def cancel(request: AnyRequest, job: FromPath[UUID], data: Reason = None) -> Response[JobState]:
    """End it for good: what waits is cancelled now, what runs is told to stop. Needs `jobs:control`."""
    return await _steer(request, job, lambda unit, one: cancel_job(unit, one, data.reason if data else ""))


@_act("pause", "pauseJob", "Pause a job")
async def pause(request: AnyRequest, job: FromPath[UUID], data: Reason = None) -> Response[JobState]:
    """Hold what waits; steps that run may finish. Needs `jobs:control`."""
    return await _steer(request, job, lambda unit, one: pause_job(unit, one, data.reason if data else ""))


@_act("resume", "resumeJob", "Resume a paused job")
async def resume(request: AnyRequest, job: FromPath[UUID]) -> Response[JobState]:
    """Let a paused job go on. Needs `jobs:control`."""
    return await _steer(request, job, resume_job)


@_act("retry", "retryJob", "Retry a failed job")
async def retry(request: AnyRequest, job: FromPath[UUID]) -> Response[JobState]:
    """Go on from the failed steps; all that succeeded is kept. Needs `jobs:control`."""
    return await _steer(request, job, retry_job)


@_act("level", "setJobLevel", "Change a job's level")
async def set_level(request: AnyRequest, job: FromPath[UUID], data: JSONBody[LevelShape]) -> Response[JobState]:
    """Let it go before or after the workspace's other jobs. Needs `jobs:control`."""
    return await _steer(request, job, lambda unit, one: set_priority(unit, one, data.level))


@_act("limit", "setJobLimit", "Change a job's limit")
async def set_limit(request: AnyRequest, job: FromPath[UUID], data: JSONBody[LimitShape]) -> Response[JobState]:
    """Change what it may spend. Needs `jobs:control`."""
    return await _steer(request, job, lambda unit, one: set_cost_limit(unit, one, data.cost_limit, go_on=data.resume))


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────
@_act("steps/{step:str}/redo", "redoStep", "Make a step again")
async def redo(
    request: AnyRequest, job: FromPath[UUID], step: FromPath[str], data: JSONBody[RedoShape | None] = None
) -> Response[JobState]:
    """Make a step again, with an instruction or without; all that rests on it follows. Needs `jobs:control`."""
    asker, wish = Asker.of(request), data.instruction.strip() if data else ""
    async with asker.open() as unit:
        found, project = await asker.job(unit, job, CONTROL)
        one = await reach_step(unit, found, step)
        if one is None:
            raise Missing
        if faults := check_wish(ENGLISH, one.kind, found.spec, wish):
            raise invalid(placed(faults))
        answer = asker.state(await redo_step(unit, found.id, one.id, wish), project)
    return Response(answer)


@_act("steps/{step:str}/skip", "skipStep", "Skip a failed step")
async def skip(request: AnyRequest, job: FromPath[UUID], step: FromPath[str]) -> Response[JobState]:
    """Do without a step that has failed, where the recipe lets it be left out. Needs `jobs:control`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found, project = await asker.job(unit, job, CONTROL)
        one = await reach_step(unit, found, step)
        if one is None:
            raise Missing
        answer = asker.state(await skip_step(unit, found.id, one.id), project)
    return Response(answer)


def placed(faults: list[FormFault], before: str = "") -> list[ProblemFault]:
    """Faults of a form with their place in a body."""
    return [ProblemFault(detail=one.text, pointer=f"{before}/{one.field}" if one.field else before) for one in faults]


# ── Calls in doubt ────────────────────────────────────────────────────────────────────────────────────────
@_act("calls/{call:str}", "decideCall", "Decide a call in doubt")
async def decide(
    request: AnyRequest, job: FromPath[UUID], call: FromPath[str], data: JSONBody[CallShape]
) -> Response[JobState]:
    """Repeat a call whose outcome nobody knows, or do without it; the job goes on. Needs `jobs:control`."""
    return await _steer(request, job, lambda unit, one: decide_call(unit, one, call, data.decision))
