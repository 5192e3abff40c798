"""Webhooks from an event to a real receiver: signed, tried again, given up, never lost, never another's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from sqlalchemy import select, text
from standardwebhooks import Webhook

from adapters.egress import Caps
from adapters.egress_rules import Allowance
from adapters.notify.webhook import WebhookPost
from adapters.settings import Settings
from adapters.wiring import Runtime, build_runtime
from domain.outreach.delivering import settle
from domain.outreach.endpoints import (
    add_endpoint,
    pause_endpoint,
    recover,
    remove_endpoint,
    replay,
    resume_endpoint,
    rotate_secret,
    send_test,
)
from domain.outreach.kinds import KINDS, TEST
from domain.outreach.model import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from domain.outreach.policy import MOST_AT_ENDPOINT
from domain.outreach.ports import Answer
from domain.outreach.queries import delivery_detail, endpoint_detail
from domain.outreach.rounds import claim_due, sweep_old
from domain.outreach.wish import EndpointWish, WebhookRefused
from domain.production.commands.control_job import cancel_job, pause_job
from domain.production.commands.decide_gate import decide_gate
from domain.production.engine import Engine
from domain.production.model import Approval, Job
from tenants.model import AuditEntry, OutboxMessage
from tenants.principal import worker_principal
from tenants.vault import SecretMissing
from tests.support.farm import Farm
from tests.support.line import KINDS as STEPS
from tests.support.line import Workspace, make_tools, open_workspace, work_off
from tests.support.receiver import Receiver, Say, receiving
from tests.support.services import Services
from workers.courier import Courier
from workers.relay import relay

ADDRESS = "https://films.example.org"
ALL = tuple(KINDS)


@dataclass
class Post:
    """A workspace, its endpoints at a real receiver, and a courier that looks when it is told to."""

    runtime: Runtime
    workspace: Workspace
    receiver: Receiver
    courier: Courier
    secrets: dict[UUID, str] = field(default_factory=dict)

    async def endpoint(self, path: str, kinds: tuple[str, ...] = ALL, workspace: Workspace | None = None) -> UUID:
        async with self.open(workspace) as unit:
            wish = EndpointWish(self.receiver.url(path), "", kinds)
            row, secret = await add_endpoint(unit, self.runtime.vault, wish)
        self.secrets[row.id] = secret.reveal()
        return row.id

    def open(self, workspace: Workspace | None = None) -> Any:
        return self.runtime.units.open(admin(workspace or self.workspace))

    async def emit(self, count: int = 1, kind: str = "job.paused", workspace: Workspace | None = None) -> None:
        """Let something happen to a job of the workspace."""
        space = workspace or self.workspace
        async with self.open(space) as unit:
            job = (await unit.session.scalars(select(Job).limit(1))).first()
        job = job or await space.order("quiet whales!")
        async with self.open(space) as unit:
            for _ in range(count):
                unit.emit(kind, job_id=job.id, project_id=job.project_id, by="Ada", reason="lunch")

    async def round(self) -> None:
        """One look, and all that came of it."""
        await self.courier.look()
        await self.courier.settled()

    async def drain(self) -> None:
        """Look until nothing is due."""
        while await self.courier.look():
            await self.courier.settled()

    async def row(self, endpoint_id: UUID) -> WebhookEndpoint:
        async with self.open() as unit:
            found: WebhookEndpoint = await unit.session.get_one(WebhookEndpoint, (unit.tenant_id, endpoint_id))
            return found

    async def deliveries(self, endpoint_id: UUID) -> list[WebhookDelivery]:
        async with self.open() as unit:
            rows = await unit.session.scalars(
                select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id).order_by(WebhookDelivery.id)
            )
            return list(rows)

    async def tries(self, delivery_id: UUID) -> list[WebhookAttempt]:
        async with self.open() as unit:
            rows = await unit.session.scalars(
                select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id).order_by(WebhookAttempt.number)
            )
            return list(rows)

    async def sql(self, statement: str, **values: Any) -> None:
        async with self.runtime.units.system("webhooks") as unit:
            await unit.session.execute(text(statement), values)

    async def hurry(self, endpoint_id: UUID) -> None:
        """Let what waits for an endpoint be due now."""
        await self.sql(
            "UPDATE webhook_deliveries SET next_at = now() - interval '1 second' "
            "WHERE endpoint_id = :id AND state = 'waiting'",
            id=endpoint_id,
        )


def admin(workspace: Workspace) -> Any:
    return workspace.principal


@pytest.fixture(scope="module")
def settings(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("courier")
    return services.fresh_database().using(home=home, secret_key_file=home / "secret.key")


@pytest_asyncio.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    made = build_runtime(settings, "worker")
    yield made
    await made.close()


@pytest_asyncio.fixture
async def post(runtime: Runtime, receiver: Receiver) -> AsyncIterator[Post]:
    workspace = await open_workspace(runtime.units, f"post-{uuid4().hex[:8]}")
    poster = WebhookPost(Allowance.parse(f"127.0.0.1:{receiver.port}"))
    made = Post(runtime, workspace, receiver, Courier(runtime.units, lambda: runtime.vault, poster, ADDRESS))
    yield made
    # Nothing of this test is due in the next one.
    await made.sql("DELETE FROM webhook_endpoints WHERE tenant_id = :id", id=workspace.tenant_id)
    await poster.close()


def said(got: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(got.body)
    return made


class TestTelling:
    async def test_a_film_from_order_to_end(self, post: Post, tmp_path: Path) -> None:
        endpoint = await post.endpoint("/film")
        job = await post.workspace.order("calm whales!", mode="wizard")
        engine = Engine(post.runtime.units, make_tools(tmp_path), STEPS, tmp_path, 30.0)
        await work_off(engine)
        async with post.open() as unit:
            asked = (await unit.session.scalars(select(Approval).where(Approval.job_id == job.id))).one()
            await decide_gate(unit, job.id, asked.id, "approved", kinds=STEPS)
        await work_off(engine)
        await post.drain()
        got = post.receiver.at("/film")
        assert sorted(said(one)["type"] for one in got) == [
            "approval.decided",
            "approval.waiting",
            "job.created",
            "job.finished",
        ]
        for one in got:
            told = Webhook(post.secrets[endpoint]).verify(one.body, one.headers)
            assert told["data"]["job"]["url"] == f"{ADDRESS}/w/{told['data']['workspace']['slug']}/p/films/jobs/1"
            assert one.headers["content-type"] == "application/json"
        by_type = {said(one)["type"]: said(one)["data"] for one in got}
        assert by_type["approval.waiting"]["approval"]["id"] == str(asked.id)
        assert by_type["approval.waiting"]["approval"]["step"] == "script"
        assert "expires_at" in by_type["approval.waiting"]["approval"]
        assert by_type["approval.decided"]["approval"]["decision"] == "approved"
        assert by_type["approval.decided"]["approval"]["by"] == "Ada"
        assert [(await post.tries(row.id))[0].status for row in await post.deliveries(endpoint)] == [200] * 4

    async def test_failures_and_ends(self, post: Post, tmp_path: Path) -> None:
        await post.endpoint("/ends")
        await post.workspace.order("refused whales!")
        engine = Engine(post.runtime.units, make_tools(tmp_path), STEPS, tmp_path, 30.0)
        await work_off(engine)
        job = await post.workspace.order("other whales!")
        async with post.open() as unit:
            await pause_job(unit, job.id, "Lunch.")
        async with post.open() as unit:
            await cancel_job(unit, job.id)
        await post.drain()
        told = {said(one)["type"]: said(one)["data"] for one in post.receiver.at("/ends")}
        assert told.keys() == {"job.created", "step.failed", "job.failed", "job.paused", "job.cancelled"}
        assert told["job.failed"]["error"]["message"] == "The key is not accepted."
        assert told["step.failed"]["step"]["kind"] == "script"
        assert told["job.paused"]["reason"] == "Lunch."

    async def test_only_what_was_chosen_and_only_from_then_on(self, post: Post) -> None:
        await post.emit(2)
        endpoint = await post.endpoint("/chosen", ("job.paused",))
        await post.emit()
        await post.emit(kind="approval.decided")
        await post.drain()
        assert [one.kind for one in await post.deliveries(endpoint)] == ["job.paused"]

    async def test_of_two_workspaces_each_hears_its_own(self, post: Post) -> None:
        other = await open_workspace(post.runtime.units, f"post-{uuid4().hex[:8]}")
        await post.endpoint("/ours")
        theirs = await post.endpoint("/theirs", workspace=other)
        await post.emit(3)
        await post.emit(2, workspace=other)
        await post.drain()
        # An order is told too.
        assert len(post.receiver.at("/ours")) == 4
        assert len(post.receiver.at("/theirs")) == 3
        assert str(other.tenant_id) not in str(post.receiver.at("/ours"))
        ids = [{one.headers["webhook-id"] for one in post.receiver.at(path)} for path in ("/ours", "/theirs")]
        assert not ids[0] & ids[1]
        async with post.open() as unit:
            for act in (pause_endpoint, resume_endpoint, endpoint_detail):
                with pytest.raises(WebhookRefused):
                    await act(unit, theirs)


class TestTries:
    async def test_the_same_message_again_with_a_new_time_stamp(self, post: Post) -> None:
        post.receiver.will("/busy", Say(503, {"retry-after": "77"}, b"later\x07"), Say(200))
        endpoint = await post.endpoint("/busy", ("job.paused",))
        await post.emit()
        await post.round()
        [row] = await post.deliveries(endpoint)
        [tried] = await post.tries(row.id)
        assert (row.state, row.tries, row.failures) == ("waiting", 1, 1)
        assert (tried.outcome, tried.status, tried.answer) == ("refused", 503, "later\ufffd")
        assert tried.millis is not None
        assert row.next_at is not None
        wait = (row.next_at - tried.begun_at).total_seconds()
        assert 76 < wait < 100
        await post.hurry(endpoint)
        await post.round()
        first, second = post.receiver.at("/busy")
        assert first.body == second.body
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == row.message_id
        Webhook(post.secrets[endpoint]).verify(second.body, second.headers)
        assert [row.state for row in await post.deliveries(endpoint)] == ["delivered"]

    @pytest.mark.parametrize(
        ("say", "outcome", "status"),
        [
            (Say(302, {"location": "http://127.0.0.1:1/elsewhere"}), "redirected", 302),
            (Say(404, body=b"x" * 50_000), "refused", 404),
            (Say(hangs=True), "late", None),
            (Say(drops=True), "unreachable", None),
            (Say(200, body=b"y" * 3000, drips=True), "delivered", 200),
        ],
    )
    async def test_what_can_come_back(self, post: Post, say: Say, outcome: str, status: int | None) -> None:
        if say.hangs:
            allow = Allowance.parse(f"127.0.0.1:{post.receiver.port}")
            post.courier.poster = WebhookPost(allow, Caps(seconds=0.3, connect_seconds=0.3))
        post.receiver.gate.clear()
        post.receiver.will("/odd", say)
        endpoint = await post.endpoint("/odd", ("job.paused",))
        await post.emit()
        await post.round()
        [row] = await post.deliveries(endpoint)
        [tried] = await post.tries(row.id)
        assert (tried.outcome, tried.status) == (outcome, status)
        assert len(tried.answer) <= 1024
        assert row.state == ("delivered" if outcome == "delivered" else "waiting")

    async def test_a_place_that_may_not_be_reached_is_refused_with_each_try(self, post: Post) -> None:
        endpoint = await post.endpoint("/inside", ("job.paused",))
        await post.sql("UPDATE webhook_endpoints SET url = 'http://127.0.0.1:1/' WHERE id = :id", id=endpoint)
        await post.emit()
        await post.round()
        [row] = await post.deliveries(endpoint)
        assert [one.outcome for one in await post.tries(row.id)] == ["forbidden"]

    async def test_a_secret_that_does_not_open(self, post: Post) -> None:
        endpoint = await post.endpoint("/sealed", ("job.paused",))
        await post.sql("UPDATE secrets SET sealed = 'x' WHERE tenant_id = :id", id=post.workspace.tenant_id)
        await post.emit()
        await post.round()
        [row] = await post.deliveries(endpoint)
        assert [one.outcome for one in await post.tries(row.id)] == ["sealed"]
        assert post.receiver.at("/sealed") == []

    async def test_gone_switches_off_gives_up_and_writes_a_letter(self, post: Post) -> None:
        post.receiver.will("/gone", Say(410))
        endpoint = await post.endpoint("/gone", ("job.paused",))
        await post.emit(6)
        await post.round()
        row = await post.row(endpoint)
        assert (row.state, row.reason) == ("disabled", "gone")
        assert {one.state for one in await post.deliveries(endpoint)} == {"failed"}
        await post.emit()
        await post.round()
        assert len(await post.deliveries(endpoint)) == 6
        async with post.open() as unit:
            said_off = select(OutboxMessage).where(OutboxMessage.topic == "webhook.disabled")
            sent = (await unit.session.scalars(said_off)).all()
            actions = list(await unit.session.scalars(select(AuditEntry.action)))
        assert len(sent) == 1
        assert "webhook.disabled" in actions
        assert await relay(post.runtime.units, post.runtime.signal)

    async def test_five_days_of_failure_switch_off(self, post: Post) -> None:
        post.receiver.will("/dead", Say(500))
        endpoint = await post.endpoint("/dead", ("job.paused",))
        await post.emit()
        await post.round()
        assert (await post.row(endpoint)).state == "enabled"
        ago = "UPDATE webhook_endpoints SET failing_since = now() - interval '5 days' WHERE id = :id"
        await post.sql(ago, id=endpoint)
        await post.hurry(endpoint)
        await post.round()
        row = await post.row(endpoint)
        assert (row.state, row.reason) == ("disabled", "failing")
        assert [one.state for one in await post.deliveries(endpoint)] == ["failed"]

    async def test_a_success_forgives(self, post: Post) -> None:
        post.receiver.will("/mended", Say(500), Say(200))
        endpoint = await post.endpoint("/mended", ("job.paused",))
        await post.emit()
        await post.round()
        assert (await post.row(endpoint)).failing_since is not None
        await post.hurry(endpoint)
        await post.round()
        row = await post.row(endpoint)
        assert (row.failing_since, row.delivered_at is not None) == (None, True)

    async def test_a_slow_endpoint_holds_up_only_itself(self, post: Post) -> None:
        post.receiver.gate.clear()
        post.receiver.will("/slow", Say(hangs=True))
        await post.endpoint("/slow", ("job.paused",))
        await post.emit(MOST_AT_ENDPOINT + 3)
        await post.courier.look()
        await post.receiver.until("/slow", MOST_AT_ENDPOINT)
        quick = await post.endpoint("/quick", ("job.paused",))
        await post.emit()
        assert await post.courier.look() == 1
        await post.receiver.until("/quick", 1)
        assert post.receiver.most_open["/slow"] == MOST_AT_ENDPOINT
        post.receiver.gate.set()
        await post.courier.settled()
        assert [one.state for one in await post.deliveries(quick)] == ["delivered"]


class TestNothingIsLost:
    async def test_a_try_that_was_lost_is_made_again_and_its_late_failure_decides_nothing(self, post: Post) -> None:
        endpoint = await post.endpoint("/lost", ("job.paused",))
        await post.emit()
        await post.courier.look()
        await post.courier.settled()
        [row] = await post.deliveries(endpoint)
        await post.sql("UPDATE webhook_deliveries SET state = 'waiting', next_at = now() WHERE id = :id", id=row.id)
        [first] = await claim_due(post.runtime.units, [])
        assert await claim_due(post.runtime.units, []) == []
        await post.hurry(endpoint)
        [second] = await claim_due(post.runtime.units, [])
        async with post.runtime.units.open(worker_principal(post.workspace.tenant_id)) as unit:
            await settle(unit, second, Answer("delivered", 200))
        async with post.runtime.units.open(worker_principal(post.workspace.tenant_id)) as unit:
            await settle(unit, first, Answer("late"))
        [row] = await post.deliveries(endpoint)
        assert row.state == "delivered"
        assert [(one.number, one.outcome) for one in await post.tries(row.id)] == [
            (1, "delivered"),
            (2, "late"),
            (3, "delivered"),
        ]

    async def test_a_pump_killed_in_the_midst_and_a_flushed_redis(
        self, post: Post, settings: Settings, tmp_path: Path
    ) -> None:
        post.receiver.gate.clear()
        post.receiver.will("/killed", Say(hangs=True), Say(200))
        endpoint = await post.endpoint("/killed", ("job.paused",))
        chosen = settings.using(egress_allow=f"127.0.0.1:{post.receiver.port}", public_url=ADDRESS)
        farm = Farm(chosen, post.runtime.units, post.workspace.principal)
        try:
            pump = farm.pump()
            await post.emit()
            await post.receiver.until("/killed", 1)
            pump.kill()
            await asyncio.to_thread(pump.wait, 10)
            await Redis.from_url(settings.redis_url).flushall()
            [row] = await post.deliveries(endpoint)
            assert [one.outcome for one in await post.tries(row.id)] == ["sending"]
        finally:
            farm.end()
        await post.emit()
        await post.hurry(endpoint)
        await post.drain()
        ids = [one.headers["webhook-id"] for one in post.receiver.at("/killed")]
        assert ids.count(row.message_id) == 2
        assert len(set(ids)) == 2
        assert [one.outcome for one in await post.tries(row.id)] == ["lost", "delivered"]


class TestByHand:
    async def test_pause_keeps_and_resume_sends(self, post: Post) -> None:
        endpoint = await post.endpoint("/paused", ("job.paused",))
        await post.emit()
        await post.courier.look()
        await post.courier.settled()
        async with post.open() as unit:
            await pause_endpoint(unit, endpoint)
        await post.emit(2)
        await post.round()
        assert [one.state for one in await post.deliveries(endpoint)] == ["delivered", "held", "held"]
        async with post.open() as unit:
            await resume_endpoint(unit, endpoint)
        await post.drain()
        assert len(post.receiver.at("/paused")) == 3

    async def test_replay_keeps_the_id(self, post: Post) -> None:
        endpoint = await post.endpoint("/again", ("job.paused",))
        await post.emit()
        await post.round()
        [row] = await post.deliveries(endpoint)
        async with post.open() as unit:
            await replay(unit, endpoint, row.id)
        await post.round()
        assert len({one.headers["webhook-id"] for one in post.receiver.at("/again")}) == 1
        async with post.open() as unit:
            _, again, tries = await delivery_detail(unit, endpoint, row.id)
        assert (again.state, [one.number for one in tries]) == ("delivered", [2, 1])

    async def test_recover_brings_what_was_missed_and_nothing_twice(self, post: Post) -> None:
        post.receiver.will("/back", Say(200), Say(410), Say(200))
        endpoint = await post.endpoint("/back", ("job.paused",))
        await post.emit()
        await post.round()
        await post.emit()
        await post.round()
        assert (await post.row(endpoint)).state == "disabled"
        await post.emit(2)
        await post.round()
        now = (await post.row(endpoint)).state_at
        assert now is not None
        with pytest.raises(WebhookRefused):
            async with post.open() as unit:
                await recover(unit, endpoint, now - timedelta(hours=1), now)
        async with post.open() as unit:
            await resume_endpoint(unit, endpoint)
            with pytest.raises(WebhookRefused):
                await recover(unit, endpoint, now - timedelta(days=15), now)
            await recover(unit, endpoint, now - timedelta(hours=1), now)
        await post.drain()
        assert [one.state for one in await post.deliveries(endpoint)] == ["delivered"] * 4
        ids = [one.headers["webhook-id"] for one in post.receiver.at("/back")]
        # One got through at first, one was given up and came again, two had never been told.
        assert (len(ids), len(set(ids))) == (5, 4)

    async def test_a_test_message_is_sent_once_in_any_state(self, post: Post) -> None:
        post.receiver.will("/try", Say(500))
        endpoint = await post.endpoint("/try")
        async with post.open() as unit:
            await pause_endpoint(unit, endpoint)
            delivery = await send_test(unit, endpoint, datetime.fromisoformat("2030-01-01T00:00:00+00:00"))
        await post.round()
        [got] = post.receiver.at("/try")
        assert Webhook(post.secrets[endpoint]).verify(got.body, got.headers)["type"] == TEST
        [row] = await post.deliveries(endpoint)
        assert (row.id, row.state) == (delivery, "failed")
        assert (await post.row(endpoint)).failing_since is None

    async def test_rotation_signs_with_both_and_then_with_the_new_one(self, post: Post) -> None:
        endpoint = await post.endpoint("/turn", ("job.paused",))
        old = post.secrets[endpoint]
        async with post.open() as unit:
            new = (await rotate_secret(unit, post.runtime.vault, endpoint, timedelta(hours=1))).reveal()
        await post.emit()
        await post.round()
        [got] = post.receiver.at("/turn")
        for secret in (old, new):
            Webhook(secret).verify(got.body, got.headers)
        await post.sql("UPDATE webhook_secrets SET ends_at = now() WHERE ends_at IS NOT NULL")
        await post.emit()
        await post.round()
        last = post.receiver.at("/turn")[-1]
        assert len(last.headers["webhook-signature"].split()) == 1
        Webhook(new).verify(last.body, last.headers)
        async with post.open() as unit:
            detail = await endpoint_detail(unit, endpoint)
        assert [one.ends_at for one in detail.secrets] == [None]

    async def test_removed_with_all_that_belongs_to_it(self, post: Post) -> None:
        endpoint = await post.endpoint("/removed", ("job.paused",))
        await post.emit()
        await post.courier.look()
        async with post.open() as unit:
            detail = await endpoint_detail(unit, endpoint)
            await remove_endpoint(unit, post.runtime.vault, endpoint)
        await post.courier.settled()
        assert await post.deliveries(endpoint) == []
        async with post.runtime.units.open(worker_principal(post.workspace.tenant_id)) as unit:
            for secret in detail.secrets:
                with pytest.raises(SecretMissing):
                    await post.runtime.vault.reveal(unit, secret.name)

    async def test_old_messages_are_swept(self, post: Post) -> None:
        endpoint = await post.endpoint("/old", ("job.paused",))
        await post.emit(2)
        await post.drain()
        await post.sql(
            "UPDATE webhook_deliveries SET ended_at = now() - interval '31 days' WHERE id = "
            "(SELECT id FROM webhook_deliveries WHERE endpoint_id = :id ORDER BY id LIMIT 1)",
            id=endpoint,
        )
        assert await sweep_old(post.runtime.units) == 1
        assert len(await post.deliveries(endpoint)) == 1
