"""What happens to jobs, in order: a program reads on from where it stands, or waits for the next."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get
from litestar.params import QueryParameter
from pydantic import Field

from adapters.queue.names import events_channel
from app.api.asker import Asker
from app.api.shapes import MOST, Limit, Shape, refusals
from app.site import AnyRequest
from domain.production.queries.program import FoundEvent, find_events, newest_event

LONGEST_S = 25
"""Seconds that a request waits at most: proxies cut off what is silent for longer than 30."""
AT_ONCE = 8
"""Requests of one key that may wait in this process at the same time; one more is answered at once."""
After = Annotated[
    int | None,
    QueryParameter(ge=0, le=2**62, description="Number of the last event you have; 0 reads from the beginning."),
]
Wait = Annotated[int, QueryParameter(ge=0, le=LONGEST_S, description="Seconds to wait while there is nothing new.")]
_WAITING: Counter[UUID] = Counter()


class EventShape(Shape):
    """Something that happened to a job."""

    seq: int = Field(description="Its number; grows within the workspace, with gaps.")
    type: str = Field(examples=["job.created", "job.state", "step.succeeded", "step.waiting"])
    at: datetime
    job: UUID
    number: int = Field(description="The job's number within its project.")
    project: str
    data: dict[str, Any] = Field(description="What belongs to this type of event.")


class EventList(Shape):
    """Events in their order."""

    items: list[EventShape]
    after: int = Field(description="Give it back as `after` to read on.")


@get(
    "/events",
    operation_id="listEvents",
    tags=["Events"],
    summary="Follow what happens",
    responses=refusals(404),
)
async def list_events(
    request: AnyRequest,
    after: After = None,
    job: Annotated[UUID | None, QueryParameter(description="Only events of this job.")] = None,
    wait: Wait = 0,
    limit: Limit = MOST,
) -> Response[EventList]:
    """Events of jobs within reach of the key. Without `after` the answer is empty and says from where to follow.

    Needs `jobs:read`.
    """
    asker = Asker.of(request)
    async with asker.open() as unit:
        if job is not None:
            await asker.job(unit, job, "jobs:read")
        if after is None:
            return Response(EventList(items=[], after=await newest_event(unit)))
        found = await find_events(unit, after, limit, job)
    if not found and wait:
        found = await _next(asker, after, limit, job, wait)
    return Response(EventList(items=[_shown(one) for one in found], after=found[-1].seq if found else after))


async def _next(asker: Asker, after: int, limit: int, job: UUID | None, wait: int) -> list[FoundEvent]:
    """Wait until something happens, but not for ever."""
    key = asker.principal.actor_id
    assert key is not None
    if _WAITING[key] >= AT_ONCE:
        return []
    _WAITING[key] += 1
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                return await _heard(asker, after, limit, job)
        return []
    finally:
        _WAITING[key] -= 1
        if not _WAITING[key]:
            del _WAITING[key]


async def _heard(asker: Asker, after: int, limit: int, job: UUID | None) -> list[FoundEvent]:
    async with aclosing(asker.site.feed.listen(events_channel(asker.principal.tenant_id))) as hints:  # type: ignore[type-var]
        async for _ in hints:
            if asker.site.closing:
                break
            async with asker.open() as unit:
                found = await find_events(unit, after, limit, job)
            if found:
                return found
    return []


def _shown(found: FoundEvent) -> EventShape:
    return EventShape(
        seq=found.seq,
        type=found.type,
        at=found.at,
        job=found.job_id,
        number=found.number,
        project=found.project,
        data=dict(found.data),
    )
