"""The catalogue on pages: lists, forms of every kind, versions, files, bindings, and that nothing is lost."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import func, select

from app.site import Site
from domain.catalog.items import ItemLine, find_item
from domain.dispatch.model import Step
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.model import Job
from domain.production.queries.recipes import recipe_records, version_records
from domain.usage.model import Effect
from tenants.model import AuditEntry
from tests.app.conftest import Person, sign_in
from tests.support.factories import add_effect, seed_jobs, seed_workspace
from tests.support.people import add_person, cookie_of
from tests.support.scripted import TOPIC, Scripted, open_scripted

BASE = "/w/kitchen/catalogue"
PROJECT = "/w/kitchen/p/deep-sky"
PROMPT = f"{BASE}/prompts/documentary-script-en"


@pytest_asyncio.fixture(scope="module")
async def studio(site: Site) -> Scripted:
    """A workspace with the demo's catalogue."""
    return await open_scripted(site.settings, site.units, site.store, "kitchen")


@pytest_asyncio.fixture(scope="module")
async def paula(site: Site, browser: Callable[[], AsyncClient], studio: Scripted) -> AsyncIterator[Person]:
    async with browser() as client:
        yield await sign_in(client, site, studio, "Paula")


def fields_of(page: str) -> dict[str, str]:
    """The form with what a browser would send of it: inputs, boxes that are ticked, chosen options, texts."""
    form = page[page.index('<vf-guard class="stack" id="form"') :]
    values = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form)
        if name != "csrf"
    }
    for box in re.findall(r"<input type=\"checkbox\"[^>]*>", form):
        if " checked" not in box:
            values.pop(unescape(re.findall(r'name="([^"]+)"', box)[0]), None)
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', options) or re.findall(r'value="([^"]*)"', options)
        values[unescape(name)] = unescape(chosen[0])
    for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        values[unescape(name)] = unescape(text)
    return values


async def opened(person: Person, path: str) -> dict[str, str]:
    page = await person.get(path)
    assert page.status_code == 200, (path, page.status_code)
    return fields_of(page.text)


async def saved(site: Site, studio: Scripted, kind: str, slug: str) -> ItemLine:
    async with site.units.open(studio.owner) as unit:
        return await find_item(unit, kind, slug)


async def acts(site: Site, studio: Scripted) -> set[str]:
    async with site.units.open(studio.owner) as unit:
        return set(await unit.session.scalars(select(AuditEntry.action)))


async def ordered(studio: Scripted) -> Job:
    """A job that waits; what it will be made from is written down already."""
    async with studio.units.open(studio.owner) as unit:
        return await create_job(unit, NewJob("deep-sky", "quick", TOPIC))


