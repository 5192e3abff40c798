"""Planted things: markup in every text that people or providers can write, and secrets that must appear nowhere.

An element with `hx-get` would be obeyed by the pages' own script, so nothing of the kind may ever become an element.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pyotp
import pytest
import pytest_asyncio
import structlog
from httpx import ASGITransport, AsyncClient
from sqlalchemy import String, Text, func, select, text, update

from adapters.database import METADATA
from adapters.logs import SHARED
from adapters.settings import Settings
from app.main import build
from app.session import csrf_of
from app.site import Site, open_site
from domain.catalog.commands import save_version
from domain.dispatch.model import Step
from domain.outreach.model import WebhookAttempt, WebhookDelivery
from domain.outreach.telling import tell
from domain.production.model import Approval, Job
from domain.usage.model import BudgetEntry
from tenants.directory import issue_owner_link
from tenants.entrance import issue_reset, set_password
from tenants.letters import RESET
from tenants.principal import worker_principal
from tenants.secret import Secret
from tenants.signin_model import Identity, SignInProvider
from tenants.signin_providers import add_house
from tenants.signin_rules import WayForm
from tests.architecture.test_routes import OPEN, PERSONAL, WORKSPACE, address
from tests.support.factories import RECIPE, Workspace, seed_jobs, seed_workspace
from tests.support.people import add_person, cookie_of

MARK = "\"'><b hx-get=/planted data-hx-post=/planted onload=planted()>{{7*7}}"
WORDS = frozenset(
    {
        "action", "actor_kind", "address", "base", "base_url", "body", "boot_id", "browser_hash", "client_id",
        "code_hash", "control", "counter", "credential", "decided_version", "decision", "density", "digest",
        "effect_key", "email", "error_class", "error_kind", "fallback", "fingerprint", "hash", "hint",
        "holder", "home", "host", "id_hash", "idem_key", "input_hash", "issuer", "kek_version", "key",
        "key_hash", "kind", "language", "licence", "location", "media_type", "message_id", "mode", "month", "name",
        "newcomers", "object_id", "object_type", "outcome", "palette", "policy", "pool", "port", "profile",
        "provider", "public_id", "purpose", "reason", "recipe_slug", "region", "repeat", "replaced_by", "replaced_for",
        "request_hash", "response_key", "role", "scope", "seconds", "secret_hash", "seen_version",
        "session_hash", "sha256", "shard", "slot", "slug", "spec_hash", "stage", "state", "step_kind",
        "theme", "tier", "time_zone", "token_hash", "topic", "trace_id", "type", "uri", "used_from",
        "version", "zone",
    }
)  # fmt: skip
"""Columns whose words are the program's own, or checked when they come in."""
FREE: Mapping[str, tuple[str, ...]] = {
    "tenants": ("name", "paused_reason", "paused_by"),
    "users": ("name",),
    "auth_session": ("agent",),
    "projects": ("name", "tagline", "paused_reason", "paused_by"),
    "jobs": ("title", "control_reason", "made_by_name"),
    "catalog_items": ("name",),
    "catalog_versions": ("note",),
    "providers": ("name", "model", "tested_said", "tested_ref", "error_said", "error_ref"),
    "library_pictures": ("licence", "credit"),
    "steps": ("instruction",),
    "step_runs": ("instruction",),
    "effects": ("model", "provider_ref", "error", "decided_by_name"),
    "approvals": ("decided_by_name", "note"),
    "saved_views": ("name", "made_by_name"),
    "schedules": ("made_by_name", "last_error"),
    "invitations": ("invited_by_name",),
    "letters": ("error",),
    "workers": ("drain_by",),
    "sched_pool": ("paused_reason", "paused_by"),
    "quote_lessons": ("model",),
    "passkeys": ("name",),
    "signin_providers": ("name", "tested_said"),
    "house_providers": ("name", "tested_said"),
    "identities": ("label", "subject"),
    "api_keys": ("name", "made_by_name"),
    "timeline_edits": ("made_by_name", "changed_by_name"),
    "webhook_endpoints": ("url", "description", "made_by_name"),
    "webhook_attempts": ("answer", "said"),
}
"""Columns that hold what somebody wrote: planted with markup here."""
APPENDED: Mapping[str, tuple[str, ...]] = {"audit_entries": ("actor_name",), "budget_entries": ("model",)}
"""Columns of rows that are never changed; they are written with markup by the acts of this test."""
TEXTS = frozenset({"topic", "title", "text", "message", "said", "detail", "reason", "caption", "name", "fix", "cause"})
"""Names in JSON documents under which people and providers write."""


