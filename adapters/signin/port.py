"""The port of signing in: what every kind of provider can do, and the exact words passed between us and it."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from adapters.egress_rules import Allowance
from tenants.secret import Secret
from tenants.signin_rules import Proof, SignInRefused, Way


@dataclass(frozen=True)
class Account:
    """Our account at a provider."""

    way: Way
    secret: Secret
    redirect_uri: str


@dataclass(frozen=True)
class Attempt:
    """The random parts of one sign-in: bound to the browser, to the token and to the code. `begun`: seconds."""

    state: str
    nonce: str
    verifier: str
    begun: int = 0

    @classmethod
    def fresh(cls, begun: int) -> Attempt:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(64), begun)


@dataclass(frozen=True)
class Answer:
    """What the browser brought back: the code, and who issued it (RFC 9207), if that was said."""

    code: str
    issuer: str | None = None


class Door(Protocol):
    """A kind of provider. Every method raises SignInRefused."""

    async def begin(self, account: Account, attempt: Attempt, *, again: bool) -> str:
        """The address to send the browser to; `again` asks the person to prove themselves afresh."""
        ...

    async def finish(self, account: Account, attempt: Attempt, answer: Answer, *, again: bool) -> Proof:
        """Exchange the code and check everything the provider says."""
        ...

    async def look(self, account: Account) -> str:
        """Ask the provider something that needs nobody's sign-in; answer what it said, for the admin."""
        ...


def half_hash(token: str, bits: int) -> str:
    """The left half of a token's hash, as `at_hash` holds it."""
    digest = hashlib.new(f"sha{bits}", token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def check_address(address: object, allow: Allowance) -> str:
    """An address of a provider: https, or http on a loopback address that the operator allows. Raises SignInRefused."""
    text = str(address) if isinstance(address, str) else ""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise SignInRefused("provider", "an address cannot be read") from error
    plain = parts.scheme == "http" and is_loopback(host, port, allow)
    if not (parts.scheme == "https" or plain) or not host or parts.username or parts.fragment or not text.isprintable():
        raise SignInRefused("provider", "an address is not a plain https address")
    return text


def is_loopback(host: str, port: int, allow: Allowance) -> bool:
    """Whether plain http may be spoken to a host: only on this machine, and only when the operator allows it."""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        return False
    return address.is_loopback and allow.permits(host, address, port)
