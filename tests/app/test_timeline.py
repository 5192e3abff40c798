"""The timeline page: looking, each operation by form, undo and redo, two people at once, and making the film again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from html import unescape
from typing import Any

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import delete, func, select

from adapters.settings import Settings
from app.site import Site
from domain.dispatch.model import Step
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.cutting import read_changes
from domain.production.model import Job
from domain.studio.model import TimelineDraft, TimelineEdit
from tests.app.conftest import Person, sign_in
from tests.app.test_script import give_role
from tests.support.scripted import Scripted, open_scripted

Browser = Callable[[], AsyncClient]


@pytest_asyncio.fixture(scope="module")
async def studio(database: Settings, site: Site) -> Scripted:
    """A workspace with job #1: written, spoken and planned, not rendered."""
    made = await open_scripted(database, site.units, site.store, "spruce")
    await made.plan()
    return made


@pytest_asyncio.fixture(scope="module")
async def marina(studio: Scripted, site: Site, browser: Browser) -> AsyncIterator[Person]:
    async with browser() as client:
        yield await sign_in(client, site, studio)


@pytest_asyncio.fixture(autouse=True)
async def untouched(studio: Scripted) -> AsyncIterator[None]:
    """Each test begins with the timeline as it was composed."""
    yield
    async with studio.units.open(studio.owner) as unit:
        for rows in (TimelineEdit, TimelineDraft):
            await unit.session.execute(delete(rows))


class Desk:
    """The timeline of job #1 in somebody's browser."""

    def __init__(self, person: Person, studio: Scripted) -> None:
        self.person, self.path = person, f"{studio.base}/1/timeline"

    async def look(self, query: str = "") -> str:
        answer = await self.person.get(self.path + query)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    async def do(self, version: int, **fields: Any) -> Any:
        data = {"version": str(version), **{name: str(value) for name, value in fields.items()}}
        return await self.person.post(self.path, data)

    async def spans(self) -> dict[str, tuple[int, int]]:
        """First frame and length of every bar, by id."""
        page = await self.look()
        return {
            found[0]: (int(found[1]), int(found[2]))
            for found in re.findall(r'data-id="([^"]+)" data-first="(\d+)" data-count="(\d+)"', page)
        }


@pytest.fixture
def desk(marina: Person, studio: Scripted) -> Desk:
    return Desk(marina, studio)


def first_pictures(spans: dict[str, tuple[int, int]]) -> list[str]:
    return sorted((name for name in spans if re.fullmatch(r"picture-\w+", name)), key=lambda name: spans[name])


class TestLooking:
    async def test_every_item_is_drawn_to_scale_and_told_in_the_list(self, desk: Desk) -> None:
        page, spans = await desk.look(), await desk.spans()
        assert page.count("<h1") == 1
        assert {"voice", "bed", "logo"} <= set(spans)
        assert len(first_pictures(spans)) >= 3
        assert 'class="wave"' in page
        assert "timeline/picture/" in page
        assert page.count("</svg>") > len(spans)
        assert "Everything as a list" in page
        wide = await desk.look("?zoom=4")
        assert 'width="4160"' in wide
        assert (await desk.look("?zoom=3&at=999999999&item=nothing")).count("Nothing chosen") == 1

    async def test_a_frame_and_a_picture_are_served(self, desk: Desk) -> None:
        page = await desk.look("?at=30")
        still = re.search(r'id="tl-frame" src="([^"]+)"', page)
        small = re.search(r'<image href="([^"]+)"', page)
        assert still is not None
        assert small is not None
        for address, kind, sign in ((still[1], "image/jpeg", b"\xff\xd8"), (small[1], "image/webp", b"RIFF")):
            answer = await desk.person.get(address)
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            assert answer.content.startswith(sign)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert (await desk.person.get(f"{desk.path}/picture/{'0' * 64}")).status_code == 404

    async def test_the_tab_is_there_before_the_film_is_composed(self, marina: Person, studio: Scripted) -> None:
        async with studio.units.open(studio.owner) as unit:
            job = await create_job(unit, NewJob("deep-sky", "quick", "Why stars twinkle"))
        page = await marina.get(f"{studio.base}/{job.number}/timeline")
        assert (page.status_code, "No timeline yet" in page.text) == (200, True)
        for path in ("frame", "make"):
            assert (await marina.get(f"{studio.base}/{job.number}/timeline/{path}")).status_code == 404
        async with studio.units.open(studio.owner) as unit:
            ended = await unit.session.get(Job, (studio.tenant_id, job.id))
            assert ended is not None
            ended.state = "cancelled"
        page = await marina.get(f"{studio.base}/{job.number}/timeline")
        assert "This job ended before its film was composed" in page.text
        assert "every 3s" not in page.text

    async def test_a_viewer_looks_and_changes_nothing(self, site: Site, desk: Desk, studio: Scripted) -> None:
        await give_role(site, studio, "viewer")
        try:
            page = await desk.look("?item=voice")
            assert "You may look at the timeline, but not change it." in page
            assert '<form method="post"' not in page.partition('id="timeline"')[2].partition("</main>")[0]
            assert (await desk.do(0, op="delete", item="logo")).status_code == 403
            for path in ("undo", "redo", "make"):
                assert (await desk.person.post(f"{desk.path}/{path}", {"version": "0"})).status_code == 403
        finally:
            await give_role(site, studio, "owner")

    async def test_another_workspace_finds_nothing(self, stranger: Person, studio: Scripted) -> None:
        for path in ("", "/frame", "/make", f"/picture/{'0' * 64}"):
            assert (await stranger.get(f"{studio.base}/1/timeline{path}")).status_code == 404
        answer = await stranger.post(f"{studio.base}/1/timeline", {"op": "delete", "item": "logo", "version": "0"})
        assert answer.status_code == 404


