"""The inventory of routes: every handler, who may use it, and that nobody else learns even that it is there.

A new handler without a line here fails. Each line is tried by every role of the workspace, by somebody of another
workspace and by nobody; for strangers the answer must be the answer for a workspace that does not exist.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from sqlalchemy import create_engine, event, select, update
from sqlalchemy.pool import NullPool

from adapters.settings import Settings
from app.guards import reaches
from app.main import build
from app.session import csrf_of
from app.site import Site, open_site
from app.views.members import rights_markdown
from domain.catalog.model import CatalogItem, Project
from domain.dispatch.model import Step
from domain.production.model import Approval, Job
from domain.production.money import this_month
from domain.production.queries.find import find_jobs
from domain.production.queries.line import inbox
from domain.usage.caps import month_states
from domain.usage.model import Budget, BudgetEntry
from tenants import unit as unit_module
from tenants.operators import appoint
from tenants.principal import Principal
from tenants.roles import GRANTS, ROLES, Permission
from tests.support.factories import Workspace, seed_jobs, seed_workspace
from tests.support.people import add_person, cookie_of
from tests.support.program import Program, make_key
from tests.support.rows import NAMES
from tests.support.services import Services


@dataclass(frozen=True)
class Case:
    """How a route is tried: the right it needs (None: every member), form data, and other outcomes.

    `acts`: even an empty form does something, so that only those who may not are sent; flows test the others.
    `values`: parts of the address. `hides`: a thing that is not there is missing also for those without the right.
    """

    needs: Permission | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    acts: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    hides: bool = False
    query: str = ""


JOBS = "/w/{tenant:str}/p/{project:str}/jobs"
JOB = f"{JOBS}/{{number:str}}"
PICTURES = "/w/{tenant:str}/p/{project:str}/pictures"
MEMBERS = "/w/{tenant:str}/members"
PROJECTS = "/w/{tenant:str}/projects"
SETTINGS = "/w/{tenant:str}/settings"
WEBHOOKS = "/w/{tenant:str}/webhooks"
WEBHOOK = f"{WEBHOOKS}/{{id:uuid}}"
QUEUE = "/w/{tenant:str}/queue"
API_PROJECT = "/api/v1/projects/{project:str}"
API_JOB = "/api/v1/jobs/{job:uuid}"
SCHEDULES = "/w/{tenant:str}/p/{project:str}/schedules"
CATALOGUE = "/w/{tenant:str}/catalogue/{kind:str}"
ITEM = f"{CATALOGUE}/{{slug:str}}"
RECIPES = "/w/{tenant:str}/p/{project:str}/recipes"
SHORT = {"slug": "short"}
"""A recipe of the seeded workspace."""

WORKSPACE: dict[str, Case] = {
    "GET /w/{tenant:str}": Case(),
    "GET /w/{tenant:str}/p/{project:str}": Case(),
    "GET /w/{tenant:str}/find": Case("jobs:read"),
    "GET /w/{tenant:str}/events": Case("jobs:read"),
    f"GET {JOBS}": Case("jobs:read"),
    f"GET {JOBS}/bulk": Case("jobs:control", query="?act=retry"),
    f"POST {JOBS}/bulk": Case("jobs:control", {"act": "retry"}, acts=True),
    f"GET {JOBS}/views": Case("jobs:read", query="?state=failed"),
    f"POST {JOBS}/views": Case("jobs:read", {"name": " ", "state": "failed"}),
    f"POST {JOBS}/views/opening": Case("jobs:read"),
    f"POST {JOBS}/views/{{view:uuid}}": Case("jobs:read", {"name": "x"}),
    f"POST {JOBS}/views/{{view:uuid}}/delete": Case("jobs:read"),
    f"GET {SCHEDULES}": Case("jobs:read"),
    f"GET {SCHEDULES}/new": Case("jobs:run"),
    f"POST {SCHEDULES}": Case("jobs:run"),
    f"POST {SCHEDULES}/{{schedule:uuid}}/{{act:str}}": Case("jobs:run", values={"act": "pause"}),
    f"GET {QUEUE}": Case("jobs:read"),
    f"GET {QUEUE}/events": Case("jobs:read"),
    f"POST {QUEUE}/pause": Case("queue:operate"),
    f"POST {QUEUE}/resume": Case("queue:operate"),
    f"GET {QUEUE}/letters": Case("jobs:control", query="?act=retry"),
    f"POST {QUEUE}/letters": Case("jobs:control", {"act": "retry"}, acts=True),
    f"GET {JOBS}/new": Case("jobs:run"),
    f"POST {JOBS}": Case("jobs:run"),
    f"POST {JOBS}/quote": Case("jobs:run"),
    f"POST {JOB}/calls": Case("jobs:control", {"decision": "repeat"}, acts=True),
    f"POST {JOB}/limit": Case("jobs:control", acts=True),
    f"GET {JOB}": Case("jobs:read"),
    f"GET {JOB}/{{part:str}}": Case("jobs:read"),
    f"POST {JOB}/{{part:str}}": Case("jobs:control", acts=True, values={"part": "pause"}),
    f"POST {JOB}/gate": Case("approvals:decide", {"decision": "approved"}),
    f"GET {JOB}/gate/edit": Case("approvals:decide"),
    f"POST {JOB}/gate/edit": Case("approvals:decide"),
    f"GET {JOB}/step/{{step:str}}": Case("jobs:read", values={"step": "script"}),
    f"POST {JOB}/step/{{step:str}}/{{action:str}}": Case(
        "jobs:control", acts=True, values={"step": "script", "action": "redo"}
    ),
    f"GET {JOB}/step/{{step:str}}/fork": Case("jobs:run", values={"step": "script"}),
    f"POST {JOB}/step/{{step:str}}/fork": Case("jobs:run", values={"step": "script"}),
    f"GET {JOB}/runs/{{run:str}}/{{name:path}}": Case("artifacts:read"),
    f"GET {JOB}/artifacts": Case("jobs:read"),
    f"GET {JOB}/artifacts/{{name:path}}": Case("artifacts:read"),
    f"GET {JOB}/log.txt": Case("jobs:read"),
    f"GET {JOB}/events": Case("jobs:read"),
    f"GET {JOB}/script": Case("jobs:read"),
    f"POST {JOB}/script": Case("jobs:run"),
    f"POST {JOB}/script/make": Case("jobs:run"),
    f"POST {JOB}/script/again": Case("jobs:control", acts=True),
    f"GET {JOB}/timeline": Case("jobs:read"),
    f"POST {JOB}/timeline": Case("jobs:run"),
    f"POST {JOB}/timeline/undo": Case("jobs:run"),
    f"POST {JOB}/timeline/redo": Case("jobs:run"),
    f"GET {JOB}/timeline/make": Case("jobs:run"),
    f"POST {JOB}/timeline/make": Case("jobs:run"),
    f"GET {JOB}/timeline/frame": Case("jobs:read"),
    f"GET {JOB}/timeline/picture/{{sha256:str}}": Case("jobs:read"),
    f"GET {JOB}/sheet": Case("jobs:read"),
    f"POST {JOB}/sheet": Case("approvals:decide"),
    f"POST {JOB}/sheet/{{scene:str}}": Case("jobs:control"),
    f"GET {PICTURES}": Case("catalog:read"),
    f"GET {PICTURES}/new": Case("catalog:edit"),
    f"POST {PICTURES}": Case("catalog:edit", acts=True),
    f"GET {PICTURES}/{{picture:str}}": Case("catalog:read"),
    f"POST {PICTURES}/{{picture:str}}": Case("catalog:edit", hides=True),
    f"GET {PICTURES}/{{picture:str}}/file/{{file:str}}": Case("catalog:read"),
    f"POST {PICTURES}/{{picture:str}}/remove": Case("catalog:edit", hides=True),
    f"POST {PICTURES}/{{picture:str}}/restore": Case("catalog:edit", hides=True),
    f"GET {MEMBERS}": Case("members:read"),
    "GET /w/{tenant:str}/roles": Case("members:read"),
    f"POST {MEMBERS}/invite": Case("members:manage"),
    f"POST {MEMBERS}/invitations/{{id:uuid}}/link": Case("members:manage"),
    f"POST {MEMBERS}/invitations/{{id:uuid}}/withdraw": Case("members:manage"),
    f"POST {MEMBERS}/{{person:uuid}}/change": Case("members:manage", {"role": "viewer"}),
    f"POST {MEMBERS}/{{person:uuid}}/remove": Case("members:manage"),
    f"POST {MEMBERS}/{{person:uuid}}/transfer": Case("workspace:delete"),
    f"POST {MEMBERS}/leave": Case(acts=True),
    f"GET {PROJECTS}": Case("jobs:read"),
    f"POST {PROJECTS}": Case("projects:manage"),
    f"GET {PROJECTS}/{{project:str}}/edit": Case("projects:manage"),
    f"POST {PROJECTS}/{{project:str}}/edit": Case("projects:manage"),
    f"POST {PROJECTS}/{{project:str}}/archive": Case("projects:manage", acts=True),
    f"POST {PROJECTS}/{{project:str}}/restore": Case("projects:manage"),
    "GET /w/{tenant:str}/approvals": Case("jobs:read"),
    "POST /w/{tenant:str}/approvals/{approval:str}": Case("approvals:decide", {"decision": "approved"}),
    "GET /w/{tenant:str}/keys": Case("keys:manage"),
    "POST /w/{tenant:str}/keys": Case("keys:manage"),
    "POST /w/{tenant:str}/keys/{id:uuid}/renew": Case("keys:manage"),
    "POST /w/{tenant:str}/keys/{id:uuid}/revoke": Case("keys:manage"),
    f"GET {WEBHOOKS}": Case("keys:manage"),
    f"POST {WEBHOOKS}": Case("keys:manage"),
    f"GET {WEBHOOK}": Case("keys:manage"),
    f"POST {WEBHOOK}": Case("keys:manage"),
    f"POST {WEBHOOK}/rotate": Case("keys:manage"),
    f"POST {WEBHOOK}/test": Case("keys:manage"),
    f"POST {WEBHOOK}/pause": Case("keys:manage"),
    f"POST {WEBHOOK}/resume": Case("keys:manage"),
    f"POST {WEBHOOK}/recover": Case("keys:manage"),
    f"POST {WEBHOOK}/delete": Case("keys:manage"),
    f"GET {WEBHOOK}/messages/{{message:uuid}}": Case("keys:manage"),
    f"POST {WEBHOOK}/messages/{{message:uuid}}/replay": Case("keys:manage"),
    "GET /w/{tenant:str}/audit": Case("audit:read"),
    "GET /w/{tenant:str}/audit.csv": Case("audit:read"),
    "GET /w/{tenant:str}/providers": Case("catalog:read"),
    "GET /w/{tenant:str}/providers/new": Case("credentials:manage"),
    "POST /w/{tenant:str}/providers": Case("credentials:manage"),
    "GET /w/{tenant:str}/providers/{slug:str}": Case("credentials:manage"),
    "POST /w/{tenant:str}/providers/{slug:str}": Case("credentials:manage"),
    "POST /w/{tenant:str}/providers/{slug:str}/{action:str}": Case("credentials:manage"),
    "GET /w/{tenant:str}/p/{project:str}/providers": Case("catalog:read"),
    "POST /w/{tenant:str}/p/{project:str}/providers": Case("projects:manage", acts=True),
    "GET /w/{tenant:str}/voices": Case("catalog:read"),
    "GET /w/{tenant:str}/voices/new": Case("catalog:edit"),
    "POST /w/{tenant:str}/voices": Case("catalog:edit"),
    "GET /w/{tenant:str}/voices/{slug:str}": Case("catalog:read", hides=True),
    "POST /w/{tenant:str}/voices/{slug:str}": Case("catalog:edit"),
    "GET /w/{tenant:str}/voices/heard/{key:str}": Case("catalog:read", hides=True),
    "POST /w/{tenant:str}/p/{project:str}/voices": Case("projects:manage", acts=True),
    f"GET {CATALOGUE}": Case("catalog:read"),
    f"GET {CATALOGUE}/new": Case("catalog:edit"),
    f"POST {CATALOGUE}": Case("catalog:edit"),
    f"POST {CATALOGUE}/import": Case("catalog:edit"),
    f"GET {ITEM}": Case("catalog:read", values=SHORT),
    f"GET {ITEM}/edit": Case("catalog:edit", values=SHORT),
    f"POST {ITEM}": Case("catalog:edit", values=SHORT),
    f"GET {ITEM}/file": Case("catalog:read", values=SHORT),
    f"POST {ITEM}/{{action:str}}": Case("catalog:edit", values={**SHORT, "action": "restore"}),
    f"GET {RECIPES}": Case("catalog:read"),
    f"POST {RECIPES}": Case("projects:manage"),
    "GET /w/{tenant:str}/usage": Case("usage:read"),
    "GET /w/{tenant:str}/usage.csv": Case("usage:read"),
    "POST /w/{tenant:str}/usage/limits": Case("budget:manage"),
    f"GET {SETTINGS}": Case("workspace:manage"),
    f"POST {SETTINGS}": Case("workspace:manage"),
    f"POST {SETTINGS}/second-factor": Case("workspace:manage", acts=True),
    f"GET {SETTINGS}/sign-in": Case("members:manage"),
    f"GET {SETTINGS}/sign-in/new": Case("members:manage"),
    f"POST {SETTINGS}/sign-in": Case("members:manage"),
    f"GET {SETTINGS}/sign-in/{{slug:str}}": Case("members:manage"),
    f"POST {SETTINGS}/sign-in/{{slug:str}}": Case("members:manage"),
    f"POST {SETTINGS}/sign-in/{{slug:str}}/{{action:str}}": Case("members:manage"),
    f"POST {SETTINGS}/archive": Case("workspace:manage", acts=True),
    f"POST {SETTINGS}/restore": Case("workspace:manage"),
    f"POST {SETTINGS}/delete": Case("workspace:delete"),
}
"""Routes of a workspace."""
PERSONAL: frozenset[str] = frozenset(
    {
        "GET /settings",
        "POST /settings",
        "GET /settings/security",
        "POST /settings/security/password",
        "POST /settings/sessions",
        "POST /settings/sessions/others",
        "GET /settings/factors",
        "GET /settings/factors/app",
        "POST /settings/factors/app",
        "POST /settings/factors/app/confirm",
        "POST /settings/factors/app/remove",
        "POST /settings/factors/codes",
        "POST /settings/factors/passkeys",
        "POST /settings/factors/passkeys/{id:uuid}/remove",
        "GET /passkeys/ask/confirm",
        "GET /passkeys/ask/new",
        "POST /confirm/passkey",
        "GET /settings/security/with/{provider:str}",
        "GET /settings/security/link",
        "POST /settings/security/link",
        "POST /settings/security/unlink",
        "GET /confirm/with/{provider:str}",
        "GET /confirm",
        "POST /confirm",
        "GET /workspaces/new",
        "POST /workspaces/new",
    }
)
"""Routes of a signed-in person: about nobody but themselves."""
FARM: frozenset[str] = frozenset({"GET /farm", "GET /farm/events", "POST /farm/{order:str}"})
"""Routes of the farm's operators; for everybody else they are as if they did not exist."""
PROGRAMS: dict[str, Permission | None] = {
    "GET /api/v1/me": None,
    "GET /api/v1/projects": "jobs:read",
    f"GET {API_PROJECT}": "jobs:read",
    f"GET {API_PROJECT}/recipes": "catalog:read",
    f"GET {API_PROJECT}/recipes/{{recipe:str}}": "catalog:read",
    f"GET {API_PROJECT}/voices": "catalog:read",
    f"GET {API_PROJECT}/pictures": "catalog:read",
    f"POST {API_PROJECT}/pictures": "catalog:edit",
    f"POST {API_PROJECT}/jobs": "jobs:run",
    f"POST {API_PROJECT}/jobs/estimate": "jobs:run",
    "GET /api/v1/jobs": "jobs:read",
    f"GET {API_JOB}": "jobs:read",
    f"POST {API_JOB}/cancel": "jobs:control",
    f"POST {API_JOB}/pause": "jobs:control",
    f"POST {API_JOB}/resume": "jobs:control",
    f"POST {API_JOB}/retry": "jobs:control",
    f"POST {API_JOB}/level": "jobs:control",
    f"POST {API_JOB}/limit": "jobs:control",
    f"POST {API_JOB}/steps/{{step:str}}/redo": "jobs:control",
    f"POST {API_JOB}/steps/{{step:str}}/skip": "jobs:control",
    f"POST {API_JOB}/calls/{{call:str}}": "jobs:control",
    f"GET {API_JOB}/script": "jobs:read",
    f"POST {API_JOB}/script": "jobs:run",
    f"GET {API_JOB}/artifacts": "artifacts:read",
    f"GET {API_JOB}/artifacts/{{name:path}}": "artifacts:read",
    f"GET {API_JOB}/manifest": "artifacts:read",
    "GET /api/v1/approvals": "jobs:read",
    "POST /api/v1/approvals/{approval:uuid}": "approvals:decide",
    "GET /api/v1/events": "jobs:read",
}
"""Operations of programs, with the right that a key needs; tests/architecture/test_programs.py tries each."""
OPEN: dict[str, str] = {
    "GET /": "leads to the door",
    "GET /sign-in": "the door",
    "POST /sign-in": "the door; throttled",
    "GET /passkeys/ask/sign-in": "a question for the browser, the same for everybody",
    "GET /passkeys/ask/second": "the token of the waiting sign-in is the right",
    "POST /sign-in/passkey": "the passkey is the right; throttled",
    "GET /sign-in/second": "the token of the waiting sign-in is the right",
    "POST /sign-in/second": "the token of the waiting sign-in is the right; throttled",
    "GET /sign-in/at": "the buttons a workspace has made for everybody; none is the answer for no such workspace",
    "GET /sign-in/with/{provider:str}": "leads to a provider of the installation; throttled",
    "GET /sign-in/at/{workspace:str}/{provider:str}": "leads to a provider of a workspace; throttled",
    "GET /sign-in/back/{handle:str}": "the state and the browser's cookie are the right; throttled",
    "GET /invite/{token:str}/with/{provider:str}": "the token is the right; throttled",
    "POST /sign-out": "ends the caller's own session",
    "GET /forgot": "the same for everybody",
    "POST /forgot": "the same for everybody; throttled",
    "GET /reset/{token:str}": "the token is the right",
    "POST /reset/{token:str}": "the token is the right; throttled",
    "GET /start/{token:str}": "the token is the right",
    "POST /start/{token:str}": "the token is the right",
    "GET /invite/{token:str}": "the token is the right",
    "POST /invite/{token:str}": "the token is the right; throttled",
    "GET /api/v1/openapi.json": "the description of the API, the same for everybody",
    "GET /static/{path:path}": "files of the product",
    "GET /health/live": "says nothing of anybody",
    "GET /health/ready": "says nothing of anybody",
}
"""Routes for everybody, and why."""


