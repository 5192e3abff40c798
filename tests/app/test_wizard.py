"""The wizard on pages: stops, decides, edits, makes again, compares, forks, skips; and letters about it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import select, update

from adapters.settings import Settings
from app.post import deliver
from app.site import Site
from domain.dispatch.model import Step
from domain.production.commands.create_job import create_job
from domain.production.commands.decide_gate import decide_gate
from domain.production.commands.new_job import NewJob
from domain.production.matching import match_pictures
from domain.production.model import Approval, Job, StepRun
from domain.production.spec import JobSpec
from tenants.model import User
from tests.app.conftest import Box, Person, sign_in
from tests.support.people import add_person, cookie_of
from tests.support.scripted import TOPIC, Scripted, open_scripted
from workers.relay import relay

Browser = Callable[[], AsyncClient]


@pytest_asyncio.fixture(scope="module")
async def studio(database: Settings, site: Site) -> Scripted:
    """A workspace with job #1 in wizard mode: its script waits for a decision."""
    made = await open_scripted(database, site.units, site.store, "birch")
    async with made.units.open(made.owner) as unit:
        gates = ("script", "illustrate")
        await create_job(unit, NewJob("deep-sky", "quick", TOPIC, seconds=20, mode="wizard", gates=gates))
    await made.work()
    return made


@pytest_asyncio.fixture(scope="module")
async def ana(studio: Scripted, site: Site, browser: Browser) -> AsyncIterator[Person]:
    async with browser() as client:
        yield await sign_in(client, site, studio, "Ana")


@pytest_asyncio.fixture(scope="module")
async def ben(studio: Scripted, site: Site, browser: Browser) -> AsyncIterator[Person]:
    """An operator of the same workspace."""
    token = await cookie_of(site.units, await add_person(site.units, studio.tenant_id, name="Ben"))
    async with browser() as client:
        client.cookies.set("vfos_session", token)
        yield Person(client, studio, token)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def asked(page: str, **more: str) -> dict[str, str]:
    """The answer to the first question of a page."""
    return {"approval": hidden(page, "approval"), "seen": hidden(page, "seen"), **more}


async def step_of(studio: Scripted, number: int, kind: str) -> Step:
    async with studio.units.open(studio.owner) as unit:
        mine = select(Step).join(Job, (Job.tenant_id == Step.tenant_id) & (Job.id == Step.job_id))
        return (await unit.session.scalars(mine.where(Job.number == number, Step.kind == kind, Step.shard == ""))).one()