class TestForms:
    @pytest.mark.parametrize("kind", ["recipes", "prompts", "presets", "validators", "knowledge"])
    async def test_a_form_that_is_sent_back_as_it_is_changes_nothing(self, paula: Person, kind: str) -> None:
        """Every item of the demo: what its form shows is its body, whole."""
        page = (await paula.get(f"{BASE}/{kind}")).text
        items = sorted(set(re.findall(rf'href="({BASE}/{kind}/[^"?]+)"', page)) - {f"{BASE}/{kind}/new"})
        assert len(items) >= 4
        for item in items:
            answer = await paula.post(item, await opened(paula, f"{item}/edit"))
            assert (item, answer.status_code) == (item, 303), answer.text
        after = (await paula.get(f"{BASE}/{kind}")).text
        assert set(re.findall(r"<code>(v\d+)</code>", after)) == {"v1"}

    async def test_a_prompt_gets_a_version_with_its_note(self, paula: Person, site: Site, studio: Scripted) -> None:
        values = await opened(paula, f"{PROMPT}/edit")
        changed = {**values, "template": values["template"] + "Begin with a question.\n", "note": "Ask something"}
        answer = await paula.post(PROMPT, changed)
        assert answer.headers["location"] == f"{PROMPT}?saved=1"
        page = (await paula.get(f"{PROMPT}?saved=1")).text
        for words in ("Saved as version 2.", "Ask something", "Begin with a question.", "Paula"):
            assert words in page, words
        difference = (await paula.get(f"{PROMPT}?beside=1")).text
        assert "<ins>Begin with a question." in difference
        assert "prompt.saved" in await acts(site, studio)
        job = await ordered(studio)
        assert (job.spec["prompt"]["ref"]["number"], "Begin with a question." in str(job.spec["prompt"])) == (2, True)

    async def test_every_fault_of_a_template_with_its_line_and_nothing_is_lost(self, paula: Person) -> None:
        values = await opened(paula, f"{PROMPT}/edit")
        wrong = "{{ topci }}\n{{ topic | upcse }}\n\u05e9\u05dc\u05d5\u05dd \U0001f680\n{% include 'x' %}\n"
        answer = await paula.post(PROMPT, {**values, "template": wrong, "name": " ", "note": "Kept"})
        assert answer.status_code == 422
        page = unescape(answer.text)
        for words in (
            "Line 1: there is no variable “topci”. Did you mean “topic”?",
            "Line 2: there is no filter “upcse”. Did you mean “upcase”?",
            "Line 4: the tag “include” does not exist or is not allowed.",
            "Give a name of 1 to 120 visible characters.",
        ):
            assert words in page, words
        assert (fields_of(answer.text)["template"], fields_of(answer.text)["note"]) == (wrong, "Kept")

    @pytest.mark.parametrize(
        ("template", "words"),
        [
            ("{% if topic %}", "cannot be read to its end"),
            ("{% for i in (1..30000000) %}x{% endfor %}", "does too much"),
            ("{% for fact in facts %}\n{{ fact.nope }}{% endfor %}", "Line 2 cannot be read"),
            ("x" * 50_001, "This has 50,001 characters; at most 50,000 are allowed."),
            ("a\u202eb", "Line 1 holds an invisible sign (U+202E)."),
            ("", "must not be empty"),
        ],
    )
    async def test_templates_that_are_refused(self, paula: Person, template: str, words: str) -> None:
        answer = await paula.post(PROMPT, {**await opened(paula, f"{PROMPT}/edit"), "template": template})
        assert answer.status_code == 422
        assert words in unescape(answer.text)

    async def test_a_stale_save_is_answered_with_what_differs(
        self, paula: Person, site: Site, studio: Scripted
    ) -> None:
        path = f"{BASE}/prompts/short-script-en"
        mine, theirs = await opened(paula, f"{path}/edit"), await opened(paula, f"{path}/edit")
        assert (await paula.post(path, {**theirs, "system": "Theirs entirely."})).status_code == 303
        answer = await paula.post(path, {**mine, "template": "Mine: {{ topic }}"})
        assert answer.status_code == 409
        assert "Somebody has saved version 2 meanwhile." in answer.text
        assert "<ins>Theirs" in answer.text
        again = fields_of(answer.text)
        assert (again["template"], again["expected"]) == ("Mine: {{ topic }}", "2")
        assert (await paula.post(path, again)).status_code == 303
        assert (await saved(site, studio, "prompt", "short-script-en")).number == 3

    async def test_the_same_text_twice_is_no_conflict(self, paula: Person) -> None:
        path = f"{BASE}/prompts/short-script-pt"
        values = {**await opened(paula, f"{path}/edit"), "system": "Curto."}
        assert [(await paula.post(path, values)).status_code for _ in range(2)] == [303, 303]

    async def test_an_earlier_version_is_used_again(self, paula: Person, site: Site, studio: Scripted) -> None:
        path = f"{BASE}/presets/speech-en"
        values = await opened(paula, f"{path}/edit")
        await paula.post(path, {**values, "pauses-sentence": "900", "lexicon": "Io = eye-oh"})
        assert (await saved(site, studio, "preset", "speech-en")).body["pauses"]["sentence"] == 900
        await paula.post(f"{path}/again", {"version": "1", "expected": "2"})
        line = await saved(site, studio, "preset", "speech-en")
        assert (line.number, line.note, line.body["pauses"]["sentence"]) == (3, "Version 1 again", 380)
        stale = await paula.post(f"{path}/again", {"version": "2", "expected": "2"})
        assert stale.headers["location"].endswith("#compare")
        assert (await paula.post(f"{path}/again", {"version": "77"})).status_code == 404
        for unread in ("", "9" * 5000, "²"):
            late = await paula.post(f"{path}/again", {"version": "2", "expected": unread})
            assert late.headers["location"].endswith("#compare")

    async def test_what_a_template_would_say_is_shown_and_nothing_is_saved(self, paula: Person) -> None:
        page = (await paula.get(f"{PROMPT}?topic=How+galaxies+grow&project=deep-sky")).text
        assert "As it would be sent" in page
        assert "Topic: How galaxies grow" in page
        assert re.search(r"With \d+ facts that fit the topic", page)
        values = {**await opened(paula, f"{PROMPT}/edit"), "template": "Only {{ topic }}!", "topic": "Mars"}
        tried = await paula.post(PROMPT, {**values, "preview": "yes", "sample": "deep-sky"})
        assert (tried.status_code, "Only Mars!" in tried.text) == (200, True)
        assert fields_of(tried.text)["template"] == "Only {{ topic }}!"
        assert "Only {{ topic }}!" not in (await paula.get(PROMPT)).text


