"""Pages of a workspace: lists, forms, the job and its tabs; and what strangers see of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import event, func, select

from app.pages.jobs import read_new_job
from app.site import Site
from domain.production.model import Job
from tests.app.conftest import Person

Browser = Callable[[], AsyncClient]
TABS = ("", "/steps", "/artifacts", "/logs", "/cost", "/manifest", "/config")


def form(person: Person, **changes: str) -> dict[str, str]:
    values = {
        "topic": "Why stars twinkle",
        "recipe": "documentary",
        "language": "en",
        "seconds": "60",
        "idem_key": "key-of-a-form-1",
    }
    return {**values, **changes}


async def count_jobs(site: Site, person: Person) -> int:
    async with site.units.open(person.space.owner) as unit:
        return await unit.session.scalar(select(func.count()).select_from(Job)) or 0


class TestList:
    async def test_rows_carry_state_steps_and_links(self, marina: Person) -> None:
        page = await marina.get(marina.space.base)
        assert page.status_code == 200
        for number, word in ((1, "Done"), (2, "Failed"), (3, "Running"), (4, "Queued")):
            row = re.search(rf'<tr id="job-{number}">.*?</tr>', page.text, re.S)
            assert row is not None
            assert word in row.group()
            assert f'href="{marina.space.base}/{number}"' in row.group()

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ("state=failed", ["2"]),
            ("q=hubble", ["1"]),
            ("q=%233", ["3"]),
            ("q=100%25_", []),
            ("state=done&q=moons", []),
            ("recipe=short", []),
            ("before=3", ["2", "1"]),
            ("state=nonsense&before=x", ["4", "3", "2", "1"]),
        ],
    )
    async def test_filters_live_in_the_address(self, marina: Person, query: str, numbers: list[str]) -> None:
        page = await marina.get(f"{marina.space.base}?{query}")
        found = re.findall(r'<tr id="job-(\d+)">', page.text)
        assert [number for number in found if int(number) <= 4] == numbers

    async def test_an_empty_project_says_what_to_do(self, marina: Person) -> None:
        page = await marina.get("/w/northlight/p/bedtime-atlas/jobs")
        assert "Start the first job" in page.text

    async def test_a_part_of_the_page_is_the_same_block(self, marina: Person) -> None:
        part = await marina.get(f"{marina.space.base}?part=list", HX_Request="true", HX_Request_Type="partial")
        assert part.text.lstrip().startswith('<div id="rows"')
        assert "<html" not in part.text
        assert part.headers["vary"] == "HX-Request-Type"

    async def test_a_list_takes_the_same_number_of_statements_however_long(self, site: Site, marina: Person) -> None:
        async def statements(path: str) -> int:
            count = 0

            def counted(*_: Any) -> None:
                nonlocal count
                count += 1

            engine = site.engines.app.sync_engine
            event.listen(engine, "before_cursor_execute", counted)
            try:
                await marina.get(path)
            finally:
                event.remove(engine, "before_cursor_execute", counted)
            return count

        await marina.get(marina.space.base)  # the first visit is remembered
        one, many = await statements(f"{marina.space.base}?q=hubble"), await statements(marina.space.base)
        assert one == many


class TestNewJob:
    async def test_every_fault_is_told_at_once(self, site: Site, marina: Person) -> None:
        before = await count_jobs(site, marina)
        wrong = form(marina, topic="  ", recipe="nope", language="xx", seconds="5", extra="1")
        page = await marina.post(marina.space.base, wrong)
        assert page.status_code == 422
        for text in (
            "5 things must be corrected",
            "The topic is empty",
            "This recipe does not exist",
            "does not speak this language",
            "from 10 to 3600 seconds",
            "no field “extra”",
        ):
            assert text in page.text
        assert page.text.count('aria-invalid="true"') == 4
        assert await count_jobs(site, marina) == before

    async def test_a_topic_of_100_kb_is_refused_clearly(self, site: Site, marina: Person) -> None:
        before = await count_jobs(site, marina)
        page = await marina.post(marina.space.base, form(marina, topic="star " * 20_000))
        assert page.status_code == 422
        assert "The topic has 100,000 characters; at most 5,000 are allowed" in page.text
        assert await count_jobs(site, marina) == before

    async def test_control_characters_are_named_with_their_place(self, marina: Person) -> None:
        page = await marina.post(marina.space.base, form(marina, topic="Sta\x1brs"))
        assert page.status_code == 422
        assert "U+001B) at position 4" in page.text

    async def test_a_topic_nobody_can_see_is_empty(self, marina: Person) -> None:
        page = await marina.post(marina.space.base, form(marina, topic="\u200b\u200b"))
        assert page.status_code == 422
        assert "The topic is empty" in page.text

    async def test_what_is_left_empty_is_the_recipe_s(self, marina: Person) -> None:
        page = await marina.get(f"{marina.space.base}/new?recipe=short")
        assert re.search(r'<option value="" selected>The recipe’s own', page.text)
        assert re.search(r'name="seconds"[^>]* value=""', page.text)
        refused = await marina.post(marina.space.base, form(marina, topic="", language="", seconds=""))
        assert "One thing must be corrected" in refused.text
        asked = read_new_job(form(marina, language="", seconds=""), "deep-sky")
        assert (asked.language, asked.seconds) == ("", None)

    async def test_a_form_far_too_large_is_refused_before_it_is_read(self, marina: Person) -> None:
        page = await marina.post(marina.space.base, form(marina, topic="x" * 600_000))
        assert page.status_code == 413

    async def test_a_refused_form_comes_back_filled(self, marina: Person) -> None:
        page = await marina.post(
            marina.space.base, form(marina, seconds="nine", topic="<b>Stars</b>"), HX_Request_Type="partial"
        )
        assert page.status_code == 422
        assert "&lt;b&gt;Stars&lt;/b&gt;</textarea>" in page.text
        assert "<b>Stars" not in page.text
        assert "<html" not in page.text

    async def test_the_form_offers_the_project_s_choices(self, marina: Person) -> None:
        page = await marina.get(f"{marina.space.base}/new?recipe=short&topic=Hello")
        assert re.search(r'value="short" checked', page.text)
        assert "Hello</textarea>" in page.text
        assert "Portuguese (Brazil)" in page.text


class TestJob:
    @pytest.mark.parametrize("tab", TABS)
    @pytest.mark.parametrize("number", [1, 2, 3, 4])
    async def test_every_tab_of_every_state_is_a_whole_page(self, marina: Person, number: int, tab: str) -> None:
        page = await marina.get(f"{marina.space.base}/{number}{tab}")
        assert page.status_code == 200
        assert page.text.count("<h1") == 1
        assert page.text.rstrip().endswith("</html>")

    async def test_a_running_job_shows_progress_with_counts_and_time_left(self, marina: Person) -> None:
        page = await marina.get(f"{marina.space.base}/3")
        assert "6 of 9 parts" in page.text
        assert re.search(r'<progress value="\d+" max="9000"', page.text)
        assert re.search(r"about \d min left", page.text)
        assert "$2.41" in page.text
        assert "of $6.00 limit" in page.text
        assert "/3/events?tab=overview" in page.text

    async def test_a_failed_job_says_what_failed_what_was_kept_and_what_to_do(self, marina: Person) -> None:
        page = await marina.get(f"{marina.space.base}/2")
        for text in (
            "Voice failed",
            "The voice espeak/en-xx is not installed. Choose another voice preset and try again.",
            "Kept: the results of 1 finished step.",
            "Retry from Voice",
            "Edit the script",
            "7f3c1e",
        ):
            assert text in page.text
        assert "/2/events" not in page.text

    async def test_a_finished_film_plays_with_captions(self, marina: Person) -> None:
        page = await marina.get(f"{marina.space.base}/1")
        assert re.search(r'<video controls[^>]*src="[^"]*/artifacts/film.mp4"', page.text)
        assert '<track kind="captions"' in page.text

    async def test_the_log_is_narrowed_and_searched_by_address(self, marina: Person) -> None:
        base = f"{marina.space.base}/3/logs"
        assert len(re.findall('class="ln"', (await marina.get(base)).text)) == 13
        only = await marina.get(f"{base}?step=narrate&level=warn")
        assert re.findall(r'id="L(\d+)"', only.text) == ["5"]
        found = await marina.get(f"{base}?q=FRAMES 30")
        assert "<mark>Frames 30</mark>" in found.text
        assert "2 matches" in found.text

    async def test_the_whole_log_can_be_downloaded(self, marina: Person) -> None:
        answer = await marina.get(f"{marina.space.base}/3/log.txt")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert len(answer.text.splitlines()) == 13

    async def test_a_text_artifact_opens_on_the_page_escaped(self, marina: Person) -> None:
        page = await marina.get(f"{marina.space.base}/1/artifacts?show=script.md")
        assert "For ten days, a telescope looked at nothing." in page.text

    async def test_config_tells_where_values_come_from(self, marina: Person) -> None:
        page = await marina.get(f"{marina.space.base}/1/config")
        row = re.search(r"<tr data-changed>.*?</tr>", page.text, re.S)
        assert row is not None
        assert "narrator v3" in page.text


class TestSteering:
    async def test_a_plain_form_answers_303(self, marina: Person) -> None:
        answer = await marina.post(f"{marina.space.base}/4/pause", {})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{marina.space.base}/4")
        assert "This job is paused." in (await marina.get(f"{marina.space.base}/4")).text
        answer = await marina.post(f"{marina.space.base}/4/resume", {}, HX_Request="true", HX_Request_Type="partial")
        assert answer.status_code == 200
        assert answer.text.lstrip().startswith('<header class="head" id="job-head">')

    async def test_what_cannot_be_done_now_is_a_conflict(self, marina: Person) -> None:
        answer = await marina.post(f"{marina.space.base}/1/pause", {})
        assert answer.status_code == 409
        assert "cannot be done now" in answer.text

    async def test_an_unknown_action_does_not_exist(self, marina: Person) -> None:
        assert (await marina.post(f"{marina.space.base}/1/explode", {})).status_code == 404


class TestNames:
    @pytest.mark.parametrize("name", ["\ufffd", "\u3164\u3164", "\u2800", "\u200b"])
    async def test_a_name_that_nobody_can_see_is_none(self, marina: Person, name: str) -> None:
        forms = {
            "/w/northlight/projects": {"name": name, "slug": "unseen", "l-en": "1"},
            "/w/northlight/projects/deep-sky/edit": {"name": name, "l-en": "1"},
            "/w/northlight/settings": {"name": name, "slug": "northlight"},
            "/w/northlight/voices": {"name": name},
            "/workspaces/new": {"name": name, "slug": "unseen"},
            "/settings": {"name": name},
        }
        for path, form in forms.items():
            page = await marina.post(path, form)
            assert page.status_code == 422, path
            assert re.search("visible characters|Your name is missing|Your name holds", page.text), path


class TestStrangers:
    async def test_foreign_and_missing_are_the_same_answer(self, marina: Person, stranger: Person) -> None:
        def bare(answer: Any) -> tuple[int, str, dict[str, str]]:
            headers = {k: v for k, v in answer.headers.items() if k != "date"}
            return answer.status_code, answer.text, headers

        missing = bare(await stranger.get("/w/no-such-workspace/p/deep-sky/jobs"))
        assert missing[0] == 404
        paths = [marina.space.base, f"{marina.space.base}/new"]
        paths += [f"{marina.space.base}/1{tab}" for tab in TABS]
        paths += [f"{marina.space.base}/1/{name}" for name in ("artifacts/film.mp4", "events", "log.txt")]
        paths += [
            "/w/southwind/p/deep-sky/jobs/1",
            "/w/southwind/p/no/jobs",
            "/w/northlight",
            "/w/northlight/p/deep-sky",
        ]
        for path in paths:
            assert bare(await stranger.get(path)) == missing, path

    async def test_a_stranger_steers_nothing(self, stranger: Person, marina: Person) -> None:
        for action in ("pause", "cancel", "retry", "resume"):
            assert (await stranger.post(f"{marina.space.base}/3/{action}", {})).status_code == 404
        assert (await stranger.post(marina.space.base, form(stranger))).status_code == 404


class TestAddresses:
    async def test_a_sign_that_no_row_can_hold_leads_nowhere(self, marina: Person) -> None:
        assert (await marina.get(f"{marina.space.base}/1/artifacts/%00")).status_code == 404

    @pytest.mark.parametrize(
        "path", ["{}?q=%00", "{}?recipe=%00", "{}/1/logs?q=a%00", "{}?q=%0%0000", "/w/northlight/audit?action=%00"]
    )
    async def test_in_a_filter_it_counts_for_nothing(self, marina: Person, path: str) -> None:
        answer = await marina.get(path.format(marina.space.base))
        assert answer.status_code == 200
        assert "\x00" not in answer.text


class TestFiles:
    async def test_a_film_is_served_in_parts(self, marina: Person) -> None:
        path = f"{marina.space.base}/1/artifacts/film.mp4"
        whole = await marina.get(path)
        assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
        assert whole.headers["content-type"] == "video/mp4"
        size = len(whole.content)
        part = await marina.get(path, Range="bytes=100-199")
        assert (part.status_code, part.headers["content-range"]) == (206, f"bytes 100-199/{size}")
        assert part.content == whole.content[100:200]
        end = await marina.get(path, Range="bytes=-7")
        assert end.content == whole.content[-7:]
        outside = await marina.get(path, Range=f"bytes={size}-")
        assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{size}")

    async def test_if_range_and_if_none_match(self, marina: Person) -> None:
        path = f"{marina.space.base}/1/artifacts/film.mp4"
        etag = (await marina.get(path)).headers["etag"]
        assert (await marina.get(path, Range="bytes=0-1", If_Range='"other"')).status_code == 200
        assert (await marina.get(path, Range="bytes=0-1", If_Range=etag)).status_code == 206
        assert (await marina.get(path, If_None_Match=etag)).status_code == 304

    async def test_head_tells_the_size_without_a_body(self, marina: Person) -> None:
        path = f"{marina.space.base}/1/artifacts/film.mp4"
        size = len((await marina.get(path)).content)
        answer = await marina.client.head(path)
        assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, str(size), b"")

    async def test_files_have_their_own_policy_and_disposition(self, marina: Person) -> None:
        base = f"{marina.space.base}/1/artifacts"
        film = await marina.get(f"{base}/film.mp4")
        assert film.headers["content-disposition"].startswith('inline; filename="film.mp4"')
        assert "sandbox" in film.headers["content-security-policy"]
        assert film.headers["x-content-type-options"] == "nosniff"
        saved = await marina.get(f"{base}/film.mp4?download=1")
        assert saved.headers["content-disposition"].startswith("attachment")
        text = await marina.get(f"{base}/script.md")
        assert text.headers["content-type"].startswith("text/plain")
        picture = await marina.get(f"{base}/pictures/s1.jpg")
        assert picture.headers["content-type"] == "image/jpeg"

    async def test_a_missing_file_is_missing(self, marina: Person) -> None:
        for name in ("nothing.mp4", "../secret.key", "pictures", "%2e%2e/x", "film.mp4%00"):
            assert (await marina.get(f"{marina.space.base}/1/artifacts/{name}")).status_code == 404
