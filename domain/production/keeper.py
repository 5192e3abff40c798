"""Small results on their way into the store: a step and its slot go on, and all are there before it is settled."""

from __future__ import annotations

import asyncio
import hashlib
from uuid import UUID

from domain.production.ports import ObjectStore, Stored

SMALL = 1 << 16
"""So many bytes are held; more are stored before a step goes on, and a full disk stops it there."""


class Keeper:
    """Holds small content of one attempt. No row may name what it has promised before `keep_all` has returned."""

    def __init__(self, store: ObjectStore, tenant_id: UUID) -> None:
        self._store, self._tenant_id = store, tenant_id
        self._held: dict[str, bytes] = {}

    def promise(self, data: bytes) -> Stored:
        """Hold small content; answer what it will be called."""
        promised = Stored(hashlib.sha256(data).hexdigest(), len(data))
        self._held[promised.sha256] = data
        return promised

    async def keep(self, sha256: str) -> None:
        """Put this content into the store if it is still held here; it can be read afterwards."""
        data = self._held.get(sha256)
        if data is not None:
            await self._store.put_bytes(self._tenant_id, data)
            self._held.pop(sha256, None)

    async def keep_all(self) -> None:
        """Put everything that is held into the store."""
        await asyncio.gather(*map(self.keep, list(self._held)))