class TestRecipes:
    PATH = f"{BASE}/recipes/documentary"

    async def test_steps_are_put_in_order_and_gates_are_kept(self, paula: Person, site: Site, studio: Scripted) -> None:
        values = await opened(paula, f"{self.PATH}/edit")
        changed = {**values, "gate-script": "1", "needs-check": " mux , compose", "optional-check": "1"}
        assert (await paula.post(self.PATH, changed)).status_code == 303
        steps = {step["kind"]: step for step in (await saved(site, studio, "recipe", "documentary")).body["steps"]}
        assert (steps["script"]["gate"], steps["check"]["needs"], steps["check"]["optional"]) == (
            True, ["mux", "compose"], True,
        )  # fmt: skip

    async def test_circles_unknown_names_and_missing_results_are_told_at_their_place(self, paula: Person) -> None:
        values = await opened(paula, f"{self.PATH}/edit")
        changed = {
            **values,
            "needs-script": "package",
            "needs-mux": "render, rendr",
            "optional-narrate": "1",
            "pool-render": "g!",
        }
        answer = await paula.post(self.PATH, {**changed, "seconds": "5", "voice": "voice-pt"})
        page = unescape(answer.text)
        assert answer.status_code == 422
        for words in (
            "in a circle: script → package",
            "Step “Assemble” needs “rendr”, which does not exist. Did you mean “render”?",
            "Step “Voice” cannot be skipped",
            "“g!” cannot be the name of a class of workers.",
            "Give a number from 10 to 3,600.",
            "This voice speaks another language (pt-BR)",
        ):
            assert words in page, words
        assert fields_of(answer.text)["needs-mux"] == "render, rendr"
        alone = {name: text for name, text in values.items() if not name.startswith("step-")}
        assert "A recipe needs at least one step." in (await paula.post(self.PATH, alone)).text
        blind = {**values, "needs-compose": "narrate"}
        told = unescape((await paula.post(self.PATH, blind)).text)
        assert "Step “Timeline” reads the result of “Pictures”. Add that to what it needs." in told

    async def test_what_is_not_there_cannot_be_chosen(self, paula: Person) -> None:
        values = await opened(paula, f"{self.PATH}/edit")
        answer = await paula.post(
            self.PATH, {**values, "prompt": "nope", "pictures": "library, dalle", "validators.x": "1"}
        )
        page = unescape(answer.text)
        for words in (
            "“nope” cannot be chosen.",
            "There is no “dalle” to choose. There are: library, artboard.",
            "“x”",
        ):
            assert words in page, words


NEW: dict[str, tuple[str, dict[str, str]]] = {
    "prompts": ("", {"template": "Say {{ topic }}."}),
    "knowledge": ("", {"text": "## Tides\n- The Moon pulls the sea.\n\nSource: NASA", "tier": "3"}),
    "presets": ("video", {"zoom": "0,05", "fps": "25"}),
    "validators": ("banned_words", {"settings-words": "amazing\nepic"}),
    "recipes": ("", {"tone": "dry"}),
}