def inventory(app: Litestar) -> set[str]:
    """Every verb and path that the application answers; HEAD and OPTIONS come with them."""
    return {f"{verb} {route.path}" for route in app.routes for verb in route.methods - {"OPTIONS", "HEAD"}}


VALUES: dict[str, str] = {
    "project": "deep-sky",
    "number": "1",
    "part": "steps",
    "name": "film.mp4",
    "file": "thumb",
    "picture": str(uuid4()),
    "approval": str(uuid4()),
    "id": str(uuid4()),
    "message": str(uuid4()),
    "person": str(uuid4()),
    "slug": "espeak",
    "kind": "recipes",
    "action": "test",
    "schedule": str(uuid4()),
    "act": "pause",
    "view": str(uuid4()),
    "order": "pause",
    "provider": "google",
    "workspace": "no-such-workspace",
    "handle": "google",
    "sha256": "0" * 64,
}


def address(route: str, slug: str, values: Mapping[str, str]) -> str:
    """A real address of a route in a workspace."""
    path = route.partition(" ")[2]
    for name, value in {"tenant": slug, **VALUES, **values}.items():
        for kind in ("str", "path", "uuid"):
            path = path.replace(f"/{{{name}:{kind}}}", f"/{value}")
    return path


@dataclass
class Caller:
    """A browser of one person, or of nobody."""

    client: AsyncClient
    token: str = ""

    async def ask(self, route: str, slug: str, case: Case) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of an answer; of an event stream only its beginning."""
        verb, path = route.partition(" ")[0], address(route, slug, case.values)
        if verb == "GET" and path.endswith("/events"):
            path += "?after=0"
        path += case.query
        sent = {"csrf": csrf_of(self.token), **case.data} if verb == "POST" else None
        answer = await self.client.request(
            verb, path, data=sent, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False
        )
        headers = {name: value for name, value in answer.headers.items() if name != "date"}
        return answer.status_code, answer.text, headers


@dataclass
class Cast:
    """One person of every role here, the owner of another workspace, and nobody."""

    app: Litestar
    site: Site
    space: Workspace
    roles: dict[str, Caller]
    narrowed: Caller
    stranger: Caller
    nobody: Caller


async def fill_hidden(space: Workspace) -> None:
    """A question and a bill in the project that the narrowed person must not know of."""
    async with space.units.open(space.owner) as unit:
        step = (await unit.session.scalars(select(Step).where(Step.state == "blocked").limit(1))).one()
        unit.session.add(Approval(job_id=step.job_id, step_id=step.id, state="waiting"))
        bill = {"kind": "settle", "micro_dollars": 4_321_000_000, "provider": "hidden-provider"}
        unit.session.add(BudgetEntry(job_id=step.job_id, project_id=step.project_id, **bill))
        unit.session.add(Budget(scope="workspace", scope_id=space.tenant_id, month="", cap=7_654_000_000))


@pytest_asyncio.fixture(scope="module")
async def cast(database: Settings) -> AsyncIterator[Cast]:
    site = open_site(database)
    app = build(site)
    # Streams end after their first look: what is tried here is whether they open.
    site.closing = True
    space = await seed_workspace(site.units, site.store)
    await seed_jobs(space)
    other = await seed_workspace(site.units, site.store, "southwind", "Southwind")

    async with site.units.open(space.owner) as unit:
        atlas = await unit.session.scalar(select(Project.id).where(Project.slug == "bedtime-atlas"))
    assert atlas is not None

    async def caller(tenant_id: Any, role: Any, projects: list[UUID] | None = None) -> Caller:
        person = await add_person(site.units, tenant_id, role, name=f"The {role}", projects=projects)
        token = await cookie_of(site.units, person)
        client = AsyncClient(transport=ASGITransport(app), base_url="http://testserver.local")
        client.cookies.set("vfos_session", token, domain="testserver.local")
        return Caller(client, token)

    roles = {role: await caller(space.tenant_id, role) for role in ROLES}
    nobody = Caller(AsyncClient(transport=ASGITransport(app), base_url="http://testserver.local"))
    await fill_hidden(space)
    narrowed = await caller(space.tenant_id, "operator", [atlas])
    made = Cast(app, site, space, roles, narrowed, await caller(other.tenant_id, "owner"), nobody)
    yield made
    for one in (*roles.values(), narrowed, made.stranger, nobody):
        await one.client.aclose()
    site.closing = False
    await site.close()


def test_every_route_is_in_the_inventory(cast: Cast) -> None:
    found = inventory(cast.app)
    known = {*WORKSPACE, *PERSONAL, *FARM, *PROGRAMS, *OPEN}
    assert found - known == set(), "a new handler needs its case here"
    assert known - found == set(), "these are gone"
    assert all(route.split()[1].startswith("/w/{tenant:str}") for route in WORKSPACE)
    assert not [route for route in (*PERSONAL, *PROGRAMS, *OPEN) if "{tenant" in route]


async def test_every_route_answers_each_role_as_the_table_says(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """403 only within one's own workspace and only without the right; with it never 401 or 403, and never our fault."""
    wrong, tried = [], 0
    for route, case in WORKSPACE.items():
        for role, caller in cast.roles.items():
            may = case.needs is None or case.needs in GRANTS[role]  # type: ignore[index]
            if may and case.acts:
                continue
            status, _, _ = await caller.ask(route, cast.space.slug, case)
            tried += 1
            good = status < 500 and status not in (401, 403) if may else status == 403 or (case.hides and status == 404)
            if not good:
                wrong.append((route, role, status))
    assert wrong == []
    with capsys.disabled():
        print(f"\nroutes x roles: {len(WORKSPACE)} x {len(ROLES)}, {tried} requests, 0 wrong")  # noqa: T201 the counts are the evidence


