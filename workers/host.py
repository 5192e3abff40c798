"""This machine and its processes, as the farm's rows name them."""

from __future__ import annotations

import functools
import socket
from datetime import datetime
from pathlib import Path

import psutil

CLOCK_SLACK_S = 30.0


def name() -> str:
    """The name of this machine."""
    return socket.gethostname()


@functools.cache
def boot_id() -> str:
    """What tells one start of this machine from another (and one container from another)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        return f"{psutil.boot_time():.0f}"
    return f"{boot}:{space}"


def alive(pid: int, started_at: datetime) -> bool:
    """Answer whether the process that registered then still runs; numbers are given again to others.

    A clock that was put forward makes every process look younger than its row. So one that runs our own program is
    taken for the worker even then; if it is not, its steps come free when their lease ends.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.create_time() <= started_at.timestamp() + CLOCK_SLACK_S or _runs_our_program(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _runs_our_program(process: psutil.Process) -> bool:
    mine, theirs = psutil.Process().cmdline()[:1], process.cmdline()[:1]
    return bool(theirs) and mine == theirs


def memory() -> int | None:
    """Bytes that this process and all it has started hold; None when the system does not tell."""
    try:
        own = psutil.Process()
        return sum(_resident(process) for process in (own, *own.children(recursive=True)))
    except (psutil.Error, OSError):
        return None


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return 0
