"""Challenges for passkeys (pure): random, short-lived, made for one use, and told from foreign ones by a stamp.

Making one leaves no row, so looking at the sign-in page writes nothing; using one up does (tenants/passkeys.py).
"""

from __future__ import annotations

import secrets
from datetime import datetime

from tenants.passkeys import CHALLENGE
from tenants.personal import PersonalVault

_USE = "passkey challenge"
_TIME, _RANDOM = 8, 24


def make_challenge(vault: PersonalVault, use: str, now: datetime) -> bytes:
    """A challenge for one use (`sign-in`, or a word and whose it is), good for CHALLENGE."""
    ends = int((now + CHALLENGE).timestamp())
    head = ends.to_bytes(_TIME, "big") + secrets.token_bytes(_RANDOM)
    return head + vault.stamp(_USE, head + use.encode())


def challenge_holds(vault: PersonalVault, use: str, challenge: bytes, now: datetime) -> bool:
    """Whether a challenge is ours, for this use, and still in time."""
    head, stamp = challenge[: _TIME + _RANDOM], challenge[_TIME + _RANDOM :]
    if len(head) != _TIME + _RANDOM or not vault.stamped(_USE, head + use.encode(), stamp):
        return False
    return int.from_bytes(head[:_TIME], "big") >= now.timestamp()
