"""Objects are stored once, whole, and apart by tenant."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.store.objects import LocalObjects, object_path, open_store, sweep_staging

TENANT, OTHER = uuid4(), uuid4()


@pytest.fixture
def store(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "objects", tmp_path / "staging")


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


class TestPut:
    async def test_file_moves_to_its_hash(self, store: LocalObjects, tmp_path: Path) -> None:
        made = tmp_path / "staging" / "a.bin"
        made.write_bytes(b"film")
        stored = await store.put_file(TENANT, made)
        assert stored.sha256 == hashlib.sha256(b"film").hexdigest()
        assert stored.size == 4
        assert files(tmp_path) == [f"objects/{TENANT}/{stored.sha256}"]

    async def test_twice_is_once(self, store: LocalObjects, tmp_path: Path) -> None:
        first = await store.put_bytes(TENANT, b"same")
        second = await store.put_bytes(TENANT, b"same")
        assert first == second
        assert len(files(tmp_path)) == 1

    async def test_tenants_share_nothing(self, store: LocalObjects) -> None:
        stored = await store.put_bytes(TENANT, b"mine")
        assert await store.exists(TENANT, stored.sha256)
        assert not await store.exists(OTHER, stored.sha256)
        with pytest.raises(FileNotFoundError):
            await store.local_path(OTHER, stored.sha256)

    async def test_from_another_disk(self, tmp_path: Path) -> None:
        other_disk = Path("/dev/shm")
        if not other_disk.exists() or other_disk.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second disk here")
        made = other_disk / f"vfos-{uuid4().hex}"
        made.write_bytes(b"x" * 3_000_000)
        store = LocalObjects(tmp_path / "objects", tmp_path / "staging")
        stored = await store.put_file(TENANT, made)
        assert (await store.local_path(TENANT, stored.sha256)).read_bytes() == b"x" * 3_000_000
        assert not made.exists()


class TestStream:
    @pytest.mark.parametrize(("start", "length"), [(0, 5), (3, 1), (1_048_570, 20), (0, 2_500_000)])
    async def test_ranges(self, store: LocalObjects, start: int, length: int) -> None:
        data = bytes(range(256)) * 9766
        stored = await store.put_bytes(TENANT, data)
        got = b"".join([piece async for piece in store.stream(TENANT, stored.sha256, start, length)])
        assert got == data[start : start + length]


class TestPaths:
    @pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 63, "A" * 64, "", "g" * 64])
    def test_only_hashes(self, name: str) -> None:
        with pytest.raises(ValueError):
            object_path(TENANT, name)


async def test_delete_and_read(store: LocalObjects) -> None:
    stored = await store.put_bytes(TENANT, b"abc")
    assert await store.get_bytes(TENANT, stored.sha256) == b"abc"
    await store.delete(TENANT, stored.sha256)
    assert not await store.exists(TENANT, stored.sha256)


async def test_bucket_has_the_same_ways(tmp_path: Path) -> None:
    remote = open_store("memory:///", tmp_path, tmp_path)
    made = tmp_path / "film.mp4"
    made.write_bytes(b"0123456789")
    stored = await remote.put_file(TENANT, made)
    assert not made.exists()
    assert await remote.put_bytes(TENANT, b"0123456789") == stored
    assert [piece async for piece in remote.stream(TENANT, stored.sha256, 2, 3)] == [b"234"]
    path = await remote.local_path(TENANT, stored.sha256)
    assert path.read_bytes() == await remote.get_bytes(TENANT, stored.sha256) == b"0123456789"
    await remote.delete(TENANT, stored.sha256)
    assert not await remote.exists(TENANT, stored.sha256)


class TestSweep:
    def test_old_leftovers_go_and_kept_ones_stay(self, tmp_path: Path) -> None:
        for name in ("old", "kept", "new"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "part").write_bytes(b"x")
        for name in ("old", "kept"):
            os.utime(tmp_path / name, (1, 1))
        assert sweep_staging(tmp_path, 3600, frozenset({"kept"})) == 1
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["kept", "new"]

    def test_no_folder_no_work(self, tmp_path: Path) -> None:
        assert sweep_staging(tmp_path / "none", 1) == 0
