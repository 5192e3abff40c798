"""The contact sheet: what it shows of stand-ins, who may have pictures made again, and the decision at its gate."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update

from app.site import Site
from domain.dispatch.model import Step
from domain.production.model import Approval, ArtifactRef, Job
from tests.app.conftest import Person

FALL = {
    "provider": "openai",
    "then": "artboard",
    "kind": "safety",
    "sentence": "Not <b>safe</b>.",
    "request_id": "req_77",
    "micro_dollars": 4200,
}


@pytest.fixture
async def sheet(marina: Person, site: Site) -> str:
    """The sheet of the finished job, one of whose pictures a stand-in has made."""
    async with site.units.open(marina.space.owner) as unit:
        job = (await unit.session.execute(select(Job).where(Job.number == 1))).scalar_one()
        refs = await unit.session.scalars(
            select(ArtifactRef).where(ArtifactRef.job_id == job.id, ArtifactRef.role == "picture")
        )
        first = min(refs, key=lambda ref: ref.position)
        first.facts = {**first.facts, "scene": "s1", "origin": "artboard", "fallbacks": [FALL]}
    return f"{marina.space.base}/1/sheet"


async def test_a_stand_in_is_told_with_reason_price_and_request(marina: Person, sheet: str) -> None:
    page = (await marina.get(sheet)).text
    for words in ("Art board (draft) stands in for OpenAI.", "Not &lt;b&gt;safe&lt;/b&gt;.", "$0.0042", "req_77"):
        assert words in page, words
    assert "1 stand-in" in (await marina.get(f"{marina.space.base}/1")).text


async def test_strangers_and_unknown_scenes(marina: Person, stranger: Person, sheet: str) -> None:
    assert (await stranger.get(sheet)).status_code == 404
    for path in (sheet, f"{sheet}/s1"):
        assert (await stranger.post(path, {"instruction": "x"})).status_code == 404
    assert (await marina.post(f"{sheet}/s99", {"instruction": "x"})).status_code == 404
    assert (await marina.post(sheet, {})).status_code == 404, "nothing waits"


async def test_a_wish_that_cannot_be(marina: Person, sheet: str) -> None:
    answer = await marina.post(f"{sheet}/s1", {"instruction": "x" * 2001})
    assert (answer.status_code, "up to 2000 plain characters" in answer.text) == (422, True)


async def test_the_decision_lets_the_job_go_on(marina: Person, site: Site, sheet: str) -> None:
    async with site.units.open(marina.space.owner) as unit:
        job = (await unit.session.execute(select(Job).where(Job.number == 1))).scalar_one()
        step = (await unit.session.scalars(select(Step).where(Step.job_id == job.id, Step.kind == "illustrate"))).one()
        await unit.session.execute(update(Step).where(Step.id == step.id).values(state="waiting_approval"))
        waiting = {"job_id": job.id, "step_id": step.id, "state": "waiting", "seen_version": "v1"}
        await unit.session.execute(insert(Approval).values(tenant_id=marina.space.tenant_id, **waiting))
    assert "Go on with these" in (await marina.get(sheet)).text
    assert (await marina.post(sheet, {"seen": "v0"})).status_code == 409
    assert (await marina.post(sheet, {"seen": "v1"})).status_code == 303
    async with site.units.open(marina.space.owner) as unit:
        state = await unit.session.scalar(select(Step.state).where(Step.id == step.id))
    assert state == "succeeded"