async def test_strangers_learn_nothing_not_even_existence(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """For somebody of another workspace ours is as if it did not exist: same status, text and headers."""
    leaks = []
    for route, case in WORKSPACE.items():
        theirs = await cast.stranger.ask(route, cast.space.slug, case)
        missing = await cast.stranger.ask(route, "no-such-workspace", case)
        if theirs != missing or theirs[0] != 404:
            leaks.append((route, theirs[0], missing[0]))
    assert leaks == []
    with capsys.disabled():
        print(f"\nroutes x other workspace: {len(WORKSPACE)}, 0 leaks")  # noqa: T201 the counts are the evidence


async def test_a_project_outside_one_s_narrowing_is_as_if_it_did_not_exist(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    """Within the workspace, for somebody whose rights end at another project: same status, text and headers."""
    leaks, tried = [], 0
    for route, case in WORKSPACE.items():
        if "{project:str}" not in route:
            continue
        hidden = await cast.narrowed.ask(route, cast.space.slug, case)
        other = Case(case.needs, case.data, case.acts, {**case.values, "project": "no-such-project"}, case.hides)
        missing = await cast.narrowed.ask(route, cast.space.slug, other)
        tried += 1
        if hidden != missing or hidden[0] not in (403, 404):
            leaks.append((route, hidden[0], missing[0]))
    assert leaks == []
    with capsys.disabled():
        print(f"\nroutes x hidden project: {tried}, 0 leaks")  # noqa: T201 the counts are the evidence


async def test_pages_of_the_workspace_show_nothing_of_a_hidden_project(cast: Cast) -> None:
    """Search, counts, inbox, usage, exports, members and menus are narrowed too."""
    for route, case in WORKSPACE.items():
        if not route.startswith("GET") or "{project:str}" in route:
            continue
        _, text, _ = await cast.narrowed.ask(route, cast.space.slug, case)
        assert "Deep Sky" not in text, route
        assert "deep-sky" not in text, route
        assert not [word for word in ("hidden-provider", "4,321", "4321", "7,654", "7654") if word in text], route
        assert all(job.title not in text for job in cast.space.jobs.values()), route


async def test_the_farm_is_there_for_its_operators_only(cast: Cast) -> None:
    """Not even an owner of a workspace learns that there is such a page; an operator of no workspace may use it."""
    operator = await add_person(cast.site.units, None, name="The operator")
    await appoint(cast.site.units, operator, True)
    token = await cookie_of(cast.site.units, operator)
    async with AsyncClient(transport=ASGITransport(cast.app), base_url="http://testserver.local") as client:
        client.cookies.set("vfos_session", token, domain="testserver.local")
        for route in FARM:
            for caller in (*cast.roles.values(), cast.stranger):
                assert (await caller.ask(route, cast.space.slug, Case()))[0] == 404
            assert (await Caller(client, token).ask(route, cast.space.slug, Case()))[0] in (200, 422)
        await appoint(cast.site.units, operator, False)
        assert (await Caller(client, token).ask("GET /farm", cast.space.slug, Case()))[0] == 404


def test_a_session_tied_to_a_workspace_reaches_nothing_of_the_account() -> None:
    """How pages look, and proving oneself afresh; whatever is added is closed until it is listed here."""
    assert {route for route in PERSONAL if reaches(route.split()[1])} == {
        "GET /settings",
        "POST /settings",
        "GET /confirm",
        "POST /confirm",
        "GET /confirm/with/{provider:str}",
        "GET /passkeys/ask/confirm",
        "POST /confirm/passkey",
    }


async def test_an_inbox_is_not_filled_by_questions_one_may_not_see(cast: Cast) -> None:
    """What is cut off after so many is cut off among what this person may see."""
    seen = Principal(tenant_id=cast.space.tenant_id, kind="person", role="operator", projects=frozenset())
    async with cast.site.units.open(seen) as unit:
        assert await inbox(unit) == []
        assert await find_jobs(unit, "") == []
        assert await month_states(unit, this_month()) == {}
    async with cast.site.units.open(cast.space.owner) as unit:
        assert len(await inbox(unit)) == 1


@pytest.mark.parametrize("gone", ["row-level security", "criteria of the unit of work"])
async def test_with_a_layer_gone_pages_still_show_only_one_s_own(
    services: Services, gone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every page of a workspace, while another one's rows lie beside its own and one wall is missing."""
    settings = services.fresh_database()
    if gone == "row-level security":
        with create_engine(settings.database_owner_url, poolclass=NullPool).begin() as connection:
            for name in NAMES:
                connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
    else:
        event.remove(unit_module.TenantSession, "do_orm_execute", unit_module._narrow)
    try:
        read, leaks = await read_pages(settings)
    finally:
        if gone != "row-level security":
            event.listen(unit_module.TenantSession, "do_orm_execute", unit_module._narrow)
    assert leaks == []
    with capsys.disabled():
        print(f"\nwithout {gone}: {read} pages, 0 leaks")  # noqa: T201 the counts are the evidence


async def read_pages(settings: Settings) -> tuple[int, list[str]]:
    """Pages read by the owner of one of two full workspaces, and those that show something of the other."""
    site = open_site(settings)
    site.closing = True
    ours, theirs = [await seed_workspace(site.units, site.store, slug, slug.title()) for slug in ("ours", "theirs")]
    for space in (ours, theirs):
        await seed_jobs(space)
        await fill_hidden(space)
    async with site.units.system("directory") as unit:
        for row, column in ((Project, "name"), (Project, "tagline"), (Job, "title"), (CatalogItem, "name")):
            foreign = update(row).where(row.tenant_id == theirs.tenant_id).values({column: "FOREIGN"})
            await unit.session.execute(foreign)
    token = await cookie_of(site.units, await add_person(site.units, ours.tenant_id, "owner"))
    leaks, read = [], 0
    async with AsyncClient(transport=ASGITransport(build(site)), base_url="http://testserver.local") as client:
        client.cookies.set("vfos_session", token, domain="testserver.local")
        caller = Caller(client, token)
        for route, case in WORKSPACE.items():
            if route.startswith("GET "):
                status, text, _ = await caller.ask(route, ours.slug, case)
                read += 1
                if "FOREIGN" in text or "/w/theirs" in text or status >= 500:
                    leaks.append(route)
                if route == f"GET {JOBS}" and "4 jobs" not in text:
                    leaks.append("the count of jobs")
    program = Program.with_key(build(site), await make_key(site.units, ours.tenant_id))
    for path in ("/projects", "/projects/deep-sky/recipes", "/jobs", "/approvals", "/events?after=0"):
        answer = await program.get(path)
        read += 1
        if answer.status_code != 200 or "FOREIGN" in answer.text or len(answer.json()["items"]) != PROGRAM_SEES[path]:
            leaks.append(path)
    await program.client.aclose()
    await site.close()
    return read, leaks


PROGRAM_SEES = {"/projects": 2, "/projects/deep-sky/recipes": 2, "/jobs": 4, "/approvals": 1, "/events?after=0": 6}
"""How many entries of its own a program finds in a workspace as it is seeded."""


def test_the_docs_show_the_table_of_rights() -> None:
    text = (Path(__file__).parents[2] / "docs" / "security" / "roles.md").read_text()
    assert rights_markdown() in text


async def test_nobody_is_asked_to_sign_in(cast: Cast) -> None:
    answers = {
        route: (await cast.nobody.ask(route, cast.space.slug, Case()))[0] for route in (*WORKSPACE, *PERSONAL, *FARM)
    }
    assert {route: status for route, status in answers.items() if status != 401} == {}


async def test_open_routes_show_nothing_of_any_workspace(cast: Cast) -> None:
    for route in OPEN:
        if route.startswith("GET"):
            _, text, _ = await cast.nobody.ask(route.replace("{token:str}", "A" * 43), cast.space.slug, Case())
            assert cast.space.slug not in text
            assert "Northlight" not in text
