"""The picture library in a browser: adding with and without script, describing, undoing, and accessibility."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from domain.catalog.model import LibraryPicture
from domain.production.artifacts import record_files
from domain.production.pipeline.base import StoredFile
from tenants.directory import load_visitor, save_preferences
from tests.browser.conftest import Server, Visit, open_page
from tests.browser.looks import COLOURS, RUN, STATES, Look, faults_of, open_looks
from tests.support.factories import Workspace, make_picture

pytestmark = pytest.mark.browser
BASE = "/w/northlight/p/deep-sky/pictures"
TINY = {"width": 320, "height": 700}
LOOKS: tuple[Look, ...] = (*STATES, (TINY, "light", RUN), (TINY, "dark", COLOURS))
WORDS = (
    ({"en": "The Sombrero galaxy", "pt-BR": "A galáxia do Sombrero"}, {"en": ["galaxy", "dust"], "pt-BR": ["galáxia"]}),
    ({"pt-BR": "Uma nebulosa com um nome muito comprido que precisa de mais de uma linha"}, {"pt-BR": ["nebulosa"]}),
    ({}, {}),
)


@pytest_asyncio.fixture(scope="module")
async def pictures(space: Workspace) -> list[str]:
    """Three pictures: with words in two languages, in one, and in none."""
    rows = []
    for seed, (captions, tags) in enumerate(WORDS):
        stored = await space.store.put_bytes(space.tenant_id, make_picture(100 + seed, 480, 320 + 160 * seed))
        row = LibraryPicture(project_id=space.project.id, sha256=stored.sha256, media_type="image/jpeg", role="picture")
        row.width, row.height, row.captions, row.tags = 480, 320 + 160 * seed, captions, tags
        row.licence, row.credit = ("CC BY 4.0", "NASA, ESA and the Hubble Heritage Team") if seed == 0 else ("", "")
        async with space.units.open(space.owner) as unit:
            await record_files(unit.session, space.tenant_id, [StoredFile(stored.sha256, stored.size, "image/jpeg")])
            unit.session.add(row)
        rows.append(str(row.id))
    return rows


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    made = {"red-dwarf.jpg": make_picture(200), "notes.jpg": b"text", "big.jpg": bytes(41 << 20)}
    for name, body in made.items():
        (tmp_path / name).write_bytes(body)
    return [str(tmp_path / name) for name in made]


class TestAdding:
    async def test_files_go_up_one_by_one_and_each_gets_its_answer(self, visit: Visit, files: list[str]) -> None:
        await visit.go(f"{BASE}/new")
        page = visit.page
        await page.get_by_label("Files").set_input_files(files)
        await page.get_by_role("button", name="Add pictures").click()
        rows = page.locator(".outcomes > li")
        await expect(rows.nth(0)).to_contain_text("Added.")
        await expect(rows.nth(0)).to_contain_text("dwarf")
        await expect(rows.nth(1)).to_contain_text("not a picture we can read")
        await expect(rows.nth(2)).to_contain_text("larger than 40 MB")
        await rows.nth(0).get_by_role("link", name="Describe").click()
        await expect(page.get_by_label("Tags").first).to_have_value("red, dwarf")
        visit.problems = [said for said in visit.problems if "422" not in said]
        await visit.check()

    async def test_without_script_all_go_up_at_once(
        self, chromium: Browser, server: Server, signed: dict[str, Any], files: list[str]
    ) -> None:
        context = await chromium.new_context(storage_state=signed, java_script_enabled=False)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(f"{server.base}{BASE}/new")
        await page.get_by_label("Files").set_input_files(files)
        await page.get_by_label("Credit").fill("Ourselves")
        await page.get_by_role("button", name="Add pictures").click()
        await expect(page.locator(".outcomes > li")).to_have_count(3)
        await expect(page.locator("#results")).to_contain_text("larger than 40 MB")
        await context.close()


class TestChanging:
    async def test_a_click_on_the_picture_sets_what_a_crop_keeps(self, visit: Visit, pictures: list[str]) -> None:
        await visit.go(f"{BASE}/{pictures[0]}")
        picture = visit.page.locator("vf-focus img")
        box = await picture.bounding_box()
        assert box is not None
        await picture.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.75})
        await expect(visit.page.get_by_label("From the left")).to_have_value("25")
        await expect(visit.page.get_by_label("From the top")).to_have_value("75")
        await visit.page.get_by_role("button", name="Save").click()
        await expect(visit.page.get_by_text("Saved.")).to_be_visible()
        await visit.check()

    async def test_a_removed_picture_comes_back(self, visit: Visit, pictures: list[str]) -> None:
        await visit.go(f"{BASE}/{pictures[0]}")
        await visit.page.get_by_role("button", name="Remove from the library").click()
        await expect(visit.page.get_by_text("The picture was removed.")).to_be_visible()
        await expect(visit.page.locator(f"#p-{pictures[0]}")).to_have_count(0)
        await visit.page.get_by_role("button", name="Undo").click()
        await expect(visit.page.get_by_text("The picture is back.")).to_be_visible()
        await expect(visit.page.locator(f"#p-{pictures[0]}")).to_have_count(1)
        await visit.check()


@pytest.mark.parametrize("language", ["en", "pt-BR"])
async def test_axe_finds_nothing(
    chromium: Browser, server: Server, signed: dict[str, Any], pictures: list[str], language: str
) -> None:
    cookie = next(entry for entry in signed["cookies"] if entry["name"] == "vfos_session")
    visitor = await load_visitor(server.site.units, cookie["value"])
    assert visitor is not None
    await save_preferences(server.site.units, visitor.person.id, language=language)
    context = await open_looks(chromium, signed)
    faults: dict[str, Any] = {}
    try:
        visit = await open_page(context, server.base)
        other = "/w/northlight/p/bedtime-atlas/pictures"
        removed = f"{BASE}?removed={pictures[0]}"
        for path in (BASE, removed, f"{BASE}?q=nothing-like-this", other, f"{BASE}/new", f"{BASE}/{pictures[1]}"):
            await visit.go(path)
            if found := await faults_of(visit.page, LOOKS):
                faults[path] = found
    finally:
        await context.close()
        await save_preferences(server.site.units, visitor.person.id, language="en")
    assert faults == {}
