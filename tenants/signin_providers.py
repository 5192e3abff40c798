"""Providers people sign in with: those of a workspace, those of the installation, and what the door shows of them.

Those of a workspace are changed inside it, by whoever may manage members. Those of the installation belong to whoever
runs it: commands only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.boxes import hint
from tenants.house_vault import HouseVault
from tenants.keyring import KeyFault
from tenants.model import Tenant
from tenants.principal import worker_principal
from tenants.records import uuid7
from tenants.secret import Secret
from tenants.signin_model import HouseProvider, SignInProvider
from tenants.signin_rules import Newcomers, SignInRefused, Way, WayForm
from tenants.unit import Unit, Units
from tenants.vault import SecretBroken, SecretMissing, Vault

MOST = 20
"""Providers of one workspace, and of the installation."""
SAID = 400
_PURPOSE = "signin providers"


class NoSuchWay(Exception):
    """Raised for a short name that no provider has."""


class TooManyWays(Exception):
    """Raised when there are MOST providers already."""


def way_of(row: SignInProvider | HouseProvider) -> Way:
    """A provider's row as it is used."""
    house = row if isinstance(row, HouseProvider) else None
    tenant_id = row.tenant_id if isinstance(row, SignInProvider) else None
    return Way(
        row.id, tenant_id, row.slug, row.kind, row.name, row.issuer, row.client_id,
        cast("Newcomers", row.newcomers), tuple(row.domains), row.role, house.joins if house else None, row.enabled,
    )  # fmt: skip


def make_slug(name: str, taken: Iterable[str]) -> str:
    """A short name that is part of addresses."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30].strip("-") or "sign-in"
    used, number, slug = set(taken), 1, base
    while slug in used:
        number += 1
        slug = f"{base}-{number}"
    return slug


def _write(row: SignInProvider | HouseProvider, form: WayForm) -> None:
    row.kind, row.name, row.issuer, row.client_id = form.kind, form.name, form.issuer, form.client_id
    row.newcomers, row.domains, row.role = form.newcomers, list(form.domains), form.role
    row.tested_at, row.tested_ok, row.tested_said = None, None, ""


def _shown(row: SignInProvider) -> dict[str, Any]:
    """What the audit trail tells of a provider."""
    fields = ("slug", "kind", "name", "issuer", "client_id", "newcomers", "domains", "role", "enabled")
    return {name: getattr(row, name) for name in fields}


# ── Of a workspace, inside it ─────────────────────────────────────────────────────────────────────────────
async def list_ways(unit: Unit) -> list[SignInProvider]:
    """The workspace's providers, by name. Raises Forbidden."""
    unit.principal.require("members:manage")
    rows = await unit.session.scalars(select(SignInProvider).order_by(func.lower(SignInProvider.name)))
    return list(rows)


async def find_way(unit: Unit, slug: str, *, lock: bool = False) -> SignInProvider:
    """One provider. Raises Forbidden, NoSuchWay."""
    unit.principal.require("members:manage")
    wanted = select(SignInProvider).where(SignInProvider.slug == slug)
    found = await unit.session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NoSuchWay(slug)
    return found


async def add_way(unit: Unit, vault: Vault, form: WayForm, secret: Secret, address: str) -> SignInProvider:
    """Add a provider with its secret. Raises Forbidden, TooManyWays, SecretRefused."""
    unit.principal.require("members:manage")
    taken = [row.slug for row in await list_ways(unit)]
    if len(taken) >= MOST:
        raise TooManyWays
    row = SignInProvider(id=uuid7(), slug=make_slug(form.name, taken))
    _write(row, form)
    unit.session.add(row)
    await unit.session.flush()
    await vault.put(unit, row.secret_name, secret)
    unit.audit("sign-in.provider_added", "sign-in provider", row.id, after=_shown(row), address=address)
    return row


