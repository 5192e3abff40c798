"""How much processor time steps use: what a unit and its ended children spend, shared between the steps that run.

A process cannot tell which of its steps an ended child worked for, so two steps at once are charged half each.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


def spent_seconds() -> float:
    """Processor seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass
class Meter:
    """Charges running steps, by any key. Safe to use from any thread."""

    read: Callable[[], float] = spent_seconds
    _running: dict[object, float] = field(default_factory=dict)
    _last: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, key: object) -> None:
        with self._lock:
            self._charge()
            self._running[key] = 0.0

    def so_far(self, key: object) -> float:
        """Seconds charged to a running step until now."""
        with self._lock:
            self._charge()
            return round(self._running.get(key, 0.0), 3)

    def end(self, key: object) -> None:
        with self._lock:
            self._charge()
            self._running.pop(key, None)

    def _charge(self) -> None:
        now = self.read()
        for key in self._running:
            self._running[key] += max(0.0, now - self._last) / len(self._running)
        self._last = now
