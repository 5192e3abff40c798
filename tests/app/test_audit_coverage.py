"""Every act that matters for security or money leaves a line in the audit trail, tried by doing it on the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import select

from adapters.settings import Settings
from app.site import Site, open_site
from domain.dispatch.model import Step
from domain.production.model import Approval
from tenants.directory import token_hash
from tenants.entrance import issue_reset, lock_out, set_address, set_password, sign_out_everywhere
from tenants.letters import RESET
from tenants.members import seat_person
from tenants.model import AuditEntry
from tenants.principal import Principal
from tests.app.conftest import Person, sign_in
from tests.app.test_pictures import drawing
from tests.architecture.test_routes import (
    CATALOGUE,
    ITEM,
    JOB,
    JOBS,
    MEMBERS,
    OPEN,
    PERSONAL,
    PICTURES,
    PROJECTS,
    QUEUE,
    RECIPES,
    SCHEDULES,
    SETTINGS,
    WEBHOOK,
    WEBHOOKS,
    WORKSPACE,
)
from tests.support.factories import seed_jobs, seed_workspace
from tests.support.people import add_person

ROOT = Path(__file__).parents[2]
PROVIDERS = "/w/{tenant:str}/providers"
AUDITED: dict[str, tuple[str, ...]] = {
    f"POST {MEMBERS}/invite": ("member.invited",),
    f"POST {MEMBERS}/invitations/{{id:uuid}}/link": ("member.link_made",),
    f"POST {MEMBERS}/invitations/{{id:uuid}}/withdraw": ("member.invitation_withdrawn",),
    f"POST {MEMBERS}/{{person:uuid}}/change": ("member.changed",),
    f"POST {MEMBERS}/{{person:uuid}}/remove": ("member.removed",),
    f"POST {MEMBERS}/{{person:uuid}}/transfer": ("workspace.transferred",),
    f"POST {MEMBERS}/leave": ("member.left",),
    f"POST {PROJECTS}": ("project.created",),
    f"POST {PROJECTS}/{{project:str}}/edit": ("project.changed",),
    f"POST {PROJECTS}/{{project:str}}/archive": ("project.archived",),
    f"POST {PROJECTS}/{{project:str}}/restore": ("project.restored",),
    f"POST {SETTINGS}": ("workspace.renamed",),
    f"POST {SETTINGS}/archive": ("workspace.archived",),
    f"POST {SETTINGS}/restore": ("workspace.restored",),
    f"POST {SETTINGS}/delete": ("workspace.deletion_asked",),
    "POST /workspaces/new": ("workspace.created",),
    f"POST {PROVIDERS}": ("provider.added", "secret.set"),
    f"POST {PROVIDERS}/{{slug:str}}": ("provider.saved", "secret.replaced"),
    f"POST {PROVIDERS}/{{slug:str}}/{{action:str}}": (
        "provider.tested", "provider.disabled", "provider.enabled", "provider.removed", "secret.removed",
    ),
    "POST /w/{tenant:str}/p/{project:str}/providers": ("project.providers",),
    "POST /w/{tenant:str}/usage/limits": ("budget.workspace",),
    f"POST {JOB}/limit": ("job.limit",),
    "POST /w/{tenant:str}/approvals/{approval:str}": ("approval.approved",),
    f"POST {PICTURES}": ("library.added",),
    f"POST {PICTURES}/{{picture:str}}": ("library.edited",),
    f"POST {PICTURES}/{{picture:str}}/remove": ("library.removed",),
    "POST /settings/security/password": ("password.changed",),
    "POST /settings/sessions": ("session.ended",),
    "POST /settings/sessions/others": ("session.ended",),
    "POST /sign-in": ("session.begin",),
    "POST /start/{token:str}": ("session.begin", "owner_link.made"),
    "POST /invite/{token:str}": ("member.joined",),
    "POST /reset/{token:str}": ("password.reset",),
}  # fmt: skip
"""Route → what its act is called in the trail; all of them are done below."""
MACHINE = frozenset(
    {"user.locked_out", "user.let_back_in", "user.address_set", "session.ended_everywhere", "password.reset_link",
     "member.seated"}
)  # fmt: skip
"""Acts of the machine's owner on the command line, told with that actor."""
UNAUDITED: dict[str, str] = {
    f"POST {JOBS}": "a job's own history tells who started it",
    f"POST {JOB}/{{part:str}}": "a job's own history tells who steered it",
    f"POST {JOBS}/views/opening": "how one's own pages look",
    f"POST {JOB}/script": "shows what would be made; changes nothing",
    f"POST {JOBS}/quote": "tells what a job should cost; changes nothing",
    f"POST {JOB}/script/make": "a new job, with its own history",
    f"POST {JOB}/script/again": "a job's own history",
    f"POST {JOB}/timeline": "the timeline's own history tells who changed it",
    f"POST {JOB}/timeline/undo": "the timeline's own history tells who changed it",
    f"POST {JOB}/timeline/redo": "the timeline's own history tells who changed it",
    f"POST {JOB}/timeline/make": "a new job, with its own history",
    f"POST {JOB}/sheet": "the decision is told by approval.*, the same command as the inbox",
    f"POST {JOB}/sheet/{{scene:str}}": "a job's own history",
    f"POST {JOB}/calls": "told as call.*; tests/app/test_money.py does it",
    f"POST {PICTURES}/{{picture:str}}/restore": "told as library.added, the same command",
    "POST /settings": "how one's own pages look",
    f"POST {JOB}/gate": "told as approval.*, the same command as the inbox",
    f"POST {JOB}/gate/edit": "told as approval.* in the transaction that signs it",
    f"POST {JOB}/step/{{step:str}}/fork": "a new job, with its own history",
    f"POST {JOB}/step/{{step:str}}/{{action:str}}": "a job's own history; skipping is told as step.skipped",
    "POST /w/{tenant:str}/voices": "told as preset.saved in the transaction that saves it",
    "POST /w/{tenant:str}/voices/{slug:str}": "told as preset.saved in the transaction that saves it",
    "POST /w/{tenant:str}/p/{project:str}/voices": "told as project.voices in the transaction that saves it",
    "POST /settings/factors/app": "shows a new secret; told when it is confirmed",
    "POST /settings/factors/codes": "told as factor.codes_made in the transaction that makes them",
    "POST /sign-in/passkey": "told as session.begin like every sign-in",
    "POST /confirm/passkey": "changes nothing but the session's cookie; the act that follows is told",
    "POST /confirm": "changes nothing but the session's cookie; the act that follows is told",
    "POST /sign-out": "one's own session, by oneself",
    "POST /forgot": "asks for a letter; using its link is told as password.reset",
}
"""Routes whose acts are told elsewhere or need no line, and why."""
FACTORS, KEYS = "/settings/factors", "/w/{tenant:str}/keys"
SIGN_IN = "tests/app/test_sign_in_with.py"
ELSEWHERE: dict[str, tuple[str, str]] = {
    f"POST {SETTINGS}/second-factor": ("workspace.second_factor", "tests/app/test_factors.py"),
    f"POST {FACTORS}/app/confirm": ("factor.added", "tests/app/test_factors.py"),
    f"POST {FACTORS}/app/remove": ("factor.removed", "tests/app/test_factors.py"),
    f"POST {FACTORS}/passkeys": ("factor.added", "tests/app/test_factors.py"),
    f"POST {FACTORS}/passkeys/{{id:uuid}}/remove": ("factor.removed", "tests/app/test_factors.py"),
    "POST /sign-in/second": ("factor.code_used", "tests/app/test_factors.py"),
    f"POST {JOBS}/bulk": ("jobs.bulk", "tests/app/test_bulk.py"),
    f"POST {JOBS}/views": ("view.shared", "tests/app/test_saved_views.py"),
    f"POST {JOBS}/views/{{view:uuid}}": ("view.changed", "tests/app/test_saved_views.py"),
    f"POST {JOBS}/views/{{view:uuid}}/delete": ("view.removed", "tests/app/test_saved_views.py"),
    f"POST {QUEUE}/letters": ("jobs.bulk", "tests/app/test_queue.py"),
    f"POST {QUEUE}/pause": ("workspace.paused", "tests/app/test_queue.py"),
    f"POST {QUEUE}/resume": ("workspace.resumed", "tests/app/test_queue.py"),
    f"POST {SCHEDULES}": ("schedule.added", "tests/app/test_schedules.py"),
    f"POST {SCHEDULES}/{{schedule:uuid}}/{{act:str}}": ("schedule.removed", "tests/app/test_schedules.py"),
    f"POST {SETTINGS}/sign-in": ("sign-in.provider_added", SIGN_IN),
    f"POST {SETTINGS}/sign-in/{{slug:str}}": ("sign-in.provider_saved", SIGN_IN),
    f"POST {SETTINGS}/sign-in/{{slug:str}}/{{action:str}}": ("sign-in.provider_removed", SIGN_IN),
    "POST /settings/security/link": ("identity.linked", SIGN_IN),
    "POST /settings/security/unlink": ("identity.unlinked", SIGN_IN),
    f"POST {CATALOGUE}": ("prompt.saved", "tests/app/test_catalogue.py"),
    f"POST {CATALOGUE}/import": ("prompt.saved", "tests/app/test_catalogue.py"),
    f"POST {ITEM}": ("prompt.saved", "tests/app/test_catalogue.py"),
    f"POST {ITEM}/{{action:str}}": ("prompt.archived", "tests/app/test_catalogue.py"),
    f"POST {RECIPES}": ("project.bindings", "tests/app/test_catalogue.py"),
    f"POST {KEYS}": ("key.created", "tests/app/test_api_keys.py"),
    f"POST {KEYS}/{{id:uuid}}/renew": ("key.renewed", "tests/app/test_api_keys.py"),
    f"POST {KEYS}/{{id:uuid}}/revoke": ("key.revoked", "tests/app/test_api_keys.py"),
    f"POST {WEBHOOKS}": ("webhook.added", "tests/app/test_webhooks.py"),
    f"POST {WEBHOOK}": ("webhook.changed", "tests/app/test_webhooks.py"),
    f"POST {WEBHOOK}/rotate": ("webhook.rotated", "tests/app/test_webhooks.py"),
    f"POST {WEBHOOK}/test": ("webhook.tested", "tests/app/test_webhooks.py"),
    f"POST {WEBHOOK}/pause": ("webhook.paused", "tests/app/test_webhooks.py"),
    f"POST {WEBHOOK}/resume": ("webhook.resumed", "tests/app/test_webhooks.py"),
    f"POST {WEBHOOK}/recover": ("webhook.recovered", "tests/app/test_webhooks.py"),
    f"POST {WEBHOOK}/delete": ("webhook.removed", "tests/app/test_webhooks.py"),
    f"POST {WEBHOOK}/messages/{{message:uuid}}/replay": ("webhook.replayed", "tests/app/test_webhooks.py"),
}
"""Routes whose acts another file does and looks for in the trail."""
PASSWORD = "correct horse battery"