async def save_way(unit: Unit, vault: Vault, slug: str, form: WayForm, secret: Secret, address: str) -> None:
    """Change a provider; an empty secret keeps the one that is set. Raises as `add_way`, and NoSuchWay."""
    row = await find_way(unit, slug, lock=True)
    before = _shown(row)
    _write(row, form)
    if secret:
        await vault.put(unit, row.secret_name, secret)
    after = _shown(row) | ({"secret": "new"} if secret else {})
    unit.audit("sign-in.provider_saved", "sign-in provider", row.id, before=before, after=after, address=address)


async def switch_way(unit: Unit, slug: str, *, on: bool, address: str) -> None:
    """Let people in by a provider, or not. Raises Forbidden, NoSuchWay."""
    row = await find_way(unit, slug, lock=True)
    if row.enabled != on:
        row.enabled = on
        done = "sign-in.provider_enabled" if on else "sign-in.provider_disabled"
        unit.audit(done, "sign-in provider", row.id, after={"slug": slug}, address=address)


async def remove_way(unit: Unit, vault: Vault, slug: str, address: str) -> None:
    """Forget a provider and its secret; people it let in stay members. Raises Forbidden, NoSuchWay."""
    row = await find_way(unit, slug, lock=True)
    await vault.remove(unit, row.secret_name)
    await unit.session.delete(row)
    unit.audit("sign-in.provider_removed", "sign-in provider", row.id, before=_shown(row), address=address)


async def note_test(unit: Unit, slug: str, ok: bool, said: str) -> None:
    """Keep what a test brought. Raises Forbidden, NoSuchWay."""
    row = await find_way(unit, slug, lock=True)
    row.tested_at, row.tested_ok, row.tested_said = func.clock_timestamp(), ok, said[:SAID]
    unit.audit("sign-in.provider_tested", "sign-in provider", row.id, after={"ok": ok, "said": said[:SAID]})


# ── For the door, before anybody is known ─────────────────────────────────────────────────────────────────
async def house_ways(units: Units) -> list[Way]:
    """The installation's providers that are switched on, by name."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.scalars(
            select(HouseProvider).where(HouseProvider.enabled).order_by(func.lower(HouseProvider.name))
        )
        return [way_of(row) for row in rows]


async def ways_at(units: Units, workspace: str) -> list[Way]:
    """The providers of a workspace that are switched on; none is the same answer as no such workspace."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.scalars(
            select(SignInProvider)
            .join(Tenant, Tenant.id == SignInProvider.tenant_id)
            .where(Tenant.slug == workspace, SignInProvider.enabled)
            .order_by(func.lower(SignInProvider.name))
        )
        return [way_of(row) for row in rows]