class TestJourney:
    """One job from its first gate to a planned film, by two people; the order matters."""

    async def test_the_page_shows_the_text_what_follows_and_its_price(self, studio: Scripted, ana: Person) -> None:
        page = (await ana.get(f"{studio.base}/1")).text
        script = await studio.script(await studio.job(1))
        assert "Script: your decision" in page
        assert script.scenes[0].sentences[0].text in page
        assert re.search(r"Then follows</dt><dd>Voice, Pictures, Timeline, Video, Assemble, Check, Package</dd>", page)
        assert re.search(r"about \d+ (s|min), nothing is paid", page)
        assert "You are asked again after: Pictures." in page
        assert "The writer of this machine understands" in page
        assert "Without a decision the job is cancelled on" in page

    async def test_bad_answers_are_refused_with_words(self, studio: Scripted, ana: Person, stranger: Person) -> None:
        page = (await ana.get(f"{studio.base}/1")).text
        post = f"{studio.base}/1/gate"
        empty = await ana.post(post, asked(page, decision="changes", note="  "))
        assert (empty.status_code, "The note is empty." in empty.text) == (422, True)
        long = await ana.post(post, asked(page, decision="changes", note="x" * 2001))
        assert (long.status_code, "longer than 2000" in long.text) == (422, True)
        assert (await ana.post(post, asked(page, decision="maybe"))).status_code == 404
        assert (await ana.post(post, {"decision": "approved", "approval": "x"})).status_code == 404
        assert (await stranger.post(post, asked(page, decision="approved"))).status_code == 404

    async def test_an_edit_goes_on_and_the_second_person_reads_who_was_first(
        self, studio: Scripted, ana: Person, ben: Person
    ) -> None:
        seen_by_ben = (await ben.get(f"{studio.base}/1")).text
        edit = (await ana.get(f"{studio.base}/1/gate/edit")).text
        scene = (await studio.script(await studio.job(1))).scenes[0]
        values = asked(edit, **{f"scene-{scene.id}": "\n".join(one.text for one in scene.sentences)})
        same = await ana.post(f"{studio.base}/1/gate/edit", values)
        assert (same.status_code, "Nothing is changed." in same.text) == (422, True)
        wrong = await ana.post(f"{studio.base}/1/gate/edit", {**values, f"scene-{scene.id}": "…"})
        assert (wrong.status_code, "Scene 1: Sentence 1 has no word" in wrong.text) == (422, True)
        mine = {**values, f"scene-{scene.id}": "Nobody had looked there before."}
        assert (await ana.post(f"{studio.base}/1/gate/edit", mine)).status_code == 303
        late = await ben.post(f"{studio.base}/1/gate", asked(seen_by_ben, decision="approved"))
        assert late.status_code == 409
        assert "Ana was faster and has decided this: just now." in late.text
        assert "Your decision did not count." in late.text
        await studio.work()
        script = await studio.script(await studio.job(1))
        assert [one.text for one in script.scenes[0].sentences] == ["Nobody had looked there before."]

    async def test_pictures_are_shown_at_their_gate_and_made_again(self, studio: Scripted, ana: Person) -> None:
        page = (await ana.get(f"{studio.base}/1")).text
        assert "Pictures: your decision" in page
        assert "Contact sheet: make single pictures again" in page
        assert "Edited and approved" in page
        assert (await step_of(studio, 1, "narrate")).state == "succeeded"
        again = await ana.post(f"{studio.base}/1/gate", asked(page, decision="again"))
        assert again.status_code == 303
        await studio.work()
        page = (await ana.get(f"{studio.base}/1")).text
        assert "Another version asked for" in page
        done = await ana.post(f"{studio.base}/1/gate", asked(page, decision="approved"))
        assert done.headers["location"] == f"{studio.base}/1"
        await studio.work()
        assert (await step_of(studio, 1, "compose")).state == "succeeded"

    async def test_old_and_new_pictures_stand_side_by_side(self, studio: Scripted, ana: Person) -> None:
        page = (await ana.get(f"{studio.base}/1/step/illustrate")).text
        assert "Run 1 beside the present one" in page
        pair = re.search(r'href="(/w/birch[^"]*/runs/[^"]+)"><img', page)
        assert pair is not None
        old = await ana.get(pair[1])
        assert (old.status_code, old.headers["content-type"][:6]) == (200, "image/")
        assert (await ana.get(f"{pair[1]}x")).status_code == 404


