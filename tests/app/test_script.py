"""The script page: reading, changing one scene, the preview, and the new job; and who may do so."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import func, select, update

from adapters.settings import Settings
from app.site import Site
from domain.dispatch.model import Step
from domain.production.commands.create_job import create_job
from domain.production.commands.edit_script import edit_script
from domain.production.commands.new_job import NewJob
from domain.production.model import Job
from domain.studio.script import Scene
from tenants.model import Membership
from tests.app.conftest import Person, sign_in
from tests.support.factories import add_log
from tests.support.scripted import Scripted, open_scripted

Browser = Callable[[], AsyncClient]


@pytest_asyncio.fixture(scope="module")
async def studio(database: Settings, site: Site) -> Scripted:
    """A workspace with job #1: written, spoken and planned, not rendered."""
    made = await open_scripted(database, site.units, site.store, "cedar")
    await made.plan()
    return made


async def give_role(site: Site, studio: Scripted, role: str) -> None:
    """Change the role of the workspace's people."""
    async with site.units.system("test") as unit:
        people = update(Membership).where(Membership.tenant_id == studio.tenant_id)
        await unit.session.execute(people.values(role=role))


@pytest_asyncio.fixture(scope="module")
async def marina(studio: Scripted, site: Site, browser: Browser) -> AsyncIterator[Person]:
    async with browser() as client:
        yield await sign_in(client, site, studio)


@pytest_asyncio.fixture(scope="module")
async def scene(studio: Scripted) -> Scene:
    """A scene in the middle of the first script."""
    script = await studio.script(await studio.job(1))
    assert len(script.scenes) >= 3
    return script.scenes[1]


def text_of(scene: Scene) -> str:
    return "\n".join(sentence.text for sentence in scene.sentences)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


async def count_jobs(studio: Scripted) -> int:
    async with studio.units.open(studio.owner) as unit:
        return await unit.session.scalar(select(func.count()).select_from(Job)) or 0


class TestReading:
    async def test_every_scene_is_there_with_its_sentences_length_picture_and_sources(
        self, studio: Scripted, marina: Person
    ) -> None:
        script = await studio.script(await studio.job(1))
        page = (await marina.get(f"{studio.base}/1/script")).text
        assert page.count("<h1") == 1
        for scene in script.scenes:
            card = re.search(rf'<article class="card scene" id="scene-{scene.id}".*?</article>', page, re.S)
            assert card is not None
            assert card.group().count("<p>") == len(scene.sentences)
            assert f"artifacts/pictures/{scene.id}." in card.group()
            assert re.search(r"\d (s|min)", card.group())
            assert ("source" in card.group()) == bool(scene.facts)
        assert page.count(">Edit<") == len(script.scenes)

    async def test_the_tab_is_there_before_the_script_is(self, marina: Person, studio: Scripted) -> None:
        async with studio.units.open(studio.owner) as unit:
            job = await create_job(unit, NewJob("deep-sky", "quick", "Why stars twinkle"))
        page = (await marina.get(f"{studio.base}/{job.number}/script")).text
        assert "No script yet" in page
        assert 'hx-trigger="every 3s"' in page
        assert (await marina.get(f"{studio.base}/{job.number}/script?scene=s1")).status_code == 200
        answer = await marina.post(f"{studio.base}/{job.number}/script", {"scene": "s1", "text": "Hello there."})
        assert answer.status_code == 404

    async def test_an_address_with_a_scene_opens_its_form_without_script(
        self, studio: Scripted, marina: Person, scene: Scene
    ) -> None:
        page = (await marina.get(f"{studio.base}/1/script?scene={scene.id}")).text
        assert page.count("<textarea") == 1
        assert f"{scene.sentences[-1].text}</textarea>".replace("'", "&#39;") in page
        part = await marina.get(
            f"{studio.base}/1/script?scene={scene.id}", HX_Request="true", HX_Request_Type="partial"
        )
        assert part.text.lstrip().startswith(f'<article class="card scene" id="scene-{scene.id}"')
        assert (await marina.get(f"{studio.base}/1/script?scene=nope")).status_code == 404


class TestFaults:
    async def test_every_fault_is_told_and_the_text_is_kept(
        self, studio: Scripted, marina: Person, scene: Scene
    ) -> None:
        before = await count_jobs(studio)
        text = f"<b>Fine.</b>\n…\n{'word ' * 300}\nBad\x1bsign."
        for path in ("script", "script/make"):
            page = await marina.post(f"{studio.base}/1/{path}", {"scene": scene.id, "text": text, "extra": "1"})
            assert page.status_code == 422
            for said in (
                "4 things must be corrected",
                "no field “extra”",
                "Sentence 2 has no word that can be read aloud",
                "Sentence 3 has 1,499 characters; at most 1,000",
                "U+001B) at position",
            ):
                assert said in page.text
            assert "&lt;b&gt;Fine.&lt;/b&gt;" in page.text
            assert "<b>Fine" not in page.text
            assert "\x1b" not in page.text
            assert "data-unsaved" in page.text
        assert await count_jobs(studio) == before

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("  \n ", "The scene is empty"),
            ("A word. " * 61, "has 61 sentences"),
            ("Soft\u200dly spoken.", "cannot be read aloud"),
        ],
    )
    async def test_each_fault(self, studio: Scripted, marina: Person, scene: Scene, text: str, said: str) -> None:
        page = await marina.post(f"{studio.base}/1/script", {"scene": scene.id, "text": text})
        assert page.status_code == 422
        assert said in page.text

    async def test_an_unchanged_text_is_not_a_change(self, studio: Scripted, marina: Person, scene: Scene) -> None:
        page = await marina.post(f"{studio.base}/1/script", {"scene": scene.id, "text": text_of(scene)})
        assert page.status_code == 422
        assert "Nothing is changed" in page.text


