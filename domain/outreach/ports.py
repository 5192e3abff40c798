"""The outside as outreach sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.outreach.policy import Outcome

ANSWER_BYTES = 1024
"""So much of an answer is read and kept."""


@dataclass(frozen=True)
class Answer:
    """How a try ended: its outcome, the status (None = no answer) and how the answer begins.

    `said` says in a few words why there was none; `wish_s` is the pause that the receiver asked for.
    """

    outcome: Outcome
    status: int | None = None
    millis: int = 0
    head: str = ""
    said: str = ""
    wish_s: float | None = None


class Poster(Protocol):
    """Hands messages to addresses that people have chosen."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a message once, in at most policy.SECONDS. Never raises for what the other side does."""
        ...
