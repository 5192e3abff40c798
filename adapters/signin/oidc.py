"""Any OpenID Connect provider: discovery, authorization code with PKCE, ID token, user info.

authlib builds the address and exchanges the code; everything that is checked is checked here and in id_token.py.
Protocols: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (issuer of the answer).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from adapters.egress import Caps, guarded_options
from adapters.egress_rules import Allowance, EgressRefused
from adapters.signin.id_token import Wanted, fits, read_id_token
from adapters.signin.kinds import KINDS, MICROSOFT, is_verified, issuer_of, names_many, vouched_domain
from adapters.signin.port import Account, Answer, Attempt, check_address
from tenants.people import clean_email
from tenants.signin_keys import keep_keys, may_ask, stored_keys
from tenants.signin_rules import Proof, SignInRefused
from tenants.unit import Units

CAPS = Caps(seconds=10.0, connect_seconds=5.0, bytes=512 * 1024)
REMEMBER_S = 600.0
"""How long a process remembers what an issuer says of itself."""
MOST_REMEMBERED = 256
FAULTS = (httpx2.HTTPError, EgressRefused, OAuthError, ValueError, TypeError, KeyError)
"""What can go wrong while a provider is asked; all of it is the provider's (or the network's) doing."""


@dataclass(frozen=True)
class Metadata:
    """What an issuer says of itself; all addresses are checked."""

    issuer: str
    authorize: str
    token: str
    keys: str
    user_info: str
    posts_secret: bool
    names_itself: bool


def read_metadata(found: Any, kind: str, issuer: str, allow: Allowance) -> Metadata:
    """Read a discovery document. Raises SignInRefused."""
    said = found.get("issuer") if isinstance(found, dict) else None
    wanted = f"{MICROSOFT}/{{tenantid}}/v2.0" if names_many(kind, issuer) else issuer
    if said != wanted:
        raise SignInRefused("provider", f"it calls itself {str(said)[:200]!r}, not {wanted!r}")
    methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        issuer=issuer,
        authorize=check_address(found.get("authorization_endpoint"), allow),
        token=check_address(found.get("token_endpoint"), allow),
        keys=check_address(found.get("jwks_uri"), allow),
        user_info=check_address(found["userinfo_endpoint"], allow) if found.get("userinfo_endpoint") else "",
        posts_secret="client_secret_basic" not in methods and "client_secret_post" in methods,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def check_answer(answer: Answer, metadata: Metadata) -> None:
    """RFC 9207: an answer that names its issuer names this one, and does so when the issuer promised it."""
    if answer.issuer is None and not metadata.names_itself:
        return
    if answer.issuer != metadata.issuer:
        raise SignInRefused("token", "the answer comes from another issuer")


class Oidc:
    """The kind of door that speaks OpenID Connect."""

    def __init__(self, units: Units, allow: Allowance, clock: Callable[[], float] = time.time) -> None:
        self._units, self._allow, self._clock = units, allow, clock
        self._known: OrderedDict[tuple[str, str], tuple[float, Metadata]] = OrderedDict()

    async def begin(self, account: Account, attempt: Attempt, *, again: bool) -> str:
        metadata = await self._discover(account)
        extra = KINDS[account.way.kind].again if again else {}
        async with self._client(account, metadata) as client:
            address, _ = client.create_authorization_url(
                metadata.authorize, state=attempt.state, code_verifier=attempt.verifier, nonce=attempt.nonce, **extra
            )
        return str(address)

    async def finish(self, account: Account, attempt: Attempt, answer: Answer, *, again: bool) -> Proof:
        metadata = await self._discover(account)
        check_answer(answer, metadata)
        way, kind = account.way, KINDS[account.way.kind]
        async with self._client(account, metadata) as client:
            token = await self._exchange(client, metadata, attempt, answer)
            wanted = Wanted(
                way.kind, way.issuer, way.client_id, attempt.nonce, int(self._clock()),
                access_token=str(token.get("access_token", "")),
                since=attempt.begun if again and kind.tells_when else None,
            )  # fmt: skip
            claims = await read_id_token(str(token.get("id_token", "")), wanted, self._finder(metadata))
            if metadata.user_info and not ("email" in claims and "name" in claims):
                claims = {**await self._user_info(client, metadata, claims["sub"]), **claims}
        return read_proof(way.kind, way.issuer, claims)

    async def look(self, account: Account) -> str:
        metadata = await self._fetch(account)
        keys = await self._fetch_keys(metadata)
        return f"{metadata.issuer} answers; {len(keys)} keys; {metadata.authorize}"

    # ── Asking ────────────────────────────────────────────────────────────────────────────────────────────
    def _client(self, account: Account, metadata: Metadata | None = None) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            account.way.client_id,
            account.secret.reveal(),
            token_endpoint_auth_method="client_secret_post" if metadata and metadata.posts_secret else None,
            scope=KINDS[account.way.kind].scope,
            redirect_uri=account.redirect_uri,
            code_challenge_method="S256",
            **guarded_options(self._allow, CAPS),
        )

    async def _discover(self, account: Account) -> Metadata:
        place = (account.way.kind, account.way.issuer)
        until, known = self._known.get(place, (0.0, None))
        if known is not None and until > time.monotonic():
            return known
        metadata = await self._fetch(account)
        self._known[place] = (time.monotonic() + REMEMBER_S, metadata)
        self._known.move_to_end(place)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return metadata

    async def _fetch(self, account: Account) -> Metadata:
        issuer = check_address(account.way.issuer, self._allow)
        found = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        return read_metadata(found, account.way.kind, account.way.issuer, self._allow)

    async def _get(self, address: str) -> Any:
        try:
            async with httpx2.AsyncClient(**guarded_options(self._allow, CAPS)) as client:
                answer = await client.get(address, headers={"Accept": "application/json"})
                answer.raise_for_status()
                return answer.json()
        except FAULTS as error:
            said = error.sentence if isinstance(error, EgressRefused) else type(error).__name__
            raise SignInRefused("provider", f"it cannot be asked ({said})") from error

    async def _exchange(
        self, client: AsyncOAuth2Client, metadata: Metadata, attempt: Attempt, answer: Answer
    ) -> Mapping[str, Any]:
        try:
            token = await client.fetch_token(
                metadata.token, grant_type="authorization_code", code=answer.code, code_verifier=attempt.verifier,
                redirect_uri=client.redirect_uri,
            )  # fmt: skip
        except OAuthError as error:
            raise SignInRefused("provider", f"it refuses the code ({str(error.error)[:60]})") from error
        except FAULTS as error:
            raise SignInRefused("provider", f"it does not exchange the code ({type(error).__name__})") from error
        return dict(token)

    async def _user_info(self, client: AsyncOAuth2Client, metadata: Metadata, subject: str) -> Mapping[str, Any]:
        try:
            answer = await client.get(metadata.user_info)
            answer.raise_for_status()
            found = answer.json()
        except FAULTS as error:
            raise SignInRefused("provider", f"it tells nothing of the person ({type(error).__name__})") from error
        if not isinstance(found, dict) or found.get("sub") != subject:
            raise SignInRefused("token", "the user info is about somebody else")
        # Only what is about the person: rights and times come from the signed token alone.
        return {name: found[name] for name in ("email", "email_verified", "name") if name in found}

    # ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────
    def _finder(self, metadata: Metadata) -> Callable[[str, str], Any]:
        async def find(kid: str, alg: str) -> Sequence[Mapping[str, Any]]:
            stored = await stored_keys(self._units, metadata.keys)
            here = stored is not None and any(fits(key, alg) and key.get("kid", "") == kid for key in stored.keys)
            nameless = stored is not None and not kid
            if stored is not None and stored.fresh and (here or nameless):
                return stored.keys
            if not await may_ask(self._units, metadata.keys):
                if stored is not None and (here or nameless):
                    return stored.keys
                raise SignInRefused("keys", "a key is unknown, and the issuer was asked a moment ago")
            keys = await self._fetch_keys(metadata)
            await keep_keys(self._units, metadata.keys, keys)
            return keys

        return find

    async def _fetch_keys(self, metadata: Metadata) -> list[dict[str, Any]]:
        found = await self._get(metadata.keys)
        keys = found.get("keys") if isinstance(found, dict) else None
        if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
            raise SignInRefused("provider", "it publishes no keys")
        return keys


def read_proof(kind: str, issuer: str, claims: Mapping[str, Any]) -> Proof:
    """What checked claims prove."""
    email = clean_email(str(claims["email"])) if isinstance(claims.get("email"), str) else None
    verified = email is not None and is_verified(kind, claims)
    proved_at = claims.get("auth_time")
    return Proof(
        issuer=issuer_of(kind, issuer, claims),
        subject=str(claims["sub"]),
        email=email,
        email_verified=verified,
        domain=vouched_domain(kind, claims, email, verified),
        name=clean_name(claims.get("name")),
        proved_at=int(proved_at) if isinstance(proved_at, int | float) else None,
    )


def clean_name(said: object) -> str:
    """A person's name as a provider gives it, fit to be shown."""
    return "".join(char for char in " ".join(str(said or "").split()) if char.isprintable())[:80]
