"""Signing in through providers, decided purely: what was proved, who may come in new, and why not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args
from uuid import UUID

Newcomers = Literal["invited", "domains", "everyone"]
"""Whom a provider lets in without an invitation: nobody, people of some domains, or all it signs in."""
NEWCOMERS: tuple[Newcomers, ...] = get_args(Newcomers)
JOINABLE = ("viewer", "operator")
"""Roles that newcomers can get; admins and owners are made by hand."""

Reason = Literal[
    "gone", "denied", "provider", "keys", "token", "off",
    "unknown", "address", "removed", "locked", "other", "stale", "taken", "last", "invitation",
]  # fmt: skip
"""Why nobody was signed in; app/views/sign_in.py has the sentence of each."""


class SignInRefused(Exception):
    """Raised when somebody is not signed in. `detail` is for the log: what was wrong, never a token or a name."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Way:
    """A provider as it is used. `tenant_id` None: of the whole installation, where newcomers join `joins`."""

    id: UUID
    tenant_id: UUID | None
    slug: str
    kind: str
    name: str
    issuer: str
    client_id: str
    newcomers: Newcomers = "invited"
    domains: tuple[str, ...] = ()
    role: str = "viewer"
    joins: UUID | None = None
    enabled: bool = True

    @property
    def home(self) -> UUID | None:
        """The workspace that newcomers become members of."""
        return self.tenant_id or self.joins


@dataclass(frozen=True)
class Proof:
    """What a provider said of a person, checked. `domain` is the one it vouches for, empty for none.

    `proved_at`: when the person last proved who they are (seconds since 1970); None when the provider does not say.
    """

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    domain: str = ""
    name: str = ""
    proved_at: int | None = None

    @property
    def label(self) -> str:
        """How the person recognises this account."""
        return (self.email or self.name or self.subject)[:200]


def may_join(way: Way, proof: Proof) -> bool:
    """Whether somebody nobody has seen before comes in without an invitation."""
    if way.home is None:
        return False
    if way.newcomers == "domains":
        return proof.domain != "" and proof.domain in way.domains
    return way.newcomers == "everyone"


# ── What admins enter ─────────────────────────────────────────────────────────────────────────────────────
_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
# fmt: off
PUBLIC_MAIL = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "yahoo.com.br",
    "icloud.com", "me.com", "mac.com", "aol.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "mail.com", "mail.ru",
    "yandex.ru", "proton.me", "protonmail.com", "uol.com.br", "bol.com.br", "terra.com.br", "qq.com", "163.com",
})
# fmt: on
"""Domains whose addresses anybody gets; to let them in would be to let everybody in."""
MOST_DOMAINS = 50


def read_domains(text: str) -> tuple[list[str], str]:
    """Domains from text, and the first that cannot be one (empty: all are good)."""
    found: list[str] = []
    for part in re.split(r"[\s,;]+", text.strip().lower()):
        domain = part.removeprefix("@").rstrip(".")
        if not domain:
            continue
        if not _DOMAIN.fullmatch(domain) or domain in PUBLIC_MAIL or len(found) >= MOST_DOMAINS:
            return found, part[:80]
        if domain not in found:
            found.append(domain)
    return found, ""


@dataclass(frozen=True)
class WayForm:
    """A provider as somebody enters it, read and checked."""

    kind: str
    name: str
    issuer: str
    client_id: str
    newcomers: Newcomers = "invited"
    domains: Sequence[str] = field(default_factory=list)
    role: str = "viewer"