class Reader(HTMLParser):
    """Finds elements that nobody of us wrote, and the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.inside = False
        self.forms: list[tuple[str, dict[str, str], set[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if any(name.startswith("on") or value == "/planted" for name, value in given.items()):
            self.wrong.append(self.get_starttag_text() or tag)
        if tag == "form":
            self.inside = given.get("method") == "post"
            if self.inside:
                self.forms.append((given.get("action", ""), {}, set()))
        if tag in ("input", "textarea", "select") and self.inside and "name" in given:
            _, values, texts = self.forms[-1]
            values[given["name"]] = given.get("value", "")
            if tag == "textarea" or given.get("type", "text") in ("text", "search", "email", "url", "number"):
                texts.add(given["name"])

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"


def read(page: str) -> Reader:
    found = Reader()
    found.feed(page)
    return found


@dataclass
class House:
    """A workspace with things planted in it, and its owner's browser."""

    site: Site
    space: Workspace
    client: AsyncClient
    token: str
    secrets: dict[str, str] = field(default_factory=dict)
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    async def get(self, path: str) -> tuple[int, str]:
        answer = await self.client.get(path, follow_redirects=False)
        return answer.status_code, answer.text

    async def post(self, path: str, data: Mapping[str, str]) -> Any:
        sent = {"csrf": csrf_of(self.token), **data}
        return await self.client.post(path, data=sent, headers={"Sec-Fetch-Site": "same-origin"})

    def pages(self) -> Iterator[str]:
        """Every address that can be read, with the things of this workspace in it."""
        for route, case in WORKSPACE.items():
            if route.startswith("GET ") and not route.endswith("/events"):
                for number in ("1", "2", "3") if "{number" in route else ("",):
                    values = {"part": "steps", "number": number, "name": "script.md", "slug": "planted"}
                    yield address(route, self.space.slug, {**values, **case.values})
                for part in ("logs", "config", "manifest", "cost") if "{part" in route else ():
                    yield address(route, self.space.slug, {"part": part, "number": "1"})
        yield f"{self.space.base}/1/artifacts?show=script.md"
        yield f"/w/{self.space.slug}/find?q=planted"
        yield from self.messages
        for kind in ("recipes", "prompts", "presets", "validators", "knowledge"):
            yield f"/w/{self.space.slug}/catalogue/{kind}"
            item = f"/w/{self.space.slug}/catalogue/{kind}/planted"
            yield from (
                item,
                f"{item}/edit",
                f"{item}?beside=1",
                f"/w/{self.space.slug}/catalogue/{kind}/new?from=planted",
            )
        yield f"/w/{self.space.slug}/catalogue/prompts/planted?topic={quote(MARK)}"
        yield from (route.split()[1] for route in PERSONAL if route.startswith("GET "))
        yield from (route.split()[1] for route in OPEN if route.startswith("GET ") and "{" not in route)


KEY = "sk-ant-planted-key-of-forty-characters-42"
SIGN_IN_SECRET = "planted-secret-of-a-client-0123456789"
PASSWORD = "planted words that nobody says"


