"""Memory is counted over a family of processes of which some end meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil

from benchmarks.memory import shares_of


def test_one_that_has_ended_holds_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie until somebody asks
        family = [psutil.Process(), psutil.Process(ended.pid)]
        assert len(list(shares_of(family))) == 1
