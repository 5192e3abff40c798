"""The line between a running step and those who may stop it. Safe to use from any thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

from domain.dispatch.claim import Claim

Reason = Literal["", "lost", "cancel", "drain"]


@dataclass
class Tether:
    """Says whether a running step must stop, and why. The first reason stays, except that `lost` beats all."""

    claim: Claim
    _reason: Reason = ""
    _pulled: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> tuple[str, int]:
        """What tells this try from all others."""
        return str(self.claim.step_id), self.claim.fence

    @property
    def reason(self) -> Reason:
        return self._reason

    def pull(self, reason: Reason) -> None:
        """Ask the step to stop."""
        if not self._reason or reason == "lost":
            self._reason = reason
        self._pulled.set()

    def stop(self) -> bool:
        """Answer whether the step must stop now."""
        return self._pulled.is_set()


class Tethers:
    """All steps that run in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[str, int], Tether] = {}

    def tie(self, claim: Claim) -> Tether:
        tether = Tether(claim)
        with self._lock:
            self._held[tether.key] = tether
        return tether

    def untie(self, tether: Tether) -> None:
        with self._lock:
            self._held.pop(tether.key, None)

    def all(self) -> list[Tether]:
        with self._lock:
            return list(self._held.values())
