"""Secrets at rest, on a real database: nothing readable in rows, no box opens anywhere but in its place."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from tenants.boxes import fingerprint, hint, seal, unseal
from tenants.directory import create_tenant
from tenants.keyring import KeyFault, KeyRing
from tenants.model import AuditEntry, DataKey, SealedSecret
from tenants.principal import Forbidden, Principal, worker_principal
from tenants.secret import Secret
from tenants.unit import Units
from tenants.vault import NotAtWork, SecretBroken, SecretCard, SecretMissing, SecretRefused, Vault

EVERYTHING = text("SELECT s.*, encode(s.sealed, 'escape'), encode(k.wrapped, 'escape') FROM secrets s, data_keys k")
VALUE = "azure-speech-key-0123456789-WXYZ"


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing({1: secrets.token_bytes(32)})


@pytest.fixture
def vault(ring: KeyRing) -> Vault:
    return Vault(ring)


@pytest.fixture
async def ours(units: Units) -> Principal:
    """A fresh workspace's owner: its data keys belong to this test's ring."""
    tenant_id = await create_tenant(units, f"v{secrets.token_hex(8)}", "Vault")
    return Principal(tenant_id=tenant_id, kind="person", role="owner", name="Ada")


@pytest.fixture(autouse=True)
async def nothing_left(units: Units) -> Any:
    """Care of the keys covers all tenants: leave none of another ring behind."""
    yield
    async with units.system("secrets") as unit:
        for row in [*await unit.session.scalars(select(SealedSecret)), *await unit.session.scalars(select(DataKey))]:
            await unit.session.delete(row)


async def put(units: Units, vault: Vault, who: Principal, name: str, value: str) -> SecretCard:
    async with units.open(who) as unit:
        return await vault.put(unit, name, Secret(value))


async def reveal(units: Units, vault: Vault, who: Principal, name: str) -> str:
    async with units.open(worker_principal(who.tenant_id)) as unit:
        return (await vault.reveal(unit, name)).reveal()


class TestBoxes:
    @given(value=st.binary(max_size=200), place=st.lists(st.text(max_size=8), min_size=1, max_size=4))
    def test_opens_in_its_place_only(self, value: bytes, place: list[str]) -> None:
        key = bytes(32)
        nonce, box = seal(key, value, *place)
        assert unseal(key, nonce, box, *place) == value
        for elsewhere in ([*place, ""], [*place[:-1], place[-1] + "x"], ["".join(place), "-"], place[1:]):
            with pytest.raises(InvalidTag):
                unseal(key, nonce, box, *elsewhere)

    def test_altered_in_any_bit(self) -> None:
        nonce, box = seal(bytes(32), b"value", "here")
        for index in range(len(box)):
            with pytest.raises(InvalidTag):
                unseal(bytes(32), nonce, box[:index] + bytes([box[index] ^ 1]) + box[index + 1 :], "here")

    def test_equal_values_are_sealed_differently(self) -> None:
        assert seal(bytes(32), b"value", "here") != seal(bytes(32), b"value", "here")

    def test_hint_and_fingerprint(self) -> None:
        assert hint(VALUE) == "WXYZ"
        assert hint("short-password") == ""
        assert fingerprint(b"k" * 32, VALUE) == fingerprint(b"k" * 32, VALUE) != fingerprint(b"l" * 32, VALUE)


class TestUse:
    async def test_set_list_replace_remove(self, units: Units, vault: Vault, ours: Principal) -> None:
        first = await put(units, vault, ours, "azure", VALUE)
        assert (first.hint, len(first.fingerprint)) == ("WXYZ", 12)
        assert await reveal(units, vault, ours, "azure") == VALUE
        second = await put(units, vault, ours, "azure", VALUE + "-new")
        assert second.id == first.id
        assert second.fingerprint != first.fingerprint
        assert await reveal(units, vault, ours, "azure") == VALUE + "-new"
        async with units.open(ours) as unit:
            assert [card.name for card in await vault.list(unit)] == ["azure"]
            await vault.remove(unit, "azure")
        with pytest.raises(SecretMissing):
            await reveal(units, vault, ours, "azure")

    async def test_nothing_readable_is_stored_or_audited(self, units: Units, vault: Vault, ours: Principal) -> None:
        await put(units, vault, ours, "azure", VALUE)
        async with units.open(ours) as unit:
            everything = str((await unit.session.execute(EVERYTHING)).all())
            actions = (await unit.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq))).all()
        assert VALUE[:10] not in everything
        assert actions == ["secret.set"]

    @pytest.mark.parametrize("role", ["operator", "viewer"])
    async def test_operators_and_viewers_may_not(self, units: Units, vault: Vault, ours: Principal, role: Any) -> None:
        await put(units, vault, ours, "azure", VALUE)
        async with units.open(replace(ours, role=role)) as unit:
            for attempt in (vault.put(unit, "a", Secret("b")), vault.list(unit), vault.remove(unit, "azure")):
                with pytest.raises(Forbidden):
                    await attempt

    @pytest.mark.parametrize("kind", ["person", "key", "system"])
    async def test_nobody_but_the_factory_reads(self, units: Units, vault: Vault, ours: Principal, kind: Any) -> None:
        await put(units, vault, ours, "azure", VALUE)
        async with units.open(replace(ours, kind=kind)) as unit:
            with pytest.raises(NotAtWork):
                await vault.reveal(unit, "azure")

    async def test_another_tenant_finds_nothing(
        self, units: Units, vault: Vault, ours: Principal, beta: Principal
    ) -> None:
        await put(units, vault, ours, "azure", VALUE)
        with pytest.raises(SecretMissing):
            await reveal(units, vault, beta, "azure")

    @pytest.mark.parametrize("value", ["", "x" * 16_385, " padded", "padded\n", "nul\0inside", "\x1b[31m"])
    async def test_what_cannot_be_a_secret(self, units: Units, vault: Vault, ours: Principal, value: str) -> None:
        with pytest.raises(SecretRefused):
            await put(units, vault, ours, "bad", value)

    async def test_two_first_secrets_at_once_share_one_data_key(
        self, units: Units, vault: Vault, ours: Principal
    ) -> None:
        await asyncio.gather(*(put(units, vault, ours, f"n{i}", f"value number {i}") for i in range(6)))
        async with units.open(ours) as unit:
            assert await unit.session.scalar(select(func.count()).select_from(DataKey)) == 1
        assert [await reveal(units, vault, ours, f"n{i}") for i in range(6)] == [f"value number {i}" for i in range(6)]


class TestDamage:
    async def change(self, units: Units, ours: Principal, row: Any, **values: Any) -> None:
        async with units.system("secrets") as unit:
            await unit.session.execute(update(row).where(row.tenant_id == ours.tenant_id).values(**values))

    async def test_moved_to_another_row(self, units: Units, vault: Vault, ours: Principal) -> None:
        """Somebody who can write rows cannot make the factory use one secret in place of another."""
        await put(units, vault, ours, "harmless", "a value of no worth")
        await put(units, vault, ours, "azure", VALUE)
        async with units.open(ours) as unit:
            rows = {row.name: row for row in await unit.session.scalars(select(SealedSecret))}
            rows["azure"].sealed, rows["azure"].nonce = rows["harmless"].sealed, rows["harmless"].nonce
        with pytest.raises(SecretBroken):
            await reveal(units, vault, ours, "azure")
        assert await reveal(units, vault, ours, "harmless") == "a value of no worth"
        report = await vault.verify(units)
        assert (ours.tenant_id, "azure") in report.broken
        assert report.opened == 1

    async def test_altered_box_and_altered_key(self, units: Units, vault: Vault, ours: Principal) -> None:
        await put(units, vault, ours, "azure", VALUE)
        await self.change(units, ours, SealedSecret, sealed=b"\0" * 48)
        with pytest.raises(SecretBroken):
            await reveal(units, vault, ours, "azure")
        await put(units, vault, ours, "azure", VALUE)
        await self.change(units, ours, DataKey, wrapped=b"\0" * 60)
        with pytest.raises(SecretBroken):
            await reveal(units, vault, ours, "azure")

    async def test_without_its_key_encryption_key(self, units: Units, vault: Vault, ours: Principal) -> None:
        await put(units, vault, ours, "azure", VALUE)
        with pytest.raises(KeyFault, match="key version 1"):
            await reveal(units, Vault(KeyRing({2: bytes(32)})), ours, "azure")
        with pytest.raises(SecretBroken):
            await reveal(units, Vault(KeyRing({1: bytes(32)})), ours, "azure")


class TestRotation:
    async def test_of_the_key_encryption_key(self, units: Units, ring: KeyRing, ours: Principal) -> None:
        await put(units, Vault(ring), ours, "azure", VALUE)
        newer = ring.extended()
        assert (await Vault(newer).status(units)).data_keys == {1: 1}
        assert await reveal(units, Vault(newer), ours, "azure") == VALUE
        assert await Vault(newer).rotate_kek(units) == 1
        assert await Vault(newer).rotate_kek(units) == 0
        assert (await Vault(newer).status(units)).data_keys == {2: 1}
        only_new = Vault(KeyRing({2: newer.key(2)}))
        assert await reveal(units, only_new, ours, "azure") == VALUE
        assert (await only_new.verify(units)).broken == []

    async def test_of_the_data_key(self, units: Units, vault: Vault, ours: Principal) -> None:
        for number in range(3):
            await put(units, vault, ours, f"n{number}", f"value number {number}")
        assert await vault.rotate_dek(units, ours.tenant_id) == 3
        status = await vault.status(units)
        assert (status.secrets, status.stale_secrets) == (3, 0)
        async with units.open(ours) as unit:
            assert set(await unit.session.scalars(select(SealedSecret.key_version))) == {2}
        assert await reveal(units, vault, ours, "n1") == "value number 1"
        await put(units, vault, ours, "n4", "value number 4")
        assert (await vault.verify(units)).opened == 4

    async def test_while_secrets_are_being_set(self, units: Units, vault: Vault, ours: Principal) -> None:
        await put(units, vault, ours, "n0", "value number 0")
        await asyncio.gather(
            *(put(units, vault, ours, f"n{i}", f"value number {i}") for i in range(1, 6)),
            *(vault.rotate_dek(units, ours.tenant_id) for _ in range(3)),
        )
        assert await vault.verify(units) == replace(await vault.verify(units), opened=6, broken=[])
        assert (await vault.status(units)).stale_secrets == 0

    async def test_a_broken_box_stops_it_and_nothing_changes(self, units: Units, vault: Vault, ours: Principal) -> None:
        await put(units, vault, ours, "azure", VALUE)
        await TestDamage().change(units, ours, SealedSecret, sealed=b"\0" * 48)
        with pytest.raises(SecretBroken):
            await vault.rotate_dek(units, ours.tenant_id)
        async with units.open(ours) as unit:
            assert await unit.session.scalar(select(func.count()).select_from(DataKey)) == 1
