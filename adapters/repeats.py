"""Says a repeated warning once, and again after a while with how often it came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

QUIET_S = 30.0
KEPT = 500
"""Different lines remembered; the oldest are forgotten first."""


@dataclass
class Repeats:
    """Which lines were said lately. Safe to use from any thread."""

    quiet_s: float = QUIET_S
    steady: Callable[[], float] = time.monotonic
    _said: dict[Hashable, tuple[float, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """Begin anew: nothing was said yet."""
        with self._lock:
            self._said.clear()

    def times(self, key: Hashable) -> int:
        """How often a line stands for when it is said now; 0 when it was said just before and is to be held back."""
        now = self.steady()
        with self._lock:
            said, held = self._said.pop(key, (float("-inf"), 0))
            if now - said < self.quiet_s:
                self._said[key] = (said, held + 1)
                return 0
            self._said[key] = (now, 0)
            if len(self._said) > KEPT:
                del self._said[next(iter(self._said))]
            return held + 1
