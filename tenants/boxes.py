"""Sealed boxes (pure): AES-256-GCM with a random 96-bit nonce.

The additional data name tenant, table, column, row and key version, so a box copied to any other place does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


def _about(*parts: object) -> bytes:
    """Additional data: each part with its length, so that no two lists give the same bytes."""
    encoded = [str(part).encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def seal(key: bytes, value: bytes, *about: object) -> tuple[bytes, bytes]:
    """Seal bytes; answer (nonce, box)."""
    nonce = os.urandom(NONCE)
    return nonce, AESGCM(key).encrypt(nonce, value, _about(*about))


def unseal(key: bytes, nonce: bytes, box: bytes, *about: object) -> bytes:
    """Open a box. Raises InvalidTag when key, bytes or place are not those it was sealed with."""
    return AESGCM(key).decrypt(nonce, box, _about(*about))


def place_of_key(tenant_id: UUID, version: int) -> tuple[object, ...]:
    return (tenant_id, "data_keys", "wrapped", tenant_id, version)


def place_of_secret(tenant_id: UUID, row_id: UUID, version: int) -> tuple[object, ...]:
    return (tenant_id, "secrets", "sealed", row_id, version)


def fingerprint(key: bytes, value: str) -> str:
    """Tell equal values of one tenant apart from different ones; keyed, so that a guess cannot be checked outside."""
    derived = hmac.new(key, b"fingerprint", hashlib.sha256).digest()
    return hmac.new(derived, value.encode(), hashlib.sha256).hexdigest()[:12]


def hint(value: str) -> str:
    """The last 4 characters of a value long enough to keep the rest secret."""
    return value[-4:] if len(value) >= 16 else ""
