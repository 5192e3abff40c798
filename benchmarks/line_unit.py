"""Worker units for benchmarks of the line, forked from one process that has everything loaded.

`python -m benchmarks.line_unit` reads lines `POOLS HOST WORK` and answers the process number of the unit it has
started, so that a benchmark which kills a hundred of them measures the line and not the loading of Python. A HOST of
`-` is this machine; any other name makes the unit one of another machine, whose death nobody here can see. WORK
`films` makes the unit one that makes real films; the steps of all others wait.
"""

from __future__ import annotations

import os
import signal
import sys

from adapters import lifeline, settings
from adapters.logs import configure_logs
from benchmarks.line_kinds import KINDS
from domain.production.pipeline import STEP_KINDS
from tests.support.line import make_tools
from workers import host
from workers.main import WorkerUnit, read_pools


def main() -> None:
    """Start units until the input ends; then all that are left end."""
    chosen = settings.load()
    configure_logs(chosen)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # When this process ends, however it does, its units notice and end too.
    reader, writer = os.pipe()
    for line in sys.stdin:
        pools, name, work = line.split()
        pid = os.fork()
        if pid == 0:
            os.close(writer)
            os.environ[lifeline.VARIABLE] = str(reader)
            _become_unit(chosen, pools, name, films=work == "films")
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _become_unit(chosen: settings.Settings, pools: str, name: str, *, films: bool) -> None:
    """What the fork does: be a unit until its end."""
    os.setsid()
    # Whoever waits for the end of our parent's words must not wait for ours.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)
    lifeline.watch()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if name != "-":
        host.name = lambda: name
    unit = WorkerUnit(chosen, read_pools(pools, 1), STEP_KINDS if films else KINDS)
    signal.signal(signal.SIGTERM, unit.end)
    try:
        unit.run(None if films else make_tools(chosen.home))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
