"""The process that node processes are forked from: `python -m adapters.media.node_server FD`.

Loading the media libraries costs more than drawing a short transition, so they are loaded once here, and every
node is a fork of this process. It runs no thread and does no work of its own.

FD is one end of a socket pair. A request is one message `{"kind", "folder", "cpu_s", "file_bytes"}` with three
descriptors: the node's lifeline, its standard output and its log; the answer is `{"pid": n}`. A message
`{"end": pid}` kills a node's process group if the node still runs. When the other end closes, all nodes are ended
and the server with them; with nothing to do it ends by itself.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any

IDLE_S = 45.0
TICK_S = 5.0
FAREWELL_S = 2.5
LARGEST_MESSAGE = 65_536
DESCRIPTORS = 3
PRELOADED = (
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "adapters.media.inspect",
    "adapters.media.join",
    "adapters.media.node_process",
    "adapters.media.segment",
    "adapters.media.sound",
    "adapters.media.still",
    "timeline.plan",
)


def preload() -> None:
    """Import what the nodes use, quietly and single-threaded."""
    for module in PRELOADED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


class Server:
    """Forks nodes on request and reaps them."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._nodes: set[int] = set()
        self._wake, wake = os.pipe()
        for end in (self._wake, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Work until the other end closes or nothing was asked for a while."""
        last = time.monotonic()
        while self._nodes or time.monotonic() - last < IDLE_S:
            ready = select.select([self._control.fileno(), self._wake], [], [], TICK_S)[0]
            if self._wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            self._reap()
            if self._control.fileno() in ready:
                if not self._answer():
                    break
                last = time.monotonic()
        self._farewell()

    def _farewell(self) -> None:
        """Nodes see their lifelines cut and tidy up after themselves; those that do not in time are killed."""
        deadline = time.monotonic() + FAREWELL_S
        while self._nodes and time.monotonic() < deadline:
            select.select([self._wake], [], [], 0.1)
            self._reap()
        for pid in self._nodes:
            _kill(pid)

    def _answer(self) -> bool:
        message, descriptors = receive(self._control)
        if not message:
            return False
        if "end" in message:
            if message["end"] in self._nodes:
                _kill(message["end"])
            return True
        pid = os.fork()
        if pid == 0:
            self._become_node(message, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        self._nodes.add(pid)
        self._control.sendall(json.dumps({"pid": pid}).encode())
        return True

    def _become_node(self, message: dict[str, Any], descriptors: Sequence[int]) -> None:
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for target, descriptor in enumerate(descriptors):
                os.dup2(descriptor, target)
                os.close(descriptor)
            self._control.close()
            from adapters.media import node_process

            node_process.run(message["kind"], message["folder"], message["cpu_s"], message["file_bytes"])
        finally:
            os._exit(1)

    def _reap(self) -> None:
        """Kill what a finished node left in its group before its number can be given to another process."""
        for pid in list(self._nodes):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                _kill(pid)
                os.waitpid(pid, 0)
                self._nodes.discard(pid)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def receive(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """One message and its descriptors; an empty one when the other end is closed."""
    space = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
    data, extra, _, _ = control.recvmsg(LARGEST_MESSAGE, space)
    numbers = array.array("i")
    for level, kind, content in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
    return (json.loads(data) if data else {}), list(numbers)


def main() -> None:
    """Serve on the descriptor given on the command line."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    preload()
    with contextlib.suppress(OSError):
        Server(control).serve()


if __name__ == "__main__":
    main()
