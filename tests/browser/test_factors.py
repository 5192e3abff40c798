"""Passkeys with a virtual authenticator; the app and the codes also without script; axe on every page of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tenants import entrance
from tests.browser.conftest import NARROW, WIDE, Server, Visit, open_page
from tests.browser.looks import RUN, faults_of, open_looks
from tests.support.factories import Workspace
from tests.support.people import add_person

pytestmark = pytest.mark.browser
WORDS = "correct horse battery"
LOOKS = ((WIDE, "light", RUN), (NARROW, "dark", RUN))
"""Colours do not depend on the width, nor the layout on the colours."""
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

PLAIN = """if (origin !== "null" && sessionStorage.plain) {
  PublicKeyCredential.isConditionalMediationAvailable = async () => false;
}"""
"""A browser that has no suggestions, when asked to: its passkey does not answer before the button is pressed."""


async def member(server: Server, space: Workspace, name: str) -> str:
    """Somebody with a password; answers their address."""
    email = f"{name.lower()}@example.org"
    user_id = await add_person(server.site.units, space.tenant_id, "admin", name=name, email=email)
    await entrance.set_password(server.site.units, user_id, await server.site.passwords.hash(WORDS))
    await server.site.redis.flushdb()
    return email


@dataclass
class Finger:
    """A virtual authenticator, and whether a person answers it at once and is recognised."""

    session: Any
    device: str

    @classmethod
    async def at(cls, context: BrowserContext, page: Page) -> Finger:
        session = await context.new_cdp_session(page)
        await session.send("WebAuthn.enable")
        added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        return cls(session, added["authenticatorId"])

    async def ready(self, on: bool) -> None:
        await self._tell("AutomaticPresenceSimulation", enabled=on)

    async def recognised(self, on: bool) -> None:
        await self._tell("UserVerified", isUserVerified=on)

    async def _tell(self, what: str, **how: bool) -> None:
        await self.session.send(f"WebAuthn.set{what}", {"authenticatorId": self.device, **how})


async def with_password(visit: Visit, email: str) -> None:
    await visit.go("/sign-in?next=/settings/factors")
    await visit.page.get_by_label("E-mail address").fill(email)
    await visit.page.get_by_label("Password").fill(WORDS)
    await visit.page.get_by_role("button", name="Sign in", exact=True).click()


async def forget(visit: Visit) -> None:
    """Lose the session with no page open that would ask for something without it."""
    await visit.page.goto("about:blank")
    await visit.page.context.clear_cookies()


async def test_a_passkey_signs_in_stands_second_and_proves_again(
    chromium: Browser, server: Server, space: Workspace
) -> None:
    email = await member(server, space, "Petra")
    context = await chromium.new_context(viewport=WIDE)  # type: ignore[arg-type]
    visit = await open_page(context, server.base)
    page = visit.page
    await page.add_init_script(PLAIN)
    finger = await Finger.at(context, page)
    await with_password(visit, email)
    await page.wait_for_url(server.base + "/settings/factors")

    # Added, with codes that are shown once.
    await page.get_by_label("Name", exact=True).fill("Laptop")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_role("heading", name="Recovery codes", exact=True)).to_be_visible()
    assert len(re.findall(r"(?:[0-9A-Z]{6}-?){4}", await page.locator("#codes").input_value())) == 10
    await page.get_by_role("link", name="I have kept them").click()
    await expect(page.get_by_role("button", name="Remove Laptop")).to_be_visible()
    await page.get_by_label("Name", exact=True).fill("Again")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_text("This device has a passkey of yours already.")).to_be_visible()

    # After the password it is the second step; a refused question is said, and the page stays.
    await forget(visit)
    await finger.ready(False)
    await with_password(visit, email)
    await page.wait_for_url(server.base + "/sign-in/second")
    await finger.ready(True)
    await finger.recognised(False)
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_text("Nothing was confirmed.")).to_be_visible()
    await finger.recognised(True)
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url(server.base + "/settings/factors")

    # A fresh proof.
    await visit.go("/confirm?next=/settings")
    await page.get_by_role("button", name="Confirm with a passkey").click()
    await page.wait_for_url(server.base + "/settings")

    # And alone, without a password: by the button, and chosen among the suggestions of the e-mail field.
    await page.evaluate("sessionStorage.plain = 1")
    await forget(visit)
    await finger.ready(True)
    await visit.go("/sign-in?next=/settings")
    await page.get_by_role("button", name="Sign in with a passkey").click()
    await page.wait_for_url(server.base + "/settings")
    await page.evaluate("sessionStorage.clear()")
    await forget(visit)
    await visit.go("/sign-in?next=/settings/factors")
    await page.wait_for_url(server.base + "/settings/factors")
    await expect(page.get_by_text("last used just now")).to_be_visible()
    await visit.check()

    # Removed, it lets nobody in any more.
    await page.get_by_role("button", name="Remove Laptop").click()
    await expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    await forget(visit)
    await visit.go("/sign-in")
    await expect(page.get_by_text("This passkey is not known here")).to_be_visible()
    await context.close()


async def test_without_script_the_app_and_a_code_are_enough(
    chromium: Browser, server: Server, space: Workspace
) -> None:
    email = await member(server, space, "Nils")
    context = await chromium.new_context(viewport=NARROW, java_script_enabled=False)  # type: ignore[arg-type]
    page = await context.new_page()
    visit = Visit(page, server.base)
    await with_password(visit, email)
    await page.wait_for_url(server.base + "/settings/factors")
    await expect(page.get_by_text("Adding a passkey needs scripts.")).to_be_visible()
    await page.get_by_role("button", name="Set up an app").click()
    shown = page.get_by_role("img", name="QR code")
    assert await shown.evaluate("(img) => img.complete && img.naturalWidth > 100")
    app = pyotp.TOTP((await page.locator("#secret").input_value()).replace(" ", ""))
    await page.get_by_label("Code from your authenticator app").fill(app.at(datetime.now(UTC)))
    await page.get_by_role("button", name="Confirm the app").click()
    codes = (await page.locator("#codes").input_value()).split()
    await context.clear_cookies()
    await with_password(visit, email)
    await page.wait_for_url(server.base + "/sign-in/second")
    await page.get_by_label("Code from your authenticator app").fill(app.at(datetime.now(UTC) + timedelta(seconds=30)))
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(server.base + "/settings/factors")
    await context.clear_cookies()
    await with_password(visit, email)
    await page.get_by_text("Use a recovery code").click()
    await page.get_by_label("Recovery code").fill(codes[0])
    await page.get_by_role("button", name="Sign in with the code").click()
    await page.wait_for_url(server.base + "/settings/factors")
    await expect(page.get_by_text("9 of 10 left")).to_be_visible()
    await context.close()


async def test_axe_finds_nothing_on_any_step(chromium: Browser, server: Server, space: Workspace) -> None:
    email = await member(server, space, "Axel")
    context = await open_looks(chromium)
    visit = await open_page(context, server.base)
    page = visit.page
    finger = await Finger.at(context, page)
    faults: list[Any] = []

    async def look(where: str) -> None:
        faults.extend((where, found) for found in await faults_of(page, LOOKS))

    await with_password(visit, email)
    await page.wait_for_url(server.base + "/settings/factors")
    await look("the empty list")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.locator("#codes").wait_for()
    await look("codes")
    await visit.go("/settings/factors")
    await page.get_by_role("button", name="Set up an app").click()
    await page.locator("#secret").wait_for()
    await look("setting an app up")
    app = pyotp.TOTP((await page.locator("#secret").input_value()).replace(" ", ""))
    await page.get_by_label("Code from your authenticator app").fill(app.at(datetime.now(UTC)))
    await page.get_by_role("button", name="Confirm the app").click()
    await page.get_by_text("in force").wait_for()
    await look("the full list")
    await visit.go("/confirm?refused=1")
    await look("confirming")
    await context.clear_cookies()
    await finger.ready(False)
    await with_password(visit, email)
    await page.wait_for_url(server.base + "/sign-in/second")
    await look("the second step")
    await page.get_by_label("Code from your authenticator app").fill("000000")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.locator("#faults").wait_for()
    await look("a wrong code")
    await page.get_by_label("Code from your authenticator app").fill(app.at(datetime.now(UTC) + timedelta(seconds=30)))
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(server.base + "/settings/factors")
    await visit.go("/w/northlight/keys")
    await page.get_by_label("Name", exact=True).fill("Nightly export")
    await page.get_by_role("button", name="Make the key").click()
    await page.get_by_text("Details").click()
    await look("a new key")
    await context.close()
    assert faults == []


async def test_a_key_is_made_renewed_and_revoked(visit: Visit) -> None:
    page = visit.page
    await visit.go("/w/northlight/keys")
    await page.get_by_label("Name", exact=True).fill("Weekly export")
    await page.get_by_label("Allowed networks").fill("127.0.0.0/8, ::1")
    await page.get_by_role("button", name="Make the key").click()
    key = await page.get_by_label("Key “Weekly export”").input_value()
    await visit.go("/w/northlight/keys")
    assert key not in await page.content()
    answer = await page.request.get(f"{visit.base}/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status, (await answer.json())["code"]) == (400, "two-credentials")
    rows = page.locator(".people > li").filter(has_text="Weekly export")
    await rows.locator("summary").click()
    await rows.get_by_role("button", name="Renew the key").click()
    assert key != await page.get_by_label("Key “Weekly export”").input_value()
    await rows.last.locator("summary").click()
    await rows.last.get_by_role("button", name="Revoke the key").click()
    await expect(page.get_by_text("The key is revoked")).to_be_visible()
    await visit.check()