@pytest_asyncio.fixture(scope="module")
async def house(database: Settings) -> AsyncIterator[House]:
    site = open_site(database.using(smtp_url="smtp://films:planted-smtp-word@127.0.0.1:1", mail_from="a@example.org"))
    space = await seed_workspace(site.units, site.store)
    await seed_jobs(space)
    owner = await add_person(site.units, space.tenant_id, "owner", name="Marina", email="marina@example.org")
    await set_password(site.units, owner, await site.passwords.hash(PASSWORD))
    token = await cookie_of(site.units, owner)
    async with AsyncClient(transport=ASGITransport(build(site)), base_url="http://testserver.local") as client:
        client.cookies.set("vfos_session", token, domain="testserver.local")
        made = House(site, space, client, token)
        configured = structlog.get_config()
        structlog.configure(processors=[*SHARED, collector(made.said)], cache_logger_on_first_use=False)
        made.secrets |= {"API key": await keyed(made), **await factored(made)}
        made.secrets["signing secret"] = await hooked(made)
        await plant(made, owner)
        await tell_planted(made)
        made.secrets |= {
            "provider's key": KEY,
            "secret at a provider to sign in with": SIGN_IN_SECRET,
            "password": PASSWORD,
            "session": token,
            "owner link": await issue_owner_link(site.units, space.tenant_id),
            "reset link": await issue_reset(site.units, owner, RESET),
            "invitation": await invited(made),
            "password of the mail server": "planted-smtp-word",
        }
        made.seen = {path: await made.get(path) for path in made.pages()}
        yield made
        structlog.configure(**configured)
    await site.close()


def collector(said: list[str]) -> Any:
    def collect(_logger: Any, _method: str, line: Any) -> Any:
        said.append(str(line))
        raise structlog.DropEvent

    return collect


async def invited(house: House) -> str:
    answer = await house.post(f"/w/{house.space.slug}/members/invite", {"email": "eva@example.org", "role": "viewer"})
    return str(answer.text.split("/invite/")[1][:43])


async def keyed(house: House) -> str:
    wish = {"name": "Planted", "s-jobs-read": "1", "scope": "all", "lasts": "90"}
    answer = await house.post(f"/w/{house.space.slug}/keys", wish)
    return str(re.findall(r"vf_live_[0-9A-Za-z_]{47}", answer.text)[0])


async def hooked(house: House) -> str:
    """Add an endpoint that is told when a job is paused; its secret is shown this one time."""
    wish = {"url": "https://1.1.1.1/films", "description": "Planted", "k-job-paused": "1"}
    answer = await house.post(f"/w/{house.space.slug}/webhooks", wish)
    return str(re.findall(r"whsec_[A-Za-z0-9+/=]{44}", answer.text)[0])


async def tell_planted(house: House) -> None:
    """Have the endpoint told of a job with markup in its title, and a receiver answer with more."""
    async with house.space.units.open(house.space.owner) as unit:
        job = (await unit.session.scalars(select(Job).limit(1))).one()
        unit.emit("job.paused", job_id=job.id, project_id=job.project_id, by=MARK, reason=MARK)
    async with house.space.units.open(worker_principal(house.space.tenant_id)) as unit:
        await tell(unit, "https://films.example.org")
        sent = (await unit.session.scalars(select(WebhookDelivery))).one()
        tried = WebhookAttempt(delivery_id=sent.id, number=1, begun_at=func.now(), outcome="unreachable", status=500)
        tried.answer = tried.said = MARK
        unit.session.add(tried)
    page = f"/w/{house.space.slug}/webhooks/{sent.endpoint_id}"
    house.messages += [page, f"{page}/messages/{sent.id}"]


async def factored(house: House) -> dict[str, str]:
    """Set an authenticator app up; its secret and the recovery codes have been shown their one time."""
    await house.post("/settings/factors/app", {})
    _, page = await house.get("/settings/factors/app")
    secret = re.findall(r'id="secret"[^>]*value="([A-Z2-7 ]+)"', page)[0].replace(" ", "")
    answer = await house.post("/settings/factors/app/confirm", {"code": pyotp.TOTP(secret).now()})
    codes = re.findall(r"[0-9A-Z]{6}(?:-[0-9A-Z]{6}){3}", answer.text)
    return {"authenticator app": secret, "recovery code": codes[0]}


