"""Keeps child processes from outliving their parent or growing without bounds."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import threading
from pathlib import Path

MAX_DATA = 6 << 30


def watch_parent(lifeline: int, folder: Path) -> None:
    """End this whole process group when the lifeline closes, as it does however the parent dies.

    `lifeline` is the reading end of a pipe that only the parent can write to. Scratch files go first.
    """

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(lifeline, 64):
                pass
        shutil.rmtree(folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="guard", daemon=True).start()


def limit_resources(cpu_s: int, file_bytes: int) -> None:
    """Cap CPU time, memory and file size of this process and its children; no core files."""
    for kind, value in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_DATA, MAX_DATA),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, hard))
