"""What an API key may be: pure decisions about rights, names, networks and time."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tenants.names import is_name
from tenants.principal import Principal
from tenants.roles import PERMISSIONS, Permission

PERSONAL_ACTS: frozenset[Permission] = frozenset(
    {"workspace:delete", "members:manage", "credentials:manage", "keys:manage", "views:share"}
)
"""Rights that no key can have: they change who may do what and need a person who has just proved who they are, or are
about pages, which programs have none of."""
OFFERED: tuple[Permission, ...] = tuple(entry for entry in PERMISSIONS if entry not in PERSONAL_ACTS)
NAME_LIMIT = 60
MOST_NETWORKS = 20
LONGEST = timedelta(days=366)

REASONS: dict[str, str] = {
    "name": "Give a name of 1 to 60 visible characters.",
    "scopes": "Choose at least one right that you have yourself.",
    "projects": "Choose at least one project, or all of them.",
    "networks": "Write networks like 203.0.113.0/24 or 2001:db8::/32, at most 20, separated by commas.",
    "lasts": "Choose one of the entries of the list.",
    "too-many": "The workspace has 50 keys. Revoke one that nobody uses first.",
    "missing": "This key has ended already.",
    "replaced": "This key was renewed already: use the newer one.",
    "unknown": "There is no such key.",
    "revoked": "This key was revoked. Make a new one in the workspace settings.",
    "expired": "This key has expired. Make or renew one in the workspace settings.",
    "maker": "The person who made this key is no longer a member of the workspace. Make a new one.",
    "network": "This key may not be used from this network address. Its maker can allow other networks.",
}
"""Why a key is refused, in one sentence with a way forward."""


class ApiKeyRefused(Exception):
    """Raised when a key cannot be made, changed or used; `reason` is a key of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


@dataclass(frozen=True)
class KeyWish:
    """A key that somebody wants; `projects` None = all that its maker has, `lasts` None = until it is revoked."""

    name: str
    scopes: frozenset[Permission]
    projects: frozenset[UUID] | None = None
    networks: tuple[str, ...] = ()
    lasts: timedelta | None = None


def check_wish(maker: Principal, wish: KeyWish) -> None:
    """Let through only what a person may give away. Raises Forbidden and ApiKeyRefused."""
    maker.require("keys:manage")
    if not is_name(wish.name, NAME_LIMIT):
        raise ApiKeyRefused("name")
    if not wish.scopes or wish.scopes & PERSONAL_ACTS or not all(maker.can(scope) for scope in wish.scopes):
        raise ApiKeyRefused("scopes")
    foreign = maker.projects is not None and wish.projects is not None and not wish.projects <= maker.projects
    if foreign or (wish.projects is not None and not wish.projects):
        raise ApiKeyRefused("projects")
    if wish.lasts is not None and not timedelta(0) < wish.lasts <= LONGEST:
        raise ApiKeyRefused("lasts")
    if len(wish.networks) > MOST_NETWORKS or list(wish.networks) != read_networks(",".join(wish.networks)):
        raise ApiKeyRefused("networks")


def read_networks(text: str) -> list[str]:
    """Networks as they are written by people, in one form; a bare address is a network of one. Raises ApiKeyRefused."""
    parts = [part for part in text.replace(",", " ").replace(";", " ").split() if part]
    if len(parts) > MOST_NETWORKS:
        raise ApiKeyRefused("networks")
    found = []
    for part in parts:
        try:
            found.append(str(ipaddress.ip_network(part)))
        except ValueError:
            raise ApiKeyRefused("networks") from None
    return found


def comes_from(address: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of these networks; without any, everywhere is allowed."""
    if not networks:
        return True
    try:
        place = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped is not None:
        place = place.ipv4_mapped
    return any(place in network for network in map(ipaddress.ip_network, networks))
