"""A strict identity provider that lies on demand: it checks what it is sent, and bends one thing of what it answers.

`approve` plays the person who signs in there. `bend` names what is wrong with the next answers: claims of the ID token,
its header, the user info, the parameters of the way back. The same server also speaks GitHub's dialect.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from adapters.signin.port import half_hash
from tests.support.providers.server import Call, Double, Reply

CLIENT, SECRET = "our-client", "our-client-secret-0123456789"
_KEYS = [RSAKey.generate_key(2048, {"kid": f"key-{number}"}) for number in (1, 2)]

_STRANGER = RSAKey.generate_key(2048)


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@dataclass
class Grant:
    """A code that was handed out."""

    request: dict[str, str]
    person: dict[str, Any]
    used: bool = False


@dataclass
class Bend:
    """What is wrong with the next answers. `claims` and `info` set or (None) leave out; `alg` signs otherwise."""

    claims: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    back: dict[str, Any] = field(default_factory=dict)
    alg: str = "RS256"
    kid: str | None = None
    forged: bool = False
    late: set[str] = field(default_factory=set)


class IdentityProvider(Double):
    """The provider; `client` is registered with any return address below `/sign-in/back/`."""

    name: ClassVar[str] = "identity provider"

    def __init__(self) -> None:
        super().__init__()
        self.grants: dict[str, Grant] = {}
        self.bend = Bend()
        self.key = _KEYS[0]
        self.key_fetches = 0
        self.refused: list[str] = []
        self.said: dict[str, Any] = {}

    def paid(self, call: Call) -> bool:
        return False

    # ── The person and the browser ────────────────────────────────────────────────────────────────────────
    def approve(self, address: str, **person: Any) -> str:
        """Sign a person in there; answer the path and query with which the browser comes back to us."""
        asked = dict(parse_qsl(urlsplit(address).query, strict_parsing=True))
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["code_challenge"]) == 43
        assert "/sign-in/back/" in asked["redirect_uri"]
        code = f"code-{len(self.grants)}-{hashlib.sha256(asked['state'].encode()).hexdigest()[:12]}"
        self.grants[code] = Grant(asked, person)
        back = {"code": code, "state": asked["state"], "iss": self.url, **self.bend.back}
        query = urlencode({name: value for name, value in back.items() if value is not None})
        return f"{urlsplit(asked['redirect_uri']).path}?{query}"

    def rotate(self) -> None:
        """Sign with another key from now on."""
        self.key = _KEYS[1] if self.key is _KEYS[0] else _KEYS[0]

    # ── The protocol ──────────────────────────────────────────────────────────────────────────────────────
    def answer(self, call: Call, fault: str, options: Mapping[str, Any]) -> Reply:
        pages = {
            "/.well-known/openid-configuration": self._metadata,
            "/keys": self._keys,
            "/token": self._token,
            "/userinfo": self._user_info,
            "/login/oauth/access_token": self._github_token,
            "/api/v3/user": self._github_user,
            "/api/v3/user/emails": self._github_emails,
        }
        page = pages.get(call.path)
        if page is None:
            return Reply.of({"error": "not_found"}, 404)
        try:
            return page(call)
        except Exception as error:
            # A double that breaks must not be taken for a provider that lies.
            self.broken.append(f"{type(error).__name__}: {error}")
            raise

    def _metadata(self, _call: Call) -> Reply:
        found = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "authorization_response_iss_parameter_supported": True,
            **self.said,
        }
        return Reply.of(found)

    def _keys(self, _call: Call) -> Reply:
        self.key_fetches += 1
        return Reply.of({"keys": [self.key.as_dict(private=False, use="sig", alg="RS256")]})

    def _token(self, call: Call) -> Reply:
        grant = self._redeem(call, basic=True)
        if isinstance(grant, Reply):
            return grant
        access = f"access-{len(self.grants)}"
        self.grants[access] = grant
        return Reply.of({"access_token": access, "token_type": "Bearer", "id_token": self._id_token(grant, access)})

    def _redeem(self, call: Call, *, basic: bool) -> Grant | Reply:
        """The grant of a code, once; a reply that refuses it otherwise."""
        sent = dict(parse_qsl(call.body.decode()))
        pair = (sent.get("client_id", ""), sent.get("client_secret", ""))
        if basic:
            encoded = call.headers.get("authorization", "").removeprefix("Basic ")
            first, _, second = base64.b64decode(encoded).decode().partition(":")
            pair = (unquote(first), unquote(second))
        if pair != (CLIENT, SECRET):
            return self._refuse("invalid_client", 401)
        grant = self.grants.get(sent.get("code", ""))
        if grant is None or grant.used:
            return self._refuse("invalid_grant")
        grant.used = True
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != grant.request["code_challenge"] or sent.get("redirect_uri") != grant.request["redirect_uri"]:
            return self._refuse("invalid_grant")
        return grant

    def _refuse(self, error: str, status: int = 400) -> Reply:
        self.refused.append(error)
        return Reply.of({"error": error}, status)

    def _id_token(self, grant: Grant, access: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": grant.request.get("nonce"),
            "at_hash": half_hash(access, 256),
            "email_verified": True,
            **grant.person,
        }
        claims |= {name: now + value if name in self.bend.late else value for name, value in self.bend.claims.items()}
        return self._sign({name: value for name, value in claims.items() if value is not None})

    def _sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": self.bend.alg, "kid": self.bend.kid or str(self.key.kid)}
        if self.bend.alg == "RS256":
            return jwt.encode(header, claims, _STRANGER if self.bend.forged else self.key)
        unsigned = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        if self.bend.alg == "none":
            return f"{unsigned}."
        # The public key as the secret: what a careless verifier would check it with.
        return f"{unsigned}.{_encoded(hmac.digest(self.key.as_pem(private=False), unsigned.encode(), 'sha256'))}"

    def _user_info(self, call: Call) -> Reply:
        grant = self.grants.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        if grant is None:
            return self._refuse("invalid_token", 401)
        return Reply.of({"email": "info@example.org", "email_verified": True, **grant.person, **self.bend.info})

    # ── GitHub's dialect ──────────────────────────────────────────────────────────────────────────────────
    def _github_token(self, call: Call) -> Reply:
        grant = self._redeem(call, basic=False)
        if isinstance(grant, Reply):
            # GitHub says what is wrong with status 200.
            known = self.refused[-1] == "invalid_grant"
            return Reply.of({"error": "bad_verification_code" if known else "incorrect_client_credentials"})
        access = f"github-{len(self.grants)}"
        self.grants[access] = grant
        return Reply.of({"access_token": access, "token_type": "bearer", "scope": "read:user,user:email"})

    def _github_user(self, call: Call) -> Reply:
        grant = self.grants.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        return Reply.of(grant.person["user"]) if grant else self._refuse("invalid_token", 401)

    def _github_emails(self, call: Call) -> Reply:
        grant = self.grants.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        return Reply.of(grant.person["emails"]) if grant else self._refuse("invalid_token", 401)
