"""Members and workspaces on a real database: rules under locks, one-time tokens, the end of a workspace."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from tenants.directory import find_tenant, load_visitor, seats_of
from tenants.entrance import AddressTaken, find_login, issue_reset, join_as_new, lock_out, reset_password, set_password
from tenants.keyring import KeyRing
from tenants.member_rules import MemberRefused
from tenants.members import (
    InvitationGone,
    accept_offer,
    change_member,
    invitation_link,
    invite,
    leave,
    look_at_offer,
    members_of,
    open_invitations,
    remove_member,
    transfer_ownership,
    withdraw_invitation,
)
from tenants.people import Browser, Person, SlugRefused, Visitor
from tenants.principal import Forbidden, Principal
from tenants.roles import Role
from tenants.secret import Secret
from tenants.unit import Units
from tenants.vault import Vault
from tenants.workspaces import (
    archive_workspace,
    delete_rows,
    doom_workspace,
    doomed_workspaces,
    found_workspace,
    rename_workspace,
    restore_workspace,
    shred_keys,
)
from tests.support.people import add_person, cookie_of


def acting(tenant_id: UUID, user_id: UUID, role: Role) -> Principal:
    return Principal(tenant_id=tenant_id, kind="person", role=role, actor_id=user_id, name="Acting")


def person(user_id: UUID, name: str = "Ada") -> Person:
    return Person(user_id, name, None, "en", "system", "comfortable", "UTC")


async def workspace(units: Units, slug: str) -> Principal:
    """A workspace with one owner."""
    owner = await add_person(units, None, name="Ada")
    return acting(await found_workspace(units, person(owner), slug, slug.title()), owner, "owner")


async def role_of(units: Units, who: Principal, user_id: UUID | None = None) -> str | None:
    seats = await seats_of(units, user_id or who.actor_id or uuid4())
    return next((seat.role for seat in seats if seat.tenant_id == who.tenant_id), None)


class TestChanging:
    async def test_a_change_holds_with_the_next_look(self, units: Units) -> None:
        ada = await workspace(units, "changing")
        bob = await add_person(units, ada.tenant_id, "viewer")
        cookie = await cookie_of(units, bob)
        await change_member(units, ada, bob, "operator")
        visitor = await load_visitor(units, cookie)
        assert visitor is not None
        assert visitor.seats[0].role == "operator"
        await remove_member(units, ada, bob)
        visitor = await load_visitor(units, cookie)
        assert visitor is not None
        assert visitor.seats == ()

    async def test_the_actor_s_role_is_read_again(self, units: Units) -> None:
        """A request that began before a demotion does not act with the old role."""
        ada = await workspace(units, "again")
        bob = await add_person(units, ada.tenant_id, "admin")
        cleo = await add_person(units, ada.tenant_id, "viewer")
        stale = acting(ada.tenant_id, bob, "admin")
        await change_member(units, ada, bob, "viewer")
        with pytest.raises(Forbidden):
            await change_member(units, stale, cleo, "operator")

    async def test_two_owners_leaving_at_once_leave_one(self, units: Units) -> None:
        ada = await workspace(units, "both-leave")
        bob = await add_person(units, ada.tenant_id, "owner")
        both = [leave(units, ada), leave(units, acting(ada.tenant_id, bob, "owner"))]
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(type(outcome) for outcome in outcomes if outcome) == [MemberRefused]
        assert [await role_of(units, ada), await role_of(units, ada, bob)].count("owner") == 1

    async def test_ownership_is_handed_over_in_one_step(self, units: Units) -> None:
        ada = await workspace(units, "hand-over")
        bob = await add_person(units, ada.tenant_id, "viewer", projects=[uuid4()])
        await transfer_ownership(units, ada, bob)
        assert (await role_of(units, ada), await role_of(units, ada, bob)) == ("admin", "owner")
        with pytest.raises(Forbidden):
            await transfer_ownership(units, ada, bob)

    async def test_somebody_of_another_workspace_is_nobody(self, units: Units) -> None:
        ada, other = await workspace(units, "ours"), await workspace(units, "others")
        stranger = await add_person(units, other.tenant_id, "viewer")
        for act in (change_member(units, ada, stranger, "operator"), remove_member(units, ada, stranger)):
            with pytest.raises(MemberRefused) as refused:
                await act
            assert refused.value.reason == "missing"
        assert await role_of(units, other, stranger) == "viewer"
        async with units.open(ada) as unit:
            assert stranger not in {line.id for line in await members_of(unit)}


class TestInvitations:
    async def test_a_link_works_once(self, units: Units) -> None:
        ada = await workspace(units, "once")
        async with units.open(ada) as unit:
            made = await invite(unit, "bob@example.org", "operator")
        link = await invitation_link(units, ada, made.id)
        assert (await look_at_offer(units, link)).workspace == "Once"
        signed = await join_as_new(units, link, "Bob", "en", "hash", Browser())
        assert await role_of(units, ada, signed.user_id) == "operator"
        with pytest.raises(InvitationGone):
            await look_at_offer(units, link)
        again = await invitation_link_or_none(units, ada, made.id)
        assert again is None

    async def test_a_withdrawn_or_replaced_invitation_ends_its_links(self, units: Units) -> None:
        ada = await workspace(units, "withdrawn")
        links = []
        for _ in range(2):
            async with units.open(ada) as unit:
                made = await invite(unit, "bob@example.net", "viewer")
            links.append(await invitation_link(units, ada, made.id))
        with pytest.raises(InvitationGone):
            await look_at_offer(units, links[0])
        async with units.open(ada) as unit:
            assert len(await open_invitations(unit)) == 1
            await withdraw_invitation(unit, made.id)
        with pytest.raises(InvitationGone):
            await look_at_offer(units, links[1])

    async def test_a_member_keeps_the_role_they_have(self, units: Units) -> None:
        ada = await workspace(units, "keeps")
        async with units.open(ada) as unit:
            made = await invite(unit, "anyone@example.org", "viewer")
        link = await invitation_link(units, ada, made.id)
        assert ada.actor_id is not None
        visitor = Visitor(person(ada.actor_id), "", None, None, ())  # type: ignore[arg-type]
        await accept_offer(units, link, visitor)
        assert await role_of(units, ada) == "owner"

    async def test_an_admin_offers_no_more_than_they_have(self, units: Units) -> None:
        ada = await workspace(units, "admin-offers")
        bob = acting(ada.tenant_id, await add_person(units, ada.tenant_id, "admin"), "admin")
        async with units.open(bob) as unit:
            with pytest.raises(MemberRefused):
                await invite(unit, "c@example.org", "owner")

    @pytest.mark.parametrize("fall", ["removed", "viewer"])
    async def test_who_may_not_invite_any_more_leaves_no_door_open(self, units: Units, fall: str) -> None:
        ada = await workspace(units, f"back-door-{fall}")
        bob = acting(ada.tenant_id, await add_person(units, ada.tenant_id, "admin"), "admin")
        async with units.open(bob) as unit:
            made = await invite(unit, "bob-again@example.org", "admin")
        link = await invitation_link(units, bob, made.id)
        assert bob.actor_id is not None
        if fall == "removed":
            await remove_member(units, ada, bob.actor_id)
        else:
            await change_member(units, ada, bob.actor_id, "viewer")
        with pytest.raises(InvitationGone):
            await look_at_offer(units, link)

    async def test_an_address_with_an_account_joins_by_signing_in(self, units: Units) -> None:
        ada = await workspace(units, "has-account")
        await add_person(units, None, email="known@example.org")
        async with units.open(ada) as unit:
            made = await invite(unit, "known@example.org", "viewer")
        link = await invitation_link(units, ada, made.id)
        with pytest.raises(AddressTaken):
            await join_as_new(units, link, "Not Known", "en", "hash", Browser())
        assert (await look_at_offer(units, link)).email == "known@example.org"

    async def test_another_workspace_makes_no_link_for_it(self, units: Units) -> None:
        ada, other = await workspace(units, "maker"), await workspace(units, "taker")
        async with units.open(ada) as unit:
            made = await invite(unit, "d@example.org", "viewer")
        assert await invitation_link_or_none(units, other, made.id) is None


async def invitation_link_or_none(units: Units, who: Principal, invitation: UUID) -> str | None:
    try:
        return await invitation_link(units, who, invitation)
    except MemberRefused:
        return None


class TestPasswords:
    async def test_a_reset_ends_every_session_and_works_once(self, units: Units) -> None:
        bob = await add_person(units, None, email="reset@example.org")
        cookie = await cookie_of(units, bob)
        await set_password(units, bob, "first", keep="nothing")
        assert await load_visitor(units, cookie) is None
        token = await issue_reset(units, bob, timedelta(minutes=5))
        assert await reset_password(units, token, "second") == bob
        login = await find_login(units, "reset@example.org")
        assert login is not None
        assert login.hash == "second"
        with pytest.raises(Exception, match="not valid any more"):
            await reset_password(units, token, "third")

    async def test_locked_out_people_have_no_login_and_no_session(self, units: Units) -> None:
        bob = await add_person(units, None, email="locked@example.org")
        await set_password(units, bob, "hash")
        cookie = await cookie_of(units, bob)
        await lock_out(units, bob, True)
        assert await load_visitor(units, cookie) is None
        assert await find_login(units, "locked@example.org") is None
        await lock_out(units, bob, False)
        assert await find_login(units, "locked@example.org") is not None


class TestWorkspaces:
    async def test_addresses_are_unique_and_checked(self, units: Units) -> None:
        ada = await workspace(units, "taken")
        for slug in ("taken", "Not", "-x", ""):
            with pytest.raises(SlugRefused):
                await found_workspace(units, person(ada.actor_id or uuid4()), slug, "X")
        await rename_workspace(units, ada, "renamed", "Renamed")
        assert await find_tenant(units, "renamed") == ada.tenant_id
        other = await workspace(units, "second")
        with pytest.raises(SlugRefused):
            await rename_workspace(units, other, "renamed", "X")

    async def test_only_owners_end_a_workspace_and_bring_it_back(self, units: Units) -> None:
        ada = await workspace(units, "ending")
        admin = acting(ada.tenant_id, await add_person(units, ada.tenant_id, "admin"), "admin")
        with pytest.raises(Forbidden):
            await doom_workspace(units, admin)
        await archive_workspace(units, admin)
        await restore_workspace(units, admin)
        await doom_workspace(units, ada)
        with pytest.raises(Forbidden):
            await restore_workspace(units, admin)
        await restore_workspace(units, ada)
        assert (await seats_of(units, ada.actor_id or uuid4()))[0].delete_after is None

    async def test_nothing_is_left_after_the_time_of_grace(self, units: Units) -> None:
        vault = Vault(KeyRing({1: secrets.token_bytes(32)}))
        ada = await workspace(units, "doomed")
        async with units.open(ada) as unit:
            await vault.put(unit, "anthropic", Secret("sk-planted-secret"))
        await doom_workspace(units, ada)
        assert ada.tenant_id not in {doomed.id for doomed in await doomed_workspaces(units)}
        assert not await delete_rows(units, ada.tenant_id)
        await doom_workspace(units, ada, grace=timedelta(seconds=-1))
        assert ada.tenant_id in {doomed.id for doomed in await doomed_workspaces(units)}
        assert await shred_keys(units, ada.tenant_id) == 1
        assert await delete_rows(units, ada.tenant_id)
        async with units.system("directory") as unit:
            for table in ("audit_entries", "secrets", "data_keys", "memberships", "counters", "events"):
                count = text("SELECT count(*) FROM " + table + " WHERE tenant_id = :id")
                assert await unit.session.scalar(count, {"id": ada.tenant_id}) == 0, table
            assert await unit.session.scalar(select(func.count())) == 1
