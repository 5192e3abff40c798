"""All doors: each kind of provider behind one port, opened with our secret at the moment it is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import structlog

from adapters.egress_rules import Allowance
from adapters.signin.github import GitHub
from adapters.signin.kinds import KINDS
from adapters.signin.oidc import Oidc
from adapters.signin.port import Account, Answer, Attempt, Door
from tenants.house_vault import HouseVault
from tenants.keyring import KeyFault
from tenants.secret import Secret
from tenants.signin_providers import secret_of
from tenants.signin_rules import Proof, SignInRefused, Way
from tenants.unit import Units
from tenants.vault import Vault

BACK = "/sign-in/back/"
"""Where providers send browsers back to; each provider has an address of its own below it (RFC 9700, section 4.4.2)."""

log = structlog.get_logger(__name__)


def back_handle(way: Way) -> str:
    """The last part of a provider's return address; a workspace's tells nothing of it, and is known beforehand."""
    if way.tenant_id is None:
        return way.slug
    return "w" + hashlib.sha256(f"sign-in {way.tenant_id} {way.kind}".encode()).hexdigest()[:24]


class Doors:
    """Begins and finishes sign-ins. Every method raises SignInRefused."""

    def __init__(
        self, units: Units, vault: Callable[[], Vault], house: Callable[[], HouseVault], allow: Allowance
    ) -> None:
        self._units, self._vault, self._house, self.allow = units, vault, house, allow
        self._doors: dict[str, Door] = {"oidc": Oidc(units, allow), "github": GitHub(allow)}

    async def begin(self, way: Way, attempt: Attempt, site: str, *, again: bool = False) -> str:
        """The address to send the browser to. `site` is our own address."""
        return await self._door(way).begin(self._account(way, site, Secret("")), attempt, again=again)

    async def finish(self, way: Way, attempt: Attempt, answer: Answer, site: str, *, again: bool = False) -> Proof:
        """Exchange what the browser brought for a checked proof."""
        account = self._account(way, site, await self._secret(way))
        return await self._door(way).finish(account, attempt, answer, again=again)

    async def look(self, way: Way, site: str) -> tuple[bool, str]:
        """Ask a provider something that needs nobody's sign-in; whether it answers as it should, and what it said."""
        try:
            return True, await self._door(way).look(self._account(way, site, await self._secret(way)))
        except SignInRefused as refusal:
            return False, refusal.detail

    def _door(self, way: Way) -> Door:
        return self._doors[KINDS[way.kind].spoken]

    def _account(self, way: Way, site: str, secret: Secret) -> Account:
        return Account(way, secret, f"{site}{BACK}{back_handle(way)}")

    async def _secret(self, way: Way) -> Secret:
        try:
            return await secret_of(self._units, self._vault(), self._house(), way)
        except KeyFault as fault:
            log.warning("signin.keys", fault=str(fault))
            raise SignInRefused("off", "the keys of secrets cannot be read") from fault