async def plant(house: House, owner: UUID) -> None:
    """Write markup into every text there is, and have acts told with it."""
    provider = {"kind": "anthropic", "name": "Planted", "key": KEY, "option_cache": "5m"}
    await house.post(f"/w/{house.space.slug}/providers", provider)
    given = {"kind": "oidc", "name": "Planted", "place": "https://login.example.org", "client_id": "x"}
    await house.post(f"/w/{house.space.slug}/settings/sign-in", {**given, "secret": SIGN_IN_SECRET})
    form = WayForm("oidc", "House", "https://login.example.org", "x")
    await add_house(house.site.units, house.site.runtime.house, form, Secret(SIGN_IN_SECRET), None)
    async with house.space.units.open(house.space.owner) as unit:
        step = (await unit.session.scalars(select(Step).limit(1))).one_or_none()
        assert step is not None
        unit.session.add(Approval(job_id=step.job_id, step_id=step.id, state="waiting"))
        unit.session.add(
            BudgetEntry(
                job_id=step.job_id, project_id=step.project_id, kind="settle", micro_dollars=1, provider="x", model=MARK
            )
        )
        for kind, bodies in planted_items().items():
            for body in bodies:
                await save_version(unit, kind, "planted", "Planted", body, note=MARK)
    await house.post(f"{house.space.base}/views", {"name": "Planted", "q": MARK, "shared": "1"})
    async with house.site.units.system("directory") as unit:
        unit.session.add(Identity(issuer="https://login.example.org", subject="x", user_id=owner, kind="oidc"))
        await unit.session.execute(update(SignInProvider).values(tested_at=func.now(), tested_ok=False))
        await unit.session.flush()
        for table, columns in FREE.items():
            await unit.session.execute(update(METADATA.tables[table]).values(dict.fromkeys(columns, MARK)))
        for table, column in (("jobs", "spec"), ("jobs", "error"), ("steps", "error"), ("log_chunks", "lines")):
            await plant_documents(unit.session, table, column)
    await house.post(f"/w/{house.space.slug}/projects", {"name": MARK, "slug": "marked", "tagline": MARK, "l-en": "1"})


def planted_items() -> dict[str, list[dict[str, Any]]]:
    """Two versions of an item of every kind, with markup in every text a person can write in it."""
    recipe = {**RECIPE, "tone": MARK, "description": MARK, "prompt": "planted", "validators": ["planted"]}
    words = {"validator": "banned_words", "settings": {"words": [MARK]}}
    return {
        "prompt": [{"template": MARK, "system": MARK}, {"template": f"{{{{ topic }}}} {MARK}".replace("{{7*7}}", "")}],
        "preset": [{"preset": "ssml", "lexicon": {MARK: MARK}}, {"preset": "ssml"}],
        "validator": [words, {"validator": "regex", "settings": {"pattern": MARK, "message": MARK}}],
        "knowledge": [{"title": MARK, "language": "en", "text": MARK, "tags": [MARK]}] * 2,
        "recipe": [recipe, {**recipe, "knowledge": {"documents": [MARK]}}],
    }


async def plant_documents(session: Any, table: str, column: str) -> None:
    rows = METADATA.tables[table]
    keys = tuple(rows.primary_key.columns)
    for *key, document in await session.execute(select(*keys, rows.c[column]).where(rows.c[column].is_not(None))):
        where = [name == value for name, value in zip(keys, key, strict=True)]
        await session.execute(update(rows).where(*where).values({column: marked(document)}))


def marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: MARK if k in TEXTS and isinstance(item, str) else marked(item) for k, item in value.items()}
    return [marked(item) for item in value] if isinstance(value, list) else value


def test_every_text_column_is_planted_or_the_program_s_own() -> None:
    """A new column for what people write must be named here."""
    unknown = [
        f"{table.name}.{column.name}"
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, String | Text)
        and column.name not in (*FREE.get(table.name, ()), *APPENDED.get(table.name, ()), *WORDS)
    ]
    assert unknown == []


