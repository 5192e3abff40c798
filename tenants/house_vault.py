"""Secrets of the installation itself, which belong to no workspace: of the providers everybody may sign in with.

Their key is derived from the key-encryption key (HKDF-SHA-256) for this use alone; a box is bound to its row.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenants.boxes import NONCE, seal, unseal
from tenants.keyring import KEY_BYTES, KeyRing
from tenants.secret import Secret
from tenants.vault import SecretBroken


class HouseVault:
    """Seals and opens secrets of the installation."""

    def __init__(self, ring: KeyRing, reload: Callable[[], KeyRing] | None = None) -> None:
        """`reload` reads the keys again when one is met that is not known: it was made after this program started."""
        self._ring, self._reload = ring, reload

    @property
    def current(self) -> str:
        """The key version that seals."""
        return str(self._ring.current)

    def seal(self, row_id: UUID, secret: Secret) -> tuple[str, bytes]:
        """Seal a secret; answer (key version, box)."""
        version = self._ring.current
        nonce, box = seal(self._key(version), secret.reveal().encode(), *_place(row_id, version))
        return str(version), nonce + box

    def open(self, row_id: UUID, version: str, box: bytes) -> Secret:
        """Open a secret, to use it. Raises SecretBroken and KeyFault."""
        key = self._key(int(version))
        try:
            return Secret(unseal(key, box[:NONCE], box[NONCE:], *_place(row_id, int(version))).decode())
        except (InvalidTag, ValueError) as fault:
            raise SecretBroken("sign-in") from fault

    def _key(self, version: int) -> bytes:
        if version not in self._ring.keys and self._reload is not None:
            self._ring = self._reload()
        derive = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"vfos house sign-in")
        return derive.derive(self._ring.key(version))


def _place(row_id: UUID, version: int) -> tuple[object, ...]:
    return ("house", "house_providers", "sealed", row_id, version)
