"""Every page in a browser: no violation of its policy, no error, nothing for axe, nothing that scrolls sideways."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from adapters.egress_rules import Allowance
from adapters.notify.webhook import WebhookPost
from tenants.directory import load_visitor, save_preferences
from tests.architecture.test_routes import OPEN, PERSONAL, WORKSPACE
from tests.browser.conftest import ENDPOINT, MESSAGE, Server, Visit, open_page
from tests.browser.looks import RUN as RUN
from tests.browser.looks import STATES, faults_of, open_looks
from tests.support.factories import Workspace
from workers.courier import Courier

pytestmark = pytest.mark.browser
PAGES = (
    "{base}",
    "{base}?q=nothing-like-this",
    "{base}?state=failed",
    "{base}/views",
    "{base}/views?state=failed",
    "{base}/new",
    "{base}/1",
    "{base}/2",
    "{base}/3",
    "{base}/1/steps",
    "{base}/1/artifacts",
    "{base}/1/artifacts?show=script.md#show",
    "{base}/3/logs",
    "{base}/1/manifest",
    "{base}/4/manifest",
    "{base}/1/config",
    "{base}/3/cost",
    "/settings",
    "/settings/security",
    "/settings/factors",
    "/workspaces/new",
    "/w/northlight/members",
    "/w/northlight/roles",
    "/w/northlight/projects",
    "/w/northlight/settings",
    "/w/northlight/keys",
    "/w/northlight/webhooks",
    f"/w/northlight/webhooks/{ENDPOINT}",
    f"/w/northlight/webhooks/{ENDPOINT}/messages/{MESSAGE}",
    "/w/northlight/audit",
    "/w/northlight/settings/sign-in",
    "/w/northlight/settings/sign-in/new",
    "/w/northlight/voices",
    "/w/northlight/voices/new",
    "/w/northlight/catalogue/recipes",
    "/w/northlight/catalogue/recipes/documentary",
    "/w/northlight/catalogue/recipes/documentary/edit",
    "/w/northlight/p/deep-sky/recipes",
    "/w/northlight/find",
    "/w/northlight/find?q=jupiter",
    "/w/northlight/approvals",
    "/w/northlight/projects/deep-sky/edit",
    "/w/northlight/queue",
    "/w/northlight/queue/letters?act=retry",
    "{base}/bulk?act=cancel",
    "/w/northlight/p/deep-sky/schedules",
    "/w/northlight/p/deep-sky/schedules/new",
    "/farm",
    "/w/northlight/p/bedtime-atlas/jobs",
)
GONE = ("/start/used", "/invite/used", "/reset/used")
DOORS = ("/sign-in?out", "/sign-in/at", "/forgot", "/confirm", *GONE)
"""Pages without the frame."""
NO_PAGES: dict[str, str] = {
    "/w/{tenant:str}": "leads to a project",
    "/w/{tenant:str}/p/{project:str}": "leads to its jobs",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/events": "an event stream",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/log.txt": "a file",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/artifacts/{name:path}": "a file",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/timeline/frame": "a file",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/timeline/picture/{sha256:str}": "a file",
    "/w/{tenant:str}/p/{project:str}/pictures/{picture:str}/file/{file:str}": "a file",
    "/w/{tenant:str}/queue/events": "an event stream",
    "/w/{tenant:str}/events": "an event stream",
    "/w/{tenant:str}/audit.csv": "a file",
    "/w/{tenant:str}/usage.csv": "a file",
    "/": "leads to the door",
    "/api/v1/openapi.json": "for programs",
    "/static/{path:path}": "a file",
    "/health/live": "for machines",
    "/confirm/with/{provider:str}": "leads to a provider",
    "/invite/{token:str}/with/{provider:str}": "leads to a provider",
    "/settings/security/with/{provider:str}": "leads to a provider",
    "/settings/security/link": "needs a provider's answer; the frame of the other doors",
    "/sign-in/at/{workspace:str}/{provider:str}": "leads to a provider",
    "/sign-in/back/{handle:str}": "leads back from a provider",
    "/sign-in/with/{provider:str}": "leads to a provider",
    "/w/{tenant:str}/settings/sign-in/{slug:str}": "the form of /new with what is set",
    "/w/{tenant:str}/catalogue/{kind:str}/{slug:str}/file": "a file",
    "/w/{tenant:str}/catalogue/{kind:str}/new": "the form of /edit, empty",
    "/w/{tenant:str}/voices/heard/{key:str}": "a file",
    "/w/{tenant:str}/voices/{slug:str}": "the form of /new with what is set",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/runs/{run:str}/{name:path}": "a file",
    "/passkeys/ask/sign-in": "an answer for the script",
    "/passkeys/ask/second": "an answer for the script",
    "/passkeys/ask/confirm": "an answer for the script",
    "/passkeys/ask/new": "an answer for the script",
    "/health/ready": "for machines",
}
"""Addresses that can be read and show no page of their own, and why."""
ELSEWHERE: dict[str, str] = {
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/gate/edit": "test_wizard.py",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/step/{step:str}": "test_wizard.py",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/step/{step:str}/fork": "test_wizard.py",
    "/w/{tenant:str}/p/{project:str}/pictures": "test_pictures.py",
    "/w/{tenant:str}/p/{project:str}/pictures/new": "test_pictures.py",
    "/w/{tenant:str}/p/{project:str}/pictures/{picture:str}": "test_pictures.py",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/script": "test_script.py",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/sheet": "test_pictures.py",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/timeline": "test_script.py",
    "/w/{tenant:str}/p/{project:str}/jobs/{number:str}/timeline/make": "test_script.py",
    "/w/{tenant:str}/p/{project:str}/providers": "test_providers.py",
    "/w/{tenant:str}/providers": "test_providers.py",
    "/w/{tenant:str}/providers/new": "test_providers.py",
    "/w/{tenant:str}/providers/{slug:str}": "test_providers.py",
    "/w/{tenant:str}/usage": "test_money.py",
    "/settings/factors/app": "test_factors.py",
    "/sign-in/second": "test_factors.py",
}
"""Pages that need more than the seeded workspace, and the file beside this one that checks them."""


def test_no_page_is_forgotten(space: Workspace) -> None:
    """Every page of the inventory of routes is looked at here or in a named file of this folder."""
    shown = [path.format(base=space.base).partition("?")[0].partition("#")[0] for path in (*PAGES, *DOORS)]
    routes = {route.split()[1] for route in (*WORKSPACE, *PERSONAL, *OPEN) if route.startswith("GET ")}
    unseen = [route for route in routes - NO_PAGES.keys() - ELSEWHERE.keys() if not _any_like(route, shown)]
    assert sorted(unseen) == [], "add an address to PAGES"
    assert (NO_PAGES.keys() | ELSEWHERE.keys()) - routes == set(), "these are gone"
    for file in set(ELSEWHERE.values()):
        text = (Path(__file__).parent / file).read_text()
        assert "RUN" in text or "faults_of" in text, f"{file} does not run axe"


def _any_like(route: str, shown: list[str]) -> bool:
    pattern = re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in route.split("/")))
    return any(pattern.fullmatch(path) for path in shown)


async def test_every_page_is_clean(
    chromium: Browser, server: Server, space: Workspace, signed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each page is loaded once: no violation of its policy, no error, nothing for axe in both themes and widths."""
    context = await open_looks(chromium, signed)
    visit = await open_page(context, server.base)
    faults: dict[str, Any] = {}
    began = time.monotonic()
    for path in (*PAGES, *DOORS):
        await visit.go(path.format(base=space.base))
        found = await faults_of(visit.page)
        found += await visit.page.evaluate("window.violations")
        found += [said for said in visit.problems if not _expected(path, said)]
        visit.problems.clear()
        if found:
            faults[path] = found
    await context.close()
    pages, took = len(PAGES) + len(DOORS), time.monotonic() - began
    with capsys.disabled():
        print(f"\npages: {pages}, axe runs: {pages * len(STATES)}, {took:.0f} s")  # noqa: T201 the counts are the evidence
    assert faults == {}


