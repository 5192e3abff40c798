"""Whether the line favours nobody: a noisy neighbour, shares by weight, limits while workers are killed.

Real worker units and a real pump over steps that wait. Each part ends by itself after some minutes at most.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from benchmarks.line_farm import Line, load_now, open_line, services, verdict
from benchmarks.line_kinds import Wish
from domain.dispatch.model import Attempt, Step
from domain.dispatch.recount import recount
from tests.support.line import Workspace
from tests.support.services import Services

NOISY_S, WEIGHTED_S, LIMITED_S = 1.0, 0.3, 0.4
WEIGHTS = (1, 3, 8)
SAMPLE_S = 0.05


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fairness")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs of the noisy neighbour")
    parser.add_argument("--steps", type=int, default=400, help="steps served while weights are compared")
    parser.add_argument("--kills", type=int, default=12, help="workers killed while limits are watched")
    given = parser.parse_args(list(argv))
    with services() as running:
        bad = asyncio.run(_noisy(running, given.jobs))
        bad |= asyncio.run(_weights(running, given.steps))
        bad |= asyncio.run(_limits(running, given.kills))
    print(load_now())
    return bad


# ── A noisy neighbour ─────────────────────────────────────────────────────────────────────────────────────
async def _noisy(running: Services, jobs: int) -> int:
    async with open_line(running) as line:
        noisy, quiet = await line.workspace("noisy"), await line.workspace("quiet")
        for number in range(jobs):
            await line.order(noisy, Wish(f"noise {number}", seconds=NOISY_S), "one")
        line.pump()
        line.worker("io:1")
        line.worker("io:1")
        await line.until(120, lambda: _has_run(line, noisy, 6), "the noisy neighbour at work")
        job = await line.order(quiet, Wish("whisper", seconds=NOISY_S), "one")
        await line.until(60, lambda: _has_begun(line, job), "the quiet one's step")
        async with line.units.system("farm") as unit:
            waited = func.extract("epoch", Step.started_at - Step.ready_at)
            seconds = float((await unit.session.execute(select(waited).where(Step.job_id == job))).scalar_one())
        bound = 1.5 * NOISY_S + 1
        return verdict(
            f"{jobs} jobs of A, then one of B, 2 slots, steps of {NOISY_S:g} s: B starts after {seconds:.2f} s "
            f"(at most {bound:g} s)",
            seconds <= bound,
        )


async def _has_run(line: Line, space: Workspace, steps: int) -> bool:
    async with line.units.system("farm") as unit:
        ended = (Step.tenant_id == space.tenant_id, Step.state == "succeeded")
        return int((await unit.session.execute(select(func.count()).where(*ended))).scalar_one()) >= steps


async def _has_begun(line: Line, job: UUID) -> bool:
    async with line.units.system("farm") as unit:
        begun = select(func.count()).where(Step.job_id == job, Step.started_at.is_not(None))
        return int((await unit.session.execute(begun)).scalar_one()) > 0


# ── Shares by weight ──────────────────────────────────────────────────────────────────────────────────────
async def _weights(running: Services, steps: int) -> int:
    async with open_line(running) as line:
        spaces = [await line.workspace(f"w{weight}", weight) for weight in WEIGHTS]
        for space, weight in zip(spaces, WEIGHTS, strict=True):
            # Twice what its share can be, so that everybody always has something waiting.
            shards = max(40, 2 * steps * weight // sum(WEIGHTS))
            for number in range(-(-shards // 200)):
                await line.order(space, Wish(f"film {weight} {number}", min(shards, 200), WEIGHTED_S, 0.6))
        line.pump()
        # All fan-outs first: only then does everybody want the same slots.
        line.worker("io:2")
        await line.until(120, lambda: _spread(line), "all shards spawned")
        line.worker("cpu:2")
        line.worker("cpu:2")
        await line.until(600, lambda: _served(line, steps), f"{steps} steps served")
        got = await _seconds(line, spaces)
    total, bad = sum(got.values()), 0
    for space, weight in zip(spaces, WEIGHTS, strict=True):
        share, due = got[space.tenant_id] / total, weight / sum(WEIGHTS)
        said = f"weight {weight}: {share:.1%} of the seconds served, {due:.1%} due ({share / due - 1:+.1%}, ±10 %)"
        bad |= verdict(said, abs(share / due - 1) <= 0.1)
    return bad


async def _spread(line: Line) -> bool:
    async with line.units.system("farm") as unit:
        left = select(func.count()).where(Step.kind == "script", Step.state != "succeeded")
        return int((await unit.session.execute(left)).scalar_one()) == 0


async def _served(line: Line, steps: int) -> bool:
    async with line.units.system("farm") as unit:
        done = select(func.count()).where(Step.kind == "render", Step.state == "succeeded")
        return int((await unit.session.execute(done)).scalar_one()) >= steps


async def _seconds(line: Line, spaces: Sequence[Workspace]) -> dict[UUID, float]:
    """Seconds of slots that each tenant was served, up to the moment when the first of them ran dry (or now)."""
    async with line.units.system("farm") as unit:
        rows = await unit.session.execute(
            select(Attempt.tenant_id, Attempt.started_at, func.coalesce(Attempt.ended_at, func.clock_timestamp()))
            .join(Step, (Step.tenant_id == Attempt.tenant_id) & (Step.id == Attempt.step_id))
            .where(Step.kind == "render")
        )
        found = [tuple(row) for row in rows]
        waiting = await unit.session.execute(
            select(Step.tenant_id).where(Step.kind == "render", Step.state == "ready").distinct()
        )
        assert len(waiting.all()) == len(spaces), "somebody ran dry: give more steps"
    got: Counter[UUID] = Counter()
    for tenant, started, ended in found:
        got[tenant] += _span(started, ended)
    return dict(got)


def _span(started: datetime, ended: datetime) -> float:
    return (ended - started).total_seconds()


# ── Limits, through kills ─────────────────────────────────────────────────────────────────────────────────
async def _limits(running: Services, kills: int) -> int:
    limits = {"one": 1, "two": 2, "five": 5}
    async with open_line(running, lease_seconds=6) as line:
        spaces = {name: await line.workspace(name, max_running=limit) for name, limit in limits.items()}
        for name, space in spaces.items():
            await line.order(space, Wish(f"film {name}", 60 * limits[name], LIMITED_S, 0.5))
        line.pump()
        for _ in range(3):
            line.worker("io:1,cpu:4")
        await line.until_slots("cpu", 12)
        seen, samples = await _watch(line, spaces, kills)
        drift = await recount(line.units)
    bad = 0
    for name, limit in limits.items():
        most = seen[name]
        said = f"limit {limit}: never more than {most} at once in {samples} looks every 50 ms, {kills} kills"
        bad |= verdict(said, most <= limit)
    return bad | verdict(f"counters that drifted: {drift}", drift == 0)


async def _watch(line: Line, spaces: dict[str, Workspace], kills: int) -> tuple[Counter[str], int]:
    """Look every 50 ms how many steps each tenant runs, while workers are killed and replaced."""
    chance, seen, samples = random.Random(7), Counter[str](), 0
    names = {space.tenant_id: name for name, space in spaces.items()}
    counted = select(Step.tenant_id, func.count()).where(Step.state == "running").group_by(Step.tenant_id)
    loop = asyncio.get_running_loop()
    next_kill, left = loop.time() + 1.5, kills
    while left or samples < 100:
        async with line.units.system("farm") as unit:
            for tenant, many in await unit.session.execute(counted):
                seen[names[tenant]] = max(seen[names[tenant]], many)
        samples += 1
        if left and loop.time() > next_kill:
            line.kill(chance.choice(line.workers))
            line.worker("io:1,cpu:4")
            left, next_kill = left - 1, loop.time() + chance.uniform(0.5, 2.5)
        await asyncio.sleep(SAMPLE_S)
    return seen, samples
