"""The courier: makes messages for endpoints out of what happens, and brings them there; a part of the pump.

Rows are the truth: each round looks for events not told yet and for messages whose time has come, and a try is written
down before it is made. The courier that is killed leaves nothing that the next one does not find.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.outreach.delivering import deliver
from domain.outreach.policy import Due
from domain.outreach.ports import Poster
from domain.outreach.rounds import Claimed, claim_due, look_around
from domain.outreach.telling import BATCH, tell
from tenants.outage import is_away
from tenants.principal import worker_principal
from tenants.unit import Units
from tenants.vault import Vault

log = structlog.get_logger(__name__)

LOOK_S = 1.0
GRACE_S = 2.0
"""Tries under way when the courier is told to end may still end by themselves."""
HURRY_S = 0.25
"""A round begins this long after the one before at the earliest, whatever happens."""


@dataclass
class Courier:
    """Tells endpoints what happens. `address` is where this installation is reached; `wake` makes it look at once."""

    units: Units
    vault: Callable[[], Vault]
    poster: Poster
    address: str
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: dict[asyncio.Task[None], Due] = field(default_factory=dict)

    async def run(self, leads: Callable[[], bool]) -> None:
        """Look again and again until cancelled; tries that then do not end are cut off, and made again by others."""
        try:
            while True:
                if leads():
                    await self._look_safely()
                await self._rest()
        finally:
            await self._cut_off()

    async def look(self) -> int:
        """Make the messages that are wanting and begin the tries that are due; answer how many began."""
        news, claimed = await look_around(self.units, self._under_way.values())
        self._begin(claimed)
        for tenant_id in news:
            async with self.units.open(worker_principal(tenant_id)) as unit:
                if await tell(unit, self.address) == BATCH:
                    self.wake.set()
        more = await claim_due(self.units, self._under_way.values()) if news else []
        self._begin(more)
        return len(claimed) + len(more)

    def _begin(self, claimed: Sequence[Claimed]) -> None:
        for one in claimed:
            task = asyncio.create_task(self._bring(one))
            self._under_way[task] = one.due
            task.add_done_callback(self._ended)

    async def settled(self) -> None:
        """Wait until every try under way has ended."""
        while self._under_way:
            await asyncio.wait(set(self._under_way))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        # There is room now for what waits behind it.
        self.wake.set()

    async def _bring(self, claimed: Claimed) -> None:
        said = {"tenant": str(claimed.due.tenant_id), "message": claimed.message_id, "number": claimed.number}
        try:
            answer = await deliver(self.units, self.vault, self.poster, claimed)
        except (SQLAlchemyError, OSError) as error:
            # Written down as under way, so it is due again when its time is over.
            log.warning("webhook.not_settled", error=type(error).__name__, **said)
            return
        except Exception:
            log.exception("webhook.broken", **said)
            return
        if answer is not None and answer.outcome != "delivered":
            log.info("webhook.failed", outcome=answer.outcome, status=answer.status, **said)

    async def _look_safely(self) -> None:
        try:
            await self.look()
        except Exception as error:
            if is_away(error):
                log.warning("courier.no_database")
                return
            log.exception("courier.round_failed")

    async def _rest(self) -> None:
        await asyncio.sleep(HURRY_S)
        try:
            async with asyncio.timeout(LOOK_S - HURRY_S):
                await self.wake.wait()
        except TimeoutError:
            return
        finally:
            self.wake.clear()

    async def _cut_off(self) -> None:
        tasks = list(self._under_way)
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
