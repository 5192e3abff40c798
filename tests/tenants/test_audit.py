"""The audit trail is a chain: any change is found, and the first broken line is named."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from adapters.settings import Settings
from tenants.audit import audit_digest, verify_chain
from tenants.directory import create_tenant
from tenants.principal import Principal
from tenants.secret import MASK
from tenants.unit import Units

LINE = "WHERE tenant_id = :t AND seq = "


@pytest.fixture
async def writer(units: Units) -> Principal:
    tenant_id = await create_tenant(units, f"a{secrets.token_hex(8)}", "Audited")
    who = Principal(tenant_id, "person", "owner", actor_id=uuid4(), name="Ada", trace_id="t1")
    for number in range(5):
        async with units.open(who) as unit:
            unit.audit("thing.changed", "thing", number, before={"n": number}, after={"n": number + 0.5, "f": 2.0})
    return who


def as_superuser(database: Settings, statement: str, tenant_id: UUID) -> None:
    """Tamper as nobody inside the product can."""
    url = database.database_url.replace("vfos_app", "postgres")
    with create_engine(url, poolclass=NullPool).begin() as connection:
        assert connection.execute(text(statement), {"t": tenant_id}).rowcount > 0


async def check(units: Units, who: Principal) -> tuple[int, int | None, str]:
    async with units.open(who) as unit:
        report = await verify_chain(unit.session, who.tenant_id)
    return report.lines, report.broken_seq, report.reason


class TestChain:
    async def test_intact(self, units: Units, writer: Principal) -> None:
        assert await check(units, writer) == (5, None, "")

    @pytest.mark.parametrize(
        ("tamper", "seq", "reason"),
        [
            (f"UPDATE audit_entries SET action = 'x' {LINE}3", 3, "does not match"),
            (f"UPDATE audit_entries SET after = NULL {LINE}1", 1, "does not match"),
            (f"UPDATE audit_entries SET at = at + interval '1 us' {LINE}5", 5, "does not match"),
            (f"UPDATE audit_entries SET digest = repeat('0', 64) {LINE}2", 2, "does not match"),
            (f"DELETE FROM audit_entries {LINE}1", 1, "is missing"),
            (f"DELETE FROM audit_entries {LINE}4", 4, "is missing"),
            (f"DELETE FROM audit_entries {LINE}5", 5, "is missing: 5 were written"),
            ("DELETE FROM audit_entries WHERE tenant_id = :t", 1, "is missing"),
            (f"UPDATE audit_entries SET seq = CASE seq WHEN 2 THEN 30 ELSE 2 END {LINE}2", 2, "is missing"),
        ],
    )  # fmt: skip
    async def test_tampering_is_found(
        self, units: Units, database: Settings, writer: Principal, tamper: str, seq: int, reason: str
    ) -> None:
        await asyncio.to_thread(as_superuser, database, tamper, writer.tenant_id)
        lines, broken, why = await check(units, writer)
        assert (lines, broken) == (seq - 1, seq)
        assert reason in why

    async def test_many_writers_make_one_chain(self, units: Units, writer: Principal) -> None:
        async def write(number: int) -> None:
            async with units.open(writer) as unit:
                for part in range(3):
                    unit.audit("many", "thing", f"{number}.{part}")

        await asyncio.gather(*(write(number) for number in range(10)))
        assert await check(units, writer) == (35, None, "")

    async def test_a_failed_unit_leaves_no_line_and_no_gap(self, units: Units, writer: Principal) -> None:
        with suppress(ZeroDivisionError):
            async with units.open(writer) as unit:
                unit.audit("never", "thing", 1)
                raise ZeroDivisionError
        assert await check(units, writer) == (5, None, "")

    async def test_snapshots_are_redacted_and_stored_whatever_they_hold(self, units: Units, writer: Principal) -> None:
        async with units.open(writer) as unit:
            odd: dict[str, Any] = {
                "api_key": "abc",
                "when": datetime.now(UTC),
                "id": uuid4(),
                "nul": "a\0b",
                "big": 1e22,
            }
            unit.audit("odd", "thing", 1, after=odd)
        async with units.open(writer) as unit:
            stored = await unit.session.scalar(text("SELECT after FROM audit_entries WHERE action = 'odd'"))
        assert stored["api_key"] == MASK
        assert stored["nul"] == "a�b"
        assert (await check(units, writer))[1] is None


class TestDigest:
    JSON = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )

    @given(line=st.dictionaries(st.text(max_size=5), JSON, max_size=4))
    def test_order_of_keys_does_not_matter_but_the_line_before_does(self, line: dict[str, Any]) -> None:
        turned = dict(reversed(line.items()))
        assert audit_digest("a", line) == audit_digest("a", turned) != audit_digest("b", line)

    def test_the_time_zone_of_a_moment_does_not_matter(self) -> None:
        moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
        there = moment.astimezone(timezone(timedelta(hours=-3)))
        assert audit_digest("", {"at": moment}) == audit_digest("", {"at": there})