class TestRedo:
    async def test_only_what_a_voice_understands_is_taken(self, studio: Scripted, ana: Person) -> None:
        href = f"{studio.base}/1/step/narrate"
        page = (await ana.get(href)).text
        assert re.search(r"Runs again</dt><dd>Voice, Timeline, \d+ × Video, Assemble, Check, Package</dd>", page)
        odd = await ana.post(f"{href}/redo", {"instruction": "more purple"})
        assert (odd.status_code, "Nothing of this is understood here." in odd.text) == (422, True)
        assert (await ana.post(f"{href}/redo", {"instruction": "x" * 2001})).status_code == 422
        assert (await ana.post(f"{href}/paint", {})).status_code == 404
        before = (await step_of(studio, 1, "narrate")).outputs
        wish = "Slower, with longer pauses"
        assert (await ana.post(f"{href}/redo", {"instruction": wish})).status_code == 303
        waiting = (await ana.get(href)).text
        assert "The step has no result yet." in waiting
        await studio.work()
        after = (await step_of(studio, 1, "narrate")).outputs
        assert before is not None
        assert after is not None
        assert after["seconds"] > before["seconds"] * 1.05
        page = (await ana.get(href)).text
        assert f"Made with the instruction: {wish}" in page
        assert "Understood as: slower, longer pauses." in page
        assert page.count("<audio") == 2
        assert f"“{wish}”" in page

    async def test_a_script_is_compared_in_words(self, studio: Scripted, ana: Person) -> None:
        href = f"{studio.base}/1/step/script"
        assert (await ana.post(f"{href}/redo", {"instruction": "shorter"})).status_code == 303
        await studio.work()
        page = (await ana.get(href)).text
        assert "<del>" in page or "<ins>" in page
        overview = (await ana.get(f"{studio.base}/1")).text
        assert "Void since" in overview
        runs = f"{studio.base}/1/step/script?run="
        async with studio.units.open(studio.owner) as unit:
            kept = await unit.session.scalars(select(StepRun).where(StepRun.kind == "script").order_by(StepRun.number))
            first = next(iter(kept))
        assert "Run 1 beside the present one" in (await ana.get(f"{runs}{first.id}")).text

    async def test_a_timeline_follows_and_a_render_takes_no_instruction(self, studio: Scripted, ana: Person) -> None:
        page = (await ana.get(f"{studio.base}/1")).text
        await ana.post(f"{studio.base}/1/gate", asked(page, decision="approved"))
        await studio.work()
        page = (await ana.get(f"{studio.base}/1")).text
        await ana.post(f"{studio.base}/1/gate", asked(page, decision="approved"))
        await studio.work()
        assert (await step_of(studio, 1, "compose")).outputs["cues"] > 0  # type: ignore[index]
        wish = {"instruction": "without captions"}
        assert (await ana.post(f"{studio.base}/1/step/compose/redo", wish)).status_code == 303
        await studio.work()
        assert (await step_of(studio, 1, "compose")).outputs["cues"] == 0  # type: ignore[index]
        part = await ana.get(f"{studio.base}/1/step/render.000")
        assert "The step has no result yet." in part.text
        assert "Choose what changes" not in part.text
        refused = await ana.post(f"{studio.base}/1/step/mux/redo", {"instruction": "louder"})
        assert (refused.status_code, "This step takes no instruction." in refused.text) == (422, True)
        for missing in ("render", "render.999", "paint", "script.x"):
            assert (await ana.get(f"{studio.base}/1/step/{missing}")).status_code == 404