def test_every_act_is_reviewed() -> None:
    """A new form needs its line here: what it is called in the trail, or why it is not told there."""
    routes = {route for route in (*WORKSPACE, *PERSONAL, *OPEN) if route.startswith("POST ")}
    assert routes - AUDITED.keys() - UNAUDITED.keys() - ELSEWHERE.keys() == set()
    assert (AUDITED.keys() | UNAUDITED.keys() | ELSEWHERE.keys()) - routes == set(), "these are gone"
    assert AUDITED.keys() & UNAUDITED.keys() == set()
    for action, file in ELSEWHERE.values():
        assert f'"{action}"' in (ROOT / file).read_text(), f"{file} does not look for {action}"


@pytest_asyncio.fixture(scope="module")
async def site(database: Settings) -> AsyncIterator[Site]:
    opened = open_site(database.using(egress_allow="127.0.0.1"))
    yield opened
    await opened.close()


class Trail:
    """A workspace in which every act is done once, by its owner where it can be."""

    def __init__(self, site: Site, owner: Person, browser: Callable[[], AsyncClient]) -> None:
        self.site, self.owner, self.browser = site, owner, browser
        self.tenant, self.base = owner.space.tenant_id, f"/w/{owner.space.slug}"

    async def post(self, path: str, *, expect: int = 303, **data: str) -> str:
        answer = await self.owner.post(path, data)
        assert answer.status_code == expect, (path, answer.status_code, answer.text[-800:])
        return str(answer.headers.get("location", "")) or str(answer.text)

    async def person(self, name: str, role: str = "viewer") -> UUID:
        return await add_person(self.site.units, self.tenant, role, name=name)  # type: ignore[arg-type]

    async def members(self) -> None:
        page = await self.post(f"{self.base}/members/invite", expect=200, email="eva@example.org", role="viewer")
        link = page.split("/invite/")[1][:43]
        async with self.browser() as client:
            joined = await client.post(
                f"/invite/{link}",
                data={"name": "Eva", "password": PASSWORD, "language": "en"},
                headers={"Sec-Fetch-Site": "same-origin"},
            )
            assert joined.status_code == 303
        page = await self.post(f"{self.base}/members/invite", expect=200, email="gil@example.org", role="viewer")
        invitation = page.split("/members/invitations/")[1][:36]
        await self.post(f"{self.base}/members/invitations/{invitation}/link", expect=200)
        await self.post(f"{self.base}/members/invitations/{invitation}/withdraw")
        bob = await self.person("Bob")
        await self.post(f"{self.base}/members/{bob}/change", role="operator", scope="all")
        await self.post(f"{self.base}/members/{bob}/remove")

    async def projects(self) -> None:
        await self.post(f"{self.base}/projects", name="Tides", slug="tides", **{"l-en": "1"})
        await self.post(f"{self.base}/projects/tides/edit", name="Tides 2", **{"l-en": "1"})
        await self.post(f"{self.base}/projects/tides/archive")
        await self.post(f"{self.base}/projects/tides/restore")

    async def providers(self) -> None:
        given = {"kind": "anthropic", "name": "Claude", "option_cache": "5m", "base_url": "http://127.0.0.1:9"}
        await self.post(f"{self.base}/providers", **given, key="sk-ant-a-key-of-forty-characters-0123456789")
        page = f"{self.base}/providers/claude"
        await self.post(page, **given, key="sk-ant-a-key-of-forty-characters-9876543210")
        for action in ("test", "disable", "enable"):
            await self.post(f"{page}/{action}")
        await self.post(f"{self.base}/p/deep-sky/providers", writer="claude")
        await self.post(f"{self.base}/p/deep-sky/providers", writer="")
        await self.post(f"{page}/remove")

    async def money_and_work(self) -> None:
        await self.post(f"{self.base}/usage/limits", workspace="25")
        await self.post(f"{self.base}/p/deep-sky/jobs/3/limit", limit="5")
        async with self.site.units.open(self.owner.space.owner) as unit:
            step = (await unit.session.scalars(select(Step).where(Step.state == "blocked").limit(1))).one()
            step.state = "waiting_approval"
            asked = Approval(job_id=step.job_id, step_id=step.id, state="waiting", seen_version="v1")
            unit.session.add(asked)
            await unit.session.flush()
            question = asked.id
        await self.post(f"{self.base}/approvals/{question}", decision="approved", seen="v1")

    async def pictures(self) -> None:
        pictures = f"{self.base}/p/deep-sky/pictures"
        files = [("files", ("europa.png", drawing(7), "image/png"))]
        data = {"csrf": self.owner.csrf, "caption:en": "Europa"}
        page = await self.owner.client.post(pictures, data=data, files=files, headers={"Sec-Fetch-Site": "same-origin"})
        picture = page.text.split(f"{pictures}/")[1][:36]
        await self.post(f"{pictures}/{picture}", **{"caption:en": "Europa, a moon"})
        await self.post(f"{pictures}/{picture}/remove")

    async def own_account(self) -> None:
        other = await sign_in(self.browser(), self.site, self.owner.space, "Marina")
        await self.post("/settings/sessions", handle=token_hash(other.token))
        await other.client.aclose()
        await sign_in(self.browser(), self.site, self.owner.space, "Marina")
        await self.post("/settings/sessions/others")
        await self.post("/settings/security/password", email="marina@example.org", password=PASSWORD)
        token = await issue_reset(self.site.units, await self._me(), RESET)
        async with self.browser() as client:
            same = {"Sec-Fetch-Site": "same-origin"}
            reset = await client.post(f"/reset/{token}", data={"password": PASSWORD + " two"}, headers=same)
            assert reset.status_code == 200
            given = {"email": "marina@example.org", "password": PASSWORD + " two"}
            assert (await client.post("/sign-in", data=given, headers=same)).status_code == 303
            # The reset has ended the old session; the new one goes on.
            self.owner.token = str(client.cookies["vfos_session"])
        self.owner.client.cookies.set("vfos_session", self.owner.token, domain="testserver.local")

    async def _me(self) -> UUID:
        async with self.site.units.open(self.owner.space.owner) as unit:
            begun = select(AuditEntry.actor_id).where(AuditEntry.action == "session.begin").limit(1)
            found = await unit.session.scalar(begun)
        assert found is not None
        return found

    async def machine(self) -> None:
        units, dora = self.site.units, await self.person("Dora")
        await set_password(units, dora, "x", address="192.0.2.1")
        await lock_out(units, dora, True)
        await lock_out(units, dora, False)
        await sign_out_everywhere(units, dora)
        assert await set_address(units, dora, "dora@example.org")
        await issue_reset(units, dora, RESET)
        root = Principal(tenant_id=self.tenant, kind="system", role="owner", name="command line")
        await seat_person(units, root, dora, "operator")

    async def workspace(self) -> None:
        await self.post(f"{self.base}/settings", name="Renamed", slug=self.owner.space.slug)
        for act in ("archive", "restore"):
            await self.post(f"{self.base}/settings/{act}")
        await self.post(f"{self.base}/settings/delete", typed=self.owner.space.slug)
        await self.post(f"{self.base}/settings/restore")
        heir = await self.person("Heir")
        await self.post(f"{self.base}/members/{heir}/transfer")
        await self.post(f"{self.base}/members/leave")

    async def placeless(self) -> list[str]:
        """Acts of people that do not say from where they came."""
        async with self.site.units.open(self.owner.space.owner) as unit:
            rows = await unit.session.scalars(
                select(AuditEntry.action).where(AuditEntry.actor_id.is_not(None), AuditEntry.address == "")
            )
            return list(rows)

    async def told(self) -> dict[str, str]:
        """Every act in the trail, with the kind of its actor."""
        async with self.site.units.open(self.owner.space.owner) as unit:
            rows = await unit.session.execute(select(AuditEntry.action, AuditEntry.actor_kind))
            return {str(action): str(kind) for action, kind in rows}


