"""Blows while FFmpeg is at work: films by the real recipe, whose workers are killed in the middle of media work.

Whoever is struck has processes of its own; each is looked for until it is gone. At the end the same films are made in
another workspace where nobody is struck, and must be the same files.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import psutil

from adapters.store.objects import LocalObjects
from benchmarks.chaos import HOSTS, LEASE_S, Story, files_of, help_along, judge_steps, let_end
from benchmarks.line_farm import Line, open_line, percentile, verdict
from domain.catalog.commands import save_version
from domain.catalog.demo.content import demo_workspace
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.demo import seed_demo
from tenants.directory import create_tenant
from tenants.principal import Principal
from tenants.unit import Units
from tests.support.services import Services

UNITS, POOLS = 2, "io:1,cpu:1"
OPEN_FILMS = 2
SECONDS, PROFILE, RECIPE = 20, "preview", "documentary"
TOPICS = ("How stars are born", "Why the sky is dark at night", "What the moons of Jupiter are made of")
MOMENT_S = 3.0
"""A media process whose worker is gone must be gone within this time."""
FIND_S = 60.0


@dataclass(frozen=True)
class Studio:
    """A workspace with the demo's project, catalogue and pictures."""

    principal: Principal
    project: str
    units: Units

    async def order(self, number: int) -> UUID:
        """Start one of the films; answer its job."""
        topic = f"{TOPICS[number % len(TOPICS)]}, part {number + 1}"
        async with self.units.open(self.principal) as unit:
            job = await create_job(unit, NewJob(self.project, RECIPE, topic, seconds=SECONDS, profile=PROFILE))
        return job.id


@dataclass
class Orphans:
    """Media processes of killed workers: how many there were, how long each lived on, and those that still do."""

    met: int = 0
    blows: int = 0
    lived: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


async def strike_films(running: Services, kills: int, seed: int) -> int:
    """Kill workers at media work so many times; answers 1 when a promise is broken."""
    chance, story, orphans = random.Random(seed), Story(), Orphans()
    async with open_line(running, lease_seconds=LEASE_S) as line:
        struck, calm = await _studio(line, "struck-films"), await _studio(line, "calm-films")
        line.pump()
        hosts = {line.worker(POOLS, HOSTS[n % 2], films=True): HOSTS[n % 2] for n in range(UNITS)}
        await line.until_slots("cpu", UNITS)
        films = 0
        while story.kills < kills:
            await help_along(line, struck.principal, story)
            while await line.open_jobs() < OPEN_FILMS:
                await struck.order(films)
                films += 1
            await _strike(line, hosts, chance, story, orphans)
        await let_end(line, struck.principal, story)
        for number in range(films):
            await calm.order(number)
        await line.until_done(1200)
        return await _judge(line, struck, calm, story, orphans)


async def _studio(line: Line, slug: str) -> Studio:
    from app.demo import sound_seconds

    content = demo_workspace()
    tenant_id = await create_tenant(line.units, slug, slug.title())
    store = LocalObjects(line.settings.home / "objects", line.settings.home / "staging")
    await seed_demo(line.units, store, tenant_id, content, sound_seconds)
    principal = Principal(tenant_id=tenant_id, kind="person", role="owner", name="Ada")
    # A film of twenty seconds is too short for what the recipe asks of a whole one.
    body = next(item.body for item in content.items if (item.kind, item.slug) == ("recipe", RECIPE))
    async with line.units.open(principal) as unit:
        await save_version(unit, "recipe", RECIPE, "Short", {**body, "validators": []})
    return Studio(principal, content.project.slug, line.units)


# ── Blows ─────────────────────────────────────────────────────────────────────────────────────────────────
async def _strike(line: Line, hosts: dict[int, str], chance: random.Random, story: Story, orphans: Orphans) -> None:
    """Wait until a worker has media processes, kill it in the midst of them, and see that they end."""
    pid = await _at_media_work(line, hosts)
    if pid is None:
        return
    await asyncio.sleep(chance.uniform(0.0, 0.7))
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    family = _family(pid)
    line.kill(pid)
    story.kills += 1
    orphans.blows += bool(_media(family))
    orphans.met += len(_media(family))
    await _see_end(family, orphans)
    host = hosts.pop(pid)
    hosts[line.worker(POOLS, host, films=True)] = host


async def _at_media_work(line: Line, hosts: dict[int, str]) -> int | None:
    """The first worker that is found with a media process; None when the films have ended meanwhile."""
    deadline = time.monotonic() + FIND_S
    while time.monotonic() < deadline and await line.open_jobs():
        for pid in list(line.workers):
            if not psutil.pid_exists(pid):
                # It lost its lease and ended itself, as it must: its supervisor starts another.
                host = hosts.pop(pid)
                line.kill(pid)
                hosts[line.worker(POOLS, host, films=True)] = host
            elif _media(_family(pid)):
                return pid
        await asyncio.sleep(0.05)
    return None


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _media(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that do media work; the one that starts them is a child of the worker, they are its children."""
    own = {one.pid for one in family}
    found = []
    for one in family:
        with suppress(psutil.NoSuchProcess):
            if one.ppid() in own:
                found.append(one)
    return found


async def _see_end(family: list[psutil.Process], orphans: Orphans) -> None:
    """Look until all are gone; remember how long each lived on."""
    begun, left = time.monotonic(), family
    while left and time.monotonic() - begun < MOMENT_S:
        still = [one for one in left if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        orphans.lived += [time.monotonic() - begun] * (len(left) - len(still))
        left = still
        await asyncio.sleep(0.02)
    orphans.left += [one.pid for one in left]


# ── Judgement ─────────────────────────────────────────────────────────────────────────────────────────────
async def _judge(line: Line, struck: Studio, calm: Studio, story: Story, orphans: Orphans) -> int:
    print(f"{story.kills} kills, {orphans.blows} of them while media processes ran ({orphans.met} met)")
    print(f"given up after three crashes and resumed: {story.resumed}; calls in doubt, decided: {story.decided}")
    longest, usual = max(orphans.lived, default=0.0), percentile(orphans.lived, 50)
    said = f"processes that outlived their worker: {len(orphans.left)}; gone after p50 {usual:.2f} s, longest"
    bad = verdict(f"{said} {longest:.2f} s of {len(orphans.lived)}", not orphans.left)
    bad |= await judge_steps(line, struck.principal)
    films, undisturbed = await files_of(line, struck.principal), await files_of(line, calm.principal)
    same = bool(films) and films == undisturbed
    for key in sorted(key for key in films.keys() | undisturbed.keys() if films.get(key) != undisturbed.get(key))[:10]:
        print(f"differs: {key}")
    return bad | verdict(f"{len(films)} files of real films as in an undisturbed run", same)
