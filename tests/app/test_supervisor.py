"""The supervisor with real processes: starts again what crashes, leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from app.supervisor import Supervisor, Unit, end_leftovers, ending

ROOT = Path(__file__).parents[2]
STEADY = "import signal, threading; print('ready', flush=True); threading.Event().wait()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + STEADY
WITH_CHILD = (
    "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
    "start_new_session=True); print('child', c.pid, flush=True); c.wait()"
)
CRASHING = "import sys; print('crash', flush=True); sys.exit(3)"
LIFELINED = "from adapters import lifeline; assert lifeline.watch(); " + STEADY
SUPERVISING = f"""
import asyncio, os
from app.supervisor import Supervisor, Unit
units = [Unit("steady", ("-c", {LIFELINED!r}), "blue")]
def speak(name, line, colour):
    print(supervisor.processes["steady"].pid, flush=True)
supervisor = Supervisor(units, dict(os.environ), speak)
asyncio.run(supervisor.run())
"""


class Words:
    """Collects what is said and lets tests wait for a line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.news = asyncio.Condition()

    def __call__(self, name: str, line: str, colour: str) -> None:
        self.lines.append((name, line))
        asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self.news:
            self.news.notify_all()

    async def wait_for(self, text: str, times: int = 1) -> list[str]:
        def found() -> list[str]:
            return [line for _, line in self.lines if text in line]

        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(lambda: len(found()) >= times)
        return found()


def supervise(words: Words, **programs: str) -> tuple[Supervisor, asyncio.Task[None]]:
    units = [Unit(name, ("-c", program), "blue") for name, program in programs.items()]
    supervisor = Supervisor(units, {**os.environ, "PYTHONPATH": str(ROOT)}, words)
    return supervisor, asyncio.create_task(supervisor.run())


class TestRun:
    async def test_shows_words_with_their_speaker(self) -> None:
        words = Words()
        supervisor, running = supervise(words, one=STEADY, two=STEADY)
        await words.wait_for("ready", 2)
        supervisor.stop.set()
        await running
        assert sorted(words.lines) == [("one", "ready"), ("two", "ready")]

    async def test_starts_a_crashed_unit_again_and_says_so(self) -> None:
        words = Words()
        supervisor, running = supervise(words, bad=CRASHING)
        await words.wait_for("crash", 2)
        supervisor.stop.set()
        await running
        assert "bad ended with code 3; starting it again in 1 s" in (await words.wait_for("starting it again"))[0]

    async def test_a_killed_unit_is_started_again(self) -> None:
        words = Words()
        supervisor, running = supervise(words, one=STEADY)
        await words.wait_for("ready")
        os.kill(supervisor.processes["one"].pid, signal.SIGKILL)
        await words.wait_for("one was ended by SIGKILL")
        await words.wait_for("ready", 2)
        supervisor.stop.set()
        await running

    async def test_lines_without_end_are_cut(self) -> None:
        words = Words()
        supervisor, running = supervise(words, long="print('x' * 1_000_000); print('after', flush=True);" + STEADY)
        await words.wait_for("after")
        supervisor.stop.set()
        await running
        assert max(len(line) for _, line in words.lines) <= 4000


class TestStop:
    async def test_leaves_no_process_not_even_grandchildren(self) -> None:
        words = Words()
        supervisor, running = supervise(words, parent=WITH_CHILD)
        child = int((await words.wait_for("child"))[0].split()[1])
        unit = supervisor.processes["parent"].pid
        supervisor.stop.set()
        await running
        assert not psutil.pid_exists(unit)
        assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE

    async def test_a_second_request_does_not_wait_for_the_stubborn(self) -> None:
        words = Words()
        supervisor, running = supervise(words, deaf=STUBBORN)
        await words.wait_for("ready")
        supervisor.stop.set()
        supervisor.hurry.set()
        async with asyncio.timeout(5):
            await running
        assert supervisor.processes["deaf"].returncode == -signal.SIGKILL


class TestDeathOfTheSupervisor:
    def test_units_end_by_themselves(self) -> None:
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISING], stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert supervisor.stdout is not None
        unit = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
        supervisor.communicate()
        gone, _ = psutil.wait_procs([unit], timeout=10)
        assert gone

    def test_what_is_left_is_ended_by_the_next_start_and_strangers_are_not(self) -> None:
        left = subprocess.Popen([sys.executable, "-c", STEADY], stdout=subprocess.PIPE, text=True)
        assert left.stdout is not None
        left.stdout.readline()
        made = psutil.Process(left.pid).create_time()
        assert end_leftovers([(left.pid, made - 100)]) == 0
        assert left.poll() is None
        assert end_leftovers([(left.pid, made), (2**22 + 1, 1.0)]) == 1
        assert left.wait(5) is not None
        left.stdout.close()


class TestEnding:
    def test_says_how_a_process_ended(self) -> None:
        assert ending(0) == "ended with code 0"
        assert ending(-9) == "was ended by SIGKILL"
        assert ending(-250) == "was ended by signal 250"