class TestNewItems:
    async def test_a_new_recipe_begins_with_what_goes_together(self, paula: Person) -> None:
        values = await opened(paula, f"{BASE}/recipes/new")
        slots = [values[name] for name in ("language", "profile", "prompt", "voice", "ssml", "video")]
        assert slots == ["en", "longform-16x9", "documentary-script-en", "voice-en", "speech-en", "longform-16x9"]

    @pytest.mark.parametrize("kind", NEW)
    async def test_one_of_each_kind(self, paula: Person, kind: str) -> None:
        sort, given = NEW[kind]
        values = await opened(paula, f"{BASE}/{kind}/new?sort={sort}")
        filled = {**values, **given, "name": f"Céu {kind}", "note": "First"}
        answer = await paula.post(f"{BASE}/{kind}", filled)
        assert answer.headers.get("location") == f"{BASE}/{kind}/ceu-{kind}?saved=1", answer.text
        twice = await paula.post(f"{BASE}/{kind}", filled)
        assert twice.headers["location"] == answer.headers["location"], "sent twice, it is one item"
        copied = await opened(paula, f"{BASE}/{kind}/new?from=ceu-{kind}")
        copy = await paula.post(f"{BASE}/{kind}", {**copied, "slug": f"ceu-{kind}"})
        assert (copy.status_code, "This short name is taken." in copy.text) == (422, True)
        assert (await paula.post(f"{BASE}/{kind}", {**copied, "slug": "new"})).status_code == 422

    @pytest.mark.parametrize(
        ("sort", "given", "words"),
        [
            ("regex", {"settings-pattern": "(?=x)"}, "RE2 cannot read this pattern (invalid"),
            ("json_schema", {"settings-schema": "{\n  'a': 1}"}, "This is not JSON: line 2, column 3."),
            ("json_schema", {"settings-schema": '{"$ref": "#"}'}, "$ref is not supported"),
            ("json_schema", {"settings-schema": "[" * 100_000}, "nested too deeply"),
            ("length", {"settings-min_words": "9", "settings-max_words": "3"}, "The least is greater than the most."),
            ("reading_time", {"settings-tolerance": "99"}, "Give a number from 5 to 95."),
            ("banned_words", {"settings-words": "x" * 101}, "is longer than 100 characters"),
            ("invented_numbers", {"settings-free_up_to": "1.5", "odd": "1"}, "Give a whole number."),
        ],
    )
    async def test_validators_that_are_refused(
        self, paula: Person, sort: str, given: dict[str, str], words: str
    ) -> None:
        values = await opened(paula, f"{BASE}/validators/new?sort={sort}")
        answer = await paula.post(f"{BASE}/validators", {**values, "name": "A", **given})
        assert answer.status_code == 422
        assert words in unescape(answer.text)

    async def test_a_kind_with_several_forms_asks_which(self, paula: Person) -> None:
        page = (await paula.get(f"{BASE}/presets/new")).text
        assert "/w/kitchen/voices/new" in page
        assert "?sort=video" in page
        assert (await paula.get(f"{BASE}/nonsense")).status_code == 404

    async def test_a_voice_leads_to_its_own_page(self, paula: Person) -> None:
        answer = await paula.get(f"{BASE}/presets/voice-en")
        assert answer.headers["location"] == "/w/kitchen/voices/voice-en"


