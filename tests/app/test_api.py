"""The REST API, as a program uses it: every answer is held against the document, every operation succeeds once."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from sqlalchemy import func, select, text, update

from adapters.settings import Settings
from app.api import events
from app.api.document import document
from app.site import Site
from domain.dispatch.flows import drop_ready
from domain.dispatch.model import Step
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.model import Job
from domain.usage.model import Effect
from tenants.idempotency import IdempotencyKey
from tenants.model import AuditEntry
from tests.app.conftest import HOST
from tests.support.factories import make_picture, seed_workspace
from tests.support.program import DOCUMENT, Program, make_key
from tests.support.scripted import TOPIC, Scripted, open_scripted

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
DONE: set[str] = set()
"""Operations that have succeeded in this file."""
FILM = {"topic": "Why stars twinkle", "recipe": "quick", "seconds": 700}
"""A film too long to be sketched for its quote, which would take most of the time of these tests."""


@pytest_asyncio.fixture(scope="module")
async def studio(database: Settings, site: Site) -> Scripted:
    """A workspace with job #1, whose script is written."""
    made = await open_scripted(database, site.units, site.store, "larch")
    async with made.units.open(made.owner) as unit:
        await create_job(unit, NewJob("deep-sky", "quick", TOPIC))
    await made.engine.run_next("io")
    return made


@pytest_asyncio.fixture(scope="module")
async def program(app: Litestar, site: Site, studio: Scripted) -> AsyncIterator[Program]:
    """A program with every right that a key can have."""
    made = Program.with_key(app, await make_key(site.units, studio.tenant_id), DONE)
    yield made
    await made.client.aclose()


@pytest_asyncio.fixture(autouse=True)
async def patience(site: Site) -> None:
    await site.redis.flushdb()


async def order(program: Program, **changes: Any) -> dict[str, Any]:
    """A new job."""
    answer = await program.post("/projects/deep-sky/jobs", {**FILM, **changes}, Idempotency_Key=str(uuid4()))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def places(answer: Any) -> list[str]:
    """Where the faults of a refusal are."""
    return [fault.get("pointer") or fault.get("parameter") for fault in answer.json()["errors"]]


