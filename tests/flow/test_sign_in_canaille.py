"""Signing in with a real provider that others have written (canaille), from our button to the workspace."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text

from adapters.settings import Settings
from app.main import build
from app.site import Site, open_site
from tenants.secret import Secret
from tenants.signin_providers import add_house, find_house
from tenants.signin_rules import WayForm
from tests.support.canaille_server import CLIENT, EMAIL, PASSWORD, PERSON, SECRET
from tests.support.factories import Workspace, seed_workspace
from tests.support.ports import free_port

pytestmark = pytest.mark.flow
BACK = "http://localhost:8000/sign-in/back/canaille"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.support.canaille_server", str(port), BACK]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()
        process.wait(30)


@pytest_asyncio.fixture(scope="module")
async def site(database: Settings, issuer: str) -> AsyncIterator[Site]:
    opened = open_site(database.using(egress_allow=urlsplit(issuer).netloc))
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module")
async def space(site: Site, issuer: str) -> Workspace:
    made = await seed_workspace(site.units, site.store, "realm", "Realm")
    form = WayForm("oidc", "Canaille", issuer, CLIENT, "everyone", [], "viewer")
    await add_house(site.units, site.runtime.house, form, Secret(SECRET), made.tenant_id)
    return made


async def sign_in_there(there: AsyncClient, address: str) -> str:
    """Walk through the provider's pages as its person; answer where it sends the browser back to."""
    answer = await there.get(address)
    for _ in range(12):
        if answer.has_redirect_location:
            target = urljoin(str(answer.url), answer.headers["location"])
            if target.startswith(BACK):
                return target
            answer = await there.get(target)
            continue
        assert answer.status_code == 200, (answer.status_code, answer.text[:400])
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.text)
        assert token is not None, answer.text[:400]
        sent = {"csrf_token": token[1], "login": PERSON, "password": PASSWORD, "answer": "accept"}
        answer = await there.post(str(answer.url), data=sent)
    raise AssertionError(f"the provider leads in circles: {answer.url}")


async def begin(here: AsyncClient, path: str) -> str:
    answer = await here.get(path, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def back(here: AsyncClient, address: str) -> Any:
    return await here.get(address.removeprefix("http://localhost:8000"), headers={"Sec-Fetch-Site": "cross-site"})


async def test_from_the_button_to_the_workspace_and_afresh(site: Site, space: Workspace) -> None:
    ok, said = await site.runtime.doors.look(await find_house(site.units, "canaille"), site.settings.address)
    assert ok, said
    async with (
        AsyncClient(transport=ASGITransport(build(site)), base_url="http://testserver.local") as here,
        AsyncClient() as there,
    ):
        assert "Continue with Canaille" in (await here.get("/sign-in")).text
        entered = await back(here, await sign_in_there(there, await begin(here, "/sign-in/with/canaille")))
        assert (entered.status_code, entered.headers["location"]) == (303, "/w/realm")
        members = await here.get("/w/realm/members")
        assert "Ada Lovelace" in members.text
        assert EMAIL in (await here.get("/settings/security")).text
        # The provider asks for the password again, although its own session is a moment old.
        address = await sign_in_there(there, await begin(here, "/confirm/with/canaille?next=/settings/security"))
        proved = await back(here, address)
        assert (proved.status_code, proved.headers["location"]) == (303, "/settings/security")
        replayed = await back(here, address)
        assert "refused=gone" in replayed.headers["location"]


async def test_a_code_is_exchanged_with_our_verifier_only(site: Site, space: Workspace) -> None:
    """The provider itself refuses the code when another verifier comes with it."""
    async with (
        AsyncClient(transport=ASGITransport(build(site)), base_url="http://testserver.local") as here,
        AsyncClient() as there,
    ):
        address = await sign_in_there(there, await begin(here, "/sign-in/with/canaille"))
        async with site.units.system("signin") as unit:
            await unit.session.execute(
                text("UPDATE signin_attempts SET data = jsonb_set(data, '{verifier}', to_jsonb(repeat('x', 64)))")
            )
        refused = await back(here, address)
        assert "refused=provider" in refused.headers["location"]
        assert (await here.get("/settings")).status_code == 401
        async with site.units.system("signin") as unit:
            told = await unit.session.scalar(
                text("SELECT after FROM audit_entries WHERE action = 'sign-in.refused' ORDER BY seq DESC LIMIT 1")
            )
        assert told["detail"] == "it refuses the code (invalid_grant)"
