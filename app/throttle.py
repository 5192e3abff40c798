"""How often one may knock: by account and by address, atomically for all web servers together."""

from __future__ import annotations

import hashlib

import structlog

from adapters.limits import Limits, Rate
from app.errors import TooOften
from app.session import browser_of
from app.site import AnyRequest, site_of

log = structlog.get_logger(__name__)

ACCOUNT = Rate(per_minute=5, burst=10)
"""Tries to sign in as one person; counted for addresses nobody has, too."""
PLACE = Rate(per_minute=30, burst=40)
"""Tries from one address of the network."""
SECOND = Rate(per_minute=2, burst=6)
"""Codes tried for one person; a code is guessed once in 330,000 tries."""
LETTERS = Rate(per_minute=0.2, burst=3)
"""Letters with a reset link to one address."""


async def knock(request: AnyRequest, *keys: tuple[str, Rate]) -> None:
    """Count one try under each key and under the caller's address. Raises TooOften."""
    limits: Limits = site_of(request).limits
    place = browser_of(request).address
    waits = [await limits.take(f"door:place:{short(place)}", PLACE)]
    waits += [await limits.take(f"door:{short(key)}", rate) for key, rate in keys]
    if (wait := max(waits)) > 0:
        log.warning("door.throttled", address=place, keys=[short(key) for key, _ in keys], seconds=round(wait))
        raise TooOften(wait)


def short(key: str) -> str:
    """Keys hold no address in the clear."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