class TestReading:
    async def test_who_am_i(self, program: Program) -> None:
        assert (await program.get("/me")).json()["workspace"]["slug"] == "larch"

    async def test_projects_recipes_voices_and_pictures(self, program: Program, studio: Scripted) -> None:
        listed = (await program.get("/projects")).json()["items"]
        assert [one["slug"] for one in listed] == ["deep-sky"]
        assert (await program.get("/projects/deep-sky")).json()["languages"] == ["en", "pt-BR"]
        recipes = (await program.get("/projects/deep-sky/recipes")).json()["items"]
        assert {"quick", "documentary"} <= {one["slug"] for one in recipes}
        quick = (await program.get("/projects/deep-sky/recipes/quick")).json()
        assert [step["kind"] for step in quick["steps"]][:2] == ["script", "narrate"]
        assert {"prompt", "voice", "video", "ssml"} <= {part["slot"] for part in quick["uses"]}
        assert quick["missing"] == []
        voices = (await program.get("/projects/deep-sky/voices")).json()["items"]
        assert {one["language"].split("-")[0] for one in voices} >= {"en", "pt"}
        page = (await program.get("/projects/deep-sky/pictures", {"limit": 2})).json()
        assert page["total"] >= len(page["items"]) == 2
        word = page["items"][1]["captions"]["en"].split()[-1].strip(".").lower()
        found = (await program.get("/projects/deep-sky/pictures", {"q": word})).json()["items"]
        assert page["items"][1]["id"] in {one["id"] for one in found}

    async def test_a_job_tells_all_of_itself(self, program: Program, studio: Scripted) -> None:
        first = await studio.job(1)
        job = (await program.get(f"/jobs/{first.id}")).json()
        assert (job["number"], job["project"], job["state"]) == (1, "deep-sky", first.state)
        steps = {step["name"]: step for step in job["steps"]}
        assert steps["script"]["state"] == "succeeded"
        assert steps["narrate"]["state"] == "ready"
        assert 0 < job["progress"] < 1
        assert job["page"].endswith("/w/larch/p/deep-sky/jobs/1")
        assert job["micro_dollars"] == 0

    async def test_why_a_job_waits(self, program: Program, studio: Scripted) -> None:
        made = await order(program)
        waiting = {"code": "workspace_limit", "running": 2, "limit": 2, "starts_at": "2100-01-01T00:00:00+00:00"}
        async with studio.units.open(studio.owner) as unit:
            row = update(Job).where(Job.number == made["number"])
            await unit.session.execute(row.values(waiting=waiting, position=3, ahead=7))
        job = (await program.get(f"/jobs/{made['id']}")).json()
        assert job["waiting"]["code"] == "workspace_limit"
        assert job["waiting"]["text"].startswith("Your workspace runs 2 of 2 steps.")
        assert (job["waiting"]["position"], job["waiting"]["ahead"]) == (3, 7)

    async def test_files_and_parts_of_files(self, program: Program, studio: Scripted) -> None:
        job = await studio.job(1)
        listed = (await program.get(f"/jobs/{job.id}/artifacts")).json()["items"]
        file = next(one for one in listed if one["name"] == "script.json")
        path = file["href"].removeprefix("/api/v1")
        whole = await program.get(path)
        assert hashlib.sha256(whole.content).hexdigest() == file["sha256"]
        assert len(whole.content) == file["size"]
        part = await program.get(path, Range="bytes=4-11")
        assert (part.status_code, part.content) == (206, whole.content[4:12])
        assert part.headers["content-range"] == f"bytes 4-11/{file['size']}"
        kept = await program.get(path, If_None_Match=whole.headers["etag"])
        assert kept.status_code == 304
        outside = await program.get(path, Range=f"bytes={file['size']}-")
        assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{file['size']}")
        assert (await program.get(f"/jobs/{job.id}/artifacts/no-such-file")).status_code == 404
        head = await program.client.head(path)
        assert (head.status_code, head.headers["content-length"]) == (200, str(file["size"]))

    async def test_the_manifest_when_it_is_there(self, program: Program, studio: Scripted) -> None:
        job = await studio.job(1)
        early = await program.get(f"/jobs/{job.id}/manifest")
        assert (early.status_code, early.json()["code"]) == (409, "not-yet")
        async with studio.units.open(studio.owner) as unit:
            await unit.session.execute(
                text("UPDATE artifact_refs SET role = 'manifest' WHERE job_id = :job AND name = 'script.json'"),
                {"job": job.id},
            )
        assert (await program.get(f"/jobs/{job.id}/manifest")).json()["scenes"]
        async with studio.units.open(studio.owner) as unit:
            await unit.session.execute(
                text("UPDATE artifact_refs SET role = 'script' WHERE job_id = :job AND name = 'script.json'"),
                {"job": job.id},
            )


class TestPictures:
    PATH = "/projects/deep-sky/pictures"

    async def test_they_are_taken_and_found(self, program: Program) -> None:
        words = {"caption:en": "A quiet harbour", "tags:en": "harbour, boats", "licence": "CC0"}
        files = [("files", ("harbour.png", make_picture(71, 200, 120))), ("files", ("notes.txt", b"no picture"))]
        first = (await program.ask("POST", self.PATH, data=words, files=files)).json()["items"]
        assert [(one["new"], one["refused"] is None) for one in first] == [(True, True), (False, False)]
        again = (await program.ask("POST", self.PATH, data=words, files=files[:1])).json()["items"]
        assert (again[0]["picture"], again[0]["new"]) == (first[0]["picture"], False)
        [found] = (await program.get(self.PATH, {"q": "quiet harbour"})).json()["items"]
        assert (found["id"], found["tags"]["en"][:2]) == (first[0]["picture"], ["harbour", "boats"])

    async def test_refused(self, program: Program) -> None:
        junk = [("files", ("notes.txt", b"no picture"))]
        none = await program.ask("POST", self.PATH, files=junk)
        assert (none.status_code, places(none)) == (422, ["files"])
        wrong = await program.ask("POST", self.PATH, data={"focus_x": "far", "colour": "red"}, files=junk)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
        assert "focus_x" in places(wrong)
        assert "no field “colour”" in wrong.text
        plain = await program.ask("POST", self.PATH, json={"files": []})
        assert (plain.status_code, plain.json()["code"]) == (400, "bad-request")


