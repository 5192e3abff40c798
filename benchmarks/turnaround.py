"""How quickly the line turns: share of the ideal on steps of 50 ms, and from enqueued to started.

Ideal: every slot of every unit always at work. Steps are the shards of a few jobs, as in a film. What a step costs in
processor time (units and database together) is told too: it does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

import psutil
from sqlalchemy import func, select

from benchmarks.line_farm import Line, load_now, open_line, percentile, services, verdict
from benchmarks.line_kinds import Wish
from domain.dispatch.model import Attempt, Step

STEP_S = 0.05
SHARE = 0.9


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 below a target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks turnaround")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--workspaces", type=int, default=4, help="the jobs are spread over so many")
    parser.add_argument("--shards", type=int, default=200)
    parser.add_argument("--units", type=int, default=2)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--starts", type=int, default=100)
    given = parser.parse_args(list(argv))
    with services() as running:
        return asyncio.run(_measure(running, given))


async def _measure(running: object, given: argparse.Namespace) -> int:
    async with open_line(running) as line:  # type: ignore[arg-type]
        line.pump()
        for _ in range(given.units):
            line.worker(f"io:1,cpu:{given.slots}")
        await line.until_slots("cpu", given.units * given.slots)
        bad = await _share(line, given)
        await _starts(line, given.starts)
        print(load_now())
        return bad


async def _share(line: Line, given: argparse.Namespace) -> int:
    spaces = [await line.workspace(f"busy-{number}") for number in range(given.workspaces)]
    await line.order(spaces[0], Wish("warm", 20, STEP_S))
    await line.until_done(120)
    used = _cpu(line)
    for number in range(given.jobs):
        await line.order(spaces[number % len(spaces)], Wish(f"film {number}", given.shards, STEP_S))
    await line.until_done(1200)
    used = _cpu(line) - used
    async with line.units.system("farm") as unit:
        rows = (
            await unit.session.execute(
                select(Attempt.started_at, Attempt.ended_at)
                .join(Step, (Step.tenant_id == Attempt.tenant_id) & (Step.id == Attempt.step_id))
                .where(Step.kind == "render")
                .order_by(Attempt.started_at)
            )
        ).all()[20:]
    # The first tenth and the last are left out: there the slots are not all wanted.
    cut = len(rows) // 10
    within = rows[cut:-cut]
    seconds = (within[-1][0] - within[0][0]).total_seconds()
    slots = given.units * given.slots
    share = (len(within) - 1) * STEP_S / (seconds * slots)
    held = [(ended - started).total_seconds() * 1000 for started, ended in within]
    told = f"{given.units} units × {given.slots} slots, {given.jobs} jobs of {given.workspaces} workspaces"
    print(f"{len(rows)} steps of {STEP_S * 1000:.0f} ms on {told}")
    print(f"steps per second {(len(within) - 1) / seconds:.1f}, each held for p50 {percentile(held, 50):.1f} ms")
    print(f"processor time per step, units and database: {used / len(rows) * 1000:.1f} ms")
    return verdict(f"share of the ideal {share:.1%} (target {SHARE:.0%})", share >= SHARE)


async def _starts(line: Line, count: int) -> None:
    space = await line.workspace("idle")
    for number in range(count):
        await line.order(space, Wish(f"tick {number}", seconds=0.001), "one")
        await asyncio.sleep(0.25)
    await line.until_done(120)
    async with line.units.system("farm") as unit:
        waited = func.extract("epoch", Step.started_at - Step.ready_at)
        rows = await unit.session.execute(select(waited).where(Step.kind == "check", Step.tenant_id == space.tenant_id))
        waits = [float(row[0]) * 1000 for row in rows]
    print(f"enqueued → started, an idle farm: p50 {percentile(waits, 50):.0f} ms, p99 {percentile(waits, 99):.0f} ms")


def _cpu(line: Line) -> float:
    """Processor seconds that the units and the database have used so far."""
    postgres = psutil.Process(line.services.postgres.pid() or 0)
    total = 0.0
    for process in (*map(psutil.Process, line.workers), postgres):
        times = process.cpu_times()
        total += times.user + times.system
        if process == postgres:
            # Backends of connections that have ended count as children of the server.
            total += times.children_user + times.children_system
            for child in process.children():
                own = child.cpu_times()
                total += own.user + own.system
    return total
