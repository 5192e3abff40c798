"""Keeps the units of one machine running: starts them, shows their words, starts crashed ones again, stops all.

Every unit runs in its own session and holds the read end of a pipe; when the supervisor is killed the pipe closes
and the units end themselves (adapters/lifeline.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

import psutil

from adapters import lifeline
from adapters.embedded.process import ServiceError
from adapters.embedded.stack import Embedded

STOP_SECONDS = 8.0
CALM_SECONDS = 60.0
"""A unit that ran this long before it ended is started again without a longer wait."""
LONGEST_WAIT = 30.0
LONGEST_LINE = 4000
CHECK_SECONDS = 1.0

Speak = Callable[[str, str, str], None]
"""Called with unit name, line, colour."""


@dataclass(frozen=True)
class Unit:
    """A program to keep running: the arguments after `python`, and file numbers it inherits."""

    name: str
    arguments: tuple[str, ...]
    colour: str
    files: tuple[int, ...] = ()


@dataclass
class Supervisor:
    """Runs units until `stop` is set, then ends them all."""

    units: Sequence[Unit]
    environment: Mapping[str, str]
    speak: Speak
    embedded: Embedded | None = None
    grace_s: float = 1.0
    """How long units may use for their running steps; they get STOP_SECONDS more before they are killed."""
    changed: Callable[[], None] = lambda: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a second Ctrl-C: kill instead of waiting."""
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lifeline_read, self._lifeline_write = os.pipe()

    async def run(self) -> None:
        """Keep all units running until `stop` is set; returns when none is left."""
        keepers = [asyncio.create_task(self._keep(unit)) for unit in self.units]
        keepers.append(asyncio.create_task(self._keep_services()))
        try:
            await self.stop.wait()
            await self._end_all()
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            os.close(self._lifeline_write)
            os.close(self._lifeline_read)

    def marks(self) -> tuple[tuple[int, float], ...]:
        """Process numbers and creation times of the running units."""
        found = []
        for process in self.processes.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append((process.pid, psutil.Process(process.pid).create_time()))
        return tuple(found)

    async def _keep(self, unit: Unit) -> None:
        wait = 0.5
        while not self.stop.is_set():
            begun = time.monotonic()
            code = await self._run_once(unit)
            if self.stop.is_set():
                return
            wait = 0.5 if time.monotonic() - begun > CALM_SECONDS else min(wait * 2, LONGEST_WAIT)
            self.speak("up", f"{unit.name} {ending(code)}; starting it again in {wait:g} s", "yellow")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), wait)

    async def _run_once(self, unit: Unit) -> int:
        # A pipe of our own: asyncio's would keep `wait` waiting while a grandchild still holds its other end.
        read, write = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *unit.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write,
                stderr=write,
                env={**self.environment, lifeline.VARIABLE: str(self._lifeline_read), "PYTHONUNBUFFERED": "1"},
                pass_fds=(self._lifeline_read, *unit.files),
                start_new_session=True,
            )
        finally:
            os.close(write)
        self.processes[unit.name] = process
        self.changed()
        reader = asyncio.create_task(self._read(unit, os.fdopen(read, "rb", 0)))
        code = await process.wait()
        await asyncio.wait([reader], timeout=0.5)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        return code

    async def _read(self, unit: Unit, pipe: IO[bytes]) -> None:
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), pipe
        )
        try:
            await self._split(unit, stream)
        finally:
            transport.close()

    async def _split(self, unit: Unit, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._say(unit, line)
            if len(rest) > LONGEST_LINE:
                self._say(unit, rest)
                rest = b""
        if rest:
            self._say(unit, rest)

    def _say(self, unit: Unit, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self.speak(unit.name, text[:LONGEST_LINE], unit.colour)

    async def _keep_services(self) -> None:
        """Start PostgreSQL and Redis again when they have ended by themselves.

        Runs on the loop's own thread: the kernel ties a child's life to the thread that started it.
        """
        while self.embedded is not None and not self.stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), CHECK_SECONDS)
                return
            try:
                for name in self.embedded.revive():
                    self.speak("up", f"{name} had ended and was started again", "yellow")
            except ServiceError as error:
                self.speak("up", str(error), "red")

    async def _wait_or_hurry(self, waits: Sequence[asyncio.Task[int]]) -> None:
        hurried = asyncio.create_task(self.hurry.wait())
        ended = asyncio.create_task(asyncio.wait(waits))
        await asyncio.wait([hurried, ended], timeout=STOP_SECONDS + self.grace_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        ended.cancel()

    async def _end_all(self) -> None:
        living = [process for process in self.processes.values() if process.returncode is None]
        family = [child for process in living for child in descendants(process.pid)]
        for process in living:
            send(process.pid, signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in living]
        if waits:
            await self._wait_or_hurry(waits)
        for process in living:
            if process.returncode is None:
                send(process.pid, signal.SIGKILL)
        await asyncio.gather(*waits)
        await asyncio.to_thread(end_family, family)


def send(pid: int, sign: int) -> None:
    """Signal a process that may have gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sign)


def descendants(pid: int) -> list[psutil.Process]:
    """All processes below `pid`."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def end_family(family: Sequence[psutil.Process], seconds: float = 2.0) -> None:
    """End processes whose parents are gone: politely, then for good."""
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, left = psutil.wait_procs(family, timeout=seconds)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=seconds)


def end_leftovers(units: Sequence[tuple[int, float]]) -> int:
    """End units of a supervisor that was killed, with all they started; answer how many were left."""
    family: list[psutil.Process] = []
    for pid, made in units:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if abs(process.create_time() - made) < 0.05:
                family += [process, *descendants(pid)]
    end_family(family, STOP_SECONDS)
    return len(family)


def ending(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