class TestList:
    async def test_pages_filters_and_search(self, program: Program) -> None:
        made = [await order(program, topic=f"Listed {number}") for number in range(3)]
        first = (await program.get("/jobs", {"limit": 2, "q": "listed"})).json()
        assert [one["id"] for one in first["items"]] == [made[2]["id"], made[1]["id"]]
        rest = (await program.get("/jobs", {"limit": 2, "q": "listed", "cursor": first["next"]})).json()
        assert ([one["id"] for one in rest["items"]], rest["next"]) == ([made[0]["id"]], None)
        narrowed = {"state": ["queued", "failed"], "recipe": "quick", "project": "deep-sky", "q": "listed by:nightly"}
        assert len((await program.get("/jobs", narrowed)).json()["items"]) == 3
        assert (await program.get("/jobs", {"state": "failed", "q": "listed"})).json()["items"] == []
        assert (await program.get("/jobs", {"state": "queued", "q": "status:done"})).json()["items"] == []

    async def test_a_cursor_is_of_one_list(self, program: Program) -> None:
        for number in range(2):
            await order(program, topic=f"Bound {number}")
        cursor = (await program.get("/jobs", {"limit": 1})).json()["next"]
        for other in ({"q": "bound"}, {"state": "queued"}, {"project": "deep-sky"}):
            answer = await program.get("/jobs", {**other, "cursor": cursor})
            assert (answer.status_code, answer.json()["code"]) == (400, "cursor")
        for wrong in ("x", "☃", cursor[:-2], "A" * 38):
            assert (await program.get("/jobs", {"cursor": wrong})).json()["code"] == "cursor"

    @pytest.mark.parametrize(
        ("asked", "where"),
        [
            ({"limit": "0"}, ["limit"]),
            ({"limit": "101", "state": "asleep"}, ["state", "limit"]),
            ({"limit": "many"}, ["limit"]),
            ({"sate": "failed"}, ["sate"]),
            ({"q": "status:asleep cost:free"}, ["q", "q"]),
        ],
    )
    async def test_a_filter_that_means_nothing_is_refused(
        self, program: Program, asked: dict[str, str], where: list[str]
    ) -> None:
        answer = await program.get("/jobs", asked)
        assert (answer.status_code, answer.json()["code"], places(answer)) == (400, "bad-request", where)


class TestOrdering:
    async def test_an_estimate_writes_nothing(self, program: Program, studio: Scripted) -> None:
        before = await studio.count(Job)
        answer = (await program.post("/projects/deep-sky/jobs/estimate", FILM)).json()
        assert answer["complete"] is True
        assert answer["machine_seconds"]["low"] <= answer["machine_seconds"]["likely"]
        assert {line["step"] for line in answer["lines"]} >= {"script", "narrate"}
        assert await studio.count(Job) == before

    async def test_a_job_with_all_choices(self, program: Program) -> None:
        wish = {
            "language": "en",
            "profile": "shorts-9x16",
            "voice": "voice-en",
            "mode": "wizard",
            "gates": ["script"],
            "level": "urgent",
            "cost_limit": 2_500_000,
        }
        made = await order(program, **wish)
        job = (await program.get(f"/jobs/{made['id']}")).json()
        assert (job["mode"], job["level"], job["cost_limit"]) == ("wizard", "urgent", 2_500_000)
        assert (job["profile"], job["voice"], job["made_by"]) == ("shorts-9x16", "voice-en", "nightly")

    async def test_every_fault_at_once_with_its_place(self, program: Program) -> None:
        bad = {"recipe": "quikc", "topic": " ", "seconds": 5, "profile": "imax", "cost_limit": -1}
        bad |= {"mode": "wizard", "gates": []}
        for path, more in (("/projects/deep-sky/jobs", {"/topic"}), ("/projects/deep-sky/jobs/estimate", set())):
            answer = await program.post(path, bad, Idempotency_Key="faulty-1")
            assert answer.status_code == 422
            assert set(places(answer)) == {"/recipe", "/seconds", "/profile", "/cost_limit", "/gates", *more}
        assert "Did you mean “quick”?" in str(answer.json()["errors"])

    async def test_the_form_of_a_body(self, program: Program) -> None:
        answer = await program.post(
            "/projects/deep-sky/jobs", {"recipe": 4, "seconds": "x", "gates": ["a", 2], "extra": 1}, Idempotency_Key="f"
        )
        assert answer.status_code == 422
        assert set(places(answer)) == {"/recipe", "/seconds", "/gates/1", "/extra", "/topic"}
        hidden = await program.post(
            "/projects/deep-sky/jobs", {"topic": "A\x07", "recipe": "\x00", "gates": ["\u202e"]}, Idempotency_Key="h"
        )
        assert (hidden.status_code, set(places(hidden))) == (422, {"/topic", "/recipe", "/gates"})
        assert "U+0007) at position 2" in hidden.text
        for path in ("/projects/%00", "/jobs/%00/artifacts", "/projects/deep-sky/recipes/a%00b"):
            assert (await program.client.get(path)).status_code == 404
        huge = await program.post("/projects/deep-sky/jobs", {**FILM, "topic": "x" * 600_000}, Idempotency_Key="huge")
        assert (huge.status_code, huge.json()["code"]) == (413, "too-large")
        for broken in (b"{nope", b"[1]", b"", b"null", b"[" * 100_000, b'{"a":' * 50_000):
            raw = await program.client.post("/projects/deep-sky/jobs", content=broken, headers={"Idempotency-Key": "g"})
            assert (raw.status_code in (400, 422), raw.json()["code"]) == (True, raw.json()["type"].split(":")[-1])
            assert "Shape" not in raw.text


