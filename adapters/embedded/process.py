"""Child processes that cannot outlive us: how they are started, found again and ended."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1


class ServiceError(Exception):
    """Raised when an embedded service cannot be started or stopped; the text is one clear sentence."""


def dies_with_parent(sign: int) -> Callable[[], None] | None:
    """A hook for the new process: the kernel sends it `sign` when the starting thread ends (Linux only)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def hook() -> None:
        libc.prctl(PR_SET_PDEATHSIG, sign, 0, 0, 0)
        if os.getppid() != parent:  # the parent went away before the line above took effect
            os.kill(os.getpid(), sign)

    return hook


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    death: int,
    user: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a service in its own session with its output appended to `log`; it gets `death` if we are killed.

    Must be called from a thread that lives as long as the service may.
    """
    account, group = _numbers_of(user)
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=dict(env) if env is not None else None,
            start_new_session=True,
            preexec_fn=dies_with_parent(death),  # noqa: PLW1509 one prctl call; no lock can be held by it
            user=account,
            group=group,
            extra_groups=[] if user else None,
        )


def _numbers_of(user: str) -> tuple[int | None, int | None]:
    if not user:
        return None, None
    import pwd

    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid


def alive(pid: int, marks: Callable[[psutil.Process], bool]) -> bool:
    """True when `pid` runs and is what we take it for (numbers are reused after a crash)."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and marks(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def end(pid: int, first: int, seconds: float) -> None:
    """Ask a process to end with `first`; kill it when it has not within `seconds`."""
    try:
        process = psutil.Process(pid)
        process.send_signal(first)
        process.wait(seconds)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(5)


def end_child(child: subprocess.Popen[bytes], first: int, seconds: float) -> None:
    """The same for our own child, which is also reaped."""
    if child.poll() is None:
        child.send_signal(first)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait(5)


def last_lines(log: Path, count: int = 3) -> str:
    """The end of a log, to quote in an error."""
    if not log.exists():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-count:]
    return " | ".join(line.strip() for line in lines if line.strip())
