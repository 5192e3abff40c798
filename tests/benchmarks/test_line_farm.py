"""However a benchmark of the line ends, nothing that it has started goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from benchmarks.line_farm import ROOT
from tests.support.services import Services

FARM = """
import signal
from adapters import settings
from benchmarks.line_farm import Line, end_by_unwinding
end_by_unwinding()
line = Line(settings.load(), None, None)
try:
    line.pump()
    print(line.processes[0].pid, flush=True)
    signal.pause()
finally:
    line.end()
    print("unwound")
"""


@pytest.mark.parametrize(("sign", "said"), [(signal.SIGTERM, "unwound\n"), (signal.SIGKILL, "")])
def test_all_end_with_the_benchmark(services: Services, sign: signal.Signals, said: str) -> None:
    environment = {**os.environ, **services.fresh_database().environment()}
    command = [sys.executable, "-c", FARM]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as farm:
        assert farm.stdout
        pump = psutil.Process(int(farm.stdout.readline()))
        farm.send_signal(sign)
        assert farm.stdout.read() == said
    _, alive = psutil.wait_procs([pump], timeout=20)
    assert alive == []
