"""Running a node in a process of its own: progress in, stop out, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.media.errors import ERRORS, ToolFailed, ToolTimedOut
from adapters.media.ffmpeg import said
from domain.production.ports import Progress, Stopped

MODULE = "adapters.media.node_process"
POLL_S = 0.15
LOG = "node.log"
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "VFOS_FFMPEG", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What a child may know of its parent's environment; secrets are not among it."""


def environment() -> dict[str, str]:
    """Environment of a node process: one thread for numeric libraries, our own packages on the path."""
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": root,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }


@asynccontextmanager
async def scratch(beside: Path) -> AsyncIterator[Path]:
    """A hidden folder next to an output, on the same disk, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.", dir=beside.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def run_node(
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
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", MODULE, kind, str(folder), str(int(cap_s) + 60)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=environment(),
            start_new_session=True,
        )
    try:
        outcome = await _followed(child, kind, progress, stop, cap_s)
    finally:
        await _end(child)
    if outcome is None:
        words = said((folder / LOG).read_bytes())
        raise ToolFailed(f"The process that makes the {kind} was killed or fell over. {words}".strip())
    if "error" in outcome:
        raise ERRORS[outcome["error"]](outcome["sentence"], fix=outcome["fix"])
    return outcome["result"]


async def _followed(
    child: asyncio.subprocess.Process, kind: str, progress: Progress, stop: Callable[[], bool], cap_s: float
) -> dict[str, Any] | None:
    """Pass progress on until the outcome comes; None when the process ends without one."""
    assert child.stdout is not None
    clock = asyncio.get_running_loop().time
    deadline = clock() + cap_s
    line = asyncio.ensure_future(child.stdout.readline())
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
            line = asyncio.ensure_future(child.stdout.readline())
    finally:
        line.cancel()


async def _end(child: asyncio.subprocess.Process) -> None:
    """Kill whatever is left of the process group and wait for the process."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    if child.stdin is not None:
        child.stdin.close()
    await asyncio.shield(child.wait())


def publish(made: Path, out: Path) -> None:
    """Give a finished, synced file its name, and make the name durable."""
    made.replace(out)
    handle = os.open(out.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