def _expected(path: str, said: str) -> bool:
    """The browser notes that a used link answers 410; that is what it ought to answer."""
    return path in GONE and "410" in said


async def test_portuguese_pages_hold_their_layout_at_320_pixels(
    chromium: Browser, server: Server, space: Workspace, signed: dict[str, Any]
) -> None:
    cookie = next(entry for entry in signed["cookies"] if entry["name"] == "vfos_session")
    visitor = await load_visitor(server.site.units, cookie["value"])
    assert visitor is not None
    await save_preferences(server.site.units, visitor.person.id, language="pt-BR")
    try:
        context = await chromium.new_context(storage_state=signed, viewport={"width": 320, "height": 700})  # type: ignore[arg-type]
        visit = await open_page(context, server.base)
        wide = []
        for path in PAGES:
            await visit.go(path.format(base=space.base))
            assert await visit.page.locator("html").get_attribute("lang") == "pt-BR"
            if await visit.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(path)
        await context.close()
        assert wide == []
    finally:
        await save_preferences(server.site.units, visitor.person.id, language="en")


async def test_the_page_of_an_endpoint_follows_a_message_on_its_way(visit: Visit, server: Server) -> None:
    runtime = server.site.runtime
    await visit.go(f"/w/northlight/webhooks/{ENDPOINT}")
    messages = visit.page.get_by_role("region", name="Messages")
    await visit.page.get_by_role("button", name="Send a test message").click()
    await expect(messages.get_by_role("listitem").first).to_contain_text("on its way")
    courier = Courier(runtime.units, lambda: runtime.vault, WebhookPost(Allowance()), server.base)
    await courier.look()
    await courier.settled()
    await expect(messages.get_by_role("listitem").first).to_contain_text("given up")
    await visit.check()
