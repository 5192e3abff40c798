"""Make one film through the real queue, with progress, and link it into var/films under a readable name."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.embedded.stack import Embedded, Home, Running, joined
from adapters.settings import Settings
from app import demo
from app.commands.common import child_environment, migrate_and_check
from app.commands.up import end_of_home, interruptible, take_home, units
from app.console import DONE, FAILED, WRONG, CommandError, Console, money, span
from app.follow import JobRef, Snapshot, follow
from app.supervisor import Supervisor

if TYPE_CHECKING:
    from adapters.wiring import Runtime
    from app.films import Film


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The topic and what may differ from the recipe."""
    parser.add_argument("topic", help="what the film is about")
    parser.add_argument("--recipe", default="documentary", help="recipe to follow (default: documentary)")
    parser.add_argument("--project", default="deep-sky", help="project it belongs to (default: deep-sky)")
    parser.add_argument("--workspace", default=demo.WORKSPACE, help=f"workspace (default: {demo.WORKSPACE})")
    parser.add_argument("--profile", default="", help="longform-16x9 or shorts-9x16 (default: the recipe's)")
    parser.add_argument("--language", default="", help="en or pt-BR (default: the recipe's)")
    parser.add_argument("--seconds", type=int, help="wanted length (default: the recipe's)")
    parser.add_argument("--out", type=Path, help="also copy the film to this file or folder")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Run the job and report path, duration, cost and time."""
    check_out(arguments.out)
    home = Home(settings)
    if home.hold():
        home.release()
        return alone(arguments, settings, console)
    running = home.announced()
    if running is None or not running.working:
        raise CommandError(f"Another command holds {settings.home}: try again when it has ended.", code=WRONG)
    return asyncio.run(produce(arguments, joined(settings, running), console))


def check_out(out: Path | None) -> None:
    """Refuse a target that could not be written at the end. Raises CommandError."""
    if out is None:
        return
    folder = out if out.is_dir() else out.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise CommandError(f"--out: files cannot be written in {folder}: choose another folder.", code=WRONG)
    if not out.is_dir() and out.suffix.lower() != ".mp4":
        raise CommandError(f"--out: {out.name} does not end in .mp4: films are MP4 files.", code=WRONG)


def alone(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Start what the job needs, run it, stop everything again."""
    home = take_home(settings)
    embedded = Embedded(settings, console.say)
    with interruptible(), end_of_home(embedded, home):
        console.bar("starting services")
        ready = embedded.start()
        home.announce(Running(os.getpid(), ready, "", working=False))
        migrate_and_check(ready)
        return asyncio.run(with_units(arguments, ready, embedded, home, console))


async def with_units(
    arguments: argparse.Namespace, settings: Settings, embedded: Embedded, home: Home, console: Console
) -> int:
    """Run the job beside a pump and a worker of our own; their words go to a log."""
    settings.logs.mkdir(parents=True, exist_ok=True)
    with (settings.logs / "produce.log").open("a", encoding="utf-8") as log:

        def speak(name: str, line: str, colour: str) -> None:
            log.write(f"{name} | {line}\n")
            log.flush()

        units_here = units(settings, None)
        made = Supervisor(units_here, child_environment(settings), speak, embedded, settings.grace_seconds)
        async with supervised(made) as it:
            it.changed = lambda: home.announce(Running(os.getpid(), settings, "", working=True, units=it.marks()))
            return await produce(arguments, settings, console)


@asynccontextmanager
async def supervised(supervisor: Supervisor) -> AsyncIterator[Supervisor]:
    """Units that run inside the block and have ended after it."""
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor
    finally:
        supervisor.stop.set()
        await running