class TestInUse:
    async def test_what_is_in_use_is_not_archived_and_says_by_whom(
        self, paula: Person, site: Site, studio: Scripted
    ) -> None:
        path = f"{BASE}/prompts/documentary-script-pt"
        answer = await paula.post(f"{path}/archive", {})
        assert answer.status_code == 409
        assert f'href="{BASE}/recipes/documentary-pt"' in answer.text
        made = {**await opened(paula, f"{BASE}/prompts/new"), "name": "Spare"}
        await paula.post(f"{BASE}/prompts", made)
        assert (await paula.post(f"{BASE}/prompts/spare/archive", {})).status_code == 303
        assert "Spare" not in (await paula.get(f"{BASE}/prompts")).text
        assert "Spare" in (await paula.get(f"{BASE}/prompts?archived=1")).text
        assert (await paula.get(f"{BASE}/prompts/spare/edit")).status_code == 404
        assert (await paula.post(f"{BASE}/prompts/spare/restore", {})).status_code == 303
        assert "Spare" in (await paula.get(f"{BASE}/prompts?q=spa")).text
        assert {"prompt.archived", "prompt.restored"} <= await acts(site, studio)

    async def test_a_recipe_that_is_scheduled_stays(self, paula: Person) -> None:
        form = {"topic": "Tides", "recipe": "short", "language": "en", "cost_limit": "", "repeat": "daily"}
        times = {"at": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}", "zone": "UTC"}
        answer = await paula.post(f"{PROJECT}/schedules", {**form, **times, "idem_key": "a-schedule"})
        assert answer.status_code == 303, answer.text
        kept = await paula.post(f"{BASE}/recipes/short/archive", {})
        assert (kept.status_code, f"{PROJECT}/schedules" in kept.text) == (409, True)


class TestBindings:
    async def test_a_project_chooses_and_a_job_tells_where_it_came_from(
        self, paula: Person, site: Site, studio: Scripted
    ) -> None:
        page = await paula.get(f"{PROJECT}/recipes")
        assert "The recipe’s own: Documentary script" in page.text
        chosen = {"prompt.quick": "short-script-en", "video.quick": "", "ssml.quick": "speech-en"}
        assert (await paula.post(f"{PROJECT}/recipes", chosen)).status_code == 303
        assert '<option value="short-script-en" selected>' in (await paula.get(f"{PROJECT}/recipes")).text
        job = await ordered(studio)
        ref = job.spec["prompt"]["ref"]
        assert (ref["slug"], ref["origin"]) == ("short-script-en", "project")
        for used in ("prompts/short-script-en", "recipes/quick"):
            assert f'href="{PROJECT}/recipes"' in (await paula.get(f"{BASE}/{used}")).text
        assert "project.bindings" in await acts(site, studio)
        await paula.post(f"{PROJECT}/recipes", {"prompt.quick": ""})
        assert '<option value="short-script-en" selected>' not in (await paula.get(f"{PROJECT}/recipes")).text

    @pytest.mark.parametrize("chosen", [{"prompt.quick": "speech-en"}, {"video.quick": "speech-en"}, {"prompt.no": ""}])
    async def test_what_does_not_fit_is_refused(self, paula: Person, chosen: dict[str, str]) -> None:
        answer = await paula.post(f"{PROJECT}/recipes", chosen)
        assert (answer.status_code, "cannot be chosen" in answer.text) == (422, True)


class TestFiles:
    async def bring(self, person: Person, kind: str, data: bytes) -> Any:
        return await person.client.post(
            f"{BASE}/{kind}/import",
            data={"csrf": person.csrf},
            files={"file": ("item.yaml", data, "application/octet-stream")},
            headers={"Sec-Fetch-Site": "same-origin"},
            follow_redirects=False,
        )

    @pytest.mark.parametrize("form", ["json", "yaml"])
    async def test_out_and_in_again(self, paula: Person, site: Site, studio: Scripted, form: str) -> None:
        for kind, slug in (("validators", "script-shape"), ("recipes", "short-pt"), ("knowledge", "rockets")):
            before = await saved(site, studio, kind.rstrip("s"), slug)
            file = await paula.get(f"{BASE}/{kind}/{slug}/file?form={form}")
            assert f"{slug}-v{before.number}.{form}" in file.headers["content-disposition"]
            answer = await self.bring(paula, kind, file.content)
            assert answer.headers.get("location") == f"{BASE}/{kind}/{slug}?saved=1", answer.text
            assert (await saved(site, studio, kind.rstrip("s"), slug)).number == before.number

    async def test_by_hand_and_new(self, paula: Person, site: Site, studio: Scripted) -> None:
        data = "name: Ebb\nbody:\n  title: x\n  language: en\n  text: |\n    Water ebbs and flows twice a day.\n"
        assert (await self.bring(paula, "knowledge", data.encode())).status_code == 303
        line = await saved(site, studio, "knowledge", "ebb")
        assert (line.body["title"], line.body["tier"], line.note) == ("Ebb", 2, "From a file")

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "not of the form"),
            (b"\xff\xfe", "not of the form"),
            (b"name: x\nbody: [1]", "not of the form"),
            (b"a: &a [x]\nb: *a", "Aliases (*name) are not accepted (line 2)"),
            (b'{"name": "x", "body": {"language": "en", "template": "{{ topci }}"}}', "Did you mean “topic”?"),
            (b'{"name": "x", "body": {"language": "en", "odd": 1}}', "template: Field required"),
            (b'{"name": "x", "kind": "recipe", "body": {}}', "The file holds a recipe."),
            (b"x" * 400_001, "larger than 400 kB"),
        ],
    )
    async def test_files_that_are_refused(self, paula: Person, data: bytes, words: str) -> None:
        answer = await self.bring(paula, "prompts", data)
        assert answer.status_code == 422
        assert words in unescape(answer.text), answer.text

    async def test_no_file_at_all(self, paula: Person) -> None:
        answer = await paula.post(f"{BASE}/prompts/import", {})
        assert (answer.status_code, "Choose a file." in answer.text) == (422, True)


