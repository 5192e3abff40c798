"""How true the first promise of each job was: share that ended before p90, and the median error of p50.

A mixed run: jobs of three workspaces come at random moments, short and long ones, whose steps take other times than was
thought. Some jobs before it teach the farm what they take; they are not judged.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Sequence

from sqlalchemy import select

from benchmarks.line_farm import Line, load_now, open_line, services, verdict
from benchmarks.line_kinds import Wish
from domain.production.model import Job
from domain.production.upkeep import MAKING_S_PER_FILM_S, truth_of
from tests.support.line import Workspace
from tests.support.services import Services

UNITS, SLOTS = 4, 6
WEIGHTS = (1, 3, 8)
EVERY_S = 1.5


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when promises are too bold or too timid."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks forecasts")
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--lessons", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(list(argv))
    with services() as running:
        bad = asyncio.run(_run(running, given.jobs, given.lessons, random.Random(given.seed)))
    print(load_now())
    return bad


async def _run(running: Services, jobs: int, lessons: int, chance: random.Random) -> int:
    async with open_line(running) as line:
        spaces = [await line.workspace(f"w{weight}", weight) for weight in WEIGHTS]
        line.pump()
        for _ in range(UNITS):
            line.worker(f"io:2,cpu:{SLOTS}")
        await line.until_slots("cpu", UNITS * SLOTS)
        await _order(line, spaces, lessons, chance)
        await line.until_done(900)
        judged = await _order(line, spaces, jobs, chance)
        await line.until_done(1800)
        async with line.units.system("farm") as unit:
            columns = (Job.created_at, Job.promised_p50, Job.promised_p90, Job.finished_at)
            rows = await unit.session.execute(select(*columns).where(Job.id.in_(judged)))
            ended = [tuple(row) for row in rows if row[1] is not None]
        truth = truth_of(ended)
        took = [(finished - created).total_seconds() for created, _, _, finished in ended]
        off = [(p50 - finished).total_seconds() for _, p50, _, finished in ended]
    print(f"{truth.jobs} of {jobs} jobs were promised an end; they took {min(took):.0f} to {max(took):.0f} s")
    print(
        f"median error of p50 {truth.median_error:.0%} of a job's time; promised {sum(off) / len(off):+.1f} s too late"
    )
    said = f"{truth.before_p90:.0%} ended before p90 (target 80 to 98 %)"
    return verdict(said, 0.8 <= truth.before_p90 <= 0.98)


async def _order(line: Line, spaces: Sequence[Workspace], jobs: int, chance: random.Random) -> list[object]:
    """Order short and long films at random moments; their lengths tell only about what they take."""
    ids: list[object] = []
    for number in range(jobs):
        shards, seconds = chance.choice((2, 4, 8, 8, 16)), chance.uniform(1.5, 6.0)
        wish = Wish(f"{jobs} {number}", shards, seconds, 0.4, guess=seconds * chance.uniform(0.4, 0.9))
        length = shards * seconds / MAKING_S_PER_FILM_S * chance.uniform(0.7, 1.3)
        ids.append(await line.order(chance.choice(spaces), wish, seconds=min(3600, max(10, round(length)))))
        await asyncio.sleep(chance.expovariate(1 / EVERY_S))
    return ids
