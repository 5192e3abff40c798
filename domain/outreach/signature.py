"""Signatures of messages, as Standard Webhooks describes them (v1: HMAC-SHA256), and the secrets they are made with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from tenants.secret import Secret

PREFIX = "whsec_"
SECRET_BYTES = 32


def make_secret() -> Secret:
    """A new signing secret."""
    return Secret(PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())


def sign(secret: Secret, message_id: str, at: int, body: bytes) -> str:
    """The signature of a message that is sent at `at` (Unix seconds)."""
    key = base64.b64decode(secret.reveal().removeprefix(PREFIX))
    said = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()


def headers_of(keys: Sequence[Secret], message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that prove a message; while a new secret takes over there is a signature with each."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(sign(key, message_id, at, body) for key in keys),
    }
