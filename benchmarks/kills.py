"""A worker killed (-9) between request and answer at every provider call of a job, one run per call.

python -m benchmarks.kills [number …]

A calm run counts the requests of the demo's recipe, paid and free ones. Then the same film is made again and again;
each time one request is done by its provider but never answered, and the whole worker is killed meanwhile. Another
worker takes over; calls in doubt are decided as a person would on the job's page. Every job must end with its film, no
call may be billed twice unless a person has repeated it, and the ledger must hold what was billed and heard.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.prices.tariffs import PriceFiles
from domain.production.commands.create_job import create_job
from domain.production.commands.decide_call import decide_call
from domain.production.commands.new_job import NewJob
from domain.production.model import Job
from domain.production.queries.cost import open_calls
from domain.usage.model import Effect
from tests.support.farm import Farm
from tests.support.hired import Hired, all_doubles, hired
from tests.support.services import Services

TOPIC, SECONDS = "How Hubble saw ten thousand galaxies in an empty patch of sky", 64
RECIPE = "quick"
HARDSHIP = {"anthropic": "wrong_form", "azure": "one_failed", "openai": "no_picture"}
"""What goes wrong in every run, so that all kinds of calls are made."""
PATIENCE_S = 240.0
LOOK_S = 0.1


@dataclass(frozen=True)
class Place:
    """A request of the calm run: which provider's, its number there, and what it was."""

    provider: str
    number: int
    what: str


@dataclass
class Bench:
    """Worker processes, providers and the jobs between them."""

    hands: Hired
    farm: Farm

    async def start(self, salt: str) -> Job:
        """Start a job that asks everybody: for a repair, a sentence alone, a picture by the second maker."""
        self.hands.reset()
        # As after a change of its settings: nothing that was kept of an account spares a run one of its requests.
        await self.hands.change("azure")
        for provider, fault in HARDSHIP.items():
            self.hands.doubles[provider].fail(fault, at=1)
        async with self.hands.studio.units.open(self.hands.studio.owner) as unit:
            new = NewJob("deep-sky", RECIPE, TOPIC, seconds=SECONDS, salt=salt)
            return await create_job(unit, new, tariffs=PriceFiles())

    async def finish(self, job: Job) -> tuple[Job, int]:
        """Wait for the film and decide calls in doubt on the way; answers how many there were."""
        decided, until = 0, time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            now = await self.hands.job(job)
            if now.state in ("succeeded", "failed", "cancelled"):
                return now, decided
            decided += await self.decide(job) if now.control == "pause" else 0
            await asyncio.sleep(LOOK_S)
        raise TimeoutError(f"job #{job.number} did not end: {self.farm.words()[-2000:]}")

    async def decide(self, job: Job) -> int:
        """Repeat each call in doubt, as a person would on the job's page."""
        async with self.hands.studio.units.open(self.hands.studio.owner) as unit:
            doubts = await open_calls(unit, job.id)
        for doubt in doubts:
            async with self.hands.studio.units.open(self.hands.studio.owner) as unit:
                await decide_call(unit, job.id, doubt.key, "repeat")
        return len(doubts)


async def calm(bench: Bench) -> list[Place]:
    """The requests of an undisturbed run."""
    bench.farm.worker()
    job, doubts = await bench.finish(await bench.start("calm"))
    assert (job.state, doubts) == ("succeeded", 0), job.error
    faults = await faults_of(bench, job, 0)
    assert not faults, faults
    await stop_workers(bench)
    return [
        Place(name, number, what)
        for name, double in bench.hands.doubles.items()
        for number, what in enumerate(double.arrived, 1)
    ]


async def killed_at(bench: Bench, place: Place) -> tuple[int, list[str]]:
    """One run: answers how many calls were in doubt, and what was wrong."""
    double = bench.hands.doubles[place.provider]
    first = bench.farm.worker()
    job = await bench.start(f"{place.provider} {place.number}")
    double.stall(place.number)
    await asyncio.to_thread(double.wait_for_stall, PATIENCE_S)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    bench.farm.worker()
    ended, doubts = await bench.finish(job)
    faults = await faults_of(bench, ended, doubts)
    await stop_workers(bench)
    return doubts, faults


async def faults_of(bench: Bench, job: Job, doubts: int) -> list[str]:
    """What is wrong with a run's end."""
    faults = [] if job.state == "succeeded" else [f"the job is {job.state}: {job.error}"]
    effects: list[Effect] = await bench.hands.all(Effect, job)
    faults += [f"a call of {one.provider} is {one.state}" for one in effects if one.state in ("intent", "sent")]
    doubts += sum(one.state == "in_doubt" for one in effects)
    bills = [bill for double in bench.hands.doubles.values() for bill in double.billed]
    again = {key: number for key, number in Counter(key for key, _ in bills).items() if number > 1}
    if sum(number - 1 for number in again.values()) > doubts:
        faults.append(f"{again} billed again, {doubts} by a person's decision")
    known, billed = sum(effect.micro_dollars or 0 for effect in effects), bench.hands.billed
    lost = sum(-(-nano // 1000) for key, nano in bills if key in again)
    if not known <= billed <= known + lost or (not doubts and known != billed):
        faults.append(f"the ledger holds {known}, the providers billed {billed}")
    return faults


async def stop_workers(bench: Bench) -> None:
    for process in bench.farm.running:
        if process.poll() is None and process is not bench.farm.running[0]:
            process.terminate()
            await asyncio.to_thread(process.wait, 60)


async def measure(services: Services, home: Path, only: Collection[int]) -> int:
    settings = services.fresh_database().using(home=home, egress_allow="127.0.0.1", lease_seconds=15)
    failed = 0
    with all_doubles() as doubles:
        async with hired(settings, doubles, "kills") as hands:
            farm = Farm(settings, hands.studio.units, hands.studio.owner, ("workers.main", "--pools", "io:2,cpu:2"))
            farm.pump()
            try:
                bench = Bench(hands, farm)
                places = await calm(bench)
                told = Counter(place.provider for place in places)
                print(f"{len(places)} requests: {', '.join(f'{n} {name}' for name, n in told.items())}", flush=True)
                for number, place in enumerate(places, 1):
                    if only and number not in only:
                        continue
                    began = time.monotonic()
                    doubts, faults = await killed_at(bench, place)
                    failed += bool(faults)
                    end = "; ".join(faults) or (
                        "film, paid once" if not doubts else f"film, {doubts} in doubt, decided"
                    )
                    took = time.monotonic() - began
                    print(f"{number:>3} {place.provider:<10} {place.what[:52]:<52} {end}  ({took:.0f} s)", flush=True)
            finally:
                farm.end()
    print("every run ended as it must" if not failed else f"{failed} runs did not")
    return int(failed > 0)


def main(argv: Sequence[str]) -> int:
    """Kill at every call; answers 1 when a run does not end as it must."""
    home = Path(tempfile.mkdtemp(prefix="vfos-bench-"))
    services = Services.start(home)
    try:
        work = home / "var"
        work.mkdir()
        return asyncio.run(measure(services, work, [int(number) for number in argv]))
    finally:
        services.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