class TestChange:
    async def test_from_the_preview_to_the_new_job_exactly_once(
        self, studio: Scripted, marina: Person, scene: Scene
    ) -> None:
        before = await count_jobs(studio)
        text = f"A person wrote this sentence.\n{text_of(scene)}"
        page = await marina.post(f"{studio.base}/1/script", {"scene": scene.id, "text": text})
        assert page.status_code == 200
        assert await count_jobs(studio) == before
        total = len((await studio.script(await studio.job(1))).sentences())
        assert re.search(rf"Sentences</th><td[^>]*>1</td><td[^>]*>{total}</td>", page.text)
        assert re.search(r"about \d+ (s|min)", page.text)
        assert "<b>$0.00</b>" in page.text
        form = {"scene": scene.id, "text": text, "seen": hidden(page.text, "seen")}
        form["idem_key"] = hidden(page.text, "idem_key")
        first = await marina.post(f"{studio.base}/1/script/make", form)
        again = await marina.post(f"{studio.base}/1/script/make", form)
        assert (first.status_code, again.status_code) == (303, 303)
        assert first.headers["location"] == again.headers["location"]
        assert await count_jobs(studio) == before + 1
        number = int(first.headers["location"].rpartition("/")[2])
        shown = (await marina.get(first.headers["location"])).text
        assert f'<a href="{studio.base}/1">Changed from #1</a>' in shown
        await studio.work()
        made = await studio.script(await studio.job(number))
        assert [s.text for s in made.scenes[1].sentences] == text.split("\n")
        async with studio.units.open(studio.owner) as unit:
            await unit.session.execute(update(Job).where(Job.number == number).values(state="succeeded"))
        shown = (await marina.get(first.headers["location"])).text
        assert f"<dt>Sentences</dt><dd>1 made, {total} kept</dd>" in shown
        assert "edited" in (await marina.get(f"{first.headers['location']}/script")).text

    async def test_a_text_changed_after_its_preview_is_shown_again_first(
        self, studio: Scripted, marina: Person, scene: Scene
    ) -> None:
        page = await marina.post(f"{studio.base}/1/script", {"scene": scene.id, "text": "One text. Another."})
        form = {"scene": scene.id, "text": "A third text.", "seen": hidden(page.text, "seen")}
        form["idem_key"] = hidden(page.text, "idem_key")
        before = await count_jobs(studio)
        page = await marina.post(f"{studio.base}/1/script/make", form)
        assert page.status_code == 200
        assert "The text was changed after this was worked out." in page.text
        assert await count_jobs(studio) == before

    async def test_a_key_that_has_made_something_else_is_a_conflict(
        self, studio: Scripted, marina: Person, scene: Scene
    ) -> None:
        form: dict[str, str] = {}
        for text in ("First wording here.", "Second wording here."):
            page = await marina.post(f"{studio.base}/1/script", {"scene": scene.id, "text": text})
            form = {"scene": scene.id, "text": text, "seen": hidden(page.text, "seen"), "idem_key": "one-key-for-two"}
            answer = await marina.post(f"{studio.base}/1/script/make", form)
        assert answer.status_code == 409

    async def test_htmx_is_sent_to_the_new_job(self, studio: Scripted, marina: Person, scene: Scene) -> None:
        page = await marina.post(f"{studio.base}/1/script", {"scene": scene.id, "text": "A quiet word."})
        form = {"scene": scene.id, "text": "A quiet word.", "seen": hidden(page.text, "seen")}
        form["idem_key"] = hidden(page.text, "idem_key")
        answer = await marina.post(f"{studio.base}/1/script/make", form, HX_Request="true", HX_Request_Type="partial")
        assert answer.is_success
        assert answer.headers["hx-redirect"].startswith(f"{studio.base}/")


