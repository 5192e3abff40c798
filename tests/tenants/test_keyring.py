"""Key files: made once with mode 0600, read strictly, replaced in one step."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenants.keyring import KeyFault, KeyRing, load_ring, read_ring, save_ring

GOOD = base64.b64encode(bytes(range(32))).decode()


class TestRead:
    def test_newest_version_is_current(self) -> None:
        ring = read_ring(f"1:{GOOD},3:{GOOD}\n2:{GOOD}")
        assert ring.current == 3
        assert ring.key(2) == bytes(range(32))

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "there is none"),
            (GOOD, "entry 1 has no version"),
            (f"0:{GOOD}", "entry 1 has no version"),
            (f"1:{GOOD},1:{GOOD}", "version 1 is there twice"),
            (f"1:{GOOD},2:short", "entry 2 is not 32 bytes"),
            ("1:AAAA", "entry 1 is not 32 bytes"),
            (f"x:{GOOD},2:?", "entry 1 has no version; entry 2 is not"),
        ],
    )
    def test_faults_name_the_place_and_no_key(self, text: str, fault: str) -> None:
        with pytest.raises(KeyFault, match=fault) as raised:
            read_ring(text)
        assert GOOD not in str(raised.value)

    def test_never_shown(self) -> None:
        ring = read_ring(f"1:{GOOD}")
        assert GOOD not in f"{ring!r} {ring}"
        assert "\\x01" not in repr(ring)

    def test_a_missing_version_says_what_to_do(self) -> None:
        with pytest.raises(KeyFault, match=r"key version 9.*give back the key file"):
            read_ring(f"1:{GOOD}").key(9)


class TestFile:
    def test_made_once_and_private(self, tmp_path: Path) -> None:
        path = tmp_path / "var" / "secret.key"
        first = load_ring(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert load_ring(path) == first
        assert [file.name for file in path.parent.iterdir()] == ["secret.key"]

    def test_two_first_starts_agree(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.key"
        with ThreadPoolExecutor(8) as pool:
            rings = list(pool.map(lambda _: load_ring(path), range(32)))
        assert all(ring == rings[0] for ring in rings)

    def test_the_environment_comes_first(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.key"
        assert load_ring(path, f"7:{GOOD}").current == 7
        assert not path.exists()

    def test_open_to_others_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.key"
        load_ring(path)
        path.chmod(0o640)
        with pytest.raises(KeyFault, match=r"mode 0640\): run `chmod 600`"):
            load_ring(path)

    @pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe"])
    def test_damaged(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "secret.key"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyFault):
            load_ring(path)
        assert path.read_bytes() == content, "a damaged key file is never replaced by a new key"

    def test_replaced_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "secret.key"
        ring = load_ring(path)
        save_ring(path, ring.extended())
        again = load_ring(path)
        assert isinstance(again, KeyRing)
        assert (again.current, again.key(1)) == (2, ring.key(1))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
