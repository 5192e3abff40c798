"""One attempt at a claimed step, and what it leaves in its folder."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from domain.dispatch.claim import Claim
from domain.dispatch.stats import Sample
from domain.production.keeper import Keeper
from domain.production.logs import Journal
from domain.production.settle_at_once import Success
from domain.production.tether import Tether


@dataclass
class Trial:
    """One attempt, from its claim to its settlement. `keeper` is there once the step has begun."""

    claim: Claim
    tether: Tether
    journal: Journal
    staging: Path
    begun: float
    took: float = 0.0
    cpu_s: float = 0.0
    guess: Sample | None = None
    keeper: Keeper | None = None

    async def kept(self, ended: Success | Exception) -> Success | Exception:
        """Answer how the attempt has ended: a success is one once all that it has made is on the disk."""
        if self.keeper is not None and isinstance(ended, Success):
            try:
                await self.keeper.keep_all()
            except Exception as error:
                return error
        return ended

    async def clear(self) -> None:
        """Remove the attempt's folder, if it needed one or an earlier attempt has left its own."""
        if self.staging.parent.exists():
            await asyncio.to_thread(_remove, self.staging)


def _remove(folder: Path) -> None:
    """Remove an attempt's folder, and those that killed attempts before it have left."""
    for other in folder.parent.iterdir():
        if int(other.name) <= int(folder.name):
            shutil.rmtree(other, ignore_errors=True)
    with suppress(OSError):  # a later attempt works beside us
        folder.parent.rmdir()
