"""A job as programs read it: in a list, and whole with its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from app.api.asker import Asker
from app.api.shapes import FailureShape, Level, Shape, Span, failure_of
from app.follow import StepView, fraction
from app.i18n import Tongue
from app.views.waiting import say_waiting
from domain.dispatch.model import Step
from domain.dispatch.policy import PRIORITIES
from domain.production.model import Job
from domain.production.queries.cost import OpenCall
from domain.production.queries.job import JobDetail, Spent
from domain.production.queries.program import FoundJob
from domain.production.states import Control, JobState

ENGLISH = Tongue()
LEVELS: Mapping[int, Level] = {number: word for word, number in PRIORITIES.items()}  # type: ignore[misc]


class WaitingShape(Shape):
    """Why a job waits, and its place."""

    code: str = Field(description="The reason, by a name that stays the same.", examples=["workspace_limit", "line"])
    text: str = Field(description="The reason in English.")
    position: int | None = Field(description="Place in the workspace's line.")
    ahead: int | None = Field(description="Steps of others that are served before.")
    starts_at: datetime | None = Field(description="When it begins, about.")


class RecipeRef(Shape):
    """Which version of which recipe."""

    slug: str
    version: int


class JobShape(Shape):
    """A job of a list."""

    id: UUID
    project: str = Field(description="Short name of its project.")
    number: int = Field(description="Its number within the project, as on the pages.")
    title: str
    state: JobState
    mode: Literal["auto", "wizard"]
    level: Level
    recipe: RecipeRef
    made_by: str
    micro_dollars: int | None = Field(description="Paid so far; null when a price is not known.")
    waiting: WaitingShape | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    eta_p50: datetime | None = Field(description="It ends about then.")
    eta_p90: datetime | None = Field(description="Nine of ten such jobs have ended by then.")
    page: str = Field(description="Its page, for people.")


class JobList(Shape):
    """A page of jobs, the newest first."""

    items: list[JobShape]
    next: str | None = Field(description="Give it back as `cursor` with the same filter to read on; null at the end.")


class StepShape(Shape):
    """A step of a job; `name` is its kind, and the part after a dot where it has parts."""

    name: str = Field(examples=["script", "render.007"])
    kind: str
    state: Literal[
        "blocked", "ready", "running", "delayed", "held", "waiting_approval", "succeeded", "dead", "cancelled"
    ]
    attempt: int
    reused: bool = Field(description="Whether its result was found made before.")
    done: int = Field(description="Pieces done of `total`; what a piece is, `stage` says.")
    total: int
    stage: str
    micro_dollars: int | None = Field(description="Paid for it so far, its parts included; null when not known.")
    instruction: str | None = Field(description="What was asked of its present run.")
    error: FailureShape | None
    started_at: datetime | None
    finished_at: datetime | None


class SpentShape(Shape):
    """What one kind of step has paid one provider."""

    step: str
    provider: str
    calls: int
    micro_dollars: int
    unknown_calls: int = Field(description="Calls whose price is not known; they are not in the sum.")


class DoubtShape(Shape):
    """A paid call whose outcome nobody knows; the job waits until it is decided."""

    call: str = Field(description="Its name in the address of the decision.")
    step: str
    provider: str
    model: str
    sent_at: datetime | None
    error: str = Field(description="What went wrong, as far as it is known.")
    micro_dollars: int | None = Field(description="What repeating it will cost, about; null when not known.")
    may_skip: bool = Field(description="Whether something else can take its place.")


class QuoteShape(Shape):
    """What was estimated when it was ordered, in micro-dollars."""

    money: Span = Field(description="Sums of what has a known price.")
    complete: bool = Field(description="Whether every price was known.")
    machine_seconds: Span = Field(description="Processor time on our own machines.")


class JobDetailShape(JobShape):
    """A job with all that is known of it."""

    language: str
    seconds: int
    profile: str
    voice: str | None = Field(description="Short name of the voice at work.")
    control: Control
    control_reason: str | None
    progress: float = Field(ge=0, le=1, description="How much of it is done, by usual shares of the steps.")
    cost_limit: int | None = Field(description="It stops before it spends more; null without a limit.")
    quote: QuoteShape | None
    spent: list[SpentShape]
    error: FailureShape | None
    steps: list[StepShape]
    calls_in_doubt: list[DoubtShape]
    made_from: int | None = Field(description="Number of the job that this one was made from.")
    events_after: int = Field(description="Give it to the list of events as `after` to read on from this answer.")


def job_line(asker: Asker, found: FoundJob) -> JobShape:
    """A job of a list."""
    return JobShape(**_common(asker, found.job, found.project, found.micro_dollars))


def job_whole(asker: Asker, detail: JobDetail, project: str, doubts: Sequence[OpenCall]) -> JobDetailShape:
    """A job with its steps."""
    job, spec = detail.job, detail.job.spec
    unknown = any(line.unknown for line in detail.spent)
    paid = None if unknown else sum(line.micro_dollars for line in detail.spent)
    return JobDetailShape(
        **_common(asker, job, project, paid),
        language=str(spec.get("language", "")),
        seconds=int(spec.get("seconds", 0)),
        profile=str(spec.get("profile", "")),
        voice=(spec.get("voice") or {}).get("ref", {}).get("slug"),
        control=job.control,
        control_reason=job.control_reason,
        progress=round(_progress(detail), 3),
        cost_limit=job.cost_limit,
        quote=_quote(job.quote),
        spent=[_spent(line) for line in detail.spent],
        error=failure_of(job.error),
        steps=[_step(step, detail.spent) for step in detail.steps],
        calls_in_doubt=[_doubt(call) for call in doubts],
        made_from=(job.forked_from or {}).get("job"),
        events_after=detail.seq,
    )


def _common(asker: Asker, job: Job, project: str, paid: int | None) -> dict[str, Any]:
    return {
        "id": job.id,
        "project": project,
        "number": job.number,
        "title": job.title,
        "state": job.state,
        "mode": job.mode,
        "level": LEVELS[job.priority],
        "recipe": RecipeRef(slug=job.recipe_slug, version=job.recipe_version),
        "made_by": job.made_by_name,
        "micro_dollars": paid,
        "waiting": _waiting(asker, job),
        "eta_p50": job.eta_p50,
        "eta_p90": job.eta_p90,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "page": asker.page(project, job.number),
    }


def _waiting(asker: Asker, job: Job) -> WaitingShape | None:
    if job.state != "queued" or not job.waiting:
        return None
    return WaitingShape(
        code=str(job.waiting.get("code", "")),
        text=say_waiting(ENGLISH, job.state, job, asker.site.clock.now()),
        position=job.position,
        ahead=job.ahead,
        starts_at=job.waiting.get("starts_at"),
    )


def _progress(detail: JobDetail) -> float:
    if detail.job.state == "succeeded":
        return 1.0
    seen = [
        StepView(step.kind, step.state, step.done, step.total, step.cost_est, step.stage, step.reused)
        for step in detail.steps
    ]
    return min(1.0, fraction(seen))


def _step(step: Step, spent: tuple[Spent, ...]) -> StepShape:
    lines = [line for line in spent if line.step_kind == step.kind]
    unknown = any(line.unknown for line in lines)
    return StepShape(
        name=f"{step.kind}.{step.shard}" if step.shard else step.kind,
        kind=step.kind,
        state=step.state,
        attempt=step.attempt,
        reused=step.reused,
        done=step.done,
        total=step.total,
        stage=step.stage,
        micro_dollars=None if unknown else sum(line.micro_dollars for line in lines),
        instruction=step.instruction,
        error=failure_of(step.error),
        started_at=step.started_at,
        finished_at=step.finished_at,
    )


def _doubt(call: OpenCall) -> DoubtShape:
    return DoubtShape(
        call=call.key,
        step=f"{call.step}.{call.shard}" if call.shard else call.step,
        provider=call.provider,
        model=call.model,
        sent_at=call.sent_at,
        error=call.said,
        micro_dollars=call.likely,
        may_skip=bool(call.fallback),
    )


def _spent(line: Spent) -> SpentShape:
    return SpentShape(
        step=line.step_kind,
        provider=line.provider,
        calls=line.calls,
        micro_dollars=line.micro_dollars,
        unknown_calls=line.unknown,
    )


def _quote(quote: Mapping[str, Any]) -> QuoteShape | None:
    """A stored quote; older jobs have none with a range."""
    if "low" not in quote:
        return None
    low, likely, high = quote.get("seconds") or (0, 0, 0)
    return QuoteShape(
        money=Span(low=quote["low"], likely=quote["micro_dollars"], high=quote["high"]),
        complete=bool(quote.get("complete", False)),
        machine_seconds=Span(low=low, likely=likely, high=high),
    )
