"""Passkeys in requests: what a page may ask a browser for, and who a browser's answer proves."""

from __future__ import annotations

from uuid import UUID

import structlog

from adapters.signin.passkeys import Answer, Party, PasskeyRefused, believe_known, believe_new, party_at, read_answer
from app.session import browser_of
from app.site import AnyRequest, site_of
from tenants.challenges import challenge_holds, make_challenge
from tenants.passkeys import add_passkey, find_passkey, use_passkey

log = structlog.get_logger(__name__)

SIGN_IN = "sign-in"


def party_of(request: AnyRequest) -> Party | None:
    """Who we are to passkeys; None where browsers would not make any (no TLS, a bare address)."""
    return party_at(site_of(request).settings.public_url, request.headers.get("host", ""))


def fresh_challenge(request: AnyRequest, use: str) -> bytes:
    """A challenge for one use."""
    site = site_of(request)
    return make_challenge(site.runtime.personal, use, site.clock.now())


async def prove(request: AnyRequest, use: str, text: str, person: UUID | None = None) -> UUID:
    """Who has answered with a passkey: anybody's, or only `person`'s. Raises PasskeyRefused."""
    try:
        return await _prove(request, use, text, person)
    except PasskeyRefused as refusal:
        log.info("passkey.refused", use=use.partition(" ")[0], why=str(refusal)[:200])
        raise


async def _prove(request: AnyRequest, use: str, text: str, person: UUID | None) -> UUID:
    party, answer = _read(request, use, text)
    key = await find_passkey(site_of(request).units, answer.credential)
    if key is None or (person is not None and key.user_id != person):
        raise PasskeyRefused("no such credential")
    count = believe_known(party, answer, key)
    if not await use_passkey(site_of(request).units, key, count, answer.challenge):
        raise PasskeyRefused("the challenge was used, or the counter has moved")
    return key.user_id


async def keep(request: AnyRequest, use: str, text: str, person: UUID, name: str) -> None:
    """Keep a passkey that a browser has just made. Raises PasskeyRefused."""
    party, answer = _read(request, use, text)
    made = believe_new(party, answer)
    place = browser_of(request).address
    if not await add_passkey(site_of(request).units, person, name, made, answer.challenge, place):
        raise PasskeyRefused("the challenge was used, or the credential is known")


def _read(request: AnyRequest, use: str, text: str) -> tuple[Party, Answer]:
    site, party = site_of(request), party_of(request)
    if party is None:
        raise PasskeyRefused("passkeys cannot be used at this address")
    answer = read_answer(text)
    if not challenge_holds(site.runtime.personal, use, answer.challenge, site.clock.now()):
        raise PasskeyRefused("the challenge is not ours, for another use, or too old")
    return party, answer
