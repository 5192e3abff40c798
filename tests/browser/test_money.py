"""Money in a browser: the estimate follows the choices, and its pages are accessible in every look."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Request, expect
from sqlalchemy import select, update

from domain.dispatch.model import Step
from domain.production.model import Job
from domain.usage.budget import Bill, JobAccount, settle
from domain.usage.caps import set_workspace_cap
from domain.usage.model import Effect
from tests.browser.conftest import WIDE, Server, open_page
from tests.browser.looks import faults_of, open_looks, take_shots
from tests.support.factories import Workspace

pytestmark = pytest.mark.browser


async def spend(space: Workspace) -> None:
    """Put bills into the month, a limit on the workspace, and a call in doubt into job #4."""
    async with space.units.open(space.owner) as unit:
        job = (await unit.session.scalars(select(Job).where(Job.number == 4))).one()
        account = JobAccount(job.tenant_id, job.project_id, job.id)
        for provider, amount in (("anthropic", 310_000), ("azure", 480_000), ("openai", 1_620_000)):
            await settle(unit.session, account, 0, Bill(amount, {"calls": 1}, provider=provider, model="a-model-1"))
        await set_workspace_cap(unit, 20_000_000)
        step = (await unit.session.scalars(select(Step).where(Step.job_id == job.id).limit(1))).one()
        call: dict[str, Any] = {"effect_key": "k", "job_id": job.id, "step_id": step.id, "step_kind": "illustrate"}
        call |= {"provider": "openai", "model": "gpt-image-2", "request_hash": "0", "fence": 1, "fallback": "artboard"}
        said = "A request to OpenAI went out and the line was lost before its answer was complete."
        unit.session.add(Effect(**call, state="in_doubt", likely=45_000, doubts=1, error=said))
        waits = {"state": "held", "error_class": "InDoubt", "error": {"sentence": said}}
        await unit.session.execute(update(Step).where(Step.id == step.id).values(**waits))
        await unit.session.execute(update(Job).where(Job.id == job.id).values(state="paused", control="pause"))


async def test_pages_of_money_are_accessible_in_every_look(
    chromium: Browser, server: Server, space: Workspace, signed: dict[str, Any]
) -> None:
    await spend(space)
    shots = os.environ.get("MONEY_SHOTS")
    faults: dict[str, Any] = {}
    context = await open_looks(chromium, signed)
    visit = await open_page(context, server.base)
    pages = {"usage": "/w/northlight/usage", "cost": f"{space.base}/4/cost", "doubt": f"{space.base}/4"}
    for name, path in {**pages, "new": f"{space.base}/new"}.items():
        await visit.go(path)
        if shots:
            await take_shots(visit.page, Path(shots), name)
        if found := await faults_of(visit.page):
            faults[name] = found
    await context.close()
    assert faults == {}


async def test_the_estimate_follows_the_choices(
    chromium: Browser, server: Server, space: Workspace, signed: dict[str, Any]
) -> None:
    context = await chromium.new_context(storage_state=signed, viewport=WIDE)  # type: ignore[arg-type]
    visit = await open_page(context, server.base)
    await visit.go(f"{space.base}/new")
    asked: list[Request] = []
    visit.page.on("request", lambda request: asked.append(request) if "/jobs/quote" in request.url else None)
    async with visit.page.expect_response(lambda answer: "seconds=300" in (answer.request.post_data or "")):
        await visit.page.get_by_label("Length").fill("300")
        await visit.page.get_by_label("Length").blur()
    await expect(visit.page.locator("#quote")).to_be_visible()
    await expect(visit.page.get_by_label("Length")).to_have_value("300")
    assert all("topic=" in (request.post_data or "") for request in asked)
    # What a film is about, and what proves that a form is this person's, belong into no address.
    assert all(request.url.endswith("/jobs/quote") for request in asked)
    await context.close()