class TestChanging:
    async def test_each_operation_has_a_form_without_script(self, desk: Desk) -> None:
        pictures = first_pictures(await desk.spans())
        a, b = pictures[0], pictures[1]
        page = await desk.look(f"?item={b}")
        other = re.findall(r'name="picture" value="(\w{64})"(?! checked)', page)[-1]
        wishes: list[dict[str, Any]] = [
            {"op": "trim", "item": a, "edge": "end", "frames": "+10", "how": "roll"},
            {"op": "length", "item": b, "seconds": "2,5", "how": "roll"},
            {"op": "move", "item": "logo", "seconds": "1.0"},
            {"op": "split", "item": a, "at": 40},
            {"op": "transition", "item": b, "edge": "end", "kind": "wipe", "frames": 9},
            {"op": "asset", "item": b, "picture": other},
            {"op": "motion", "item": b, "motion": "drift"},
            {"op": "effect", "item": b, "effect": "blur", "on": "yes", "param.radius": "0,03"},
            {"op": "place", "item": "logo", "anchor": "bottom-left", "width": ""},
            {"op": "gain", "item": "bed", "gain_db": "-12"},
            {"op": "fades", "item": "bed", "fade_in": 5, "fade_out": 6},
            {"op": "captions", "effect": "karaoke", "on": "yes", "accent": "#ff8800"},
            {"op": "reorder", "item": b, "after": ""},
            {"op": "delete", "item": f"{a}~2", "how": "neighbour"},
        ]
        for version, wish in enumerate(wishes):
            answer = await desk.do(version, **wish, selected=wish.get("item", "captions"), zoom="2", frame="12")
            assert answer.status_code == 303, (wish, answer.text)
            assert "zoom=2&at=12" in answer.headers["location"]
            shown = await desk.person.get(answer.headers["location"])
            assert shown.status_code == 200
        assert "14 changes that are not in the film" in await desk.look("?item=logo")
        spans = await desk.spans()
        assert spans["logo"][0] == 30
        assert first_pictures(spans)[0] == b

    async def test_what_cannot_be_done_is_told_and_nothing_is_written(self, desk: Desk, studio: Scripted) -> None:
        a = first_pictures(await desk.spans())[0]
        for wish, said in (
            ({"op": "trim", "item": a, "edge": "end", "frames": "-9999"}, "would last less than a frame"),
            ({"op": "text", "item": "logo", "text": "up"}, "“Logo” is no text"),
            ({"op": "move", "item": "voice", "frames": "-40"}, "“Voice” would start"),
            ({"op": "move", "item": "logo", "seconds": "<b>soon"}, "Not a time"),
            ({"op": "trim", "item": "<b>x", "edge": "end", "frames": "1"}, "There is no item"),
            ({"op": "asset", "item": a, "picture": "0" * 64}, "The picture is not there"),
            ({"op": "fly"}, "This program knows no change 'fly'"),
            ({}, "What to change is not said"),
        ):
            answer = await desk.do(0, **wish)
            assert answer.status_code == 422, wish
            assert "nothing was changed" in answer.text
            assert "<b>x" not in answer.text
            assert "<b>soon" not in answer.text
            assert said in unescape(answer.text)
        async with studio.units.open(studio.owner) as unit:
            assert (await read_changes(unit, (await studio.job(1)).id)).version == 0

    async def test_what_changes_nothing_is_no_change(self, desk: Desk) -> None:
        a = first_pictures(await desk.spans())[0]
        assert (await desk.do(0, op="trim", item=a, edge="end", frames=0)).status_code == 303
        assert (await desk.do(0, op="motion", item=a, motion="drift")).status_code == 303
        assert (await desk.do(1, op="motion", item=a, motion="drift")).status_code == 303
        assert "1 change that is not in the film" in await desk.look()

    async def test_a_change_of_a_newer_program_is_named_and_can_be_taken_back(
        self, desk: Desk, studio: Scripted
    ) -> None:
        a = first_pictures(await desk.spans())[0]
        await desk.do(0, op="trim", item=a, edge="end", frames=10)
        await desk.do(1, op="motion", item=a, motion="drift")
        async with studio.units.open(studio.owner) as unit:
            edits = (await read_changes(unit, (await studio.job(1)).id)).edits
            edits[-1].operation = {"op": "fly", "item": a, "height": {"of": "a kite"}}
        page = await desk.look()
        assert "One earlier change no longer fits this film and was left out" in page
        assert "A change that is unknown here (fly)" in page
        assert "This program knows no change 'fly'; a newer version may." in page
        refused = await desk.person.post(f"{desk.path}/make", {"version": "2", "idem_key": "n" * 20})
        assert (refused.status_code, "Make the film there" in refused.text) == (422, True)
        assert (await desk.person.post(f"{desk.path}/undo", {"version": "2"})).status_code == 303
        assert "was left out" not in await desk.look()
        assert (await desk.person.post(f"{desk.path}/redo", {"version": "3"})).status_code == 303

    async def test_undo_and_redo_lead_back_and_forth(self, desk: Desk) -> None:
        before = await desk.spans()
        a = first_pictures(before)[0]
        await desk.do(0, op="trim", item=a, edge="end", frames=10)
        await desk.do(1, op="trim", item=a, edge="end", frames=5)
        after = await desk.spans()
        assert after[a] == (before[a][0], before[a][1] + 15)
        for version, path, length in (
            (2, "undo", 10),
            (3, "undo", 0),
            (4, "redo", 10),
            (5, "redo", 15),
            (6, "undo", 10),
        ):
            answer = await desk.person.post(f"{desk.path}/{path}", {"version": str(version)})
            assert answer.status_code == 303
            assert (await desk.spans())[a][1] == before[a][1] + length
        await desk.do(7, op="motion", item=a, motion="none")
        answer = await desk.person.post(f"{desk.path}/redo", {"version": "8"})
        assert answer.status_code == 422
        assert "nothing to undo or redo" in answer.text

    async def test_of_two_people_the_second_is_told_and_loses_nothing(self, desk: Desk, studio: Scripted) -> None:
        a = first_pictures(await desk.spans())[0]
        assert (await desk.do(0, op="motion", item=a, motion="drift")).status_code == 303
        late = await desk.do(0, op="trim", item=a, edge="end", frames="−10", how="roll", zoom="²")
        assert late.status_code == 409
        text = unescape(late.text)
        assert "The timeline was changed meanwhile" in text
        assert "movement Drift" in text
        assert "Your change was not made" in text
        form = text.partition("Your change was not made")[2].partition("</form>")[0]
        kept = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
        assert (kept["op"], kept["frames"], kept["version"]) == ("trim", "−10", "1")
        again = await desk.person.post(desk.path, {k: v for k, v in kept.items() if k != "csrf"})
        assert again.status_code == 303
        async with studio.units.open(studio.owner) as unit:
            changes = await read_changes(unit, (await studio.job(1)).id)
        assert [edit.operation["op"] for edit in changes.done] == ["motion", "trim"]
        undo = await desk.person.post(f"{desk.path}/undo", {"version": "1"})
        assert (undo.status_code, "Look at the timeline as it is now" in undo.text) == (409, True)


