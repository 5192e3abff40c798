"""The job list: its search box, and acts on many jobs that say their number first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.i18n import Tongue
from app.views.job_search import read_search, say_unknown, without
from app.views.jobs import read_wish
from domain.dispatch.model import SchedFlow
from domain.dispatch.recount import recount
from domain.production.commands.bulk import do_each
from domain.production.model import Job
from domain.production.queries.job_filter import CostBound
from tenants.model import AuditEntry
from tests.app.conftest import Person
from tests.support.factories import failed_job, queued_job


class TestSearch:
    @pytest.mark.parametrize(
        ("text", "field", "value"),
        [
            ("status:failed", "states", ("failed",)),
            ("state:done,failed", "states", ("succeeded", "failed")),
            ("status:waiting-approval", "states", ("waiting_approval",)),
            ("recipe:docs", "recipe", "docs"),
            ("by:ada", "by", "ada"),
            ("level:urgent", "priority", -1),
            ("cost:>5", "cost", CostBound(">", 5_000_000)),
            ("cost:5", "cost", CostBound(">", 5_000_000)),
            ("cost:<0,50", "cost", CostBound("<", 500_000)),
            ("deep field", "text", "deep field"),
            ("The Field: ten days", "text", "The Field: ten days"),
        ],
    )
    def test_terms(self, text: str, field: str, value: object) -> None:
        found = read_search(text)
        assert getattr(found.filter, field) == value
        assert found.unknown == ()

    def test_terms_and_words_together(self) -> None:
        found = read_search("  status:failed jupiter   cost:>1 moons ")
        assert (found.filter.states, found.filter.text, found.terms) == (
            ("failed",),
            "jupiter moons",
            ("status:failed", "cost:>1"),
        )
        assert without("status:failed jupiter cost:>1", "status:failed") == "jupiter cost:>1"

    @pytest.mark.parametrize("text", ["status:maybe", "level:high", "cost:much", "cost:>-1", "cost:nan", "cost:1e99"])
    def test_what_means_nothing_is_told_and_does_not_narrow(self, text: str) -> None:
        found = read_search(text)
        assert found.unknown == (text,)
        assert found.filter == read_search("").filter
        assert text in say_unknown(Tongue("en"), found)

    def test_a_typed_status_wins_over_the_chip(self) -> None:
        assert read_wish({"q": "status:failed", "state": "done"}).filter.states == ("failed",)
        assert read_wish({"state": "nonsense"}).filter.states == ()


class TestList:
    async def test_finds_by_cost_and_person(self, marina: Person) -> None:
        base = marina.space.base
        text = (await marina.get(f"{base}?q=cost:>2")).text
        assert "How far can we see" in text
        assert "Jupiter" not in text
        assert "Nobody" not in text
        assert "No job matches" in (await marina.get(f"{base}?q=by:nobody")).text
        assert "Not understood: status:maybe" in (await marina.get(f"{base}?q=status:maybe")).text

    async def test_new_jobs_are_a_button_and_move_no_row(self, marina: Person) -> None:
        base = marina.space.base
        before = await marina.get(base)
        job = await queued_job(marina.space, datetime.now(UTC))
        seen = job.number - 1
        fresh = await marina.get(f"{base}?part=list&seen={seen}", HX_Request="true", HX_Request_Type="partial")
        assert "1 new job" in fresh.text
        assert f'id="job-{job.number}"' not in fresh.text
        assert f'id="job-{job.number}"' not in before.text
        assert f'id="job-{job.number}"' in (await marina.get(base)).text

    async def test_a_waiting_job_says_why_in_its_row(self, marina: Person) -> None:
        space = marina.space
        async with space.units.open(space.owner) as unit:
            job = (await unit.session.execute(select(Job).where(Job.number == 4))).scalar_one()
            job.waiting, job.position = {"code": "no_worker", "pool": "gpu"}, 1
        assert "Waiting for a GPU worker." in (await marina.get(space.base)).text


class TestActs:
    async def test_the_number_comes_first_and_newer_jobs_are_left_alone(self, marina: Person) -> None:
        space, base = marina.space, marina.space.base
        jobs = [await failed_job(space, datetime.now(UTC)) for _ in range(2)]
        asked = await marina.get(f"{base}/bulk?act=discard&job={jobs[0].number}&job={jobs[1].number}&job=99999")
        assert "Discard: 2 jobs" in asked.text
        hidden = {"act": "discard", "jobs": ",".join(str(job.number) for job in jobs), "newest": str(jobs[0].number)}
        done = await marina.post(f"{base}/bulk", hidden)
        assert done.headers["location"] == f"{base}?done=1&refused=0"
        assert [await state_of(marina, job) for job in jobs] == ["cancelled", "failed"]
        async with space.units.open(space.owner) as unit:
            told = select(AuditEntry.after).where(AuditEntry.action == "jobs.bulk").order_by(AuditEntry.seq.desc())
            assert (await unit.session.execute(told)).scalars().first() == {"act": "discard", "changed": 1, "left": 0}

    async def test_by_filter_every_act(self, marina: Person) -> None:
        space, base = marina.space, marina.space.base
        job = await queued_job(space, datetime.now(UTC))
        async with space.units.system("farm") as unit:
            unit.session.add(SchedFlow(tenant_id=space.tenant_id, pool="io"))
        await recount(space.units)  # the rows of this workspace were made without counting
        picked = {"jobs": str(job.number), "newest": str(job.number)}
        for act, state in (("pause", "paused"), ("resume", "queued"), ("urgent", "queued"), ("cancel", "cancelled")):
            assert "1 job" in (await marina.get(f"{base}/bulk?act={act}&job={job.number}")).text
            done = await marina.post(f"{base}/bulk", {"act": act, **picked})
            assert "done=1" in done.headers["location"], act
            assert await state_of(marina, job) == state
        # After the end nothing can be cancelled, and the page says so instead of pretending.
        assert "None of them allows this now" in (await marina.get(f"{base}/bulk?act=cancel&job={job.number}")).text
        assert "done=0" in (await marina.post(f"{base}/bulk", {"act": "cancel", **picked})).headers["location"]
        assert (await marina.post(f"{base}/{job.number}/cancel", {})).status_code == 409
        assert (await marina.get(f"{base}/bulk?act=explode")).status_code == 404
        assert await recount(space.units) == 0


async def test_a_job_tells_which_steps_went_to_another_pool(marina: Person) -> None:
    space = marina.space
    job = await queued_job(space, datetime.now(UTC))
    async with space.units.open(space.owner) as unit:
        told = {"step": "render", "pool": "cpu", "before": "gpu", "count": 3}
        unit.emit("step.rerouted", job_id=job.id, project_id=job.project_id, **told)
    page = (await marina.get(f"{space.base}/{job.number}")).text
    assert "Video: 3 steps were moved to the pool cpu, because no worker of gpu took them in time." in page


async def test_nobody_waits_for_ever_and_the_rest_is_told(marina: Person) -> None:
    space = marina.space
    jobs = [await queued_job(space, datetime.now(UTC)) for _ in range(3)]
    outcome = await do_each(space.units, space.owner, "urgent", (job.id for job in jobs), longest_s=-1.0)
    assert (outcome.done, outcome.left) == (0, 3)
    assert "1 was not reached in time" in (await marina.get(f"{space.base}?done=2&refused=0&left=1")).text


async def state_of(person: Person, job: Job) -> str:
    async with person.space.units.open(person.space.owner) as unit:
        return (await unit.session.execute(select(Job.state).where(Job.id == job.id))).scalar_one()