async def produce(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Enter the job, follow it, publish its film."""
    from sqlalchemy.exc import DBAPIError

    from adapters.wiring import build_runtime

    # asyncio turns SIGINT into an orderly end; SIGTERM shall be the same.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    begun = time.monotonic()
    runtime = build_runtime(settings, "command")
    try:
        if settings.demo:
            await demo.seed(runtime)
        ref = await enter(runtime, arguments)
        try:
            last = await follow(runtime.units, ref, console, stop=asyncio.Event())
        except DBAPIError as error:
            raise CommandError(*gone(), code=FAILED) from error
        return await report(runtime, ref, last, arguments, console, time.monotonic() - begun)
    finally:
        await runtime.close()


async def enter(runtime: Runtime, arguments: argparse.Namespace) -> JobRef:
    """Put the job into the queue. Raises CommandError with every fault of the request."""
    from adapters.prices.tariffs import PriceFiles
    from adapters.vendors.counting import PromptCounter
    from domain.production.commands.create_job import create_job
    from domain.production.commands.new_job import NewJob
    from domain.production.commands.quote_new_job import draft_new_job
    from domain.production.errors import InvalidInput, ProductionError
    from tenants.directory import find_tenant

    tenant_id = await find_tenant(runtime.units, arguments.workspace)
    if tenant_id is None:
        raise CommandError(f"There is no workspace “{arguments.workspace}”.", code=WRONG)
    new = NewJob(
        project=arguments.project,
        recipe=arguments.recipe,
        topic=arguments.topic,
        language=arguments.language,
        seconds=arguments.seconds,
        profile=arguments.profile,
    )
    counter = PromptCounter(runtime.open_desk)
    try:
        async with runtime.units.open(demo.machine_owner(tenant_id)) as unit:
            spec = await draft_new_job(unit, new)
        foreseen = await counter.foresee(tenant_id, spec)
        async with runtime.units.open(demo.machine_owner(tenant_id)) as unit:
            job = await create_job(unit, new, tariffs=PriceFiles(), foreseen=foreseen)
            return JobRef(tenant_id, job.id)
    except InvalidInput as error:
        sentences = [f"{fault.field}: {fault.message} {fault.fix}" for fault in error.faults]
        raise CommandError(*sentences, code=WRONG) from error
    except ProductionError as error:
        raise CommandError(error.sentence, code=WRONG) from error
    finally:
        await counter.close()


async def report(
    runtime: Runtime,
    ref: JobRef,
    last: Snapshot | None,
    arguments: argparse.Namespace,
    console: Console,
    seconds: float,
) -> int:
    """Say where the film is and what it took, or why there is none."""
    from app.films import find_film, place, publish

    film = await find_film(runtime, ref) if last is not None and last.state == "succeeded" else None
    if last is None or film is None:
        raise CommandError(*why_not(last), code=FAILED)
    path = await publish(runtime, film)
    if arguments.out is not None:
        target = arguments.out / film.name if arguments.out.is_dir() else arguments.out
        path = await asyncio.to_thread(place, path, target.absolute(), copy=True)
    console.result(answer(path, film, last, seconds), *lines(path, film, last, seconds))
    return DONE


def answer(path: Path, film: Film, last: Snapshot, seconds: float) -> dict[str, object]:
    """The result for machines; seconds and micro-dollars."""
    reused = sum(step.reused for step in last.steps)
    return {
        "film": str(path),
        "job": last.number,
        "title": last.title,
        "duration_seconds": film.facts.get("seconds"),
        "bytes": path.stat().st_size,
        "micro_dollars": film.spent.micro_dollars,
        "calls": film.spent.calls,
        "calls_of_unknown_price": film.spent.unknown,
        "steps": len(last.steps),
        "steps_reused": reused,
        "took_seconds": round(seconds, 2),
    }


def lines(path: Path, film: Film, last: Snapshot, seconds: float) -> list[str]:
    """The result for people."""
    found = answer(path, film, last, seconds)
    length = found["duration_seconds"]
    unknown = f" and {film.spent.unknown} calls of unknown price" if film.spent.unknown else ""
    return [
        f"film      {path}",
        f"title     {last.title} (job #{last.number})",
        f"duration  {span(float(str(length))) if length is not None else 'unknown'}",
        f"cost      {money(film.spent.micro_dollars)} for {film.spent.calls} calls{unknown}",
        f"time      {span(seconds)}, {found['steps_reused']} of {found['steps']} steps reused",
    ]


def gone() -> list[str]:
    """What to say when the services were stopped while a job was followed."""
    sentences = "The database went away while the job ran.", "Everything finished before is kept."
    return [*sentences, "Start “vfos up” again: the job goes on by itself."]


def why_not(last: Snapshot | None) -> list[str]:
    """Why a job has no film: which step, what is kept, and what to do."""
    if last is None:
        return ["The job was removed while it ran."]
    if last.state == "waiting_approval":
        return [f"Job #{last.number} waits for a person: open its page and decide."]
    error = last.error or {}
    step = f"{error['step']}: " if error.get("step") else ""
    sentence = str(error.get("sentence") or f"Job #{last.number} ended as {last.state}.")
    return [text for text in (step + sentence, str(error.get("kept", "")), str(error.get("next", ""))) if text]
