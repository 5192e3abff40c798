"""What the farm makes of a wall clock that is moved."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta

from workers import host
from workers.clock import ClockWatch


class TestClockWatch:
    def test_notices_both_directions_once(self) -> None:
        wall, steady = [1000.0], [10.0]
        watch = ClockWatch(lambda: wall[0], lambda: steady[0])
        assert not watch.jumped()
        wall[0] += 60
        steady[0] += 60
        assert not watch.jumped()
        wall[0] += 3600
        assert watch.jumped()
        assert not watch.jumped()
        wall[0] -= 7200
        assert watch.jumped()


class TestAlive:
    def test_a_clock_put_forward_does_not_bury_a_living_worker(self) -> None:
        registered_before_the_jump = datetime.now(UTC) - timedelta(hours=5)
        assert host.alive(os.getpid(), registered_before_the_jump)

    def test_another_program_with_the_number_is_not_the_worker(self) -> None:
        other = subprocess.Popen(["sleep", "60"])
        try:
            assert not host.alive(other.pid, datetime.now(UTC) - timedelta(hours=5))
        finally:
            other.kill()
            other.wait()