async def test_every_act_is_told(
    site: Site, browser: Callable[[], AsyncClient], capsys: pytest.CaptureFixture[str]
) -> None:
    space = await seed_workspace(site.units, site.store, "trail", "Trail")
    await seed_jobs(space)
    async with browser() as client:
        trail = Trail(site, await sign_in(client, site, space, "Marina"), browser)
        await trail.members()
        await trail.projects()
        await trail.providers()
        await trail.money_and_work()
        await trail.pictures()
        await trail.own_account()
        await trail.machine()
        await trail.workspace()
    told = await trail.told()
    assert await trail.placeless() == []
    wanted = {action for actions in AUDITED.values() for action in actions} - {"workspace.created"}
    assert wanted - told.keys() == set()
    assert MACHINE - told.keys() == set()
    assert {action: told[action] for action in MACHINE if told[action] != "system"} == {}
    elsewhere = len(UNAUDITED) + len(ELSEWHERE)
    with capsys.disabled():
        print(f"\nacts told in the trail: {len(told)}, of {len(AUDITED)} routes; {elsewhere} routes told elsewhere")  # noqa: T201 the counts are the evidence


async def test_a_new_workspace_s_trail_begins_with_its_founding(site: Site, browser: Callable[[], AsyncClient]) -> None:
    space = await seed_workspace(site.units, site.store, "founder", "Founder")
    async with browser() as client:
        person = await sign_in(client, site, space, "Fay")
        assert (await person.post("/workspaces/new", {"name": "New", "slug": "new-house"})).status_code == 303
        page = await person.get("/w/new-house/audit")
    assert "workspace.created" in page.text
