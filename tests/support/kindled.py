"""Processes of the program that start at once: forks of a parent that has read the program already.

Each is a real process with its own arguments, environment, streams and exit code, and can be stopped and killed like
any other. Only the second and a half of reading the same libraries again is saved.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from setproctitle import setproctitle

ROOT = Path(__file__).resolve().parents[2]
READ = ("app.main", "app.demo", "app.commands.common", "workers.main", "workers.pump", "adapters.egress")
"""What brings in nearly every library of the program."""
NUMBER = struct.Struct("i")


# ── Seen from the tests ──────────────────────────────────────────────────────────────────────────────────────
class Process:
    """A started process; speaks as subprocess.Popen does."""

    def __init__(self, line: socket.socket) -> None:
        """`line` says the process's number, and its exit code when it has ended."""
        self._line = line
        self.pid = self._hear()
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; minus the signal's number when one ended it. Raises TimeoutExpired."""
        if self.returncode is None:
            self._line.settimeout(timeout)
            try:
                self.returncode = self._hear()
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0) from None
            self._line.close()
        return self.returncode

    def _hear(self) -> int:
        heard = self._line.recv(NUMBER.size, socket.MSG_WAITALL)
        return int(NUMBER.unpack(heard)[0])

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def send_signal(self, number: int) -> None:
        """Nothing happens to one that has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: bytes = b"",
    stdout: IO[Any] | None = None,
    stderr: IO[Any] | None = None,
    session: bool = False,
) -> Process:
    """Start `python -m` with the arguments in the tree's root. `session`: it leads a session of its own.

    `stdin`: all it can read there. Without streams it writes where the errors of the tests go.
    """
    ours, theirs = socket.socketpair()
    with theirs, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        streams = [stream.fileno() if stream else 2 for stream in (given, stdout, stderr)]
        socket.send_fds(_parent(), [b"."], [theirs.fileno(), *streams])
    order = {"arguments": [*arguments], "environment": {**environment}, "session": session}
    ours.sendall(json.dumps(order).encode() + b"\n")
    return Process(ours)


def run(arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """Start it, wait until it has ended, and answer what it said. Raises TimeoutExpired."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as wrong:
        process = start(arguments, environment, stdout=out, stderr=wrong)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        out.seek(0)
        wrong.seek(0)
        return subprocess.CompletedProcess([*arguments], code, out.read(), wrong.read())


@functools.cache
def _parent() -> socket.socket:
    """The line to the parent of this run; it ends with us, whatever ends us."""
    ours, theirs = socket.socketpair()
    with theirs:
        parent = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )

    def end() -> None:
        ours.close()
        parent.wait(10)

    atexit.register(end)
    return ours


# ── The parent ───────────────────────────────────────────────────────────────────────────────────────────────
def main(line: socket.socket) -> None:
    """Fork for every order until nobody is there to give one. It has one thread only, as forking demands."""
    for module in READ:
        importlib.import_module(module)
    gc.freeze()
    while True:
        said, given, _flags, _address = socket.recv_fds(line, 1, 4)
        if not said:
            return
        if os.fork() == 0:
            line.close()
            _keep(*given)
            return
        for number in given:
            os.close(number)
        _bury()


def _bury() -> None:
    """Take note of the forks that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(asker: int, *streams: int) -> None:
    """Fork once more and stay until that process has ended, to tell how."""
    line = socket.socket(fileno=asker)
    with line.makefile("r") as said:
        order = json.loads(said.readline())
    child = os.fork()
    if child == 0:
        line.close()
        _become(order, streams)
        return
    for number in (0, 1, 2, *streams):
        os.close(number)
    line.sendall(NUMBER.pack(child))
    _pid, status = os.waitpid(child, 0)
    with suppress(OSError):
        line.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _become(order: dict[str, Any], streams: Sequence[int]) -> None:
    """Be what `python -m` with these arguments would be, in name too."""
    setproctitle(" ".join([sys.executable, "-m", *order["arguments"]]))
    if order["session"]:
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(order["environment"])
    module, *sys.argv[1:] = order["arguments"]
    sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
