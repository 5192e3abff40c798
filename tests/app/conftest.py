"""A running site on real services, and browsers (HTTP clients) of several people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from email import message_from_bytes, policy
from typing import Any, Protocol
from uuid import UUID

import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from httpx import ASGITransport, AsyncClient
from litestar import Litestar

from adapters.settings import Settings
from app.main import build
from app.session import csrf_of
from app.site import Site, open_site
from tenants.directory import issue_owner_link
from tests.support.factories import Workspace, seed_jobs, seed_workspace
from tests.support.ports import free_port

HOST = "http://testserver.local"


class Home(Protocol):
    """The workspace of somebody who signs in."""

    @property
    def tenant_id(self) -> UUID: ...


class Person:
    """A signed-in browser: adds what a real browser says of itself, and the session's token to forms."""

    def __init__(self, client: AsyncClient, space: Any, token: str) -> None:
        self.client, self.space, self.token = client, space, token

    @property
    def csrf(self) -> str:
        return csrf_of(self.token)

    async def get(self, path: str, **headers: str) -> Any:
        return await self.client.get(path, headers=_written(headers), follow_redirects=False)

    async def post(self, path: str, data: dict[str, str], **headers: str) -> Any:
        sent = {"Sec-Fetch-Site": "same-origin", **_written(headers)}
        return await self.client.post(path, data={"csrf": self.csrf, **data}, headers=sent, follow_redirects=False)


def _written(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest_asyncio.fixture(scope="module")
async def site(database: Settings) -> AsyncIterator[Site]:
    opened = open_site(database)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def app(site: Site) -> Litestar:
    return build(site)


@pytest_asyncio.fixture(scope="module")
async def space(site: Site) -> Workspace:
    """A workspace with a finished (#1), a failed (#2), a running (#3) and a queued (#4) job."""
    made = await seed_workspace(site.units, site.store)
    await seed_jobs(made)
    return made


@pytest.fixture(scope="module")
def browser(app: Litestar) -> Callable[[], AsyncClient]:
    """Makes a browser that nobody has signed in."""
    # In the tests' own loop: connections of the site cannot be shared between two.
    return lambda: AsyncClient(transport=ASGITransport(app), base_url=HOST)


async def sign_in(client: AsyncClient, site: Site, space: Home, name: str = "Marina") -> Person:
    """Use a fresh owner link."""
    link = await issue_owner_link(site.units, space.tenant_id)
    answer = await client.post(
        f"/start/{link}",
        data={"name": name, "language": "en"},
        headers={"Sec-Fetch-Site": "same-origin"},
        follow_redirects=False,
    )
    assert answer.status_code == 303, answer.text
    return Person(client, space, str(client.cookies["vfos_session"]))


@pytest_asyncio.fixture(scope="module")
async def marina(site: Site, space: Workspace, browser: Callable[[], AsyncClient]) -> AsyncIterator[Person]:
    """The owner of the seeded workspace, signed in."""
    async with browser() as client:
        yield await sign_in(client, site, space)


@pytest_asyncio.fixture(scope="module")
async def stranger(site: Site, space: Workspace, browser: Callable[[], AsyncClient]) -> AsyncIterator[Person]:
    """The owner of another workspace."""
    other = await seed_workspace(site.units, site.store, "southwind", "Southwind")
    async with browser() as client:
        yield await sign_in(client, site, other, "Otto")


# ── Letters ───────────────────────────────────────────────────────────────────────────────────────────────
class Box:
    """A real SMTP server's letters."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.answers: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 aiosmtpd's name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return answer


@pytest.fixture(scope="module")
def box() -> Iterator[tuple[Box, int]]:
    made, port = Box(), free_port()
    controller = Controller(made, hostname="127.0.0.1", port=port)
    controller.start()
    yield made, port
    controller.stop()


@pytest.fixture
def mail(site: Site, box: tuple[Box, int], monkeypatch: pytest.MonkeyPatch) -> Box:
    """This installation sends e-mail for the time of a test."""
    settings = site.settings.using(smtp_url=f"smtp://127.0.0.1:{box[1]}", mail_from="Films <films@example.org>")
    monkeypatch.setattr(type(site), "settings", property(lambda _self: settings))
    box[0].letters.clear()
    return box[0]