class TestWritingAgain:
    async def test_an_instruction_is_checked_then_followed_and_shown(self, studio: Scripted, marina: Person) -> None:
        job = await studio.plan()
        # As a finished job: nothing waits for rendering.
        async with studio.units.open(studio.owner) as unit:
            await unit.session.execute(
                update(Step).where(Step.job_id == job.id, Step.state == "ready").values(state="succeeded")
            )
        path = f"{studio.base}/{job.number}/script"
        assert "What should be different?" in (await marina.get(f"{path}?again=1")).text
        for wrong, said in (("  ", "The instruction is empty"), ("x" * 2001, "has 2,001 characters")):
            page = await marina.post(f"{path}/again", {"instruction": wrong})
            assert page.status_code == 422
            assert said in page.text
        answer = await marina.post(f"{path}/again", {"instruction": "Begin with <b>1995</b>."})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{studio.base}/{job.number}")
        await studio.work()
        page = await marina.get(path)
        assert "Written with the instruction: Begin with &lt;b&gt;1995&lt;/b&gt;." in page.text

    async def test_an_edited_script_is_not_written_over(self, studio: Scripted, marina: Person, scene: Scene) -> None:
        first = await studio.job(1)
        async with studio.units.open(studio.owner) as unit:
            job = await edit_script(unit, first.id, {scene.id: ["These words are a person's."]})
        await studio.work()
        edited = f"{studio.base}/{job.number}/script"
        assert "edited" in (await marina.get(edited)).text
        assert "Write it again" not in (await marina.get(edited)).text
        assert (await marina.post(f"{edited}/again", {"instruction": "Shorter."})).status_code == 404


class TestWhileWritten:
    async def test_the_draft_grows_on_the_tab_and_on_the_page_of_the_step(
        self, studio: Scripted, marina: Person
    ) -> None:
        async with studio.units.open(studio.owner) as unit:
            job = await create_job(unit, NewJob("deep-sky", "quick", "How the Moon was made"))
            step = (await unit.session.scalars(select(Step).where(Step.job_id == job.id, Step.kind == "script"))).one()
            step.state, step.attempt = "running", 1
        tab, page = f"{studio.base}/{job.number}/script", f"{studio.base}/{job.number}/step/script"
        part = {"HX-Request": "true", "HX-Request-Type": "partial"}
        assert "Nothing of the script can be read yet." in (await marina.get(page)).text
        told = [("info", "draft 1", text) for text in ("# The Moon", "# A giant impact", "It was <hot>.")]
        async with studio.units.open(studio.owner) as unit:
            job = await unit.session.merge(job)
            await add_log(unit, job, step, told, datetime.now(UTC))
        fragment = (await marina.get(f"{page}?part=draft", **part)).text
        for text in ((await marina.get(tab)).text, (await marina.get(page)).text, fragment):
            for said in ("being written", ">The Moon</h2>", "<h3>A giant impact</h3>", "<p>It was &lt;hot&gt;.</p>"):
                assert said in text
        assert fragment.lstrip().startswith(f'<section class="script" id="draft" hx-get="{page}?part=draft"')
        assert 'id="draft"' in (await marina.get(f"{page}?part=draft")).text  # without script: the whole page
        async with studio.units.open(studio.owner) as unit:
            await unit.session.execute(update(Step).where(Step.id == step.id).values(state="cancelled"))
        ended = await marina.get(f"{page}?part=draft", **part)
        assert (ended.text, ended.headers["hx-refresh"]) == ("", "true")
        assert 'id="draft"' not in (await marina.get(page)).text


class TestRights:
    async def test_a_viewer_reads_but_does_not_change(
        self, studio: Scripted, site: Site, marina: Person, scene: Scene
    ) -> None:
        form = {"scene": scene.id, "text": "A viewer wrote this.", "seen": "x", "idem_key": "viewer-key-1"}
        before = await count_jobs(studio)
        await give_role(site, studio, "viewer")
        try:
            page = await marina.get(f"{studio.base}/1/script")
            assert page.status_code == 200
            assert ">Edit<" not in page.text
            assert (await marina.get(f"{studio.base}/1/script?scene={scene.id}")).status_code == 403
            for path in ("script", "script/make"):
                assert (await marina.post(f"{studio.base}/1/{path}", form)).status_code == 403
            again = await marina.post(f"{studio.base}/1/script/again", {"instruction": "Shorter."})
            assert again.status_code == 403
        finally:
            await give_role(site, studio, "owner")
        assert await count_jobs(studio) == before

    async def test_another_workspace_gets_the_answer_of_a_missing_job(
        self, studio: Scripted, stranger: Person, scene: Scene
    ) -> None:
        missing = await stranger.get("/w/no-such-workspace/p/deep-sky/jobs/1/script")
        assert missing.status_code == 404
        for path in (f"{studio.base}/1/script", f"{studio.base}/1/script?scene={scene.id}"):
            assert (await stranger.get(path)).text == missing.text
        form = {"scene": scene.id, "text": "Not mine.", "seen": "x", "idem_key": "stranger-key"}
        for path in ("script", "script/make", "script/again"):
            answer = await stranger.post(f"{studio.base}/1/{path}", form)
            assert (answer.status_code, answer.text) == (404, missing.text)
            assert (await stranger.post(f"/w/southwind/p/deep-sky/jobs/1/{path}", form)).text == missing.text
