"""Secrets at rest: a key-encryption key wraps one data key per tenant and version, which seals the values.

Values can be set, replaced and removed by people, and opened only by the factory while it works.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.boxes import NONCE, fingerprint, hint, place_of_key, place_of_secret, seal, unseal
from tenants.keyring import KEY_BYTES, KeyFault, KeyRing
from tenants.model import DataKey, SealedSecret
from tenants.records import uuid7
from tenants.secret import Secret
from tenants.unit import Unit, Units

LONGEST = 16_384
_PURPOSE = "secrets"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class VaultError(Exception):
    """Base of what can go wrong with a secret; messages never hold one."""


class SecretMissing(VaultError):
    """Raised when the workspace has no secret of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The workspace has no secret “{name}”: an admin can set it under Credentials.")
        self.name = name


class SecretRefused(VaultError):
    """Raised when a value cannot be a secret (empty, too long, control characters)."""


class SecretBroken(VaultError):
    """Raised when a box does not open: it was altered, moved from another row, or sealed with another key."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The secret “{name}” cannot be opened: it was altered or its key is another. Set it again.")
        self.name = name


class NotAtWork(VaultError):
    """Raised when anybody but the factory asks for a secret's text; always a programming error."""


@dataclass(frozen=True)
class SecretCard:
    """What may be shown of a secret: its last 4 characters (none of a short one) and a fingerprint."""

    id: UUID
    name: str
    hint: str
    fingerprint: str
    set_by: UUID | None
    set_at: datetime


@dataclass(frozen=True)
class VaultStatus:
    """Counts of data keys by key-encryption version, of secrets, and of those under a retired data key."""

    current: int
    data_keys: dict[int, int]
    secrets: int
    stale_secrets: int


@dataclass(frozen=True)
class VaultReport:
    """The outcome of opening every box: how many opened, and (tenant, name) of those that did not."""

    opened: int
    broken: Sequence[tuple[UUID, str]] = field(default_factory=list)


def _check(value: Secret) -> str:
    plain = value.reveal()
    if not plain or len(plain.encode()) > LONGEST:
        raise SecretRefused(f"A secret has 1 to {LONGEST:,} bytes.")
    if plain != plain.strip() or any((ord(c) < 32 and c not in "\r\n\t") or ord(c) == 127 for c in plain):
        raise SecretRefused("The value begins or ends with a blank or holds a control character: copy it again.")
    return plain


