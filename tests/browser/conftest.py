"""A real server on a loopback port and a real Chromium."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from adapters.settings import Settings
from app.main import build
from app.site import Site, open_site
from domain.outreach.messages import write
from domain.outreach.model import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookSecret
from domain.production.model import SavedView
from tenants.directory import issue_owner_link
from tenants.records import uuid7
from tenants.unit import Unit
from tests.support.factories import Workspace, seed_jobs, seed_workspace
from tests.support.ports import free_port

# What is expected comes when it comes: the suite shares two cores, and no test here is about speed.
expect.set_options(timeout=20_000)

CHROMIUM = "/usr/bin/chromium"
OFF = (
    # What Playwright turns off; one list replaces the other.
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,"
    "LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,"
    "OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch,"
    # Pages of the address bar, which nobody sees here: a third of a second of work for every window.
    "WebUIOmniboxPopup,WebUIOmniboxFullPopup,WebUIOmniboxAimPopup"
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={OFF}",
]
AXE = Path(__file__).parents[1] / "support" / "vendor" / "axe-4.14.1.min.js"
LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));
"""
ENDPOINT, MESSAGE = UUID(int=0x1F), UUID(int=0x2F)
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Visit:
    """An open page that remembers everything that went wrong on it."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        await self.page.goto(self.base + path)

    async def check(self) -> None:
        """Fail on any console error, page error or violation of the content policy."""
        violations = await self.page.evaluate("window.violations")
        assert [*self.problems, *violations] == []


@pytest_asyncio.fixture(scope="module")
async def site(database: Settings) -> AsyncIterator[Site]:
    opened = open_site(database)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module")
async def space(site: Site) -> Workspace:
    made = await seed_workspace(site.units, site.store)
    await seed_jobs(made)
    async with made.units.open(made.owner) as unit:
        view = {"name": "Needs a look", "wanted": {"state": "failed"}, "shared": True, "made_by_name": "Olga"}
        unit.session.add(SavedView(project_id=made.project.id, user_id=uuid7(), **view))
        await add_webhook(unit)
    return made


async def add_webhook(unit: Unit) -> None:
    """An endpoint that fails, and a message to it that was tried twice."""
    now, url = datetime.now(UTC), "https://hooks.example.org/films/that/are/ready?for=the-shop-and-its-window"
    failing = {"failing_since": now - timedelta(hours=3), "kinds": ["job.finished"], "made_by_name": "Olga"}
    unit.session.add(WebhookEndpoint(id=ENDPOINT, url=url, description="The shop", told_seq=10**9, **failing))
    data = {
        "workspace": {"slug": "northlight"},
        "project": {"slug": "deep-sky"},
        "job": {"number": 1, "title": "Films"},
    }
    said = {"kind": "job.finished", "message_id": "msg_1", "body": write("job.finished", now, data), "happened_at": now}
    waits = {"tries": 2, "failures": 2, "next_at": now + timedelta(hours=2)}
    await unit.session.flush()
    unit.session.add(WebhookSecret(endpoint_id=ENDPOINT, name="webhook:1"))
    unit.session.add(WebhookDelivery(id=MESSAGE, endpoint_id=ENDPOINT, **said, **waits))
    await unit.session.flush()
    for number, outcome, status in ((1, "unreachable", None), (2, "refused", 503)):
        ended: dict[str, Any] = {"outcome": outcome, "status": status, "millis": 1234, "said": "No route to the host"}
        answer = "<p>The shop is closed.</p>" if status else ""
        unit.session.add(WebhookAttempt(delivery_id=MESSAGE, number=number, begun_at=now, answer=answer, **ended))


@dataclass
class Server:
    """A web server that can be stopped and started again on its port."""

    site: Site
    port: int = field(default_factory=free_port)
    _server: uvicorn.Server | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def base(self) -> str:
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        """Serve from a socket that listens already, so that nobody has to wait for the server."""
        self.site.closing = False
        listener = socket.create_server(("127.0.0.1", self.port))
        config = uvicorn.Config(build(self.site), log_level="error", timeout_graceful_shutdown=1, lifespan="off")
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve([listener]))

    async def stop(self) -> None:
        assert self._server is not None
        assert self._task is not None
        self.site.closing = True
        self._server.should_exit = True
        await self._task


@pytest_asyncio.fixture(scope="module")
async def server(site: Site, space: Workspace) -> AsyncIterator[Server]:
    running = Server(site)
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One for the whole run: every context is a browser of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


async def open_page(context: BrowserContext, base: str) -> Visit:
    page = await context.new_page()
    visit = Visit(page, base)
    await page.add_init_script(LISTEN)
    page.on("console", lambda said: visit.problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: visit.problems.append(str(error)))
    return visit


async def come_in(chromium: Browser, server: Server, tenant_id: UUID, name: str) -> dict[str, Any]:
    """The storage of a browser whose owner, who operates the farm, has come in by the owner link."""
    context = await chromium.new_context()
    visit = await open_page(context, server.base)
    link = await issue_owner_link(server.site.units, tenant_id, operates_farm=True)
    await visit.go(f"/start/{link}")
    await visit.page.get_by_label("Your name").fill(name)
    await visit.page.get_by_role("button", name="Enter the workspace").click()
    await visit.page.wait_for_url("**/jobs")
    await visit.check()
    state: dict[str, Any] = dict(await context.storage_state())
    await context.close()
    return state


@pytest_asyncio.fixture(scope="module")
async def signed(chromium: Browser, server: Server, space: Workspace) -> dict[str, Any]:
    """The storage of the browser of the seeded workspace's owner."""
    return await come_in(chromium, server, space.tenant_id, "Marina Rocha")


@pytest_asyncio.fixture
async def visit(chromium: Browser, server: Server, signed: dict[str, Any]) -> AsyncIterator[Visit]:
    """A fresh page of the signed-in owner, 1440 pixels wide."""
    context = await chromium.new_context(storage_state=signed, viewport=WIDE)  # type: ignore[arg-type]
    yield await open_page(context, server.base)
    await context.close()
