"""Choices of the personal settings, and one's sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.signin.kinds import KINDS
from app.i18n import LANGUAGES, N_, Tongue, zone_names
from tenants.directory import PROVIDER
from tenants.people import SessionLine


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    note: str = ""


@dataclass(frozen=True)
class SessionRow:
    handle: str
    browser: str
    methods: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    seen: str
    current: bool


def make_options(tongue: Tongue) -> dict[str, list[Option]]:
    """The choices of each setting."""
    return {
        "language": [Option(tag, name) for tag, name in LANGUAGES.items()],
        "theme": [
            Option("system", tongue.gettext("As the system")),
            Option("light", tongue.gettext("Light")),
            Option("dark", tongue.gettext("Dark")),
        ],
        "density": [
            Option("comfortable", tongue.gettext("Comfortable")),
            Option("compact", tongue.gettext("Compact")),
        ],
        "time_zone": [Option(name, name.replace("_", " ")) for name in zone_names()],
    }


def make_sessions(tongue: Tongue, lines: Sequence[SessionLine], current: str, now: datetime) -> list[SessionRow]:
    return [
        SessionRow(
            handle=line.handle,
            browser=browser_name(line.agent) or tongue.gettext("Unknown browser"),
            methods=" + ".join(method_name(tongue, method) for method in line.methods),
            address=line.address,
            created_at=line.created_at,
            last_seen_at=line.last_seen_at,
            seen=tongue.moment(line.last_seen_at, now),
            current=line.handle == current,
        )
        for line in lines
    ]


METHOD_NAMES: Mapping[str, str] = {
    "password": N_("password"),
    "passkey": N_("passkey"),
    "app": N_("authenticator app"),
    "recovery": N_("recovery code"),
    "owner-link": N_("owner link"),
}


def method_name(tongue: Tongue, method: str) -> str:
    """How a way in is called in a list; a provider by its kind."""
    if method.startswith(PROVIDER):
        kind = method.removeprefix(PROVIDER)
        return KINDS[kind].label if kind in KINDS and kind != "oidc" else tongue.gettext("provider")
    return tongue.gettext(METHOD_NAMES[method]) if method in METHOD_NAMES else method


BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """A short name of a browser and its system, from what it says of itself."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part)