async def ways_of_tenants(units: Units, tenants: Sequence[UUID]) -> list[Way]:
    """The providers of these workspaces that are switched on, for somebody who is a member of each."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.scalars(
            select(SignInProvider)
            .where(SignInProvider.tenant_id.in_(tenants), SignInProvider.enabled)
            .order_by(func.lower(SignInProvider.name))
        )
        return [way_of(row) for row in rows]


async def find_again(units: Units, tenant_id: UUID | None, provider_id: UUID) -> Way:
    """The provider of a sign-in under way, as it is now. Raises SignInRefused."""
    async with units.system(_PURPOSE) as unit:
        row = await _row(unit.session, tenant_id, provider_id)
        if row is None or not row.enabled:
            raise SignInRefused("off", "the provider was removed or switched off")
        return way_of(row)


async def _row(
    session: AsyncSession, tenant_id: UUID | None, provider_id: UUID
) -> SignInProvider | HouseProvider | None:
    if tenant_id is None:
        return await session.get(HouseProvider, provider_id)
    return await session.get(SignInProvider, (tenant_id, provider_id))


async def secret_of(units: Units, vault: Vault, house: HouseVault, way: Way) -> Secret:
    """Our secret at a provider, to be used at once. Raises SignInRefused."""
    try:
        if way.tenant_id is not None:
            async with units.open(worker_principal(way.tenant_id)) as unit:
                return await vault.reveal(unit, f"sign-in/{way.id}")
        async with units.system(_PURPOSE) as unit:
            row = await unit.session.get_one(HouseProvider, way.id)
            return house.open(row.id, row.kek_version, row.sealed)
    except (SecretMissing, SecretBroken, KeyFault) as fault:
        raise SignInRefused("off", f"its secret cannot be opened ({type(fault).__name__})") from fault


# ── Of the installation, for whoever runs it ──────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class HouseLine:
    """A provider of the installation as a command shows it."""

    way: Way
    joins: str
    tested_ok: bool | None
    tested_said: str


async def list_house(units: Units) -> list[HouseLine]:
    """Every provider of the installation."""
    async with units.system(_PURPOSE) as unit:
        rows = await unit.session.execute(
            select(HouseProvider, Tenant.slug)
            .outerjoin(Tenant, Tenant.id == HouseProvider.joins)
            .order_by(HouseProvider.slug)
        )
        return [HouseLine(way_of(row), slug or "", row.tested_ok, row.tested_said) for row, slug in rows]


async def add_house(units: Units, house: HouseVault, form: WayForm, secret: Secret, joins: UUID | None) -> str:
    """Add a provider for everybody; answer its short name. Raises TooManyWays."""
    async with units.system(_PURPOSE) as unit:
        taken = list(await unit.session.scalars(select(HouseProvider.slug)))
        if len(taken) >= MOST:
            raise TooManyWays
        row = HouseProvider(id=uuid7(), slug=make_slug(form.name, taken), joins=joins)
        _write(row, form)
        row.kek_version, row.sealed = house.seal(row.id, secret)
        row.hint = hint(secret.reveal())
        unit.session.add(row)
    return row.slug


async def find_house(units: Units, slug: str) -> Way:
    """One of them. Raises NoSuchWay."""
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.scalar(select(HouseProvider).where(HouseProvider.slug == slug))
        if row is None:
            raise NoSuchWay(slug)
        return way_of(row)


async def note_house_test(units: Units, slug: str, ok: bool, said: str) -> None:
    """Keep what a test brought."""
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.scalar(select(HouseProvider).where(HouseProvider.slug == slug))
        if row is not None:
            row.tested_at, row.tested_ok, row.tested_said = func.clock_timestamp(), ok, said[:SAID]


async def switch_house(units: Units, slug: str, *, on: bool) -> None:
    """Let people in by it, or not. Raises NoSuchWay."""
    async with units.system(_PURPOSE) as unit:
        row = await unit.session.scalar(select(HouseProvider).where(HouseProvider.slug == slug).with_for_update())
        if row is None:
            raise NoSuchWay(slug)
        row.enabled = on


async def remove_house(units: Units, slug: str) -> None:
    """Forget one and its secret. Raises NoSuchWay."""
    async with units.system(_PURPOSE) as unit:
        gone = await unit.session.scalar(
            delete(HouseProvider).where(HouseProvider.slug == slug).returning(HouseProvider.id)
        )
        if gone is None:
            raise NoSuchWay(slug)


async def renew_house(units: Units, house: HouseVault) -> int:
    """Seal every secret that is under an older key version anew; answer how many."""
    changed = 0
    async with units.system(_PURPOSE) as unit:
        old = select(HouseProvider).where(HouseProvider.kek_version != house.current)
        for row in await unit.session.scalars(old.with_for_update()):
            secret = house.open(row.id, row.kek_version, row.sealed)
            row.kek_version, row.sealed = house.seal(row.id, secret)
            changed += 1
    return changed


async def verify_house(units: Units, house: HouseVault) -> tuple[int, list[str]]:
    """Open every secret: how many opened, and the providers whose secret does not."""
    opened, broken = 0, []
    async with units.system(_PURPOSE) as unit:
        for row in await unit.session.scalars(select(HouseProvider).order_by(HouseProvider.slug)):
            try:
                house.open(row.id, row.kek_version, row.sealed)
                opened += 1
            except (SecretBroken, KeyFault):
                broken.append(row.slug)
    return opened, broken
