"""Who asks, by the key that is shown: checked before anything else of a request is read.

Each key has a limit of its own, told by `RateLimit` headers; failed tries are counted by network address. A string
that is no key is refused by its checksum, without a look into the database.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

from litestar.handlers.base import BaseRouteHandler

from adapters.limits import Rate
from app.api.problems import no_key, refused_key, two_credentials, wrong_key
from app.errors import Archived, Missing, TooOften
from app.guards import MORE_HEADERS, SAFE
from app.session import browser_of, token_of, trace_of
from app.site import AnyConnection, Site, site_of
from app.throttle import PLACE
from tenants.api_keys import KeyHolder, recognise
from tenants.key_format import read_key
from tenants.key_rules import ApiKeyRefused

REQUESTS = Rate(per_minute=300, burst=60)
"""Requests of one key."""
HOLDER = "vfos_key_holder"


async def shows_key(connection: AnyConnection, _handler: BaseRouteHandler) -> None:
    """Let only programs pass whose key holds. Raises ApiProblem, TooOften, Archived and Missing."""
    kind, _, shown = connection.headers.get("authorization", "").strip().partition(" ")
    if not kind:
        raise no_key()
    if token_of(connection):
        raise two_credentials()
    written = read_key(shown.strip()) if kind.lower() == "bearer" else None
    if written is None:
        await _count_failure(connection)
        raise wrong_key()
    try:
        holder = await recognise(site_of(connection).units, written, browser_of(connection).address)
    except ApiKeyRefused as refusal:
        await _count_failure(connection)
        raise refused_key(refusal) from None
    principal = replace(holder.principal, trace_id=trace_of(connection), address=browser_of(connection).address)
    holder = replace(holder, principal=principal)
    connection.scope[HOLDER] = holder  # type: ignore[literal-required]
    await _count(connection, holder)
    if holder.archived and connection.scope["method"] not in SAFE:  # type: ignore[typeddict-item]
        raise Archived
    if "\x00" in connection.scope["path"]:
        # No row can hold this sign, so no address with it leads anywhere.
        raise Missing


def holder_of(connection: AnyConnection) -> KeyHolder:
    """The program that asks."""
    return cast(KeyHolder, connection.scope[HOLDER])  # type: ignore[literal-required]


async def _count(connection: AnyConnection, holder: KeyHolder) -> None:
    """Count one request of a key and tell how many are left (IETF draft-10). Raises TooOften."""
    site, key = site_of(connection), f"api:{holder.principal.actor_id}"
    wait = await site.limits.take(key, REQUESTS)
    connection.scope[MORE_HEADERS] = await _told(site, key)  # type: ignore[literal-required]
    if wait > 0:
        raise TooOften(wait)


async def _told(site: Site, key: str) -> list[tuple[bytes, bytes]]:
    left, reset = await site.limits.room(key, REQUESTS)
    window = math.ceil(REQUESTS.burst * 60 / REQUESTS.per_minute)
    return [
        (b"ratelimit-policy", f'"key";q={REQUESTS.burst};w={window}'.encode()),
        (b"ratelimit", f'"key";r={left};t={math.ceil(reset)}'.encode()),
    ]


async def _count_failure(connection: AnyConnection) -> None:
    """Count a failed try of a network address. Raises TooOften."""
    place = browser_of(connection).address
    wait = await site_of(connection).limits.take(f"api:place:{place}", PLACE)
    if wait > 0:
        raise TooOften(wait)
