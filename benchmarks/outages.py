"""Services go away while jobs are made: Redis is emptied, stopped for 12 and for 60 seconds, PostgreSQL restarts.

After each, the jobs of that part must all have ended well, nothing done twice, and steps must have gone on meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from redis.asyncio import Redis
from sqlalchemy import func, select

from benchmarks.line_farm import Line, load_now, open_line, services, verdict
from benchmarks.line_kinds import Wish
from domain.dispatch.model import Attempt, Step
from domain.dispatch.recount import read_drift, recount
from domain.production.model import Job
from domain.usage.model import Effect
from tests.support.services import Services

JOBS, SHARDS, SHARD_S = 6, 12, 0.5
GOES_ON = 3
"""So many steps at least must end while Redis is away."""

Trouble = Callable[[Line], Awaitable[None]]


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks outages")
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"some of {', '.join(PARTS)}")
    given = parser.parse_args(list(argv))
    bad = 0
    with services() as running:
        for part in given.parts:
            bad |= asyncio.run(_part(running, part))
    print(load_now())
    return bad


async def _part(running: Services, part: str) -> int:
    async with open_line(running, lease_seconds=8) as line:
        space = await line.workspace("struck")
        line.pump()
        for _ in range(2):
            line.worker("io:1,cpu:2")
        await line.until_slots("cpu", 4)
        # Long enough that work is left when the trouble is over.
        many = JOBS * (3 if part == "redis_60s" else 1)
        for number in range(many):
            await line.order(space, Wish(f"{part} {number}", SHARDS, SHARD_S, 0.5))
        await line.until(60, lambda: _more_than(line, 3), "the farm at work")
        before, began = await _ended(line), time.monotonic()
        await PARTS[part](line)
        lasted, meanwhile = time.monotonic() - began, await _ended(line) - before
        await line.until_done(600)
        return await _judge(line, part, many, lasted, meanwhile)


async def _judge(line: Line, part: str, jobs: int, lasted: float, meanwhile: int) -> int:
    async with line.units.system("farm") as unit:
        session = unit.session
        good = (await session.execute(select(func.count()).where(Job.state == "succeeded"))).scalar_one()
        won = select(Attempt.step_id).where(Attempt.outcome == "succeeded")
        twice = (await session.execute(won.group_by(Attempt.step_id).having(func.count() > 1))).all()
        states = (await session.execute(select(Effect.state))).scalars().all()
    calls = len(line.calls.read_text().splitlines())
    drift = await recount(line.units) + sum(total for _, total in (await read_drift(line.units)).values())
    said = f"{part} ({lasted:.0f} s, {meanwhile} steps ended meanwhile): {good} of {jobs} jobs made, "
    said += f"{len(twice)} steps twice, {calls} calls for {jobs} films, drift {drift}"
    goes_on = meanwhile >= GOES_ON or not part.startswith("redis_") or lasted < 5
    whole = good == jobs and not twice and calls == jobs and set(states) == {"done"} and drift == 0
    return verdict(said, whole and goes_on)


async def _ended(line: Line) -> int:
    async with line.units.system("farm") as unit:
        done = select(func.count()).where(Step.state == "succeeded")
        return int((await unit.session.execute(done)).scalar_one())


async def _more_than(line: Line, steps: int) -> bool:
    return await _ended(line) > steps


# ── Troubles ──────────────────────────────────────────────────────────────────────────────────────────────
async def _empty_redis(line: Line) -> None:
    redis = Redis.from_url(line.settings.redis_url)
    for _ in range(3):
        await redis.flushall()
        await asyncio.sleep(0.5)
    await redis.aclose()


def _redis_away(seconds: float) -> Trouble:
    async def trouble(line: Line) -> None:
        await asyncio.to_thread(line.services.redis.stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(line.services.redis.start)

    return trouble


async def _restart_postgres(line: Line) -> None:
    await asyncio.to_thread(line.services.postgres.stop)
    await asyncio.to_thread(line.services.postgres.start)


PARTS: Mapping[str, Trouble] = {
    "redis_flushed": _empty_redis,
    "redis_12s": _redis_away(12),
    "redis_60s": _redis_away(60),
    "postgres_restart": _restart_postgres,
}
