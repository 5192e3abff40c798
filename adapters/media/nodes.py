"""The parent's side of the node server: start it when needed, ask it for nodes, end it with ourselves."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.media.errors import ToolFailed
from adapters.media.node_server import LARGEST_MESSAGE

MODULE = "adapters.media.node_server"
START_S = 60.0
LARGEST_FILE = 64 << 30
"""Bytes that any file of a node may have."""
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "VFOS_FFMPEG", "VFOS_ENCODERS", "LD_LIBRARY_PATH")
"""What a node may know of its parent's environment; secrets are not among it."""


@dataclass(frozen=True)
class Node:
    """A running node: its process number, our end of its lifeline, and what it says."""

    pid: int
    lifeline: int
    output: int


def environment() -> dict[str, str]:
    """Environment of nodes: one thread for numeric libraries, our own packages on the path."""
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": root, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class Nodes:
    """Starts nodes; safe to share between threads. Holds one server process, which ends with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._owner = 0
        self._reap: Callable[[], object] = _nothing

    def close(self) -> None:
        """End the server and all its nodes, and wait for it."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._control is not None and self._owner == os.getpid():
            self._control.close()
            self._reap()
        self._control = None

    def start(self, kind: str, folder: Path, cpu_s: int, log: int) -> Node:
        """Start a node of a kind on a folder. Blocks for milliseconds, or a second when the server starts."""
        life_end, lifeline = os.pipe()
        output, output_end = os.pipe()
        message = {"kind": kind, "folder": str(folder), "cpu_s": cpu_s, "file_bytes": LARGEST_FILE}
        try:
            pid = self._ask(message, [life_end, output_end, log])
        except BaseException:
            os.close(lifeline)
            os.close(output)
            raise
        finally:
            os.close(life_end)
            os.close(output_end)
        return Node(pid, lifeline, output)

    def end(self, node: Node) -> None:
        """Kill a node that does not end by itself, if it still runs."""
        with self._lock, contextlib.suppress(OSError):
            if self._control is not None:
                self._control.sendall(json.dumps({"end": node.pid}).encode())

    def _ask(self, message: dict[str, Any], descriptors: list[int]) -> int:
        with self._lock:
            for attempt in range(2):
                control = self._connected()
                try:
                    socket.send_fds(control, [json.dumps(message).encode()], descriptors)
                    answer = control.recv(LARGEST_MESSAGE)
                    if answer:
                        return int(json.loads(answer)["pid"])
                except OSError as error:
                    if attempt:
                        raise ToolFailed(f"The process that starts media work does not answer: {error}.") from error
                # An idle server ends by itself; the next one takes over.
                self._drop()
            raise ToolFailed("The process that starts media work ended before it could do anything.")

    def _connected(self) -> socket.socket:
        if self._control is None or self._owner != os.getpid():
            self._control, self._owner = self._launch(), os.getpid()
        return self._control

    def _launch(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment(),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        ours.settimeout(START_S)
        self._reap = weakref.finalize(ours, _gone, child)
        return ours


def _nothing() -> None:
    """Nothing to reap yet."""


def _gone(child: subprocess.Popen[bytes]) -> None:
    """Reap a server whose socket was closed."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=3)
