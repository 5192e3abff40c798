"""Jobs: list, estimate, create, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from app.api.asker import Asker
from app.api.cursors import read_cursor, write_cursor
from app.api.job_shapes import JobDetailShape, JobList, job_line, job_whole
from app.api.new_job import EstimateShape, NewJobShape, estimate_of, new_job_of
from app.api.once import Once
from app.api.problems import misread
from app.api.shapes import LOCATION, PAGE, REPLAYED, Cursor, JobState, Limit, OnceKey, refusals
from app.foresight import foresee_job
from app.pages.money import TARIFFS
from app.site import AnyRequest
from app.views.job_search import read_search
from domain.production.commands.create_job import create_job
from domain.production.commands.quote_new_job import quote_new_job
from domain.production.queries.cost import open_calls
from domain.production.queries.job import job_detail
from domain.production.queries.job_filter import JobFilter
from domain.production.queries.program import find_program_jobs
from domain.production.states import JobState as State

SEARCH = (
    "Words of the title, a number, and the terms of the search box of the pages: "
    "`status:failed recipe:documentary by:ada level:urgent cost:>5`."
)
States = Annotated[
    list[State] | None, QueryParameter(name="state", description="Only these states; may be given again.", max_items=20)
]


@get("/jobs", operation_id="listJobs", tags=["Jobs"], summary="List jobs", responses=refusals(404))
async def list_jobs(
    request: AnyRequest,
    states: States = None,
    recipe: Annotated[str, QueryParameter(description="Short name of a recipe.", max_length=80)] = "",
    project: Annotated[str, QueryParameter(description="Short name of a project.", max_length=80)] = "",
    q: Annotated[str, QueryParameter(description=SEARCH, max_length=200)] = "",
    cursor: Cursor = "",
    limit: Limit = PAGE,
) -> Response[JobList]:
    """Jobs of all projects within reach of the key, the newest first. Needs `jobs:read`."""
    asker = Asker.of(request)
    wanted = read_filter(states or [], recipe, q)
    bound = (wanted, project)
    before = read_cursor(asker.principal.tenant_id, bound, cursor)
    async with asker.open() as unit:
        within = (await asker.project(unit, project, "jobs:read")).id if project else None
        found, more = await find_program_jobs(unit, wanted, within, before, limit)
    after = write_cursor(asker.principal.tenant_id, bound, found[-1].job.id) if more else None
    return Response(JobList(items=[job_line(asker, one) for one in found], next=after))


def read_filter(states: Sequence[State], recipe: str, q: str) -> JobFilter:
    """What a list is narrowed to. Raises ApiProblem for terms of a search that mean nothing."""
    search = read_search(q)
    if search.unknown:
        raise misread([("q", f"“{word[:40]}” is not understood") for word in search.unknown])
    wanted = search.filter
    named = tuple(dict.fromkeys(states))
    if named and wanted.states:
        # Both must hold; where they have nothing in common, nothing is found.
        named = tuple(state for state in named if state in wanted.states) or ("none",)  # type: ignore[assignment]
    return replace(wanted, states=named or wanted.states, recipe=recipe or wanted.recipe)


@post(
    "/projects/{project:str}/jobs/estimate",
    operation_id="estimateJob",
    tags=["Jobs"],
    summary="Estimate a job",
    status_code=200,
    responses=refusals(404, 422),
)
async def estimate_job(
    request: AnyRequest, project: FromPath[str], data: JSONBody[NewJobShape]
) -> Response[EstimateShape]:
    """What a job would cost and how long our machines would work on it; nothing is written. Needs `jobs:run`."""
    asker, new = Asker.of(request), new_job_of(project, data)
    async with asker.open() as unit:
        await asker.project(unit, project, "jobs:run")
    foreseen = await foresee_job(asker.site, asker.principal, new)
    async with asker.open() as unit:
        offer = await quote_new_job(unit, new, TARIFFS, foreseen=foreseen)
    return Response(estimate_of(offer))


@post(
    "/projects/{project:str}/jobs",
    operation_id="createJob",
    tags=["Jobs"],
    summary="Create a job",
    response_headers=[LOCATION, REPLAYED],
    responses=refusals(404, 409, 422),
)
async def start_job(
    request: AnyRequest, project: FromPath[str], data: JSONBody[NewJobShape], idempotency_key: OnceKey = None
) -> Response[JobState]:
    """Start a job; what it may cost is set aside from the month's limits. Needs `jobs:run`."""
    asker, new = Asker.of(request), new_job_of(project, data)
    once = Once.of(request, idempotency_key, data)
    async with asker.open() as unit:
        await asker.project(unit, project, "jobs:run")
        if (answered := await once.before(unit)) is not None:
            return answered
    foreseen = await foresee_job(asker.site, asker.principal, new)
    async with asker.open() as unit:
        if (answered := await once.before(unit)) is not None:
            return answered
        job = await create_job(unit, new, tariffs=TARIFFS, foreseen=foreseen)
        return await once.keep(unit, asker.state(job, project), f"/api/v1/jobs/{job.id}")


@get("/jobs/{job:uuid}", operation_id="getJob", tags=["Jobs"], summary="Read a job", responses=refusals(404))
async def show_job(request: AnyRequest, job: FromPath[UUID]) -> Response[JobDetailShape]:
    """Its state, steps with cost, progress and faults, why it waits and when it ends. Needs `jobs:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found, project = await asker.job(unit, job, "jobs:read")
        detail = await job_detail(unit, found)
        doubts = await open_calls(unit, found.id)
    return Response(job_whole(asker, detail, project, doubts))
