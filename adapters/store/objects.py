"""The object store: finished files of tenants under `{tenant}/{sha256}`, local or in a bucket (obstore).

A local file is hashed and synced before it is renamed into place, and the folder is synced after: what the database
names is on the disk, whole, also after a power cut. (obstore's own local put does not sync.)
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from domain.production.ports import Stored

CHUNK = 1 << 20


def object_path(tenant_id: UUID, sha256: str) -> str:
    """The only place where the path of an object is composed. Raises ValueError for what is no hash."""
    if len(sha256) != 64 or not all(c in "0123456789abcdef" for c in sha256):
        raise ValueError("not a SHA-256 in lower-case hex")
    return f"{tenant_id}/{sha256}"


class LocalObjects:
    """Objects in a folder. `staging` must be on the same disk, so that a file moves into place by renaming."""

    def __init__(self, root: Path, staging: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        staging.mkdir(parents=True, exist_ok=True)
        self._root, self._staging = root, staging
        self._store = LocalStore(root)

    async def put_file(self, tenant_id: UUID, path: Path) -> Stored:
        return await asyncio.to_thread(self._keep, tenant_id, path)

    async def put_bytes(self, tenant_id: UUID, data: bytes) -> Stored:
        path = self._staging / f"bytes-{uuid4().hex}"
        try:
            await asyncio.to_thread(path.write_bytes, data)
            return await self.put_file(tenant_id, path)
        finally:
            path.unlink(missing_ok=True)

    def _keep(self, tenant_id: UUID, path: Path) -> Stored:
        stored = _hash_and_sync(path)
        # What is named by its content must never change, not even through a link elsewhere.
        path.chmod(0o444)
        target = self._root / object_path(tenant_id, stored.sha256)
        if target.exists():
            path.unlink()
            return stored
        target.parent.mkdir(exist_ok=True)
        try:
            path.replace(target)
        except OSError as fault:
            if fault.errno != errno.EXDEV:
                raise
            self._copy_over(path, target)
        _sync_folder(target.parent)
        return stored

    def _copy_over(self, path: Path, target: Path) -> None:
        """Bring a file from another disk: copied beside its place, synced, then renamed."""
        beside = target.with_name(f".{uuid4().hex}")
        try:
            shutil.copyfile(path, beside)
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.chmod(0o444)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        path.unlink()

    async def get_bytes(self, tenant_id: UUID, sha256: str) -> bytes:
        return await asyncio.to_thread((self._root / object_path(tenant_id, sha256)).read_bytes)

    async def local_path(self, tenant_id: UUID, sha256: str) -> Path:
        path = self._root / object_path(tenant_id, sha256)
        if not path.exists():
            raise FileNotFoundError(f"object {sha256[:12]}… is not in the store")
        return path

    async def stream(self, tenant_id: UUID, sha256: str, start: int, length: int) -> AsyncIterator[bytes]:
        """Yield `length` bytes from `start` in pieces of at most 1 MiB."""
        path = object_path(tenant_id, sha256)
        for offset in range(start, start + length, CHUNK):
            size = min(CHUNK, start + length - offset)
            yield bytes(await obstore.get_range_async(self._store, path, start=offset, length=size))

    async def exists(self, tenant_id: UUID, sha256: str) -> bool:
        return (self._root / object_path(tenant_id, sha256)).exists()

    async def delete(self, tenant_id: UUID, sha256: str) -> None:
        (self._root / object_path(tenant_id, sha256)).unlink(missing_ok=True)

    async def delete_all(self, tenant_id: UUID) -> None:
        await asyncio.to_thread(shutil.rmtree, self._root / str(tenant_id), ignore_errors=True)


class RemoteObjects:
    """Objects in a bucket; files that tools must read are fetched once into `cache`."""

    def __init__(self, store: ObjectStore, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self._store, self._cache = store, cache

    async def put_file(self, tenant_id: UUID, path: Path) -> Stored:
        stored = await asyncio.to_thread(_hash_and_sync, path)
        if not await self.exists(tenant_id, stored.sha256):
            await obstore.put_async(self._store, object_path(tenant_id, stored.sha256), path)
        path.unlink()
        return stored

    async def put_bytes(self, tenant_id: UUID, data: bytes) -> Stored:
        stored = Stored(hashlib.sha256(data).hexdigest(), len(data))
        await obstore.put_async(self._store, object_path(tenant_id, stored.sha256), data)
        return stored

    async def get_bytes(self, tenant_id: UUID, sha256: str) -> bytes:
        found = await obstore.get_async(self._store, object_path(tenant_id, sha256))
        return bytes(await found.bytes_async())

    async def local_path(self, tenant_id: UUID, sha256: str) -> Path:
        target = self._cache / object_path(tenant_id, sha256)
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{uuid4().hex}")
        found = await obstore.get_async(self._store, object_path(tenant_id, sha256))
        with beside.open("wb") as file:
            async for piece in found.stream(min_chunk_size=CHUNK):
                await asyncio.to_thread(file.write, piece)
        beside.replace(target)
        return target

    async def stream(self, tenant_id: UUID, sha256: str, start: int, length: int) -> AsyncIterator[bytes]:
        path = object_path(tenant_id, sha256)
        for offset in range(start, start + length, CHUNK):
            size = min(CHUNK, start + length - offset)
            yield bytes(await obstore.get_range_async(self._store, path, start=offset, length=size))

    async def exists(self, tenant_id: UUID, sha256: str) -> bool:
        try:
            await obstore.head_async(self._store, object_path(tenant_id, sha256))
        except FileNotFoundError:
            return False
        return True

    async def delete(self, tenant_id: UUID, sha256: str) -> None:
        await obstore.delete_async(self._store, object_path(tenant_id, sha256))

    async def delete_all(self, tenant_id: UUID) -> None:
        async for found in obstore.list(self._store, prefix=f"{tenant_id}/"):
            await obstore.delete_async(self._store, [entry["path"] for entry in found])
        await asyncio.to_thread(shutil.rmtree, self._cache / str(tenant_id), ignore_errors=True)


def open_store(url: str, home: Path, staging: Path) -> LocalObjects | RemoteObjects:
    """Open the store at `url` (`s3://…`, `gs://…`, `az://…`), or the folder `objects` of `home` when it is empty."""
    if not url:
        return LocalObjects(home / "objects", staging)
    return RemoteObjects(from_url(url), home / "cache")


def _hash_and_sync(path: Path) -> Stored:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
            size += len(piece)
        os.fsync(file.fileno())
    return Stored(digest.hexdigest(), size)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep_staging(staging: Path, older_than_s: float, keep: frozenset[str] = frozenset()) -> int:
    """Remove what dead attempts left in staging, except entries named in `keep`; answer how many entries went."""
    limit, swept = time.time() - older_than_s, 0
    for entry in staging.iterdir() if staging.exists() else ():
        try:
            if entry.name in keep or entry.stat().st_mtime > limit:
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        except FileNotFoundError:
            continue
        swept += 1
    return swept
