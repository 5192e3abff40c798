"""Workers die and freeze at random while a batch of jobs is made; afterwards everything must be as if nothing had been.

    python -m benchmarks chaos --kills 100 --freezes 10 --renders 20

Half of the units pretend to run on another machine, so that nobody can see their death and only the lease tells. A
frozen unit wakes after its steps were given to others. At the end the same films are made again undisturbed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from benchmarks.line_farm import Line, TooSlow, load_now, open_line, percentile, services, verdict
from benchmarks.line_kinds import Wish
from domain.dispatch.model import Attempt, Step, Worker
from domain.dispatch.recount import read_drift, recount
from domain.production.commands.control_job import retry_job
from domain.production.commands.decide_call import decide_call
from domain.production.model import ArtifactRef, Job
from domain.usage.model import Effect
from tenants.principal import Principal
from tests.support.line import Workspace
from tests.support.services import Services

LEASE_S = 6
HOSTS = ("-", "elsewhere")
UNITS = 4
SHARDS, SHARD_S = 8, 0.4
WAITING_JOBS = 4
"""So many jobs are always open, so that every blow meets somebody at work."""
MOST_S = 3000.0


@dataclass(frozen=True)
class Lost:
    """An attempt that was under way when its worker was struck."""

    step: UUID
    fence: int
    at: datetime


@dataclass
class Story:
    """What was done to the farm."""

    kills: int = 0
    freezes: int = 0
    ended: int = 0
    lost: list[Lost] = field(default_factory=list)
    sleepers: list[tuple[float, int]] = field(default_factory=list)
    wishes: dict[UUID, Wish] = field(default_factory=dict)
    resumed: int = 0
    decided: int = 0


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks chaos")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--freezes", type=int, default=10)
    parser.add_argument("--renders", type=int, default=0, help="kills in the midst of media work of real films")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(list(argv))
    from benchmarks.chaos_films import strike_films

    bad = 0
    with services() as running:
        if given.kills or given.freezes:
            bad |= asyncio.run(_run(running, given.kills, given.freezes, given.seed))
        if given.renders:
            bad |= asyncio.run(strike_films(running, given.renders, given.seed))
    print(load_now())
    return bad


async def _run(running: Services, kills: int, freezes: int, seed: int) -> int:
    chance = random.Random(seed)
    async with open_line(running, lease_seconds=LEASE_S) as line:
        struck, calm = await line.workspace("struck"), await line.workspace("calm")
        line.pump()
        hosts = {line.worker("io:1,cpu:2", HOSTS[n % 2]): HOSTS[n % 2] for n in range(UNITS)}
        await line.until_slots("cpu", 2 * UNITS)
        story, begun = Story(), time.monotonic()
        while story.kills < kills or story.freezes < freezes:
            if time.monotonic() - begun > MOST_S:
                raise TooSlow(f"{story.kills} kills after {MOST_S:.0f} s")
            await _keep_busy(line, struck, story)
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            freeze = story.freezes * kills < story.kills * freezes
            await _strike(line, hosts, chance, story, freeze=freeze)
            _wake_sleepers(story)
        await let_end(line, struck.principal, story)
        return await _judge(line, struck, calm, story)


# ── Blows ─────────────────────────────────────────────────────────────────────────────────────────────────
async def _keep_busy(line: Line, space: Workspace, story: Story) -> None:
    """Order the next films, so that there is always something to be struck."""
    await help_along(line, space.principal, story)
    while await line.open_jobs() < WAITING_JOBS:
        wish = Wish(f"film {len(story.wishes)}", SHARDS, SHARD_S, 0.6)
        story.wishes[await line.order(space, wish)] = wish


async def help_along(line: Line, principal: Principal, story: Story) -> None:
    """Do what a person would: resume what was given up after too many crashes, decide what is in doubt."""
    async with line.units.open(principal) as unit:
        failed = (await unit.session.execute(select(Job.id).where(Job.state == "failed"))).scalars().all()
        doubts = (await unit.session.execute(select(Effect).where(Effect.state == "in_doubt"))).scalars().all()
    for job in failed:
        async with line.units.open(principal) as unit:
            await retry_job(unit, job)
        story.resumed += 1
    for effect in doubts:
        async with line.units.open(principal) as unit:
            await decide_call(unit, effect.job_id, effect.effect_key, "repeat")
        story.decided += 1


async def _strike(line: Line, hosts: dict[int, str], chance: random.Random, story: Story, *, freeze: bool) -> None:
    """Stop a random unit, see what it was at, and kill it (or leave it frozen); a new one takes its place."""
    pid = chance.choice(line.workers)
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        # It lost its lease and ended itself, as it must: its supervisor starts another.
        story.ended += 1
        line.kill(pid)
        _replace(line, hosts, pid)
        return
    async with line.units.system("farm") as unit:
        # A number is given again: the newest worker of that number is the one.
        newest = select(Worker.id).where(Worker.pid == pid).order_by(Worker.started_at.desc()).limit(1)
        now = (await unit.session.execute(select(func.clock_timestamp()))).scalar_one()
        at_work = await unit.session.execute(
            select(Step.id, Step.fence).where(Step.worker_id == newest.scalar_subquery(), Step.state == "running")
        )
        story.lost += [Lost(step, fence, now) for step, fence in at_work]
    if freeze:
        line.freeze(pid)
        story.sleepers.append((time.monotonic() + LEASE_S + 4, pid))
        story.freezes += 1
    else:
        line.kill(pid)
        story.kills += 1
    _replace(line, hosts, pid)


def _replace(line: Line, hosts: dict[int, str], pid: int) -> None:
    host = hosts.pop(pid)
    hosts[line.worker("io:1,cpu:2", host)] = host


def _wake_sleepers(story: Story, *, all_of_them: bool = False) -> None:
    for until, pid in list(story.sleepers):
        if all_of_them or time.monotonic() > until:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            story.sleepers.remove((until, pid))


async def let_end(line: Line, principal: Principal, story: Story) -> None:
    """Wake whoever sleeps after its time, and let the batch come to its end."""

    async def done() -> bool:
        _wake_sleepers(story)
        async with line.units.open(principal) as unit:
            left = select(func.count()).where(Job.state != "succeeded")
            open_jobs = int((await unit.session.execute(left)).scalar_one())
        await help_along(line, principal, story)
        return not open_jobs and not story.sleepers

    await line.until(600, done, "the batch at its end")


# ── Judgement ─────────────────────────────────────────────────────────────────────────────────────────────
async def _judge(line: Line, struck: Workspace, calm: Workspace, story: Story) -> int:
    total = story.kills + story.freezes
    print(f"{story.kills} kills, {story.freezes} freezes, {len(story.wishes)} films, {len(story.lost)} attempts met")
    print(f"units that lost their lease and ended themselves: {story.ended}")
    print(f"given up after three crashes and resumed: {story.resumed}; calls in doubt, decided: {story.decided}")
    bad = await judge_steps(line, struck.principal)
    bad |= await _judge_recovery(line, story)
    bad |= await _judge_calls(line, struck, story)
    films = await files_of(line, struck.principal)
    undisturbed = await _undisturbed(line, calm, story)
    same = films == undisturbed
    bad |= verdict(f"{len(films)} files of {len(story.wishes)} films as in an undisturbed run", same and bool(films))
    drift = await recount(line.units), sum(total for _, total in (await read_drift(line.units)).values())
    bad |= verdict(f"counters that drifted: now {drift[0]}, ever {drift[1]}", drift == (0, 0))
    return bad | verdict(f"{total} blows survived", total > 0)


async def judge_steps(line: Line, principal: Principal) -> int:
    async with line.units.open(principal) as unit:
        steps = dict((await unit.session.execute(select(Step.state, func.count()).group_by(Step.state))).tuples().all())
        won = select(Attempt.step_id, func.count().label("n")).where(Attempt.outcome == "succeeded")
        wins = won.group_by(Attempt.step_id).subquery()
        twice = (await unit.session.execute(select(func.count()).where(wins.c.n > 1))).scalar_one()
        winners = (await unit.session.execute(select(func.count()).select_from(wins))).scalar_one()
    lost = sum(many for state, many in steps.items() if state != "succeeded")
    bad = verdict(f"{lost} steps lost of {sum(steps.values())}", lost == 0)
    return bad | verdict(
        f"{twice} steps done twice, {winners} accepted results of {steps['succeeded']}",
        twice == 0 and winners == steps["succeeded"],
    )


async def _judge_recovery(line: Line, story: Story) -> int:
    """How long after a blow each lost step was free again."""
    times = []
    async with line.units.system("farm") as unit:
        for one in story.lost:
            mine = (Attempt.step_id == one.step, Attempt.fence == one.fence, Attempt.outcome == "crashed")
            ended = (await unit.session.execute(select(Attempt.ended_at).where(*mine))).scalar_one_or_none()
            if ended is not None:
                times.append((ended - one.at).total_seconds())
    said = f"recovery p50 {percentile(times, 50):.1f} s, longest {max(times):.1f} s of {len(times)}"
    return verdict(f"{said} (at most lease {LEASE_S} s + 5 s)", max(times) <= LEASE_S + 5)


async def _judge_calls(line: Line, space: Workspace, story: Story) -> int:
    made = Counter(text for text in line.calls.read_text().splitlines() if text.startswith(str(space.tenant_id)))
    async with line.units.open(space.principal) as unit:
        keys = (await unit.session.execute(select(Effect.effect_key, Effect.state))).all()
    more = sum(many - 1 for many in made.values())
    unique = len({key for key, _ in keys}) == len(keys) == len(story.wishes)
    said = f"{len(keys)} billed keys, all different and done; {more} calls repeated, {story.decided} by decision"
    return verdict(said, unique and all(state == "done" for _, state in keys) and more <= story.decided)


async def files_of(line: Line, principal: Principal) -> dict[tuple[str, str], str]:
    """Every file by film and name; the receipts tell times and are left out."""
    async with line.units.open(principal) as unit:
        rows = await unit.session.execute(
            select(Job.title, ArtifactRef.name, ArtifactRef.sha256)
            .join(ArtifactRef, ArtifactRef.job_id == Job.id)
            .where(ArtifactRef.role != "manifest")
        )
        return {(title, name): sha256 for title, name, sha256 in rows}


async def _undisturbed(line: Line, calm: Workspace, story: Story) -> dict[tuple[str, str], str]:
    """The same films in a workspace where nobody is struck."""
    for wish in story.wishes.values():
        await line.order(calm, wish)
    await line.until_done(1200)
    return await files_of(line, calm.principal)
