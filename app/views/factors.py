"""Passkeys as their page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.i18n import Tongue
from tenants.passkeys import PasskeyLine


@dataclass(frozen=True)
class PasskeyRow:
    """One passkey: `used_said` is empty when it was never used."""

    id: UUID
    name: str
    created_at: datetime
    created_said: str
    used_at: datetime | None
    used_said: str
    kind: str


def make_passkeys(tongue: Tongue, lines: Sequence[PasskeyLine], now: datetime) -> list[PasskeyRow]:
    """Rows of the page, in the order in which they were added."""
    return [
        PasskeyRow(
            id=line.id,
            name=line.name,
            created_at=line.created_at,
            created_said=tongue.moment(line.created_at, now),
            used_at=line.used_at,
            used_said=tongue.moment(line.used_at, now) if line.used_at else "",
            kind=tongue.gettext("synced") if line.synced else tongue.gettext("on one device"),
        )
        for line in lines
    ]
