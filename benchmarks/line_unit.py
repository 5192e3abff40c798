"""Worker units for benchmarks of the line, forked from one process that has everything loaded.

`python -m benchmarks.line_unit` reads lines `POOLS HOST` and answers the process number of the unit it has started, so
that a benchmark which kills a hundred of them measures the line and not the loading of Python. A HOST of `-` is this
machine; any other name makes the unit one of another machine, whose death nobody here can see.
"""

from __future__ import annotations

import os
import signal
import sys

from adapters import settings
from adapters.logs import configure_logs
from benchmarks.line_kinds import KINDS
from tests.support.line import make_tools
from workers import host
from workers.main import WorkerUnit, read_pools


def main() -> None:
    """Start units until the input ends; then all that are left are killed."""
    chosen = settings.load()
    configure_logs(chosen)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    started: list[int] = []
    for line in sys.stdin:
        pools, name = line.split()
        pid = os.fork()
        if pid == 0:
            _become_unit(chosen, pools, name)
        started.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in started:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _become_unit(chosen: settings.Settings, pools: str, name: str) -> None:
    """What the fork does: be a unit until its end."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if name != "-":
        host.name = lambda: name
    unit = WorkerUnit(chosen, read_pools(pools, 1), KINDS)
    signal.signal(signal.SIGTERM, unit.end)
    try:
        unit.run(make_tools(chosen.home))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