class Vault:
    """Sets, lists and opens the secrets of the tenant a unit of work belongs to."""

    def __init__(self, ring: KeyRing, reload: Callable[[], KeyRing] | None = None) -> None:
        """`reload` reads the keys again when one is met that is not known: it was made after this program started."""
        self._ring, self._reload = ring, reload

    async def put(self, unit: Unit, name: str, value: Secret) -> SecretCard:
        """Set or replace a secret. Raises Forbidden and SecretRefused."""
        unit.principal.require("credentials:manage")
        plain = _check(value)
        await _lock(unit.session, unit.tenant_id)
        key_row = await self._current_key(unit.session, unit.tenant_id)
        row = await _find(unit.session, unit.tenant_id, name)
        replaced = row is not None
        if row is None:
            row = SealedSecret(id=uuid7(), tenant_id=unit.tenant_id, name=name)
            unit.session.add(row)
        self._seal_into(row, plain, key_row)
        row.set_by, row.set_at = unit.principal.actor_id, func.now()
        await unit.session.flush()
        await unit.session.refresh(row)
        unit.audit("secret.replaced" if replaced else "secret.set", "secret", row.id, after={"name": name})
        return _card(row)

    async def list(self, unit: Unit) -> list[SecretCard]:
        """What may be shown of all secrets, by name. Raises Forbidden."""
        unit.principal.require("credentials:manage")
        rows = await unit.session.scalars(
            select(SealedSecret).where(SealedSecret.tenant_id == unit.tenant_id).order_by(SealedSecret.name)
        )
        return [_card(row) for row in rows]

    async def remove(self, unit: Unit, name: str) -> None:
        """Forget a secret. Raises Forbidden and SecretMissing."""
        unit.principal.require("credentials:manage")
        row = await _find(unit.session, unit.tenant_id, name)
        if row is None:
            raise SecretMissing(name)
        await unit.session.delete(row)
        unit.audit("secret.removed", "secret", row.id, before={"name": name})

    async def reveal(self, unit: Unit, name: str) -> Secret:
        """Open a secret for use by the factory. Raises NotAtWork, SecretMissing, SecretBroken, KeyFault."""
        if unit.principal.kind != "worker":
            raise NotAtWork(f"A {unit.principal.kind} may not read secrets")
        row = await _find(unit.session, unit.tenant_id, name)
        if row is None:
            raise SecretMissing(name)
        key_row = await unit.session.get(DataKey, (row.tenant_id, row.key_version))
        return Secret(self._open(row, key_row))

    # ── Care of the keys (all tenants; commands of the machine's owner) ──
    async def status(self, units: Units) -> VaultStatus:
        """Count keys and secrets."""
        async with units.system(_PURPOSE) as unit:
            versions = await unit.session.execute(
                select(DataKey.kek_version, func.count()).group_by(DataKey.kek_version)
            )
            keys = {int(version): count for version, count in versions}
            total = await unit.session.scalar(select(func.count()).select_from(SealedSecret))
            stale = await unit.session.scalar(
                select(func.count())
                .select_from(SealedSecret)
                .join(
                    DataKey,
                    (DataKey.tenant_id == SealedSecret.tenant_id) & (DataKey.version == SealedSecret.key_version),
                )
                .where(DataKey.retired_at.is_not(None))
            )
        return VaultStatus(self._ring.current, keys, total or 0, stale or 0)

    async def verify(self, units: Units) -> VaultReport:
        """Open every box and name those that do not open; the values are thrown away at once."""
        opened, broken = 0, []
        async with units.system(_PURPOSE) as unit:
            keys = {(key.tenant_id, key.version): key for key in await unit.session.scalars(select(DataKey))}
            rows = await unit.session.stream_scalars(select(SealedSecret).execution_options(yield_per=200))
            async for row in rows:
                try:
                    self._open(row, keys.get((row.tenant_id, row.key_version)))
                    opened += 1
                except (SecretBroken, KeyFault):
                    broken.append((row.tenant_id, row.name))
        return VaultReport(opened, broken)

    async def rotate_kek(self, units: Units) -> int:
        """Wrap every data key with the newest key-encryption key; answer how many changed. Values stay as they are."""
        changed = 0
        async with units.system(_PURPOSE) as unit:
            old = select(DataKey).where(DataKey.kek_version != str(self._ring.current))
            for row in await unit.session.scalars(old.with_for_update()):
                self._wrap_into(row, self._unwrap(row))
                changed += 1
        return changed

    async def rotate_dek(self, units: Units, tenant_id: UUID) -> int:
        """Give a tenant a new data key and seal all its secrets again; answer how many. Fingerprints change."""
        async with units.system(_PURPOSE) as unit:
            await _lock(unit.session, tenant_id)
            old = {
                row.version: row
                for row in await unit.session.scalars(select(DataKey).where(DataKey.tenant_id == tenant_id))
            }
            fresh = self._new_key(unit.session, tenant_id, max(old, default=0) + 1)
            rows = list(await unit.session.scalars(select(SealedSecret).where(SealedSecret.tenant_id == tenant_id)))
            for row in rows:
                self._seal_into(row, self._open(row, old.get(row.key_version)), fresh)
            await unit.session.execute(
                update(DataKey)
                .where(DataKey.tenant_id == tenant_id, DataKey.version < fresh.version, DataKey.retired_at.is_(None))
                .values(retired_at=func.now())
            )
        return len(rows)

    # ── Keys and boxes ──
    async def _current_key(self, session: AsyncSession, tenant_id: UUID) -> DataKey:
        """The tenant's newest data key, made now if there is none; the caller holds the tenant's lock."""
        found = await session.scalar(
            select(DataKey)
            .where(DataKey.tenant_id == tenant_id, DataKey.retired_at.is_(None))
            .order_by(DataKey.version.desc())
            .limit(1)
        )
        return found or self._new_key(session, tenant_id, 1)

    def _new_key(self, session: AsyncSession, tenant_id: UUID, version: int) -> DataKey:
        row = DataKey(tenant_id=tenant_id, version=version)
        self._wrap_into(row, os.urandom(KEY_BYTES))
        session.add(row)
        return row

    def _wrap_into(self, row: DataKey, key: bytes) -> None:
        version = self._ring.current
        nonce, box = seal(self._ring.key(version), key, *place_of_key(row.tenant_id, row.version), version)
        row.kek_version, row.wrapped = str(version), nonce + box

    def _unwrap(self, row: DataKey) -> bytes:
        version = int(row.kek_version)
        if version not in self._ring.keys and self._reload is not None:
            self._ring = self._reload()
        place = place_of_key(row.tenant_id, row.version)
        return unseal(self._ring.key(version), row.wrapped[:NONCE], row.wrapped[NONCE:], *place, version)

    def _seal_into(self, row: SealedSecret, plain: str, key_row: DataKey) -> None:
        key = self._unwrap(key_row)
        place = place_of_secret(row.tenant_id, row.id, key_row.version)
        row.key_version = key_row.version
        row.nonce, row.sealed = seal(key, plain.encode(), *place)
        row.hint, row.fingerprint = hint(plain), fingerprint(key, plain)

    def _open(self, row: SealedSecret, key_row: DataKey | None) -> str:
        if key_row is None:
            raise SecretBroken(row.name)
        try:
            place = place_of_secret(row.tenant_id, row.id, row.key_version)
            return unseal(self._unwrap(key_row), row.nonce, row.sealed, *place).decode()
        except (InvalidTag, ValueError) as fault:
            raise SecretBroken(row.name) from fault


async def _lock(session: AsyncSession, tenant_id: UUID) -> None:
    """Setting a secret and changing the tenant's data key exclude each other."""
    await session.execute(_LOCK, {"name": f"vault {tenant_id}"})


async def _find(session: AsyncSession, tenant_id: UUID, name: str) -> SealedSecret | None:
    return await session.scalar(
        select(SealedSecret).where(SealedSecret.tenant_id == tenant_id, SealedSecret.name == name)
    )


def _card(row: SealedSecret) -> SecretCard:
    return SecretCard(row.id, row.name, row.hint, row.fingerprint, row.set_by, row.set_at)