class TestFork:
    async def test_the_page_says_what_is_taken_over(self, studio: Scripted, ana: Person) -> None:
        href = f"{studio.base}/1/step/compose/fork"
        page = (await ana.get(href)).text
        assert "Taken over</dt><dd>Script, Voice, Pictures</dd>" in page
        values = {"topic": TOPIC, "idem_key": hidden(page, "idem_key"), "instruction": "", "only_quote": "yes"}
        louder = (await ana.post(href, {**values, "topic": "Why the sky is dark at night"})).text
        assert "Taken over</dt><dd>nothing</dd>" in louder
        bad = await ana.post(href, {**values, "voice": "gone", "topic": ""})
        assert (bad.status_code, "The topic is empty." in bad.text) == (422, True)
        unknown = await ana.post(href, {**values, "voice": "gone"})
        assert (unknown.status_code, "There is no preset “gone”" in unknown.text) == (422, True)
        values.pop("only_quote")
        made = await ana.post(href, {**values, "instruction": "no title"})
        again = await ana.post(href, {**values, "instruction": "no title"})
        assert made.status_code == 303
        assert again.headers["location"] == made.headers["location"]
        await studio.work()
        number = int(made.headers["location"].rpartition("/")[2])
        assert [(await step_of(studio, number, kind)).reused for kind in ("script", "narrate", "compose")] == [
            True,
            True,
            False,
        ]
        assert "Forked from #1 at Timeline" in (await ana.get(made.headers["location"])).text
        assert re.search(rf'jobs/{number}">#{number} ', (await ana.get(f"{studio.base}/1")).text)

    async def test_one_that_keeps_its_script_knows_how_many_pictures_it_needs(
        self, studio: Scripted, ana: Person
    ) -> None:
        href = f"{studio.base}/1/step/illustrate/fork"
        values = {"topic": TOPIC, "idem_key": hidden((await ana.get(href)).text, "idem_key"), "instruction": ""}
        made = await ana.post(href, values)
        job = await studio.job(int(made.headers["location"].rpartition("/")[2]))
        library = [item for item in JobSpec.read(job.spec).library if item.role == "picture"]
        script = await studio.script(await studio.job(1))
        needed = sum(match.picture is None for match in match_pictures(script.scenes, library).values())
        assert needed < len(script.scenes)  # as many as there are scenes, if its length were all that is known
        assert {line["step"]: line["count"] for line in job.quote["lines"]} == {"illustrate": needed}


class TestStart:
    async def test_step_by_step_is_chosen_in_the_form(self, studio: Scripted, ana: Person) -> None:
        page = (await ana.get(f"{studio.base}/new")).text
        assert 'name="gate_script" value="yes" checked' in page
        values = {"topic": "Why stars twinkle", "recipe": "quick", "idem_key": hidden(page, "idem_key")}
        none = await ana.post(studio.base, {**values, "mode": "wizard"})
        assert (none.status_code, "The wizard needs at least one step to stop after" in none.text) == (422, True)
        odd = await ana.post(studio.base, {**values, "mode": "magic", "level": "now"})
        assert odd.status_code == 422
        chosen = {**values, "mode": "wizard", "level": "urgent", "gate_narrate": "yes"}
        made = await ana.post(studio.base, chosen)
        assert made.status_code == 303
        job = await studio.job(int(made.headers["location"].rpartition("/")[2]))
        gates = [step["kind"] for step in job.spec["recipe"]["steps"] if step["gate"]]
        assert (job.mode, job.priority, gates) == ("wizard", -1, ["narrate"])
        lower = await ana.post(f"{made.headers['location']}/priority", {"level": "batch"})
        assert lower.status_code == 303
        assert (await studio.job(job.number)).priority == 1
        assert (await ana.post(f"{made.headers['location']}/priority", {"level": "now"})).status_code == 404
        assert (await ana.post(f"{made.headers['location']}/cancel", {})).status_code == 303
        late = await ana.post(f"{made.headers['location']}/cancel", {})
        assert (late.status_code, "is cancelled and cannot be cancelled" in late.text) == (409, True)


class TestSkip:
    async def test_it_is_offered_only_where_the_recipe_allows_it(self, studio: Scripted, ana: Person) -> None:
        check = await step_of(studio, 1, "check")
        error = {"sentence": "The film is too quiet.", "next": "Make it louder.", "class": "FilmRefused"}
        async with studio.units.open(studio.owner) as unit:
            await unit.session.execute(update(Step).where(Step.id == check.id).values(state="dead", error=error))
            await unit.session.execute(update(Step).where(Step.state == "ready").values(state="blocked"))
            await unit.session.execute(update(Job).where(Job.number == 1).values(state="failed", error=error))
        page = (await ana.get(f"{studio.base}/1")).text
        assert "Retry from Check" in page
        assert "Retry with changes" in page
        assert "Skip this step" not in page
        assert (await ana.post(f"{studio.base}/1/step/check/skip", {})).status_code == 409
        async with studio.units.open(studio.owner) as unit:
            job = (await unit.session.scalars(select(Job).where(Job.number == 1))).one()
            steps = [{**one, "optional": one["kind"] == "check"} for one in job.spec["recipe"]["steps"]]
            job.spec = {**job.spec, "recipe": {**job.spec["recipe"], "steps": steps}}
        step = (await ana.get(f"{studio.base}/1/step/check")).text
        assert step.index("The film is too quiet.") < step.index("Raw detail")
        assert "Skip this step" in step
        assert (await ana.post(f"{studio.base}/1/step/check/skip", {})).status_code == 303
        assert "Skipped by Ana: The film is too quiet." in (await ana.get(f"{studio.base}/1/step/check")).text
        assert (await ana.post(f"{studio.base}/1/cancel", {})).status_code == 303


