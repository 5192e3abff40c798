"""Accessibility: axe finds nothing, in both themes, at both widths, in both languages; nothing scrolls sideways."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser

from tenants.directory import load_visitor, save_preferences
from tests.browser.conftest import AXE, NARROW, WIDE, Server, open_page
from tests.support.factories import Workspace

pytestmark = pytest.mark.browser
PAGES = (
    "{base}",
    "{base}?q=nothing-like-this",
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
    "/workspaces/new",
    "/w/northlight/members",
    "/w/northlight/roles",
    "/w/northlight/projects",
    "/w/northlight/settings",
    "/w/northlight/audit",
    "/w/northlight/p/bedtime-atlas/jobs",
)
RUN = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  return found.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | "));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1440", "390"])
async def test_axe_finds_nothing(
    chromium: Browser, server: Server, space: Workspace, signed: dict[str, Any], scheme: Any, size: Any
) -> None:
    context = await chromium.new_context(
        storage_state=signed,  # type: ignore[arg-type]
        viewport=size,
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    visit = await open_page(context, server.base)
    faults: dict[str, Any] = {}
    for path in (*PAGES, "/sign-in?out", "/start/used", "/forgot", "/confirm"):
        await visit.go(path.format(base=space.base))
        await visit.page.add_script_tag(path=AXE)
        found = await visit.page.evaluate(RUN)
        sideways = await visit.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        if found or sideways:
            faults[path] = [*found, *(["scrolls sideways"] if sideways else [])]
    await context.close()
    assert faults == {}


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
