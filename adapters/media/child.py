"""Running a node in a process of its own: progress in, stop out, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.media.errors import ERRORS, ToolFailed, ToolTimedOut
from adapters.media.ffmpeg import said
from adapters.media.nodes import Node, Nodes
from domain.production.ports import Progress, Stopped

POLL_S = 0.15
GRACE_S = 2.0
"""How long a node may take to end when it is done or its lifeline was cut, before it is killed from outside."""
LOG = "node.log"


@asynccontextmanager
async def scratch(beside: Path) -> AsyncIterator[Path]:
    """A hidden folder next to an output, on the same disk, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.", dir=beside.parent)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def run_node(
    nodes: Nodes,
    kind: str,
    folder: Path,
    request: Mapping[str, Any],
    progress: Progress,
    stop: Callable[[], bool],
    cap_s: float,
) -> Any:
    """Run a node process on a folder and return its result.

    Raises Stopped when `stop` answers true, ToolTimedOut after `cap_s`, and what the node raised. However
    this ends, also by cancellation, the process and all it started are gone.
    """
    (folder / "request.json").write_text(json.dumps(request))
    with (folder / LOG).open("wb") as log:
        node = await asyncio.to_thread(nodes.start, kind, folder, int(cap_s) + 60, log.fileno())
    lines = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(node.output, "rb", buffering=0)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), pipe)
    try:
        outcome = await _followed(lines, kind, progress, stop, cap_s)
        # The node ends by itself now; cutting its lifeline earlier would make it take its output with it.
        await _gone(nodes, node, lines)
    finally:
        os.close(node.lifeline)
        await asyncio.shield(_gone(nodes, node, lines))
        transport.close()
    if outcome is None:
        words = said((folder / LOG).read_bytes())
        raise ToolFailed(f"The process that makes the {kind} was killed or fell over. {words}".strip())
    if "error" in outcome:
        raise ERRORS[outcome["error"]](outcome["sentence"], fix=outcome["fix"])
    return outcome["result"]


async def _followed(
    lines: asyncio.StreamReader, kind: str, progress: Progress, stop: Callable[[], bool], cap_s: float
) -> dict[str, Any] | None:
    """Pass progress on until the outcome comes; None when the process ends without one."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + cap_s
    line = asyncio.ensure_future(lines.readline())
    try:
        while True:
            await asyncio.wait({line}, timeout=POLL_S)
            if stop():
                raise Stopped(f"The {kind} was stopped.")
            if clock() > deadline:
                raise ToolTimedOut(f"Making the {kind} took longer than {cap_s:.0f} s and was ended.")
            if not line.done():
                continue
            if not line.result():
                return None
            message: dict[str, Any] = json.loads(line.result())
            if "done" not in message:
                return message
            progress(message["done"], message["total"])
            line = asyncio.ensure_future(lines.readline())
    finally:
        line.cancel()


async def _gone(nodes: Nodes, node: Node, lines: asyncio.StreamReader) -> None:
    """Wait until a node has ended, and have it killed when it does not."""
    try:
        await asyncio.wait_for(_drained(lines), GRACE_S)
    except TimeoutError:
        nodes.end(node)
        await _drained(lines)


async def _drained(lines: asyncio.StreamReader) -> None:
    while await lines.read(1 << 16):
        pass


def publish(made: Path, out: Path) -> None:
    """Give a finished, synced file its name, and make the name durable."""
    made.replace(out)
    handle = os.open(out.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