class TestMarkup:
    @pytest.mark.parametrize(
        "page", [f"<p>{MARK}", f'<input value="{MARK}', "<i onclick=x()>", "<a data-hx-get='/planted'>"]
    )
    def test_the_reader_sees(self, page: str) -> None:
        assert read(page).wrong

    async def test_no_page_lets_it_become_an_element(self, house: House, capsys: pytest.CaptureFixture[str]) -> None:
        broken = {path: status for path, (status, _) in house.seen.items() if status >= 500}
        shown = sum("{{7*7}}" in page for _, page in house.seen.values())
        wrong = {}
        for path, (_, page) in house.seen.items():
            if path.partition("?")[0].endswith((".csv", ".txt", "/film.mp4", "/artifacts/script.md", "/file")):
                continue
            if found := read(page).wrong:
                wrong[path] = found
        assert wrong == {}
        assert broken == {}
        assert shown > 20, "the markup is really there, as text"
        with capsys.disabled():
            print(f"\npages with planted markup: {shown} of {len(house.seen)}, 0 elements of it")  # noqa: T201 the counts are the evidence

    async def test_no_form_gives_it_back_as_an_element(self, house: House) -> None:
        """Every form of every page, filled with markup, comes back with it as text."""
        done: set[str] = set()
        wrong, shown = {}, 0
        for status, page in house.seen.values():
            for action, values, texts in read(page).forms if status == 200 else []:
                if not texts or action in done:
                    continue
                done.add(action)
                given = {**values, **dict.fromkeys(texts, MARK), "csrf": csrf_of(house.token)}
                answer = await house.post(action, given)
                shown += "{{7*7}}" in answer.text
                if answer.status_code >= 500 or read(answer.text).wrong:
                    wrong[action] = (answer.status_code, read(answer.text).wrong)
        assert wrong == {}
        assert len(done) >= 12
        assert shown >= 8


class TestSecrets:
    async def test_they_are_in_no_row(self, house: House) -> None:
        """What a dump of the whole database would hold, as text and as bytes."""
        found = []
        async with house.site.units.system("directory") as unit:
            for table in METADATA.sorted_tables:
                whole = text("SELECT t::text FROM " + table.name + " t")
                rows = "\n".join(await unit.session.scalars(whole))
                for name, secret in house.secrets.items():
                    if secret in rows or secret.encode().hex() in rows:
                        found.append((table.name, name))
        assert found == []

    async def test_they_are_on_no_page(self, house: House) -> None:
        found = [
            (path, name)
            for path, (_, page) in house.seen.items()
            for name, secret in house.secrets.items()
            if secret in page
        ]
        assert found == []

    async def test_they_are_in_no_file_and_no_message(self, house: House) -> None:
        """Objects, manifests, films, logs, and everything in Redis."""
        home = house.site.settings.home
        places = [path for path in home.rglob("*") if path.is_file() and not _database(path.relative_to(home))]
        contents = {str(path): path.read_bytes() for path in places}
        async for key in house.site.redis.scan_iter("*"):
            contents[f"redis {key!r}"] = key + (await house.site.redis.dump(key) or b"")
        assert len(places) > 5
        found = [
            (place, name)
            for place, content in contents.items()
            for name, secret in house.secrets.items()
            if secret.encode() in content
        ]
        assert found == []

    async def test_they_are_in_no_line_of_the_log(self, house: House, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        await house.post("/sign-in", {"email": "marina@example.org", "password": PASSWORD + "!"})
        for name in ("owner link", "reset link", "invitation"):
            kind = {"owner link": "start", "reset link": "reset", "invitation": "invite"}[name]
            await house.get(f"/{kind}/{house.secrets[name]}")
        ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
        lines = [*house.said, *ours, repr(house.site.settings)]
        found = [(line[:80], name) for line in lines for name, secret in house.secrets.items() if secret in line]
        assert found == []


def _database(path: Path) -> bool:
    """PostgreSQL's own files are looked at row by row; the key file is where the keys belong."""
    return path.parts[0] in ("postgres", "redis")
