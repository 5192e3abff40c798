"""Which addresses outgoing requests may reach: an explicit deny table, ports 80 and 443, and what the operator allows.

Pure decisions; nothing here resolves or dials. `ipaddress.is_global` is not used: it is wrong for several ranges on
the Python versions we run on (192.0.0.0/24, 64:ff9b::/96, 2002::/16).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = frozenset({80, 443})

DENIED_V4: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-shared"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's host agent"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "special purpose"),
    ("192.52.193.0/24", "special purpose"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "special purpose"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
)
PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
DENIED_V6: tuple[tuple[str, str], ...] = (
    ("2001::/23", "protocol assignments (Teredo, ORCHID)"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "special purpose"),
    ("3fff::/20", "documentation"),
)
_V4 = tuple((ipaddress.IPv4Network(text), why) for text, why in DENIED_V4)
_V6 = tuple((ipaddress.IPv6Network(text), why) for text, why in DENIED_V6)


class EgressRefused(Exception):
    """Raised instead of connecting when an address is not one that outgoing requests may reach."""

    def __init__(self, sentence: str, fix: str) -> None:
        super().__init__(sentence)
        self.sentence, self.fix = sentence, fix


def denial(address: Address) -> str:
    """Why an address is not public, in a few words; empty for a public one."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((why for network, why in _V4 if address in network), "")
    plain = ipaddress.IPv6Address(int(address))
    if plain not in PUBLIC_V6:
        inner = plain.ipv4_mapped
        return f"an IPv4 address in IPv6 form ({denial(inner) or 'mapped'})" if inner else "outside 2000::/3"
    return next((why for network, why in _V6 if plain in network), "")


@dataclass(frozen=True)
class Rule:
    """One allowed place: a host name or a network, on one port or (None) on any."""

    host: str
    network: Network | None
    port: int | None

    def covers(self, host: str, address: Address, port: int) -> bool:
        """Whether a connection to `address`, asked for as `host`, is meant by this rule."""
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return host.rstrip(".").lower() == self.host
        return address.version == self.network.version and address in self.network


@dataclass(frozen=True)
class Allowance:
    """What the operator allows besides the public network (setting VFOS_EGRESS_ALLOW)."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Allowance:
        """Read `127.0.0.1:9101, 10.0.0.0/8:8080, [::1], host.example:8443`. Raises ValueError with the fix."""
        return cls(tuple(_rule(part.strip()) for part in text.split(",") if part.strip()))

    def permits(self, host: str, address: Address, port: int) -> bool:
        return any(rule.covers(host, address, port) for rule in self.rules)


def _rule(text: str) -> Rule:
    place, port = _split_port(text)
    try:
        return Rule(place, ipaddress.ip_network(place), port)
    except ValueError:
        pass
    labels = place.rstrip(".").lower()
    if not labels or "/" in labels or "*" in labels or any(c.isspace() or c in "[]@:" for c in labels):
        raise ValueError(f"“{text}” is no host, address or network; give for example 127.0.0.1:9101 or 10.0.0.0/8:8080")
    return Rule(labels, None, port)


def _split_port(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        place, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError(f"“{text}” lacks a bracket; give for example [::1]:9101")
        return place, _port(rest[1:], text) if rest else None
    if text.count(":") > 1:
        return text, None
    place, colon, rest = text.partition(":")
    return place, _port(rest, text) if colon else None


def _port(digits: str, text: str) -> int:
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits) <= 65535:
        raise ValueError(f"“{text}” has no port from 1 to 65535 after its colon")
    return int(digits)


def check_addresses(host: str, port: int, found: Iterable[str], allow: Allowance) -> list[str]:
    """The addresses that may be dialled. Raises EgressRefused if any single one may not (a mixed answer is a trick)."""
    checked: list[str] = []
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        if not allow.permits(host, address, port):
            _require_public(host, port, address)
        checked.append(str(address))
    if not checked:
        raise EgressRefused(f"The host {host} has no address.", "Check the address for typing errors.")
    return checked


def _require_public(host: str, port: int, address: Address) -> None:
    if why := denial(address):
        raise EgressRefused(
            f"{host} leads to {address} ({why}); requests go to public addresses only.",
            "Give a public address, or have the operator allow this one in VFOS_EGRESS_ALLOW.",
        )
    if port not in PORTS:
        raise EgressRefused(
            f"{host}:{port} is not reached; requests go to ports 80 and 443 only.",
            "Use a standard port, or have the operator allow this one in VFOS_EGRESS_ALLOW.",
        )