class TestOnce:
    """Idempotency-Key: asked twice, done once."""

    PATH = "/projects/deep-sky/jobs"

    async def test_the_same_again_is_answered_the_same(self, program: Program, studio: Scripted) -> None:
        before = await studio.count(Job)
        first = await program.post(self.PATH, FILM, Idempotency_Key="twice-1")
        again = await program.post(self.PATH, dict(reversed(FILM.items())), Idempotency_Key="twice-1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.content == again.content
        assert first.headers["location"] == again.headers["location"] == f"/api/v1/jobs/{first.json()['id']}"
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        assert await studio.count(Job) == before + 1

    async def test_without_a_key_and_with_one_that_was_used(self, program: Program, studio: Scripted) -> None:
        before = await studio.count(Job)
        none = await program.post(self.PATH, FILM)
        assert (none.status_code, none.json()["code"]) == (400, "idempotency-key")
        for wrong in (" ", "x" * 201, "tab\there"):
            assert (await program.post(self.PATH, FILM, Idempotency_Key=wrong)).status_code == 400
        await program.post(self.PATH, FILM, Idempotency_Key="used-1")
        other = await program.post(self.PATH, {**FILM, "topic": "Another"}, Idempotency_Key="used-1")
        assert (other.status_code, other.json()["code"]) == (422, "key-reused")
        assert await studio.count(Job) == before + 1

    async def test_two_at_once_make_one(self, program: Program, studio: Scripted) -> None:
        before = await studio.count(Job)
        answers = await asyncio.gather(
            *(program.post(self.PATH, {**FILM, "topic": "At once"}, Idempotency_Key="at-once") for _ in range(4))
        )
        codes = sorted(answer.status_code for answer in answers)
        assert set(codes) <= {201, 409}
        assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in-flight"}
        assert await studio.count(Job) == before + 1

    async def test_in_flight(self, program: Program, studio: Scripted, site: Site) -> None:
        key = (await program.get("/me")).json()["key"]["id"]
        async with studio.units.system("keys") as unit:
            actor = await unit.session.scalar(text("SELECT id FROM api_keys WHERE public_id = :id"), {"id": key})
            lock = text("SELECT pg_advisory_xact_lock(hashtextextended('once:' || :tenant || :actor || :key, 0))")
            await unit.session.execute(
                lock, {"tenant": str(studio.tenant_id), "actor": str(actor), "key": "in-flight-1"}
            )
            busy = await program.post(self.PATH, FILM, Idempotency_Key="in-flight-1")
        assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (409, "in-flight", "1")
        assert (await program.post(self.PATH, FILM, Idempotency_Key="in-flight-1")).status_code == 201

    async def test_a_refusal_keeps_no_key_and_a_day_is_enough(self, program: Program, studio: Scripted) -> None:
        refused = await program.post(self.PATH, {**FILM, "recipe": "none"}, Idempotency_Key="mended-1")
        assert refused.status_code == 422
        first = await program.post(self.PATH, FILM, Idempotency_Key="mended-1")
        assert first.status_code == 201
        async with studio.units.open(studio.owner) as unit:
            old = update(IdempotencyKey).values(created_at=func.now() - text("interval '25 hours'"))
            await unit.session.execute(old)
        second = await program.post(self.PATH, FILM, Idempotency_Key="mended-1")
        assert second.json()["id"] != first.json()["id"]
        assert await studio.count(IdempotencyKey) == 1

    async def test_keys_of_two_programs_never_meet(
        self, app: Litestar, site: Site, studio: Scripted, program: Program
    ) -> None:
        other = Program.with_key(app, await make_key(site.units, studio.tenant_id))
        first = await program.post(self.PATH, FILM, Idempotency_Key="shared")
        second = await other.post(self.PATH, FILM, Idempotency_Key="shared")
        await other.client.aclose()
        assert first.json()["id"] != second.json()["id"]


class TestSteering:
    async def test_pause_resume_level_limit_cancel(self, program: Program, studio: Scripted) -> None:
        job = await order(program)
        path = f"/jobs/{job['id']}"
        paused = await program.post(f"{path}/pause", {"reason": "A better topic is coming"})
        assert (paused.json()["state"], paused.json()["control"]) == ("paused", "pause")
        assert (await program.get(path)).json()["control_reason"] == "A better topic is coming"
        twice = await program.post(f"{path}/pause", {})
        assert (twice.status_code, twice.json()["code"], twice.json()["reason"]) == (409, "wrong-state", "pause")
        assert (await program.post(f"{path}/resume")).json()["state"] == "queued"
        assert (await program.post(f"{path}/level", {"level": "batch"})).status_code == 200
        assert (await program.post(f"{path}/level", {"level": "now"})).status_code == 422
        assert (await program.post(f"{path}/limit", {"cost_limit": 1_000_000})).status_code == 200
        assert (await program.post(f"{path}/limit", {"cost_limit": -1})).status_code == 422
        read = (await program.get(path)).json()
        assert (read["level"], read["cost_limit"]) == ("batch", 1_000_000)
        assert (await program.post(f"{path}/retry")).json()["reason"] == "retry"
        assert (await program.post(f"{path}/cancel", {"reason": "Enough"})).json()["state"] == "cancelled"
        assert (await program.client.post(f"{path}/cancel")).json()["reason"] == "cancel"

    async def test_retry_and_skip_of_what_has_failed(self, program: Program, studio: Scripted) -> None:
        job = await order(program)
        path = f"/jobs/{job['id']}"
        await fail(studio, job, "script")
        read = (await program.get(path)).json()
        assert (read["state"], read["error"]["next"]) == ("failed", "Try again.")
        assert read["steps"][0]["error"]["sentence"] == "It broke."
        needed = await program.post(f"{path}/steps/script/skip")
        assert (needed.status_code, needed.json()["reason"]) == (409, "skip-needed")
        again = await program.post(f"{path}/retry")
        assert (again.status_code, again.json()["state"]) == (200, "queued")
        async with studio.units.open(studio.owner) as unit:
            row = await unit.session.get(Job, (studio.tenant_id, (await studio.job(job["number"])).id))
            assert row is not None
            steps = [{**one, "optional": one["kind"] == "check"} for one in row.spec["recipe"]["steps"]]
            row.spec = {**row.spec, "recipe": {**row.spec["recipe"], "steps": steps}}
        await fail(studio, job, "check")
        assert (await program.post(f"{path}/steps/check/skip")).status_code == 200
        assert (await program.post(f"{path}/steps/nothing/skip")).status_code == 404

    async def test_a_step_is_made_again_with_an_instruction(self, program: Program, studio: Scripted) -> None:
        first = await studio.job(1)
        path = f"/jobs/{first.id}/steps"
        wrong = await program.post(f"{path}/compose/redo", {"instruction": "Paint it \x07" + "x" * 2001})
        assert (wrong.status_code, set(places(wrong))) == (422, {"/instruction"})
        assert len(wrong.json()["errors"]) >= 2
        assert (await program.client.post(f"{path}/nothing/redo")).status_code == 404
        early = await program.post(f"{path}/mux/redo", {})
        assert (early.status_code, early.json()["reason"]) == (409, "redo-step")
        done = await program.post(f"{path}/script/redo", {"instruction": "Shorter."})
        assert done.status_code == 200, done.text
        read = (await program.get(f"/jobs/{first.id}")).json()
        assert read["steps"][0]["instruction"] == "Shorter."
        while (await program.get(f"/jobs/{first.id}/script")).status_code == 409:
            assert await studio.engine.run_next("io")

    async def test_a_call_in_doubt_is_decided(self, program: Program, studio: Scripted) -> None:
        job = await order(program)
        row = await studio.job(job["number"])
        async with studio.units.open(studio.owner) as unit:
            step = (await unit.session.scalars(select(Step).where(Step.job_id == row.id, Step.kind == "script"))).one()
            unit.session.add(
                Effect(
                    effect_key="e" * 64,
                    job_id=row.id,
                    step_id=step.id,
                    step_kind="script",
                    provider="anthropic",
                    request_hash="0" * 64,
                    state="in_doubt",
                    fence=1,
                )
            )
        path = f"/jobs/{job['id']}"
        [doubt] = (await program.get(path)).json()["calls_in_doubt"]
        assert (doubt["step"], doubt["provider"], doubt["may_skip"]) == ("script", "anthropic", False)
        alone = await program.post(f"{path}/calls/{doubt['call']}", {"decision": "skip"})
        assert (alone.status_code, alone.json()["reason"]) == (409, "call-alone")
        assert (await program.post(f"{path}/calls/{doubt['call']}", {"decision": "repeat"})).status_code == 200
        assert (await program.post(f"{path}/calls/nothing", {"decision": "repeat"})).status_code == 404
        assert (await program.get(path)).json()["calls_in_doubt"] == []


async def fail(studio: Scripted, job: dict[str, Any], kind: str) -> None:
    """Let a step of a job have failed."""
    error = {"sentence": "It broke.", "next": "Try again."}
    row = await studio.job(job["number"])
    async with studio.units.open(studio.owner) as unit:
        step = (await unit.session.scalars(select(Step).where(Step.job_id == row.id, Step.kind == kind))).one()
        if step.state == "ready":
            await drop_ready(unit.session, unit.tenant_id, {step.pool: 1})
        step.state, step.error = "dead", error
        await unit.session.execute(update(Job).where(Job.id == row.id).values(state="failed", error=error))


class TestApprovals:
    async def test_from_the_question_to_the_answer(self, program: Program, studio: Scripted) -> None:
        for number in range(2):
            await order(program, topic=TOPIC, mode="wizard", gates=["script"], seconds=20 + number, level="urgent")
        while len((await program.get("/approvals")).json()["items"]) < 3:
            # One more, from the job with all choices, is as urgent as these.
            assert await studio.engine.run_next("io")
        first, second = (await program.get("/approvals")).json()["items"][-2:]
        path = f"/approvals/{first['id']}"
        assert (first["step"], first["may_decide"]) == ("script", True)
        empty = await program.post(path, {"decision": "changes", "version": first["version"], "note": " "})
        assert (empty.status_code, places(empty)) == (422, ["/note"])
        mixed = {"decision": "approved", "version": "x", "scenes": [{"id": "s1", "text": "A."}]}
        assert places(await program.post(path, mixed)) == ["/scenes"]
        stale = await program.post(path, {"decision": "approved", "version": "another"})
        assert (stale.status_code, stale.json()["reason"]) == (409, "decided-newer")
        done = await program.post(path, {"decision": "approved", "version": first["version"]})
        assert done.status_code == 200
        late = await program.post(path, {"decision": "again", "version": first["version"]})
        assert (late.status_code, late.json()["reason"]) == (409, "decided-by")
        scene = (await program.get(f"/jobs/{second['job']}/script")).json()["scenes"][0]
        same = "\n".join(one["text"] for one in scene["sentences"])
        edit = {"decision": "edited", "version": second["version"], "scenes": [{"id": scene["id"], "text": same}]}
        assert places(await program.post(f"/approvals/{second['id']}", edit)) == ["/scenes/0/text"]
        edit["scenes"] = [{"id": scene["id"], "text": "A program wrote this."}]
        assert (await program.post(f"/approvals/{second['id']}", edit)).status_code == 200
        while (await program.get(f"/jobs/{second['job']}/script")).status_code == 409:
            assert await studio.engine.run_next("io")
        script = (await program.get(f"/jobs/{second['job']}/script")).json()
        assert script["scenes"][0]["sentences"][0]["text"] == "A program wrote this."
        async with studio.units.open(studio.owner) as unit:
            wanted = select(AuditEntry).where(AuditEntry.action == "approval.approved")
            signed = list(await unit.session.scalars(wanted))
        assert (signed[0].actor_kind, signed[0].actor_name) == ("key", "nightly")
        assert signed[0].trace_id
        assert signed[0].address == "127.0.0.1"


class TestScript:
    async def test_reading_and_changing_it(self, program: Program, studio: Scripted) -> None:
        job = await studio.job(1)
        path = f"/jobs/{job.id}/script"
        read = await program.get(path)
        assert read.status_code == 200
        etag, scene = read.headers["etag"], read.json()["scenes"][0]
        assert (await program.get(path, If_None_Match=etag)).status_code == 304
        edit = {"scenes": [{"id": scene["id"], "text": "A program wrote this. It is short."}]}
        none = await program.post(path, edit, Idempotency_Key="edit-0")
        assert (none.status_code, none.json()["code"]) == (428, "precondition")
        old = await program.post(path, edit, Idempotency_Key="edit-0", If_Match='"older"')
        assert (old.status_code, old.json()["code"]) == (412, "changed")
        wrong = {"scenes": [{"id": "s99", "text": "x"}, {"id": scene["id"], "text": "…"}]}
        faulty = await program.post(path, wrong, Idempotency_Key="edit-0", If_Match=etag)
        assert places(faulty) == ["/scenes/0/id", "/scenes/1/text"]
        before = await studio.count(Job)
        made = await program.post(path, edit, Idempotency_Key="edit-1", If_Match=etag)
        again = await program.post(path, edit, Idempotency_Key="edit-1", If_Match=etag)
        assert (made.status_code, again.content) == (201, made.content)
        assert await studio.count(Job) == before + 1
        assert (await program.get(f"/jobs/{made.json()['id']}")).json()["made_from"] == 1
        fresh = await program.get(f"/jobs/{made.json()['id']}/script")
        assert (fresh.status_code, fresh.json()["code"]) == (409, "not-yet")


class TestEvents:
    async def test_reading_on(self, program: Program) -> None:
        start = (await program.get("/events")).json()
        assert start["items"] == []
        job, other = await order(program), await order(program)
        await program.post(f"/jobs/{job['id']}/cancel", {})
        events = (await program.get("/events", {"after": start["after"]})).json()
        assert [one["type"] for one in events["items"]][:1] == ["job.created"]
        assert {one["job"] for one in events["items"]} == {job["id"], other["id"]}
        assert [one["seq"] for one in events["items"]] == sorted(one["seq"] for one in events["items"])
        assert events["after"] == events["items"][-1]["seq"]
        mine = (await program.get("/events", {"after": start["after"], "job": job["id"], "limit": 1})).json()
        rest = (await program.get("/events", {"after": mine["after"], "job": job["id"]})).json()
        assert {one["job"] for one in (*mine["items"], *rest["items"])} == {job["id"]}
        assert (await program.get("/events", {"after": 0, "limit": 3})).json()["items"][0]["seq"] < start["after"]

    async def test_waiting_for_what_happens(self, program: Program) -> None:
        now = (await program.get("/events")).json()["after"]
        waiting = asyncio.create_task(program.get("/events", {"after": now, "wait": 20}))
        made = await order(program, topic="Somebody waits for this")
        heard = (await waiting).json()
        assert heard["items"][0]["job"] == made["id"]
        nothing = (await program.get("/events", {"after": heard["after"] + 1000, "wait": 1})).json()
        assert nothing == {"items": [], "after": heard["after"] + 1000}

    async def test_one_that_stands_too_many_is_answered_at_once(
        self, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(events, "AT_ONCE", 0)
        monkeypatch.setattr(events, "_heard", None)
        answer = await program.get("/events", {"after": 2**40, "wait": 25})
        assert answer.json() == {"items": [], "after": 2**40}

    @pytest.mark.parametrize("asked", [{"after": -1}, {"wait": 26}, {"job": "x"}, {"after": "now"}])
    async def test_refused(self, program: Program, asked: dict[str, Any]) -> None:
        answer = await program.get("/events", asked)
        assert (answer.status_code, places(answer)) == (400, list(asked))


class TestDoor:
    async def test_a_key_without_the_right(self, app: Litestar, site: Site, studio: Scripted) -> None:
        weak = Program.with_key(app, await make_key(site.units, studio.tenant_id, ["catalog:read"]))
        job = (await studio.job(1)).id
        for path, needs in (
            ("/jobs", "jobs:read"),
            (f"/jobs/{job}", "jobs:read"),
            (f"/jobs/{uuid4()}", "jobs:read"),
            ("/events", "jobs:read"),
            (f"/jobs/{job}/artifacts", "artifacts:read"),
        ):
            answer = await weak.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
            assert needs in answer.json()["detail"]
        assert (await weak.get("/projects/deep-sky/recipes")).status_code == 200
        refused = await weak.post("/projects/deep-sky/jobs", FILM, Idempotency_Key="weak")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        await weak.client.aclose()

    async def test_an_archived_workspace_is_read_only(self, app: Litestar, site: Site) -> None:
        house = await seed_workspace(site.units, site.store, "yew", "Yew")
        program = Program.with_key(app, await make_key(site.units, house.tenant_id))
        async with site.units.system("workspaces") as unit:
            await unit.session.execute(text("UPDATE tenants SET archived_at = now() WHERE slug = 'yew'"))
        assert (await program.get("/projects")).status_code == 200
        refused = await program.post("/projects/deep-sky/jobs", FILM, Idempotency_Key="late")
        assert (refused.status_code, refused.json()["code"]) == (409, "archived")
        await program.client.aclose()

    async def test_what_is_not_there_is_said_the_same_everywhere(self, program: Program) -> None:
        missing = await program.get(f"/jobs/{uuid4()}")
        for path in ("/jobs/not-an-id", "/nothing"):
            answer = await program.client.get(path)
            assert (answer.status_code, answer.json()) == (404, missing.json())
        wrong = await program.client.delete("/jobs")
        assert (wrong.status_code, wrong.json()["code"]) == (405, "method")

    async def test_words_are_english_for_every_program(self, program: Program) -> None:
        answer = await program.get(f"/jobs/{uuid4()}", Accept_Language="pt-BR")
        assert answer.json()["title"] == "There is nothing here"


class TestDocument:
    async def test_it_is_served_to_everybody_and_asks_for_nothing_elsewhere(self, app: Litestar) -> None:
        async with AsyncClient(transport=ASGITransport(app), base_url=HOST) as client:
            answer = await client.get("/api/v1/openapi.json")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == document()
        assert "://" not in answer.text.replace("https://films.example.org", "")

    def test_it_says_what_a_reader_needs(self) -> None:
        assert DOCUMENT["openapi"].startswith("3.1")
        assert DOCUMENT["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
        for path, verbs in DOCUMENT["paths"].items():
            for verb, operation in verbs.items():
                where = f"{verb} {path}"
                assert re.search(r"Needs `|workspace", operation["description"], re.I), where
                assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}, where
                refusals = {status for status in operation["responses"] if status >= "400"}
                assert {"400", "401", "403", "429"} <= refusals, where
                assert ("404" in refusals) == ("{" in path or operation["operationId"] in ("listJobs", "listEvents"))
        for name, schema in DOCUMENT["components"]["schemas"].items():
            assert re.fullmatch(r"[A-Za-z]+", name)
            assert schema.get("description"), name

    def test_the_manual_names_every_operation(self) -> None:
        manual = DOCS.read_text()
        for path, verbs in DOCUMENT["paths"].items():
            for verb, operation in verbs.items():
                assert f"`{verb.upper()} {path}`" in manual, operation["operationId"]

    def test_every_operation_has_succeeded_here(self) -> None:
        """Runs last in this file: what the document promises was asked for and answered."""
        promised = {one["operationId"] for verbs in DOCUMENT["paths"].values() for one in verbs.values()}
        assert promised - DONE == set()
