"""The farm's page: who operates it, what they steer, and orders that make no sense."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import select, update

from app.site import Site
from domain.dispatch.farm import join_farm
from domain.dispatch.model import SchedFlow, SchedPool, Worker
from tenants.directory import issue_owner_link, load_visitor
from tenants.model import AuditEntry, Tenant
from tenants.operators import appoint, operators
from tests.app.conftest import Person
from tests.support.people import add_person, cookie_of


@pytest_asyncio.fixture(scope="module")
async def olga(site: Site, marina: Person, browser: Callable[[], AsyncClient]) -> AsyncIterator[Person]:
    """An operator of the farm who belongs to no workspace at all."""
    person = await add_person(site.units, None, name="Olga")
    await appoint(site.units, person, True)
    await join_farm(site.units, "render-01", "boot", 41, {"io": 2}, "1")
    async with site.units.system("farm") as unit:
        unit.session.add(SchedFlow(tenant_id=marina.space.tenant_id, pool="io"))
    async with browser() as client:
        token = await cookie_of(site.units, person)
        client.cookies.set("vfos_session", token, domain="testserver.local")
        yield Person(client, None, token)


class TestOperators:
    async def test_the_first_start_names_one_and_the_right_can_be_taken(self, site: Site, marina: Person) -> None:
        assert (await marina.get("/farm")).status_code == 404
        link = await issue_owner_link(site.units, marina.space.tenant_id, operates_farm=True)
        async with AsyncClient(transport=marina.client._transport, base_url="http://testserver.local") as client:
            data = {"name": "Marina", "language": "en"}
            await client.post(f"/start/{link}", data=data, headers={"Sec-Fetch-Site": "same-origin"})
            assert (await client.get("/farm")).status_code == 200
        visitor = await load_visitor(site.units, marina.token)
        assert visitor is not None
        assert visitor.person.operates_farm
        assert ("Marina" in [name for _, name, _ in await operators(site.units)]) is True
        assert await appoint(site.units, visitor.person.id, False)
        assert not await appoint(site.units, visitor.person.id, False)
        assert (await marina.get("/farm")).status_code == 404


class TestPage:
    async def test_shows_pools_workers_and_shares_but_no_films(self, olga: Person) -> None:
        text = (await olga.get("/farm")).text
        for said in ("render-01:41", "northlight", "weight 1", "0 of 2"):
            assert said in text
        assert "Jupiter" not in text

    async def test_pools_are_paused_with_a_reason_that_everybody_reads(
        self, site: Site, olga: Person, marina: Person
    ) -> None:
        done = await olga.post("/farm/pause", {"pool": "io", "reason": "new disks"})
        assert done.headers["location"] == "/farm?done=paused"
        assert (
            "Workers of “io” are paused by Olga, because: new disks." in (await marina.get("/w/northlight/queue")).text
        )
        assert (await olga.post("/farm/resume", {"pool": "io"})).status_code == 303
        async with site.units.system("farm") as unit:
            assert (await unit.session.execute(select(SchedPool.paused_at))).scalars().all() == [None]

    async def test_a_tier_reaches_the_flows_and_the_workspaces_own_trail(self, site: Site, olga: Person) -> None:
        assert (
            await olga.post("/farm/tier", {"workspace": "northlight", "tier": "pro", "limit": "7"})
        ).status_code == 303
        async with site.units.system("farm") as unit:
            flow = (await unit.session.execute(select(SchedFlow))).scalar_one()
            tenant = (await unit.session.execute(select(Tenant).where(Tenant.slug == "northlight"))).scalar_one()
            told = select(AuditEntry.actor_name, AuditEntry.after).where(AuditEntry.action == "workspace.tier")
            assert (await unit.session.execute(told)).all() == [("Olga", {"tier": "pro", "max_running": 7})]
        assert (flow.weight, flow.max_running, tenant.tier, tenant.max_running) == (3, 7, "pro", 7)

    async def test_a_worker_is_told_to_drain_once(self, site: Site, olga: Person) -> None:
        assert (await olga.post("/farm/drain", {"worker": "render-01:41"})).headers["location"] == "/farm?done=drained"
        async with site.units.system("farm") as unit:
            assert (await unit.session.execute(select(Worker.drain_by))).scalar_one() == "Olga"
        again = await olga.post("/farm/drain", {"worker": "render-01:41"})
        assert (again.status_code, "draining already" in again.text) == (422, True)

    @pytest.mark.parametrize(
        ("order", "values", "said"),
        [
            ("pause", {"pool": "io", "reason": " "}, "needs a reason"),
            ("pause", {"pool": "nowhere", "reason": "x"}, "no such pool"),
            ("resume", {"pool": "io"}, "not paused"),
            ("tier", {"workspace": "northlight", "tier": "gold"}, "no such tier"),
            ("tier", {"workspace": "northlight", "tier": "pro", "limit": "-3"}, "whole number"),
            ("tier", {"workspace": "northlight", "tier": "pro", "limit": "many"}, "whole number"),
            ("tier", {"workspace": "nobody", "tier": "pro"}, "no such workspace"),
            ("drain", {"worker": "nowhere:1"}, "no such worker"),
        ],
    )
    async def test_senseless_orders_change_nothing(
        self, site: Site, olga: Person, order: str, values: dict[str, str], said: str
    ) -> None:
        async def state() -> object:
            async with site.units.system("farm") as unit:
                pools = (await unit.session.execute(select(SchedPool.pool, SchedPool.paused_at))).all()
                tenants = (
                    await unit.session.execute(select(Tenant.tier, Tenant.max_running).order_by(Tenant.id))
                ).all()
                return pools, tenants, (await unit.session.execute(select(Worker.drain_by))).all()

        before = await state()
        answer = await olga.post(f"/farm/{order}", values)
        assert answer.status_code == 422
        assert said in answer.text
        assert await state() == before

    async def test_an_unknown_order_is_not_there(self, olga: Person) -> None:
        assert (await olga.post("/farm/explode", {})).status_code == 404


async def test_a_silent_worker_is_shown_as_silent(site: Site, olga: Person) -> None:
    from datetime import timedelta

    from sqlalchemy import func

    async with site.units.system("farm") as unit:
        late = func.clock_timestamp() - timedelta(seconds=50)
        await unit.session.execute(update(Worker).values(seen_at=late, drain_by=None))
    assert "silent" in (await olga.get("/farm")).text
