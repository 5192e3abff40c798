"""Two versions of the program side by side: what one has written the other reads, in both directions."""

from __future__ import annotations

from typing import Any, cast

import pytest
from sqlalchemy import select, update

from adapters.queue.broker import make_broker
from domain.production.commands.schedule_job import _request
from domain.production.engine import Engine
from domain.production.model import Job, Schedule
from domain.production.spec import JobSpec
from tenants.unit import Units
from tests.support.line import Workspace, work_off
from tests.support.services import Services
from workers.actors import declare_slot
from workers.slots import Slots

LATER: dict[str, Any] = {"mood": "calm", "grid": {"columns": 3}}
"""What a program to come may add to a stored document."""


class TestTickets:
    @pytest.mark.parametrize(
        ("arguments", "named"),
        [(("cpu",), {}), (("cpu", "nonce"), {}), (("cpu", "nonce", 7), {"hurry": True})],
        ids=["older", "ours", "newer"],
    )
    def test_a_ticket_wakes_whatever_else_it_says(
        self, services: Services, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        woken: list[str] = []

        class Woken:
            draining = True

            def work(self, pool: str) -> bool:
                woken.append(pool)
                return False

        broker = make_broker(services.redis.url)
        declare_slot(broker, "cpu", cast(Slots, Woken())).fn(*arguments, **named)
        broker.close()
        assert woken == ["cpu"]


class TestSpecifications:
    async def test_a_job_of_another_version_is_worked_off(
        self, units: Units, engine: Engine, workspace: Workspace
    ) -> None:
        """Newer: fields we do not know, at every depth. Older: fields that have come since are not there."""
        job = await workspace.order("from another version")
        async with units.open(workspace.principal) as unit:
            spec = (await unit.session.execute(select(Job.spec).where(Job.id == job.id))).scalar_one()
            newer = {**spec, **LATER, "prompt": {**spec["prompt"], "body": {**spec["prompt"]["body"], **LATER}}}
            older = {name: value for name, value in newer.items() if name not in ("providers", "salt", "edited_from")}
            await unit.session.execute(update(Job).where(Job.id == job.id).values(spec=older))
        read = JobSpec.read(older)
        assert (read.topic, read.salt, read.writer) == ("from another version", "", "offline")
        assert "mood" not in read.model_dump_json()
        await work_off(engine)
        async with units.open(workspace.principal) as unit:
            assert (await unit.session.execute(select(Job.state).where(Job.id == job.id))).scalar_one() == "succeeded"

    def test_an_order_kept_by_another_version_is_read(self) -> None:
        row = Schedule(id=None, request={"project": "films", "recipe": "tiny", "topic": "x", **LATER})
        new = _request(row, "due")
        assert (new.topic, new.mode, new.idem_key) == ("x", "auto", "schedule:None:due")