class TestMaking:
    async def test_the_preview_then_one_job(self, desk: Desk, studio: Scripted) -> None:
        a = first_pictures(await desk.spans())[0]
        assert (await desk.person.post(f"{desk.path}/make", {"version": "0", "idem_key": "k" * 20})).status_code == 422
        await desk.do(0, op="motion", item=a, motion="none")
        page = await desk.look("/make")
        row = re.search(r"Video segments</th><td[^>]*>(\d+)</td><td[^>]*>(\d+)</td>", page)
        assert row is not None
        assert "What making the film again takes" in page
        assert "about " in page
        key = re.search(r'name="idem_key" value="([^"]+)"', page)
        assert key is not None
        form = {"version": "1", "idem_key": key[1]}
        stale = await desk.person.post(f"{desk.path}/make", {**form, "version": "0"})
        assert (stale.status_code, "changed meanwhile" in stale.text) == (409, True)
        first, again = [await desk.person.post(f"{desk.path}/make", form) for _ in range(2)]
        assert (first.status_code, first.headers["location"]) == (303, again.headers["location"])
        number = int(first.headers["location"].rpartition("/")[2])
        await studio.work()
        async with studio.units.open(studio.owner) as unit:
            made = await unit.session.scalar(select(Job).where(Job.number == number))
            assert await unit.session.scalar(select(func.count()).where(Job.idem_key == key[1])) == 1
        assert made is not None
        assert [edit["operation"]["op"] for edit in made.spec["timeline_edits"]] == ["motion"]
        shown = await desk.person.get(f"{studio.base}/{number}/timeline")
        assert "In this film already" in shown.text
        assert "1 change · Marina" in (await desk.person.get(f"{studio.base}/{number}/config")).text
        await self.a_change_of_the_script_says_what_becomes_of_it(desk, studio, number)
        assert "made as #" in await desk.look()
        assert "timeline changed" in (await desk.person.get(f"{studio.base}/1")).text

    async def a_change_of_the_script_says_what_becomes_of_it(self, desk: Desk, studio: Scripted, number: int) -> None:
        change = {"scene": "s2", "text": "A person wrote this."}
        preview = await desk.person.post(f"{studio.base}/{number}/script", change)
        assert "The timeline of this film was changed by hand, in one place." in preview.text
        row = re.search(r"Video segments</th><td[^>]*>at most (\d+)</td><td[^>]*>(.*?)</td>", preview.text)
        assert row is not None
        assert row[2] == "0"
        async with studio.units.open(studio.owner) as unit:
            job = await unit.session.scalar(select(Job).where(Job.number == number))
            assert job is not None
            step = await unit.session.scalar(select(Step).where(Step.job_id == job.id, Step.kind == "compose"))
            assert step is not None
            lost = {"count": 1, "lost": [{"number": 0, "why": "motion of picture-s1 (edit 1): It is gone."}]}
            step.outputs = {**(step.outputs or {}), "edits": lost}
        page = await desk.person.get(f"{studio.base}/{number}")
        assert "1 change of the timeline no longer fits this film and was left out." in page.text
        assert "It is gone." in (await desk.person.get(f"{studio.base}/{number}/timeline")).text

    async def test_a_change_in_no_film_yet_is_told_beside_the_script(self, desk: Desk, studio: Scripted) -> None:
        a = first_pictures(await desk.spans())[0]
        await desk.do(0, op="motion", item=a, motion="none")
        change = {"scene": "s2", "text": "A person wrote this."}
        preview = await desk.person.post(f"{studio.base}/1/script", change)
        assert "One change of the timeline is in no film yet." in preview.text
        assert "They stay with this job" in preview.text

    async def test_edits_that_a_new_composition_no_longer_takes_are_told(self, desk: Desk, studio: Scripted) -> None:
        """The base of the draft is another film now: what still fits is done, what does not is named."""
        a = first_pictures(await desk.spans())[0]
        await desk.do(0, op="motion", item=a, motion="none")
        await desk.do(1, op="trim", item=a, edge="end", frames=10)
        async with studio.units.open(studio.owner) as unit:
            job = await studio.job(1)
            gone = {"op": "delete", "item": "picture-gone"}
            edit = (await read_changes(unit, job.id)).edits[0]
            edit.operation = gone
            row = await unit.session.get(TimelineDraft, (studio.tenant_id, job.id))
            assert row is not None
            row.base = "0" * 64
        page = await desk.look()
        assert "One earlier change no longer fits this film and was left out" in page
        assert "There is no item 'picture-gone'" in page
