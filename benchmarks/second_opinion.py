"""Signing in with a provider that others wrote: npm's `oidc-provider`, beside the double and canaille of the tests.

Needs Node and npm, and the network once: the package goes into a temporary folder. The pages that are driven are those
of the app, on real services; the provider listens on loopback.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from httpx import ASGITransport, AsyncClient
from sqlalchemy import text

from adapters.settings import Settings
from app.main import build
from app.site import Site, open_site
from tenants.directory import create_tenant
from tenants.secret import Secret
from tenants.signin_providers import add_house
from tenants.signin_rules import WayForm
from tests.support.services import Services

PACKAGE = "oidc-provider"
SCRIPT = Path(__file__).with_suffix(".mjs")
CLIENT, SECRET = "films", "films-client-secret-0123456789"
INSTALL_S, STEPS = 300, 14
ENTER, CONFIRM = "/sign-in/with/npm", "/confirm/with/npm?next=/settings"


def main(argv: Sequence[str]) -> int:
    """Ask for the second opinion; answers 1 when it differs from what is expected or cannot be had."""
    if missing := [tool for tool in ("node", "npm") if shutil.which(tool) is None]:
        print(f"The second opinion needs Node: {' and '.join(missing)} cannot be found here. Nothing was checked.")
        return 1
    home = Path(tempfile.mkdtemp(prefix="vfos-second-"))
    try:
        version = install(home)
        services = Services.start(home)
        try:
            return asyncio.run(ask(services.fresh_database(), home, version))
        finally:
            services.stop()
    except subprocess.SubprocessError as error:
        print(f"{PACKAGE} could not be installed or started, so nothing was checked: {error}")
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)


def install(home: Path) -> str:
    """Install the package under `home`; answers its version. Raises subprocess.SubprocessError."""
    (home / "package.json").write_text('{"private": true}')
    subprocess.run(
        ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", PACKAGE],
        cwd=home,
        check=True,
        timeout=INSTALL_S,
        stdin=subprocess.DEVNULL,
    )
    shutil.copy(SCRIPT, home)
    told = (home / "node_modules" / PACKAGE / "package.json").read_text()
    found = re.search(r'"version":\s*"([^"]+)"', told)
    return found[1] if found else "of unknown version"


@contextmanager
def provider(home: Path, port: int, back: str) -> Iterator[None]:
    """Run the provider. Raises subprocess.SubprocessError when it does not listen."""
    command = ["node", SCRIPT.name, str(port), CLIENT, SECRET, back]
    with (home / "provider.log").open("w") as log:
        process = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        if not any("ready" in line for line in process.stdout):
            told = (home / "provider.log").read_text()[-500:]
            raise subprocess.SubprocessError(f"node ended with {process.wait()}: {told}")
        yield
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


# ── The opinion ───────────────────────────────────────────────────────────────────────────────────────────
@dataclass
class Visit:
    """Somebody's browser: what it keeps of us, and what it keeps of the provider."""

    site: Site
    here: AsyncClient
    there: AsyncClient
    landing: str

    async def out(self, door: str) -> str:
        """Press the button and sign in at the provider; answers the address that it sends back to."""
        begun = await self.here.get(door, headers={"Sec-Fetch-Site": "same-origin"})
        if begun.status_code != 303:
            raise SystemExit(f"{door} answered {begun.status_code} instead of leading to the provider.")
        page = await self.there.get(begun.headers["location"])
        for _ in range(STEPS):
            if page.has_redirect_location:
                target = urljoin(str(page.url), page.headers["location"])
                if target.startswith(self.landing):
                    return target
                page = await self.there.get(target)
                continue
            page = await self._fill_in(page.url, page.text)
        raise SystemExit("The provider goes round in circles.")

    async def _fill_in(self, at: Any, page: str) -> Any:
        form, prompt = re.search(r'action="([^"]+)"', page), re.search(r'name="prompt" value="([^"]+)"', page)
        if form is None or prompt is None:
            raise SystemExit(f"The provider shows a page without a form: {page[:200]}")
        said = {"prompt": prompt[1], "login": "ada", "password": "x"}
        return await self.there.post(urljoin(str(at), form[1]), data=said)

    async def back(self, address: str) -> str:
        """Come back from the provider; answers where that leads."""
        parts = urlsplit(address)
        answer = await self.here.get(f"{parts.path}?{parts.query}", headers={"Sec-Fetch-Site": "cross-site"})
        return str(answer.headers.get("location", answer.status_code))


