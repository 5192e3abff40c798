"""A device that makes and uses passkeys (ES256), and can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Device:
    """One authenticator. `flags`, `origin`, `host` and `count` can be changed before each use."""

    origin: str
    host: str
    flags: int = PRESENT | VERIFIED
    count: int = 0
    person: bytes = b""
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(24))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: str) -> str:
        """Answer a question for a new passkey."""
        asked = json.loads(options)
        self.person = to_bytes(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cbor2.dumps(public)
        data = self._data(self.flags | ATTESTED) + attested
        whole = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        told = {"attestationObject": to_text(whole), "transports": ["internal", "hybrid"]}
        return self._answer("webauthn.create", asked["challenge"], told)

    def get(self, options: str, **changes: Any) -> str:
        """Answer a question for a known passkey; `changes` replace parts of the answer."""
        asked = json.loads(options)
        self.count += 1
        data = self._data(self.flags)
        client = self._client("webauthn.get", asked["challenge"])
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        told = {
            "authenticatorData": to_text(data),
            "signature": to_text(signed),
            "userHandle": to_text(self.person),
            **changes,
        }
        return self._answer("webauthn.get", asked["challenge"], told)

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _answer(self, kind: str, challenge: str, told: dict[str, Any]) -> str:
        identity = to_text(self.credential)
        response = {"clientDataJSON": to_text(self._client(kind, challenge)), **told}
        return json.dumps({"id": identity, "rawId": identity, "type": "public-key", "response": response})