async def test_how_films_of_a_recipe_went(site: Site) -> None:
    """Jobs, success and medians, in the list and by version; what failed or was free counts as it should."""
    space = await seed_workspace(site.units, site.store, "records", "Records")
    await seed_jobs(space)
    async with site.units.open(space.owner) as unit:
        jobs = list(await unit.session.scalars(select(Job).where(Job.recipe_slug == "documentary")))
        (done,) = [job for job in jobs if job.state == "succeeded"]
        step = (await unit.session.scalars(select(Step).where(Step.job_id == done.id).limit(1))).one()
        await add_effect(unit, done, step, "a-paid-one", 2_500)
        paid = await unit.session.scalar(select(func.sum(Effect.micro_dollars)).where(Effect.job_id == done.id))
        records, versions = await recipe_records(unit), await version_records(unit, "documentary")
    record = records["documentary"]
    states = [job.state for job in jobs]
    assert (record.jobs, record.succeeded, record.failed) == (
        len(jobs), states.count("succeeded"), states.count("failed"),
    )  # fmt: skip
    assert sum(one.jobs for one in versions.values()) == record.jobs
    assert done.started_at is not None
    assert done.finished_at is not None
    assert record.seconds == (done.finished_at - done.started_at).total_seconds()
    assert record.micro_dollars == paid


async def test_the_palette_finds_items(paula: Person) -> None:
    page = (await paula.get("/w/kitchen/find?q=documentary+script")).text
    assert f'href="{PROMPT}"' in page
    assert 'href="/w/kitchen/voices/voice-en"' in (await paula.get("/w/kitchen/find?q=calm+narrator")).text


async def test_a_hidden_project_s_items_are_not_there(
    paula: Person, site: Site, studio: Scripted, browser: Callable[[], AsyncClient]
) -> None:
    """Neither in lists, nor by address, nor by name; and they cannot be changed by saving under their name."""
    made = {**await opened(paula, f"{BASE}/prompts/new"), "name": "Only here", "project": "deep-sky"}
    assert (await paula.post(f"{BASE}/prompts", made)).status_code == 303
    somebody = await add_person(site.units, studio.tenant_id, "operator", name="Nina", projects=[])
    async with browser() as client:
        token = await cookie_of(site.units, somebody)
        client.cookies.set("vfos_session", token, domain="testserver.local")
        nina = Person(client, studio, token)
        assert "Only here" not in (await nina.get(f"{BASE}/prompts")).text
        assert "Only here" not in (await nina.get("/w/kitchen/find?q=only")).text
        for path in ("", "/edit", "/file"):
            assert (await nina.get(f"{BASE}/prompts/only-here{path}")).status_code == 404
        file = json.dumps({"name": "x", "slug": "only-here", "body": {"template": "x"}}).encode()
        assert (await TestFiles().bring(nina, "prompts", file)).status_code == 422
