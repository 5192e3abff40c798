"""A worker unit of its own process that runs the small kinds of tests/support/line.py.

python -m tests.support.unit io:1,cpu:2
"""

from __future__ import annotations

import signal
import sys

from adapters import lifeline, settings
from tests.support.line import KINDS, make_tools
from workers.main import WorkerUnit, lead_own_session, read_pools

if __name__ == "__main__":
    chosen = settings.load()
    unit = WorkerUnit(chosen, read_pools(sys.argv[1], 1), KINDS)
    lead_own_session()
    lifeline.watch()
    signal.signal(signal.SIGTERM, unit.end)
    signal.signal(signal.SIGUSR1, unit.retire)
    unit.run(make_tools(chosen.home))
