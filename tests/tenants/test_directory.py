"""Owner links, sessions and seats, on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import ProgrammingError

from tenants import directory
from tenants.audit import verify_chain
from tenants.model import AuditEntry, AuthSession, Membership, OwnerLink, User
from tenants.people import Browser, LinkRefused, SignedIn, SlugRefused
from tenants.principal import Principal
from tenants.unit import Units

HERE = Browser("127.0.0.1", "Test/1")


async def sign_in(units: Units, tenant_id: UUID) -> SignedIn:
    return await directory.redeem_owner_link(units, await directory.issue_owner_link(units, tenant_id), HERE)


async def age(units: Units, token: str, **columns: timedelta) -> None:
    """Move times of a session into the past."""
    async with units.system("directory") as unit:
        await unit.session.execute(
            update(AuthSession)
            .where(AuthSession.id_hash == directory.token_hash(token))
            .values({getattr(AuthSession, name): getattr(AuthSession, name) - by for name, by in columns.items()})
        )


class TestOwnerLink:
    async def test_the_first_use_makes_an_owner_and_signs_in(self, units: Units) -> None:
        tenant = await directory.create_tenant(units, "first", "First")
        assert not await directory.has_owner(units, tenant)
        signed = await sign_in(units, tenant)
        assert (signed.tenant_id, signed.slug) == (tenant, "first")
        assert await directory.has_owner(units, tenant)
        visitor = await directory.load_visitor(units, signed.token)
        assert visitor is not None
        principal = visitor.principal("first", "trace")
        assert principal is not None
        assert (principal.tenant_id, principal.role, principal.trace_id) == (tenant, "owner", "trace")
        assert visitor.principal("elsewhere") is None

    async def test_is_used_once_even_when_two_try_at_once(self, units: Units) -> None:
        tenant = await directory.create_tenant(units, "race", "Race")
        token = await directory.issue_owner_link(units, tenant)
        outcomes = await asyncio.gather(
            *(directory.redeem_owner_link(units, token, HERE) for _ in range(5)), return_exceptions=True
        )
        assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, LinkRefused) for outcome in outcomes) == 4

    async def test_a_second_link_signs_in_the_same_owner(self, units: Units) -> None:
        tenant = await directory.create_tenant(units, "again", "Again")
        first, second = await sign_in(units, tenant), await sign_in(units, tenant)
        assert first.user_id == second.user_id
        assert first.token != second.token

    async def test_a_new_link_ends_the_one_before(self, units: Units) -> None:
        tenant = await directory.create_tenant(units, "newer", "Newer")
        old = await directory.issue_owner_link(units, tenant)
        await directory.issue_owner_link(units, tenant)
        with pytest.raises(LinkRefused):
            await directory.redeem_owner_link(units, old, HERE)

    async def test_out_of_date(self, units: Units, alpha: Principal) -> None:
        token = await directory.issue_owner_link(units, alpha.tenant_id, valid_for=timedelta(seconds=-1))
        with pytest.raises(LinkRefused):
            await directory.redeem_owner_link(units, token, HERE)

    @pytest.mark.parametrize("token", ["", "x", "é" * 43, "a" * 43, "a" * 100_000, "\0" * 43])
    async def test_not_a_link(self, units: Units, token: str) -> None:
        with pytest.raises(LinkRefused):
            await directory.redeem_owner_link(units, token, HERE)

    async def test_only_a_hash_is_stored_and_the_use_is_in_the_trail(self, units: Units) -> None:
        tenant = await directory.create_tenant(units, "trail", "Trail")
        token = await directory.issue_owner_link(units, tenant)
        signed = await directory.redeem_owner_link(units, token, HERE)
        async with units.system("directory") as unit:
            links = (await unit.session.scalars(select(OwnerLink).where(OwnerLink.tenant_id == tenant))).all()
            trail = select(AuditEntry).where(AuditEntry.tenant_id == tenant).order_by(AuditEntry.seq)
            _made, entry = (await unit.session.scalars(trail)).all()
            assert (await verify_chain(unit.session, tenant)).intact
        assert [token in (link.token_hash,) for link in links] == [False]
        assert links[0].used_by == signed.user_id
        assert (entry.action, entry.address) == ("session.begin", "127.0.0.1")


class TestSession:
    @pytest.fixture
    async def signed(self, units: Units, alpha: Principal) -> SignedIn:
        return await sign_in(units, alpha.tenant_id)

    async def test_unknown_and_malformed_cookies_are_nobody(self, units: Units) -> None:
        for token in ("", "a" * 43, "' OR true --", "a" * 50_000):
            assert await directory.load_visitor(units, token) is None

    async def test_ended(self, units: Units, signed: SignedIn) -> None:
        await directory.end_session(units, signed.token)
        await directory.end_session(units, signed.token)
        assert await directory.load_visitor(units, signed.token) is None

    @pytest.mark.parametrize("column", ["expires_at", "idle_expires_at"])
    async def test_out_of_date(self, units: Units, signed: SignedIn, column: str) -> None:
        await age(units, signed.token, **{column: timedelta(days=31)})
        assert await directory.load_visitor(units, signed.token) is None

    async def test_use_prolongs_idle_time_but_never_the_whole(self, units: Units, signed: SignedIn) -> None:
        await age(units, signed.token, last_seen_at=timedelta(minutes=2), idle_expires_at=timedelta(days=6))
        await age(units, signed.token, expires_at=timedelta(days=27))
        assert await directory.load_visitor(units, signed.token) is not None
        async with units.system("directory") as unit:
            row = await unit.session.get_one(AuthSession, directory.token_hash(signed.token))
        assert row.idle_expires_at == row.expires_at
        assert row.last_seen_at > row.created_at

    async def test_a_touch_does_not_revive(self, units: Units, signed: SignedIn) -> None:
        """A slow request that began before sign-out must not bring the session back."""
        await age(units, signed.token, last_seen_at=timedelta(minutes=2))
        await directory.end_session(units, signed.token)
        async with units.system("directory") as unit:
            await directory._touch(unit.session, directory.token_hash(signed.token))
            row = await unit.session.get_one(AuthSession, directory.token_hash(signed.token))
            assert row.last_seen_at < row.created_at, "nothing is written to an ended session"
        assert await directory.load_visitor(units, signed.token) is None

    async def test_rotation_ends_the_old_cookie(self, units: Units, signed: SignedIn) -> None:
        fresh = await directory.rotate_session(units, signed.token, ["passkey"], HERE)
        assert fresh is not None
        assert await directory.load_visitor(units, signed.token) is None
        assert await directory.load_visitor(units, fresh) is not None
        assert await directory.rotate_session(units, signed.token, ["passkey"], HERE) is None

    async def test_list_and_end_one_or_all_others(self, units: Units, signed: SignedIn) -> None:
        other = await directory.begin_session(units, signed.user_id, ["passkey"], Browser("::1", "Phone"))
        third = await directory.begin_session(units, signed.user_id, ["passkey"], HERE)
        handle = directory.token_hash(other)
        lines = {line.handle: line for line in await directory.sessions_of(units, signed.user_id)}
        assert lines[handle].agent == "Phone"
        assert await directory.end_session_of(units, signed.user_id, handle)
        assert not await directory.end_session_of(units, signed.user_id, handle)
        await directory.end_other_sessions(units, signed.user_id, directory.token_hash(third))
        assert await directory.load_visitor(units, signed.token) is None
        assert await directory.load_visitor(units, third) is not None

    async def test_somebody_elses_session_cannot_be_ended(self, units: Units, signed: SignedIn) -> None:
        stranger = await sign_in(units, await directory.create_tenant(units, "stranger", "Stranger"))
        assert not await directory.end_session_of(units, stranger.user_id, directory.token_hash(signed.token))
        assert await directory.load_visitor(units, signed.token) is not None

    async def test_role_membership_and_disabling_count_at_once(self, units: Units) -> None:
        tenant = await directory.create_tenant(units, "changing", "Changing")
        signed = await sign_in(units, tenant)
        project = UUID(int=7)
        async with units.system("directory") as unit:
            await unit.session.execute(
                update(Membership)
                .where(Membership.user_id == signed.user_id)
                .values(role="viewer", projects=[str(project)])
            )
        visitor = await directory.load_visitor(units, signed.token)
        assert visitor is not None
        seat = visitor.seat("changing")
        assert seat is not None
        assert (seat.role, seat.projects) == ("viewer", frozenset({project}))
        async with units.system("directory") as unit:
            await unit.session.execute(
                update(User).where(User.id == signed.user_id).values(disabled_at=User.created_at)
            )
        assert await directory.load_visitor(units, signed.token) is None

    async def test_preferences(self, units: Units, signed: SignedIn) -> None:
        await directory.save_preferences(units, signed.user_id, language="pt-BR", theme="dark")
        visitor = await directory.load_visitor(units, signed.token)
        assert visitor is not None
        assert (visitor.person.language, visitor.person.theme) == ("pt-BR", "dark")
        with pytest.raises(TypeError, match="email"):
            await directory.save_preferences(units, signed.user_id, email="me@example.org")


class TestWorkspaces:
    @pytest.mark.parametrize("slug", ["", "Alpha", "-a", "a-", "a b", "a/b", "é", "x" * 41, "a\n"])
    async def test_bad_address(self, units: Units, slug: str) -> None:
        with pytest.raises(SlugRefused, match="use 1 to 40"):
            await directory.create_tenant(units, slug, "Name")

    async def test_taken_address(self, units: Units, alpha: Principal) -> None:
        with pytest.raises(SlugRefused, match="is taken"):
            await directory.create_tenant(units, "alpha", "Another")
        assert await directory.find_tenant(units, "alpha") == alpha.tenant_id


class TestWhatTheAppRoleSees:
    """Sessions and links not at all; people and seats of its own workspace only, and read-only."""

    @pytest.mark.parametrize("row", [AuthSession, OwnerLink])
    async def test_no_sessions_no_links(self, units: Units, alpha: Principal, row: type[AuthSession]) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with units.open(alpha) as unit:
                await unit.session.execute(select(row))

    async def test_only_own_members(self, units: Units, alpha: Principal, beta: Principal) -> None:
        ours, theirs = await sign_in(units, alpha.tenant_id), await sign_in(units, beta.tenant_id)
        async with units.open(alpha) as unit:
            people = set(await unit.session.scalars(select(User.id)))
            seats = set(await unit.session.scalars(select(Membership.tenant_id)))
        assert ours.user_id in people
        assert theirs.user_id not in people
        assert seats == {alpha.tenant_id}

    async def test_cannot_make_itself_a_member(self, units: Units, alpha: Principal, beta: Principal) -> None:
        theirs = await sign_in(units, beta.tenant_id)
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with units.open(alpha) as unit:
                unit.session.add(Membership(tenant_id=alpha.tenant_id, user_id=theirs.user_id, role="viewer"))
