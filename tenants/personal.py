"""What is sealed for people, who belong to no tenant: secrets of authenticator apps, and seals on challenges.

Each use has a key of its own, derived from the installation's key-encryption key (HKDF-SHA-256), so that nothing sealed
for one use opens, or passes, as another. A box is bound to its table, column, person and key version.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import func, select

from tenants.boxes import seal, unseal
from tenants.factor_model import AppFactor
from tenants.keyring import KEY_BYTES, KeyFault, KeyRing
from tenants.secret import Secret
from tenants.unit import Units

_PURPOSE = "personal"
_APP = "app_factors"


class PersonalBroken(Exception):
    """Raised when a person's sealed secret does not open: altered, moved to another row, or another key."""


@dataclass(frozen=True)
class Box:
    """A sealed value and the key version that opens it."""

    key_version: int
    nonce: bytes
    sealed: bytes


class PersonalVault:
    """Seals and opens what belongs to people."""

    def __init__(self, ring: KeyRing, reload: Callable[[], KeyRing] | None = None) -> None:
        """`reload` reads the keys again when one is met that is not known: it was made after this program started."""
        self._ring, self._reload = ring, reload

    def seal_app(self, user_id: UUID, secret: Secret) -> Box:
        """Seal the secret of a person's authenticator app."""
        version = self._ring.current
        nonce, sealed = seal(self._key("app", version), secret.reveal().encode(), *_place(user_id, version))
        return Box(version, nonce, sealed)

    def open_app(self, row: AppFactor) -> Secret:
        """Open the secret of an authenticator app, to compare a code. Raises PersonalBroken and KeyFault."""
        place = _place(row.user_id, row.key_version)
        try:
            return Secret(unseal(self._key("app", row.key_version), row.nonce, row.sealed, *place).decode())
        except (InvalidTag, ValueError) as fault:
            raise PersonalBroken(f"The authenticator secret of {row.user_id} cannot be opened.") from fault

    def stamp(self, use: str, text: bytes) -> bytes:
        """Seal a text that will come back from a browser: 32 bytes that nobody else can make."""
        return hmac.new(self._key(use, self._ring.current), text, hashlib.sha256).digest()

    def stamped(self, use: str, text: bytes, given: bytes) -> bool:
        """Whether a stamp is ours, made with any key version there is."""
        if self._made_here(use, text, given):
            return True
        if self._reload is None:
            return False
        # Another program may have stamped it with a key made after this one started.
        self._ring = self._reload()
        return self._made_here(use, text, given)

    def _made_here(self, use: str, text: bytes, given: bytes) -> bool:
        stamps = [hmac.new(self._key(use, version), text, hashlib.sha256).digest() for version in self._ring.keys]
        return any(hmac.compare_digest(stamp, given) for stamp in stamps)

    async def renew(self, units: Units) -> int:
        """Seal everything anew that is under an older key version; answer how many."""
        changed = 0
        async with units.system(_PURPOSE) as unit:
            old = select(AppFactor).where(AppFactor.key_version != self._ring.current).with_for_update()
            for row in await unit.session.scalars(old):
                box = self.seal_app(row.user_id, self.open_app(row))
                row.key_version, row.nonce, row.sealed = box.key_version, box.nonce, box.sealed
                changed += 1
        return changed

    async def verify(self, units: Units) -> tuple[int, list[UUID]]:
        """Open every box: how many opened, and the people whose box does not."""
        opened, broken = 0, []
        async with units.system(_PURPOSE) as unit:
            for row in await unit.session.scalars(select(AppFactor).order_by(AppFactor.user_id)):
                try:
                    self.open_app(row)
                    opened += 1
                except (PersonalBroken, KeyFault):
                    broken.append(row.user_id)
        return opened, broken

    async def count(self, units: Units) -> dict[int, int]:
        """How many boxes there are by key version."""
        async with units.system(_PURPOSE) as unit:
            rows = await unit.session.execute(
                select(AppFactor.key_version, func.count()).group_by(AppFactor.key_version)
            )
            return {int(version): count for version, count in rows}

    def _key(self, use: str, version: int) -> bytes:
        if version not in self._ring.keys and self._reload is not None:
            self._ring = self._reload()
        derive = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"vfos personal {use}".encode())
        return derive.derive(self._ring.key(version))


def _place(user_id: UUID, version: int) -> tuple[object, ...]:
    return ("person", _APP, "sealed", user_id, version)
