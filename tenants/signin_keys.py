"""Public keys of issuers, kept for all processes together, so that a flood of unknown keys costs an issuer nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from tenants.signin_model import IssuerKeys
from tenants.unit import Units

PAUSE = timedelta(seconds=30)
"""An issuer is asked for its keys at most this often, by all processes together."""
FRESH = timedelta(minutes=15)
"""Keys older than this are asked for again when they are used."""
OLDEST = timedelta(hours=24)
"""Keys older than this are not trusted any more."""
FORGET = timedelta(days=30)
_PURPOSE = "signin keys"


@dataclass(frozen=True)
class StoredKeys:
    """Keys as they were published; `fresh`: recently enough to be used without asking."""

    keys: list[dict[str, Any]]
    fresh: bool


async def stored_keys(units: Units, uri: str) -> StoredKeys | None:
    """The keys of an address, or None when there are none that can be trusted."""
    async with units.system(_PURPOSE) as unit:
        found = (
            await unit.session.execute(
                select(IssuerKeys.keys, IssuerKeys.fetched_at > func.now() - FRESH).where(
                    IssuerKeys.uri == uri, IssuerKeys.fetched_at > func.now() - OLDEST
                )
            )
        ).one_or_none()
    return None if found is None else StoredKeys(list((found[0] or {}).get("keys", [])), bool(found[1]))


async def may_ask(units: Units, uri: str) -> bool:
    """Take the turn to ask an issuer for its keys; False when somebody did a moment ago."""
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(delete(IssuerKeys).where(IssuerKeys.tried_at < func.now() - FORGET))
        taken = await unit.session.scalar(
            upsert(IssuerKeys)
            .values(uri=uri)
            .on_conflict_do_update(
                index_elements=["uri"],
                set_={"tried_at": func.now()},
                where=IssuerKeys.tried_at <= func.now() - PAUSE,
            )
            .returning(IssuerKeys.uri)
        )
    return taken is not None


async def keep_keys(units: Units, uri: str, keys: list[dict[str, Any]]) -> None:
    """Keep what an issuer published."""
    async with units.system(_PURPOSE) as unit:
        await unit.session.execute(
            update(IssuerKeys).where(IssuerKeys.uri == uri).values(keys={"keys": keys}, fetched_at=func.now())
        )
