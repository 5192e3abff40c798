"""Passkeys (WebAuthn level 2): what a browser is asked, and whether what it answers holds.

Everything that does not hold is PasskeyRefused; which check failed goes to the log, not to the page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tenants.passkeys import CHALLENGE, Credential, KnownKey, NewKey

NAME = "Video Factory OS"
LONGEST = 20_000
"""Characters of the longest answer that is read."""
_MILLIS = int(CHALLENGE.total_seconds() * 1000)
_TRANSPORTS = frozenset(entry.value for entry in AuthenticatorTransport)


class PasskeyRefused(Exception):
    """Raised when an answer does not hold: malformed, foreign origin, wrong challenge, bad signature, old counter."""


@dataclass(frozen=True)
class Party:
    """Who asks: the host that passkeys are made for, and the address that pages have there."""

    host: str
    origin: str


@dataclass(frozen=True)
class Answer:
    """A browser's answer, read but not yet believed."""

    credential: str
    person: UUID | None
    challenge: bytes
    body: dict[str, Any]


def party_at(public_url: str, host_header: str) -> Party | None:
    """Who we are to passkeys: the public address, else localhost; None where browsers would refuse."""
    if public_url:
        parts = urlsplit(public_url)
        host = parts.hostname or ""
        bare = host.replace(".", "").isdigit() or ":" in host
        trusted = parts.scheme == "https" or _is_local(host)
        return Party(host, f"{parts.scheme}://{parts.netloc}") if trusted and not bare else None
    host = urlsplit(f"//{host_header}").hostname or ""
    return Party(host, f"http://{host_header}") if _is_local(host) else None


def _is_local(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


# ── Asking ────────────────────────────────────────────────────────────────────────────────────────────────
def ask_new(party: Party, challenge: bytes, person: UUID, name: str, known: Sequence[Credential]) -> str:
    """Ask for a new passkey that finds its person by itself and checks them; those known are left out. JSON."""
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=NAME,
        user_id=person.bytes,
        user_name=name,
        user_display_name=name,
        challenge=challenge,
        timeout=_MILLIS,
        exclude_credentials=[_described(entry) for entry in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return webauthn.options_to_json(options)


def ask_known(party: Party, challenge: bytes, known: Sequence[Credential] = ()) -> str:
    """Ask for a passkey: any that is here, or one of those known. JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        challenge=challenge,
        timeout=_MILLIS,
        allow_credentials=[_described(entry) for entry in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def _described(entry: Credential) -> PublicKeyCredentialDescriptor:
    ways = [AuthenticatorTransport(way) for way in entry.transports if way in _TRANSPORTS]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(entry.id), transports=ways or None)


# ── Believing ─────────────────────────────────────────────────────────────────────────────────────────────
def read_answer(text: str) -> Answer:
    """Read what a browser sent. Raises PasskeyRefused."""
    try:
        if len(text) > LONGEST:
            raise PasskeyRefused("too long")
        body = json.loads(text)
        response = body["response"]
        handle = response.get("userHandle")
        return Answer(
            credential=bytes_to_base64url(base64url_to_bytes(body["id"])),
            person=UUID(bytes=base64url_to_bytes(handle)) if handle else None,
            challenge=parse_client_data_json(base64url_to_bytes(response["clientDataJSON"])).challenge,
            body=body,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, WebAuthnException) as fault:
        raise PasskeyRefused(f"unreadable: {type(fault).__name__}") from fault


def believe_new(party: Party, answer: Answer) -> NewKey:
    """Check a new credential; its challenge was checked by the caller. Raises PasskeyRefused."""
    try:
        made = webauthn.verify_registration_response(
            credential=answer.body,
            expected_challenge=answer.challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
        ways = answer.body["response"].get("transports") or []
        return NewKey(
            credential=bytes_to_base64url(made.credential_id),
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            transports=tuple(way for way in ways if way in _TRANSPORTS),
            synced=made.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
        )
    except (ValueError, TypeError, KeyError, AttributeError, WebAuthnException) as fault:
        raise PasskeyRefused(f"{type(fault).__name__}: {fault}") from fault


def believe_known(party: Party, answer: Answer, key: KnownKey) -> int:
    """Check a signature, its origin, the person's presence and verification, and the counter; answer the new counter.

    Raises PasskeyRefused.
    """
    if answer.person is not None and answer.person != key.user_id:
        raise PasskeyRefused("the credential is another person's")
    try:
        done = webauthn.verify_authentication_response(
            credential=answer.body,
            expected_challenge=answer.challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
        return done.new_sign_count
    except (ValueError, TypeError, KeyError, AttributeError, WebAuthnException) as fault:
        raise PasskeyRefused(f"{type(fault).__name__}: {fault}") from fault
