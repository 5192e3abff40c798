"""Programs of two workspaces: what a key opens, and that nobody else's program learns even that a thing is there.

Every operation of the API is tried by a key without the right, by a key of another workspace, by a key that is narrowed
to another project, and by nobody; for those out of reach the answer must be the answer for what never was.
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest_asyncio
from httpx import Response
from litestar import Litestar
from sqlalchemy import select

from adapters.settings import Settings
from app.main import build
from app.site import open_site
from domain.catalog.commands import create_project
from domain.catalog.model import Project
from domain.production.model import Approval, Job
from tenants.key_rules import OFFERED
from tests.architecture.test_routes import PROGRAMS, fill_hidden
from tests.support.factories import Workspace, add_job, add_steps, seed_jobs, seed_workspace
from tests.support.program import DOCUMENT, Program, check, make_key

BODIES: Mapping[str, Any] = {
    "estimateJob": {"topic": "Moons", "recipe": "documentary"},
    "createJob": {"topic": "Moons", "recipe": "documentary"},
    "level": {"level": "urgent"},
    "limit": {"cost_limit": None},
    "calls": {"decision": "repeat"},
    "script": {"scenes": [{"id": "s1", "text": "Hello."}]},
    "approvals": {"decision": "approved", "version": "x"},
}
LISTS = ("/me", "/projects", "/jobs", "/approvals", "/events")
VOLATILE = frozenset({"date", "ratelimit", "ratelimit-policy"})


def body_of(route: str) -> Any:
    """A body that has the right form for an operation."""
    if route.startswith("GET"):
        return None
    last = route.removesuffix("/{call:str}").removesuffix("/{approval:uuid}").split("/")[-1]
    return BODIES["createJob"] if last in ("jobs", "estimate") else BODIES.get(last, {})


@dataclass
class Row:
    """The names of one thing of each sort, as parts of addresses."""

    project: str
    job: str
    approval: str
    name: str = "film.mp4"
    step: str = "script"
    call: str = "0" * 64
    recipe: str = "documentary"

    @classmethod
    def missing(cls) -> Row:
        return cls("no-such-project", str(uuid4()), str(uuid4()))

    def path(self, route: str) -> str:
        path = route.partition(" ")[2].removeprefix("/api/v1")
        for name, value in vars(self).items():
            for kind in ("str", "path", "uuid"):
                path = path.replace(f"/{{{name}:{kind}}}", f"/{value}")
        return path


@dataclass
class Stage:
    """Our workspace with a film, a hidden project and a question; and the keys that try to reach them."""

    app: Litestar
    space: Workspace
    row: Row
    full: Program
    stranger: Program
    narrowed: Program

    async def ask(self, program: Program, route: str, row: Row) -> Response:
        headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"x"'}
        return await program.ask(route.partition(" ")[0], row.path(route), json=body_of(route), headers=headers)


@pytest_asyncio.fixture(scope="module")
async def stage(database: Settings) -> AsyncIterator[Stage]:
    site = open_site(database)
    app = build(site)
    space = await seed_workspace(site.units, site.store, "ours", "Ours")
    other = await seed_workspace(site.units, site.store, "theirs", "Theirs")
    async with site.units.open(space.owner) as unit:
        # Nobody else has a project of this name, so its name alone must tell nobody anything.
        space.project = await create_project(unit, "only-ours", "Only Ours", languages=["en"])
        atlas = (await unit.session.scalars(select(Project.id).where(Project.slug == "bedtime-atlas"))).one()
    await seed_jobs(space)
    await fill_hidden(space)
    async with other.units.open(other.owner) as unit:
        job = await add_job(unit, other, "Theirs", "queued")
        await add_steps(unit, job, [("script", "", "ready")], datetime.now(UTC))
    async with site.units.open(space.owner) as unit:
        approval = (await unit.session.scalars(select(Approval.id))).one()
    row = Row("only-ours", str(space.jobs["done"].id), str(approval))
    programs = [
        Program.with_key(app, await make_key(site.units, tenant, OFFERED, projects))
        for tenant, projects in ((space.tenant_id, None), (other.tenant_id, None), (space.tenant_id, [atlas]))
    ]
    yield Stage(app, space, row, *programs)
    for program in programs:
        await program.client.aclose()
    await site.close()


@pytest_asyncio.fixture(autouse=True)
async def patience(stage: Stage) -> None:
    await stage.app.state.site.redis.flushdb()


def told(answer: Response) -> tuple[int, str, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status_code, answer.text, headers


REACHING = [route for route in PROGRAMS if "{" in route]
"""Operations about a thing that the address names."""


async def test_what_is_another_workspaces_is_as_what_never_was(stage: Stage) -> None:
    """The very same answer: status, words and headers."""
    leaks = []
    for number, route in enumerate(REACHING):
        if number % 20 == 0:
            await stage.app.state.site.redis.flushdb()
        theirs = told(await stage.ask(stage.stranger, route, stage.row))
        missing = told(await stage.ask(stage.stranger, route, Row.missing()))
        if theirs != missing or theirs[0] != 404:
            leaks.append((route, theirs[0], missing[0]))
    assert leaks == []


async def test_a_key_of_another_project_finds_nothing_of_this_one(stage: Stage) -> None:
    leaks = []
    for number, route in enumerate(REACHING):
        if number % 20 == 0:
            await stage.app.state.site.redis.flushdb()
        hidden = told(await stage.ask(stage.narrowed, route, stage.row))
        missing = told(await stage.ask(stage.narrowed, route, Row.missing()))
        if hidden != missing or hidden[0] != 404:
            leaks.append((route, hidden[0], missing[0]))
    assert leaks == []
    for path in LISTS:
        answer = await stage.narrowed.get(path, {"after": 0} if path == "/events" else None)
        assert answer.status_code == 200
        assert "only-ours" not in answer.text
        assert all(str(job.id) not in answer.text for job in stage.space.jobs.values()), path
    assert [one["slug"] for one in (await stage.narrowed.get("/projects")).json()["items"]] == ["bedtime-atlas"]


async def test_lists_hold_one_s_own_only(stage: Stage) -> None:
    ours = {str(job.id) for job in stage.space.jobs.values()}
    async with stage.space.units.system("test") as unit:
        everything = {str(one) for one in await unit.session.scalars(select(Job.id))}
    assert everything > ours
    assert {one["id"] for one in (await stage.full.get("/jobs")).json()["items"]} == ours
    seen = {one["id"] for one in (await stage.stranger.get("/jobs")).json()["items"]}
    assert seen == everything - ours
    events = (await stage.stranger.get("/events", {"after": 0})).json()["items"]
    assert {one["job"] for one in events} <= seen
    assert (await stage.stranger.get("/approvals")).json()["items"] == []


async def test_a_cursor_of_another_workspace_is_of_no_use(stage: Stage) -> None:
    cursor = (await stage.full.get("/jobs", {"limit": 1})).json()["next"]
    answer = await stage.stranger.get("/jobs", {"limit": 1, "cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor")


async def test_without_the_right_it_is_forbidden_whether_the_thing_is_there_or_not(stage: Stage) -> None:
    units, wrong = stage.space.units, []
    weak = {
        needs: Program.with_key(
            stage.app, await make_key(units, stage.space.tenant_id, [one for one in OFFERED if one != needs])
        )
        for needs in {needs for needs in PROGRAMS.values() if needs}
    }
    for route, needs in PROGRAMS.items():
        if needs is None:
            continue
        for row in (stage.row, Row.missing()):
            answer = await stage.ask(weak[needs], route, row)
            if (answer.status_code, answer.json()["code"]) != (403, "forbidden") or needs not in answer.json()[
                "detail"
            ]:
                wrong.append((route, answer.status_code))
    for program in weak.values():
        await program.client.aclose()
    assert wrong == []


async def test_with_the_right_nothing_is_forbidden_and_nothing_our_fault(stage: Stage) -> None:
    # What is read comes first: making a step again puts the film by.
    for route in sorted(PROGRAMS):
        answer = await stage.ask(stage.full, route, stage.row)
        assert answer.status_code < 500, route
        assert answer.status_code not in (401, 403), route
        if "{" in route and "{call" not in route:
            assert answer.status_code != 404, route


async def test_nobody_and_browsers_get_nothing(stage: Stage) -> None:
    nobody = Program.with_key(stage.app, "vf_live_nothing")
    for route in PROGRAMS:
        for row in (stage.row, Row.missing()):
            answer = await stage.ask(nobody, route, row)
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid-key"), route
        await stage.app.state.site.redis.flushdb()
    await nobody.client.aclose()


NASTY = ("", " ", "0", "-1", "9" * 30, "null", "true", "deep-sky", "../me", "a%00b", "%F0%9F%8C%8C", "'; --", "x" * 300)
"""Parts of addresses and values of parameters that somebody may try."""


async def test_whatever_is_asked_the_answer_is_as_the_document_says(stage: Stage) -> None:
    """Each parameter of each read with odd values, by two workspaces' programs, about ours: never a fault of ours."""
    ours, odd = {str(job.id) for job in stage.space.jobs.values()}, random.Random(17)
    asked = 0
    for route in REACHING_AND_LISTS:
        path = stage.row.path(route)
        for parameter in operation_of(route).get("parameters", ()):
            if parameter["in"] == "header":
                continue
            for value in odd.sample(NASTY, 4):
                if asked % 25 == 0:
                    await stage.app.state.site.redis.flushdb()
                asked += 1
                there = odd_path(route, stage.row, parameter, value)
                query = f"?{parameter['name']}={value}" if parameter["in"] == "query" else ""
                theirs = await stage.stranger.client.get(f"{there or path}{query}")
                mine = await stage.full.client.get(f"{there or path}{query}")
                for answer in (theirs, mine):
                    assert answer.status_code < 500, (route, parameter["name"], value)
                    assert answer.status_code != 403, (route, parameter["name"], value)
                    if answer.status_code not in (404, 405):
                        check(answer, "GET", f"/api/v1{there or path}")
                assert not any(one in theirs.text for one in ours), (route, value)
    assert asked > 80


REACHING_AND_LISTS = [route for route in PROGRAMS if route.startswith("GET")]


def operation_of(route: str) -> Any:
    """What the document says of a route."""
    path = re.sub(r":\w+}", "}", route.partition(" ")[2])
    return DOCUMENT["paths"][path]["get"]


def odd_path(route: str, row: Row, parameter: Any, value: str) -> str:
    """The address with an odd value in the place of a parameter; empty for parameters of the query."""
    if parameter["in"] != "path" or not value.strip() or value.startswith(".."):
        return ""
    return replace(row, **{parameter["name"]: value}).path(route)
