"""The desk: opens a workspace's provider with its key when it is asked, and tells what became of each call.

Rows and keys are read again for every call, so that a new key, another limit or a switch counts at once. Keys are in
memory only inside open adapters; they are in no message, log line or error.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

import structlog
from redis.asyncio import Redis
from sqlalchemy import select

from adapters.egress_rules import Allowance
from adapters.limits import Limits, Rate
from adapters.prices.book import PriceFault
from adapters.turns import Turns
from adapters.vendors.keeping import Keeping
from adapters.vendors.makers import MAKERS, Adapter, account_of
from domain.catalog.provider_rows import Provider
from domain.catalog.providers import Test, record_failure
from domain.catalog.vendors import VENDORS
from domain.production.ports import ProviderError, ProviderRefused
from domain.production.provider_errors import BadRequest, KeyRefused, Unavailable, kind_of
from tenants.keyring import KeyFault
from tenants.principal import worker_principal
from tenants.secret import Secret
from tenants.unit import Units
from tenants.vault import SecretBroken, SecretMissing, Vault

MOST_OPEN = 200
"""Adapters kept open at once; the one unused for longest is closed first."""
UNHEALTHY = frozenset({"auth", "quota", "gone", "bad_request", "transient", "rate_limited", "unknown", "partial"})
"""Kinds of failure that say something about the provider; a refusal of one text does not."""

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Line:
    """An open provider. `row` is as it was read for the present call."""

    row: Provider
    adapter: Adapter
    turns: Turns
    busy: int = 0


class Desk:
    """All open providers of a process; close it with `close`."""

    def __init__(self, units: Units, vault: Vault, allow: Allowance, redis_url: str = "") -> None:
        self._units, self._vault, self._allow = units, vault, allow
        self._redis: Redis | None = Redis.from_url(redis_url) if redis_url else None
        self._limits = Limits(self._redis)
        self._open: OrderedDict[tuple[UUID, UUID, int, str], Line] = OrderedDict()
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Close every adapter and the line to Redis."""
        while self._open:
            await self._open.popitem()[1].adapter.close()
        if self._redis is not None:
            await self._redis.aclose()

    async def rows(self, tenant_id: UUID, ids: list[UUID]) -> dict[UUID, Provider]:
        """Providers as they are now; those that have been removed are missing."""
        async with self._units.open(worker_principal(tenant_id)) as unit:
            found = await unit.session.scalars(select(Provider).where(Provider.id.in_(ids)))
            return {row.id: row for row in found}

    async def line(self, tenant_id: UUID, provider_id: UUID, name: str) -> Line:
        """Open a provider for a call. Raises ProviderRefused when it was removed, switched off or has no key."""
        row, key = await self._read(tenant_id, provider_id, name)
        if not row.enabled:
            fix = "Switch it on under Providers, then retry the job."
            raise BadRequest(row.kind, f"The provider “{row.name}” is switched off.", fix=fix)
        stamp = hashlib.sha256(key.reveal().encode()).hexdigest()
        # One at a time, so that two calls at once do not open the same provider twice.
        async with self._opening:
            place = (tenant_id, provider_id, row.revision, stamp)
            line = self._open.get(place) or self._dial(row, key, tenant_id)
            line.row = row
            self._open[place] = line
            self._open.move_to_end(place)
            await self._hang_up()
        return line

    async def _read(self, tenant_id: UUID, provider_id: UUID, name: str) -> tuple[Provider, Secret]:
        async with self._units.open(worker_principal(tenant_id)) as unit:
            row = await unit.session.scalar(select(Provider).where(Provider.id == provider_id))
            if row is None:
                sentence = f"The provider “{name}” of this job was removed from the workspace."
                raise ProviderRefused(name, sentence, fix="Choose another one for the project and start a new job.")
            try:
                return row, await self._vault.reveal(unit, row.secret_name)
            except (SecretMissing, SecretBroken, KeyFault) as fault:
                log.warning("provider.key", provider=str(provider_id), fault=type(fault).__name__)
                sentence = f"The key of the provider “{row.name}” is missing or cannot be opened."
                raise KeyRefused(row.kind, sentence, fix="Enter its key again under Providers.") from fault

    def _dial(self, row: Provider, key: Secret, tenant_id: UUID) -> Line:
        maker = MAKERS.get(row.kind)
        if maker is None:
            raise BadRequest(row.kind, f"Providers of the kind “{row.kind}” cannot be used here.", fix="Remove it.")
        try:
            keeping = Keeping(self._redis, f"{tenant_id}:{row.id}:{row.revision}")
            adapter = maker.open(account_of(row, key.reveal(), self._allow, keeping))
        except PriceFault as fault:
            raise BadRequest(row.kind, str(fault), fix="Correct or remove the provider's own prices.") from fault
        rate = Rate(row.per_minute) if row.per_minute else None
        turns = Turns(self._limits, VENDORS[row.kind].label, f"{tenant_id}:{row.id}", rate, row.concurrent or 0)
        return Line(row, adapter, turns)

    async def _hang_up(self) -> None:
        for place, line in list(self._open.items())[:-1]:
            newer = any(other[:2] == place[:2] for other in list(self._open)[list(self._open).index(place) + 1 :])
            if not line.busy and (newer or len(self._open) > MOST_OPEN):
                del self._open[place]
                await line.adapter.close()

    async def failed(self, line: Line, error: ProviderError) -> None:
        """Tell limits and the provider's row why a call failed."""
        await line.turns.failed(error)
        kind = kind_of(error)
        if kind in UNHEALTHY:
            await self._note(line, kind, error.sentence, error.request_id)

    async def worked(self, line: Line) -> None:
        """Tell limits that a call succeeded; a failure that was noted has ended with it."""
        await line.turns.worked()
        if line.row.error_kind:
            await self._note(line, "", "", "")

    async def _note(self, line: Line, kind: str, said: str, request_id: str) -> None:
        line.row.error_kind = kind
        await record_failure(self._units, line.row.tenant_id, line.row.id, kind=kind, said=said, request_id=request_id)

    async def forgive(self, row: Provider) -> None:
        """Forget what limits know of a provider's failures: its key or its account has been mended."""
        await self._limits.worked(f"{row.tenant_id}:{row.id}")

    async def test(self, tenant_id: UUID, provider_id: UUID) -> Test:
        """Ask a provider a question that costs nothing; also one that is switched off."""
        try:
            row, key = await self._read(tenant_id, provider_id, "provider")
            line = self._dial(row, key, tenant_id)
        except ProviderError as error:
            return _failed_test(error)
        try:
            checked = await line.adapter.check()
        except ProviderError as error:
            return _failed_test(error)
        finally:
            await line.adapter.close()
        await self.forgive(row)
        return Test(ok=True, said=checked.sentence, request_id=checked.request_id)


def _failed_test(error: ProviderError) -> Test:
    # Steps are tried again by themselves; a test that a person asked for is not.
    fix = "Check the address, or test again later." if isinstance(error, Unavailable) else error.fix
    return Test(ok=False, said=f"{error.sentence} {fix}".strip(), request_id=error.request_id)
