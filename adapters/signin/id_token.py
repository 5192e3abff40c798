"""ID tokens, checked: algorithm, key, signature, and every claim (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, RSAKey

from adapters.signin.kinds import issuer_of
from adapters.signin.port import half_hash
from tenants.signin_rules import SignInRefused

ALGORITHMS: Mapping[str, tuple[str, int]] = {
    "RS256": ("RSA", 256), "RS384": ("RSA", 384), "RS512": ("RSA", 512),
    "PS256": ("RSA", 256), "PS384": ("RSA", 384), "PS512": ("RSA", 512),
    "ES256": ("EC", 256), "ES384": ("EC", 384), "ES512": ("EC", 512),
    "EdDSA": ("OKP", 512), "Ed25519": ("OKP", 512),
}  # fmt: skip
"""Algorithm → kind of key and bits of its hash. None of them is symmetric: our secret signs nothing."""
SLACK_S = 60
"""How far clocks may be apart."""
SMALLEST_RSA = 2048
LONGEST = 64 * 1024

KeyFinder = Callable[[str, str], Awaitable[Sequence[Mapping[str, Any]]]]
"""Answers the published keys, fetched anew when none has this id (`kid`, `alg`). Raises SignInRefused."""


@dataclass(frozen=True)
class Wanted:
    """What a token must say. `since`: the person must have proved themselves after that moment (seconds)."""

    kind: str
    issuer: str
    client_id: str
    nonce: str
    now: int
    access_token: str = ""
    since: int | None = None


async def read_id_token(token: str, wanted: Wanted, find: KeyFinder) -> dict[str, Any]:
    """The claims of a token that holds. Raises SignInRefused."""
    if len(token) > LONGEST:
        raise SignInRefused("token", "the ID token is too long")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise SignInRefused("token", "the ID token cannot be read") from error
    alg, kid = header.get("alg"), header.get("kid", "")
    if not isinstance(alg, str) or alg not in ALGORITHMS or not isinstance(kid, str):
        raise SignInRefused("token", "the ID token is signed with an algorithm that is not allowed")
    key = pick_key(await find(kid, alg), kid, alg)
    try:
        claims = jwt.decode(token, key, algorithms=[alg]).claims
    except (JoseError, ValueError, TypeError) as error:
        raise SignInRefused("token", f"the ID token's signature does not hold ({type(error).__name__})") from error
    check_claims(claims, wanted, alg)
    return claims


def fits(published: Mapping[str, Any], alg: str) -> bool:
    """Whether a published key may check a signature of this algorithm."""
    kind = ALGORITHMS[alg][0]
    return (
        published.get("kty") == kind
        and published.get("use", "sig") == "sig"
        and published.get("alg", alg) in (alg, "EdDSA" if kind == "OKP" else alg)
    )


def pick_key(published: Sequence[Mapping[str, Any]], kid: str, alg: str) -> Key:
    """The one key a token names; without a name there must be only one that fits. Raises SignInRefused."""
    fitting = [key for key in published if fits(key, alg) and (not kid or key.get("kid") == kid)]
    if len(fitting) != 1:
        raise SignInRefused("token", "the issuer has no key of this name" if kid else "the ID token names no key")
    try:
        key = JWKRegistry.import_key({name: fitting[0][name] for name in fitting[0] if name not in ("alg", "key_ops")})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SignInRefused("token", "the issuer's key cannot be read") from error
    if isinstance(key, RSAKey) and key.public_key.key_size < SMALLEST_RSA:
        raise SignInRefused("token", "the issuer's key is too small")
    return key


def check_claims(claims: Mapping[str, Any], wanted: Wanted, alg: str = "RS256") -> None:
    """Check what a token says. Raises SignInRefused."""
    issuer = issuer_of(wanted.kind, wanted.issuer, claims)
    _require(bool(issuer) and claims.get("iss") == issuer, "issuer")
    subject = claims.get("sub")
    _require(isinstance(subject, str) and 0 < len(subject) <= 255 and subject.isprintable(), "subject")
    _check_audience(claims, wanted.client_id)
    _check_times(claims, wanted)
    nonce = claims.get("nonce")
    _require(isinstance(nonce, str) and hmac.compare_digest(nonce.encode(), wanted.nonce.encode()), "nonce")
    if "at_hash" in claims:
        _require(claims["at_hash"] == half_hash(wanted.access_token, ALGORITHMS[alg][1]), "hash of the access token")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    said = claims.get("aud")
    audience = [said] if isinstance(said, str) else said
    _require(isinstance(audience, list) and client_id in audience, "audience")
    _require("azp" in claims or len(audience or ()) == 1, "authorised party")
    _require(claims.get("azp", client_id) == client_id, "authorised party")


def _check_times(claims: Mapping[str, Any], wanted: Wanted) -> None:
    ends, issued = _moment(claims, "exp"), _moment(claims, "iat")
    _require(ends is not None and ends > wanted.now - SLACK_S, "end of validity")
    _require(issued is not None and issued <= wanted.now + SLACK_S, "time of issue")
    begins = _moment(claims, "nbf")
    _require("nbf" not in claims or (begins is not None and begins <= wanted.now + SLACK_S), "begin of validity")
    if wanted.since is not None:
        proved = _moment(claims, "auth_time")
        if proved is None or proved < wanted.since - SLACK_S:
            raise SignInRefused("stale", "the provider did not ask the person again")


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 40
    return value if good else None


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise SignInRefused("token", f"the ID token has a wrong {what}")