async def enter(visit: Visit) -> str:
    """A sign-in from the button to the workspace."""
    return await visit.back(await visit.out(ENTER))


async def confirm(visit: Visit) -> str:
    """A fresh proof of somebody who is in: the provider must ask again, and say when it did."""
    return await visit.back(await visit.out(CONFIRM))


async def wrong_verifier(visit: Visit) -> str:
    """A code with another verifier than its challenge was made from."""
    address = await visit.out(ENTER)
    async with visit.site.units.system("signin") as unit:
        other = "UPDATE signin_attempts SET data = jsonb_set(data, '{verifier}', to_jsonb(repeat('x', 64)))"
        await unit.session.execute(text(other))
    return await visit.back(address)


async def used_code(visit: Visit) -> str:
    """A code that has let somebody in, brought by another attempt."""
    first, second = await visit.out(ENTER), await visit.out(ENTER)
    code = re.search(r"code=[^&]+", first)
    if code is None or "refused" in await visit.back(first):
        raise SystemExit("The code that is to be used twice did not work once.")
    return await visit.back(re.sub(r"code=[^&]+", code[0], second))


async def replay(visit: Visit) -> str:
    """The whole way back, taken twice."""
    address = await visit.out(ENTER)
    await visit.back(address)
    return await visit.back(address)


async def no_issuer(visit: Visit) -> str:
    """A way back without `iss`, though the provider announces that it sends it."""
    return await visit.back(re.sub(r"[?&]iss=[^&]+", "", await visit.out(ENTER)))


CASES: Mapping[str, tuple[Callable[[Visit], Awaitable[str]], str]] = {
    "sign-in": (enter, r"/(?!.*refused=).*"),
    "fresh proof": (confirm, r"/settings"),
    "wrong verifier": (wrong_verifier, r"/sign-in\?refused=provider"),
    "code used before": (used_code, r"/sign-in\?refused=provider"),
    "way back taken twice": (replay, r"/settings/security\?refused=gone"),
    "iss left out": (no_issuer, r"/sign-in\?refused=token"),
}
"""What is tried, in this order, and where it must lead."""


async def ask(settings: Settings, home: Path, version: str) -> int:
    """Run the cases and print what came of them; answers 1 when one differs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    site = open_site(settings.using(egress_allow=f"127.0.0.1:{port}"))
    landing = f"{site.settings.address}/sign-in/back/npm"
    try:
        with provider(home, port, landing):
            tenant = await create_tenant(site.units, "second", "Second")
            form = WayForm("oidc", "npm", f"http://127.0.0.1:{port}", CLIENT, "domains", ["example.org"], "viewer")
            await add_house(site.units, site.runtime.house, form, Secret(SECRET), tenant)
            failed = await _compare(site, landing)
            print(f"{PACKAGE} {version}: {'not as expected' if failed else 'everything as expected'}.")
            return failed
    finally:
        await site.close()


async def _compare(site: Site, landing: str) -> int:
    failed, lines = False, []
    transport = ASGITransport(build(site))
    async with AsyncClient(transport=transport, base_url="http://testserver.local") as here, AsyncClient() as there:
        visit = Visit(site, here, there, landing)
        for name, (take, expected) in CASES.items():
            before = len(await _refusals(site))
            led = await take(visit)
            noted = (await _refusals(site))[before:]
            as_expected = re.fullmatch(expected, led) is not None
            failed |= not as_expected
            lines.append(f"  {name:<22}{'ok' if as_expected else 'DIFFERS':<9}{led:<34}{'; '.join(noted)}".rstrip())
    print(*lines, sep="\n")
    return int(failed)


async def _refusals(site: Site) -> list[str]:
    async with site.units.system("signin") as unit:
        told = "SELECT after->>'detail' FROM audit_entries WHERE action = 'sign-in.refused' ORDER BY seq"
        return [str(row[0]) for row in await unit.session.execute(text(told))]
