"""Pages of providers and the contact sheet in a browser: accessible in both themes and widths, used end to end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from sqlalchemy import select, update

from domain.catalog.commands import save_version
from domain.catalog.provider_rows import Provider
from domain.catalog.providers import add_provider
from domain.catalog.vendors import ProviderForm
from domain.production.model import ArtifactRef, Job
from tenants.secret import Secret
from tests.app.test_sheet import FALL
from tests.browser.conftest import Server, Visit, open_page
from tests.browser.looks import faults_of, open_looks, take_shots
from tests.support.factories import Workspace

pytestmark = pytest.mark.browser
BASE = "/w/northlight/providers"
PAGES = (
    BASE,
    f"{BASE}/new",
    f"{BASE}/new?kind=azure",
    f"{BASE}/claude?saved=1",
    "/w/northlight/p/deep-sky/providers",
    "/w/northlight/p/deep-sky/jobs/1/sheet",
    "/w/northlight/voices",
    "/w/northlight/voices/new",
    "/w/northlight/voices/calm",
)
SHOTS = os.environ.get("SHOTS", "")
"""A folder for screenshots; empty = none are taken."""


@pytest_asyncio.fixture(scope="module")
async def providers(server: Server, space: Workspace) -> None:
    """Two providers, one of which fails, and a job with a stand-in."""
    vault = server.site.runtime.vault
    async with space.units.open(space.owner) as unit:
        await add_provider(
            unit, vault, ProviderForm("anthropic", "Claude", per_minute=50), Secret("sk-0123456789abcdef")
        )
        await add_provider(unit, vault, ProviderForm("openai", "Pictures of the studio"), Secret("sk-0123456789abcdeg"))
        calm = {"preset": "voice", "provider": "espeak", "voice": "en-us+michael", "language": "en"}
        await save_version(unit, "preset", "calm", "Calm narrator", calm, note="The first one")
        said = "The credit or quota at OpenAI is used up. It says: “You exceeded your current quota”"
        failed = {"error_kind": "quota", "error_said": said, "error_ref": "req_0123456789abcdef"}
        at = server.site.clock.now()
        await unit.session.execute(update(Provider).where(Provider.kind == "openai").values(error_at=at, **failed))
        job = (await unit.session.execute(select(Job).where(Job.number == 1))).scalar_one()
        refs = await unit.session.scalars(select(ArtifactRef).where(ArtifactRef.job_id == job.id))
        first = min((ref for ref in refs if ref.role == "picture"), key=lambda ref: ref.position)
        first.facts = {**first.facts, "scene": "s1", "origin": "artboard", "fallbacks": [FALL], "softened": "Harsh."}


async def test_added_chosen_and_removed(visit: Visit, providers: None) -> None:
    page = visit.page
    await visit.go(f"{BASE}/new")
    await page.get_by_role("link", name="Gemini").click()
    await page.get_by_label("Name").fill("Gemini of ours")
    await page.get_by_label("Key", exact=True).fill("AIza-not-a-real-key-0123456789")
    await page.get_by_role("button", name="Add provider").click()
    await expect(page.get_by_text("The provider was added.")).to_be_visible()
    await visit.go("/w/northlight/p/deep-sky/providers")
    await page.get_by_label("Asked first").select_option("gemini-of-ours")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("Jobs that are started from now on work this way.")).to_be_visible()
    await visit.go(f"{BASE}/gemini-of-ours")
    await page.get_by_role("button", name="Remove provider").click()
    await expect(page.get_by_text("The provider and its key were removed.")).to_be_visible()
    await visit.check()


async def test_axe_finds_nothing(chromium: Browser, server: Server, signed: dict[str, Any], providers: None) -> None:
    context = await open_looks(chromium, signed)
    faults: dict[str, Any] = {}
    visit = await open_page(context, server.base)
    for number, path in enumerate(PAGES):
        await visit.go(path)
        if SHOTS:
            await take_shots(visit.page, Path(SHOTS), str(number))
        if found := await faults_of(visit.page):
            faults[path] = found
    await context.close()
    assert faults == {}
