"""`vfos up` as a person meets it: real processes, real signals, nothing left behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from adapters import settings as settings_module
from adapters.embedded.stack import Home
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
STOP_SECONDS = 60.0

pytestmark = pytest.mark.flow


class Up:
    """A running `vfos up` whose lines can be waited for."""

    def __init__(self, home: Path, port: int, **environment: str) -> None:
        clean = {
            name: text for name, text in os.environ.items() if not name.startswith(("VFOS_", "DATABASE_", "REDIS_"))
        }
        self.home, self.lines, self.news = home, list[str](), threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "up", "--port", str(port)],
            cwd=ROOT,
            env={**clean, "VFOS_HOME": str(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()

    def wait_for(self, pattern: str, after: int = 0) -> re.Match[str]:
        """The first line from number `after` on that matches."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            found[:] = [match for line in self.lines[after:] if (match := re.search(pattern, line))]
            return bool(found) or self.process.poll() is not None

        with self.news:
            self.news.wait_for(look, PATIENCE)
        assert found, "\n".join(self.lines[-30:])
        return found[0]

    def ready(self) -> str:
        """The printed address, once the frame is there."""
        return self.wait_for(r"Open +(http://\S+)")[1]

    def unit(self, module: str) -> psutil.Process:
        """The process of one unit."""
        return next(p for p in psutil.Process(self.process.pid).children() if module in " ".join(p.cmdline()))

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """Ask it to stop; answer the exit code."""
        self.process.send_signal(sign)
        code = self.process.wait(STOP_SECONDS)
        self.reader.join(5)
        return code


def of_home(home: Path) -> list[str]:
    """Every living process that works on this home."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        try:
            mine = str(home) in " ".join(process.info["cmdline"] or []) or process.environ().get("VFOS_HOME") == str(
                home
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if mine and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(f"{process.pid} {' '.join(process.info['cmdline'] or [])[:120]}")
    return found


def status_of(address: str) -> int:
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        answer.read(1)
        return int(answer.status)


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="vfos up "))
    yield folder
    for line in of_home(folder):
        os.kill(int(line.split()[0]), signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


class TestOneLife:
    def test_starts_signs_in_stops_and_goes_on(self, home: Path) -> None:
        port = free_port()
        first = Up(home, port)
        address = first.ready()
        link = first.wait_for(r"Sign in +(http://\S+)")[1]
        assert address == f"http://localhost:{port}"
        assert status_of(f"{address}/health/live") == 200
        assert status_of(link) == 200
        first.wait_for(r"#1 · \w+")
        assert first.stop() == 0
        assert of_home(home) == []
        assert "\x1b" not in "".join(first.lines)

        second = Up(home, port)
        assert second.ready() == address
        # The same film goes on; no second one was entered, and nobody owns the workspace yet.
        second.wait_for(r"#1 · \w+")
        assert second.wait_for(r"Sign in +(http://\S+)")[1] != link
        assert second.stop(signal.SIGINT) == 0
        assert of_home(home) == []

    def test_recovers_from_every_kill(self, home: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = int(taken.getsockname()[1])
            running = Up(home, port, VFOS_DEMO="0")
            address = running.ready()
        assert running.wait_for(r"port (\d+) is taken; using (\d+)")[1] == str(port)
        assert address != f"http://localhost:{port}"

        again = subprocess.run(
            [sys.executable, "-m", "app", "up"], cwd=ROOT, env={**os.environ, "VFOS_HOME": str(home)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert again.returncode == 2
        assert f"It already runs at {address}" in again.stderr

        running.unit("app web").kill()
        running.wait_for("web was ended by SIGKILL; starting it again")
        # The socket is the supervisor's: a request waits for the new server instead of being refused.
        assert status_of(f"{address}/health/live") == 200

        running.unit("postgres").kill()
        running.wait_for("PostgreSQL had ended and was started again")
        assert status_of(f"{address}/health/live") == 200

        left = psutil.Process(running.process.pid).children(recursive=True)
        running.process.kill()
        running.process.wait()
        gone, alive = psutil.wait_procs(left, timeout=30)
        assert alive == []
        assert gone

        third = Up(home, free_port(), VFOS_DEMO="0")
        third.ready()
        assert third.stop() == 0
        assert of_home(home) == []
        assert Home(settings_module.load({"VFOS_HOME": str(home)})).hold()
