"""The inbox of questions: shown, answered once, and nobody else's."""

from __future__ import annotations

import re

from sqlalchemy import select

from app.site import Site
from domain.dispatch.model import Step
from domain.production.model import Approval, Job
from tests.app.conftest import Person


async def ask(site: Site, person: Person) -> str:
    """Put a question to the queued job's first step."""
    async with site.units.open(person.space.owner) as unit:
        job = (await unit.session.execute(select(Job).where(Job.number == 4, Job.state == "queued"))).scalar_one()
        steps = select(Step).where(Step.job_id == job.id).order_by(Step.ordinal)
        step = (await unit.session.execute(steps)).scalars().first()
        assert step is not None
        step.state, job.state = "waiting_approval", "waiting_approval"
        row = Approval(job_id=job.id, step_id=step.id, state="waiting", seen_version="v1")
        unit.session.add(row)
        await unit.session.flush()
        return str(row.id)


class TestInbox:
    async def test_a_question_is_shown_and_answered_once(self, site: Site, marina: Person, stranger: Person) -> None:
        empty = await marina.get("/w/northlight/approvals")
        assert "Nothing waits for you" in empty.text
        asked = await ask(site, marina)
        page = await marina.get("/w/northlight/approvals")
        assert page.status_code == 200
        assert '<span class="count" id="count-approvals" aria-label="1 waiting">1</span>' in page.text
        assert re.search(r'href="/w/northlight/p/deep-sky/jobs/4"', page.text)
        assert (await stranger.get("/w/northlight/approvals")).status_code == 404
        answer = {"decision": "approved", "seen": "v1", "note": ""}
        foreign = await stranger.post(f"/w/southwind/approvals/{asked}", answer)
        assert foreign.status_code == 404
        stale = await marina.post(f"/w/northlight/approvals/{asked}", {**answer, "seen": "v0"})
        assert (stale.status_code, "There is a newer version" in stale.text) == (409, True)
        silent = await marina.post(f"/w/northlight/approvals/{asked}", {**answer, "decision": "changes"})
        assert (silent.status_code, "The note is empty." in silent.text) == (422, True)
        assert (await marina.post(f"/w/northlight/approvals/{asked}", {**answer, "decision": "x"})).status_code == 404
        done = await marina.post(f"/w/northlight/approvals/{asked}", answer)
        assert done.headers["location"] == "/w/northlight/approvals?decided=approved"
        again = await marina.post(f"/w/northlight/approvals/{asked}", answer)
        assert (again.status_code, "Marina was faster and has decided this: just now." in again.text) == (409, True)
        after = await marina.get("/w/northlight/approvals?decided=approved")
        assert "The job goes on." in after.text
