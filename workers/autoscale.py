"""Keeps as many worker units on this machine as the pools need: started when work waits, drained when it is calm.

    python -m workers.autoscale --min 1 --max 4 --pools io:2,cpu:2

A unit is never stopped in the middle of its work to save room: it is told to take nothing more (SIGUSR1) and ends when
its steps have ended. When this program is told to end, all units get the grace of the settings and then end too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from adapters import lifeline, settings, wiring
from adapters.database import DatabaseError
from adapters.logs import configure_logs
from adapters.settings import Settings, SettingsError
from domain.dispatch.capacity import pool_needs
from domain.dispatch.scaling import Bounds, Memory, Move, decide
from tenants.unit import Units
from workers.main import PoolsError, read_pools

Say = Callable[[str, dict[str, object]], None]
"""Called with a sentence for people and the same as data."""
KILL_AFTER_S = 20.0
"""So long after its grace a unit that was told to end is killed."""


@dataclass
class Autoscaler:
    """The units of this machine. `command` starts one: the arguments after `python`."""

    settings: Settings
    units: Units
    bounds: Bounds
    command: Sequence[str]
    say: Say
    every_s: float = 5.0
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    working: list[asyncio.subprocess.Process] = field(default_factory=list)
    draining: list[asyncio.subprocess.Process] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        self._lifeline_read, self._lifeline_write = os.pipe()

    async def run(self) -> None:
        """Look, move, rest, until told to stop; returns when no unit is left."""
        try:
            while not self.stop.is_set():
                await self.look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), self.every_s)
        finally:
            await self.end_all()
            os.close(self._lifeline_write)
            os.close(self._lifeline_read)

    async def look(self) -> Move | None:
        """One look and what follows from it; None while the database is away (nothing is changed then)."""
        self._collect()
        try:
            needs = await pool_needs(self.units)
        except (SQLAlchemyError, OSError):
            self.say("the database is away; nothing is changed", {"event": "no_database"})
            return None
        move = decide(needs, self.bounds, len(self.working), self.memory, time.monotonic())
        self.memory = move.memory
        for _ in range(move.start):
            await self._start(move)
        if move.drain and self.working:
            self._drain(self.working[-1], move)
        return move

    def _collect(self) -> None:
        """Forget units that have ended; one that was not told to is started again by the next look."""
        for process in [one for one in self.working if one.returncode is not None]:
            self.working.remove(process)
            self.say(
                f"unit {process.pid} ended by itself with {process.returncode}",
                {"event": "ended", "pid": process.pid, "code": process.returncode},
            )
        for process in [one for one in self.draining if one.returncode is not None]:
            self.draining.remove(process)
            self.say(f"unit {process.pid} has drained", {"event": "drained", "pid": process.pid})

    async def _start(self, move: Move) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sys.stderr,
            env={**os.environ, **self.settings.environment(), lifeline.VARIABLE: str(self._lifeline_read)},
            pass_fds=(self._lifeline_read,),
            start_new_session=True,
        )
        self.working.append(process)
        self._told("start", f"started unit {process.pid}", process.pid, move)

    def _drain(self, process: asyncio.subprocess.Process, move: Move) -> None:
        self.working.remove(process)
        self.draining.append(process)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGUSR1)
        self._told("drain", f"draining unit {process.pid}", process.pid, move)

    def _told(self, event: str, words: str, pid: int, move: Move) -> None:
        count, most = len(self.working), self.bounds.most
        self.say(
            f"{words}: {move.why}; {count} of at most {most} at work, {move.wanted} wanted",
            {"event": event, "pid": pid, "why": move.why, "units": count, "wanted": move.wanted},
        )

    async def end_all(self) -> None:
        """Let every unit end with the grace of the settings."""
        left = [process for process in (*self.working, *self.draining) if process.returncode is None]
        for process in left:
            with suppress(ProcessLookupError):
                process.terminate()
        if not left:
            return
        waits = [asyncio.create_task(process.wait()) for process in left]
        await asyncio.wait(waits, timeout=self.settings.grace_seconds + KILL_AFTER_S)
        for process in left:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        await asyncio.gather(*waits)
        self.say("all units have ended", {"event": "stopped"})


def plainly(words: str, _data: dict[str, object]) -> None:
    """For people."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {words}\n")
    sys.stdout.flush()


def as_json(_words: str, data: dict[str, object]) -> None:
    """For programs."""
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


async def scale(chosen: Settings, bounds: Bounds, command: Sequence[str], say: Say, every_s: float) -> None:
    """Scale until SIGTERM or SIGINT."""
    runtime = wiring.build_runtime(chosen, "command")
    scaler = Autoscaler(chosen, runtime.units, bounds, command, say, every_s)
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, scaler.stop.set)
    try:
        await scaler.run()
    finally:
        await runtime.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; answers the exit code."""
    parser = argparse.ArgumentParser(prog="vfos workers autoscale", description="Start and drain units by need.")
    parser.add_argument("--min", type=int, default=1, dest="fewest")
    parser.add_argument("--max", type=int, default=2, dest="most")
    parser.add_argument("--pools", default="io,cpu")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--every", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    try:
        bounds = Bounds(given.fewest, given.most, read_pools(given.pools, given.slots))
        chosen = settings.load()
        configure_logs(chosen)
        lifeline.watch()
        command = ("-m", "workers.main", "--pools", given.pools, "--slots", str(given.slots))
        asyncio.run(scale(chosen, bounds, command, as_json if given.json else plainly, given.every))
    except (SettingsError, DatabaseError, PoolsError, ValueError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
