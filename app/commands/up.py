"""Start everything in one terminal: services, migrations, web, pump and workers. Ctrl-C stops it all."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from adapters.embedded.stack import Embedded, Home, Running
from adapters.settings import Settings
from app import demo
from app.commands.common import child_environment, migrate_and_check
from app.commands.web import listen
from app.console import DONE, WRONG, CommandError, Console
from app.follow import follow
from app.supervisor import Supervisor, Unit, end_leftovers

if TYPE_CHECKING:
    from adapters.wiring import Runtime

READY_SECONDS = 60.0
PORTS_TRIED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--port as in the settings."""
    parser.add_argument("--port", type=int, help="port of the web server (default: VFOS_PORT)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Run until Ctrl-C or SIGTERM."""
    if arguments.port:
        settings = settings.using(port=arguments.port)
    home = take_home(settings)
    embedded = Embedded(settings, lambda line: console.prefixed("up", line))
    with interruptible(), end_of_home(embedded, home):
        console.prefixed("up", "starting services")
        ready = prepare(embedded, home, console)
        with open_listener(ready, console) as listener:
            ready = ready.using(port=listener.getsockname()[1])
            return asyncio.run(supervise(ready, embedded, home, listener, console))


@contextmanager
def interruptible() -> Iterator[None]:
    """Until a loop takes over, SIGTERM is the same as Ctrl-C, so that what was started is ended."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def end_of_home(embedded: Embedded, home: Home) -> Iterator[None]:
    """End the services and give the home back, whatever happens."""
    try:
        yield
    finally:
        embedded.stop()
        home.release()


def take_home(settings: Settings) -> Home:
    """Hold VFOS_HOME; end what a killed supervisor left. Raises CommandError when another one runs."""
    home = Home(settings)
    try:
        held = home.hold()
    except OSError as error:
        raise CommandError(
            f"{settings.home} cannot be used ({error.strerror}): choose another VFOS_HOME.", code=WRONG
        ) from error
    before = home.announced()
    if not held:
        where = f" at {before.address}" if before and before.address else ""
        raise CommandError(
            f"It already runs{where} (process {before.pid if before else 'unknown'}, data in {settings.home}).",
            code=WRONG,
        )
    if before is not None:
        end_leftovers(before.units)
    return home


def prepare(embedded: Embedded, home: Home, console: Console) -> Settings:
    """Services, schema, demo workspace."""
    ready = embedded.start()
    home.announce(Running(os.getpid(), ready, "", working=False))
    applied = migrate_and_check(ready)
    if applied:
        console.prefixed("up", f"schema brought to {applied[-1]}")
    return ready


def open_listener(settings: Settings, console: Console) -> socket.socket:
    """The wanted port, else the next free one (said aloud)."""
    for port in range(settings.port, min(settings.port + PORTS_TRIED, 65536)):
        try:
            listener = listen(settings.bind, port)
        except CommandError:
            if port == settings.port:
                taken = port
            continue
        if port != settings.port:
            console.prefixed("up", console.paint(f"port {taken} is taken; using {port}", "yellow"))
        return listener
    return listen(settings.bind, settings.port)


def units(settings: Settings, listener: socket.socket | None) -> list[Unit]:
    """The programs of one machine; without a listener there is no web server."""
    worker = ("-m", "workers.main", "--pools", "io,cpu", "--slots", str(settings.slots))
    found = [Unit("pump", ("-m", "workers.pump"), "magenta"), Unit("worker", worker, "green")]
    if listener is not None:
        web = ("-m", "app", "web", "--socket", str(listener.fileno()))
        found.insert(0, Unit("web", web, "blue", (listener.fileno(),)))
    return found


async def supervise(
    settings: Settings, embedded: Embedded, home: Home, listener: socket.socket, console: Console
) -> int:
    """Run the units until asked to stop; say when they are ready, follow the first film, publish every film."""
    from adapters.wiring import build_runtime

    runtime = build_runtime(settings, "command")
    supervisor = Supervisor(
        units(settings, listener),
        child_environment(settings),
        console.prefixed,
        embedded,
        settings.grace_seconds,
    )
    supervisor.changed = lambda: home.announce(
        Running(os.getpid(), settings, settings.address, working=True, units=supervisor.marks())
    )
    watch_signals(supervisor, console)
    try:
        seeded = await seed(runtime, console)
        beside = [
            asyncio.create_task(greet(runtime, supervisor, seeded, console)),
            asyncio.create_task(keep_publishing(runtime, supervisor, console)),
        ]
        await supervisor.run()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    finally:
        await runtime.close()
    console.end_bar()
    console.prefixed("up", "stopped")
    return DONE


async def seed(runtime: Runtime, console: Console) -> demo.Seeded:
    """The demo workspace; a first film that cannot be entered is no reason not to start."""
    from domain.production.errors import ProductionError

    try:
        return await demo.prepare(runtime)
    except ProductionError as error:
        console.prefixed("up", f"the first film was not started: {error.sentence}", "red")
        return await demo.prepare(runtime, film=False)


async def keep_publishing(runtime: Runtime, supervisor: Supervisor, console: Console) -> None:
    """Link finished films as long as the supervisor runs; a lost database is no reason to end."""
    from sqlalchemy.exc import SQLAlchemyError

    from app.films import publish_all
    from tenants.outage import is_away

    while not supervisor.stop.is_set():
        try:
            await publish_all(
                runtime, supervisor.stop, lambda line: console.prefixed("up", console.paint(line, "green"))
            )
        except (SQLAlchemyError, OSError) as error:
            if not is_away(error):
                console.prefixed("up", f"films cannot be linked now: {str(error).splitlines()[0]}", "yellow")
            with suppress(TimeoutError):
                await asyncio.wait_for(supervisor.stop.wait(), 5)


def watch_signals(supervisor: Supervisor, console: Console) -> None:
    """First signal: stop. Second: stop at once."""

    def asked() -> None:
        if supervisor.stop.is_set():
            supervisor.hurry.set()
            return
        console.end_bar()
        console.prefixed("up", "stopping (again: at once)")
        supervisor.stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked)


async def greet(runtime: Runtime, supervisor: Supervisor, seeded: demo.Seeded, console: Console) -> None:
    """Once the web server answers: the address and the owner's link; then the first film's progress."""
    from sqlalchemy.exc import SQLAlchemyError

    settings = runtime.settings
    if not await answers(settings, READY_SECONDS):
        console.prefixed(
            "up", f"the web server does not answer yet at {settings.address}; its lines above say why", "red"
        )
        return
    console.frame("Video Factory OS is running", welcome(settings, seeded))
    if seeded.job is not None:
        try:
            last = await follow(runtime.units, seeded.job, console, stop=supervisor.stop)
        except SQLAlchemyError:
            console.prefixed("up", "the first film is not followed any longer; its page shows how far it is", "yellow")
            return
        if last is not None and not last.open and last.state != "succeeded":
            console.prefixed("up", f"job #{last.number} is {last.state}; its page says more", "yellow")


def welcome(settings: Settings, seeded: demo.Seeded) -> list[tuple[str, str]]:
    """The rows of the welcome frame."""
    rows = [("Open", settings.address)]
    if seeded.owner_path:
        rows.append(("Sign in", f"{settings.address}{seeded.owner_path}"))
        rows.append(("", "works once; `./vfos admin owner-link` makes another"))
    return [*rows, ("Films", str(settings.films)), ("Stop", "Ctrl-C")]


async def answers(settings: Settings, seconds: float) -> bool:
    """True once the web server says that it is ready."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        if await _asked(settings):
            return True
        await asyncio.sleep(0.1)
    return False


async def _asked(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.bind, settings.bind)  # noqa: S104 compared, not bound
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(host, settings.port)
            writer.write(
                f"GET /health/live HTTP/1.1\r\nHost: localhost:{settings.port}\r\nConnection: close\r\n\r\n".encode()
            )
            line = await reader.readline()
            writer.close()
            return b" 200 " in line
    except (OSError, TimeoutError):
        return False