async def ask_again(studio: Scripted) -> Job:
    """Another job whose script waits; its text is found made before."""
    async with studio.units.open(studio.owner) as unit:
        job = await create_job(unit, NewJob("deep-sky", "quick", TOPIC, seconds=20, mode="wizard", gates=("script",)))
    await studio.work()
    return job


class TestInbox:
    async def test_the_next_question_follows_a_decision(self, studio: Scripted, ana: Person) -> None:
        jobs = [await ask_again(studio) for _ in range(2)]
        page = (await ana.get("/w/birch/approvals")).text
        assert '<span class="count" id="count-approvals" aria-label="2 waiting">2</span>' in page
        assert f"{studio.base}/{jobs[0].number}?from=inbox#gates" in page
        first = (await ana.get(f"{studio.base}/{jobs[0].number}?from=inbox")).text
        answer = asked(first, decision="approved", **{"from": hidden(first, "from")})
        after = await ana.post(f"{studio.base}/{jobs[0].number}/gate", answer)
        assert after.headers["location"] == f"{studio.base}/{jobs[1].number}?from=inbox#gates"
        second = (await ana.get(f"{studio.base}/{jobs[1].number}?from=inbox")).text
        answer = asked(second, decision="approved", **{"from": "inbox"})
        after = await ana.post(f"{studio.base}/{jobs[1].number}/gate", answer)
        assert after.headers["location"] == "/w/birch/approvals?decided=all"


class TestLetters:
    async def test_who_wants_it_is_told_once_in_their_language(
        self, studio: Scripted, ana: Person, site: Site, mail: Box
    ) -> None:
        await relay(site.units, site.runtime.signal)
        page = await ana.get("/settings")
        assert "Write to me when a job waits for my decision" in page.text
        values = {"name": "Ana", "language": "pt-BR", "theme": "system", "density": "compact", "time_zone": "UTC"}
        assert (await ana.post("/settings", {**values, "mail_approvals": "1"})).status_code == 303
        async with site.units.system("test") as unit:
            await unit.session.execute(update(User).where(User.name == "Ana").values(email="ana@example.org"))
            await unit.session.execute(update(User).where(User.name == "Ben").values(email="ben@example.org"))
        job = await ask_again(studio)
        await relay(site.units, site.runtime.signal)
        async with studio.units.open(studio.owner) as unit:
            waiting = select(Approval).where(Approval.state == "waiting", Approval.job_id == job.id)
            question = (await unit.session.scalars(waiting)).one()
        assert await tell_twice(site, studio, question) == 0
        assert await deliver(site.units, site.settings) == 1
        (letter,) = mail.letters
        text = letter.get_content()
        assert letter["To"] == "ana@example.org"
        assert f"/w/birch/p/deep-sky/jobs/{job.number}?from=inbox#gates" in text
        assert "Roteiro" in text
        async with studio.units.open(studio.owner) as unit:
            await decide_gate(unit, job.id, question.id, "approved", question.seen_version)
        assert await tell_twice(site, studio, question) == 0


async def tell_twice(site: Site, studio: Scripted, question: Any) -> int:
    from domain.production.notices import tell_question

    return await tell_question(site.units, studio.tenant_id, question.id)
