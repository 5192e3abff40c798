"""Names and places of finished films."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.films import LONGEST_NAME, place, readable_name


class TestName:
    def test_is_project_number_and_words(self) -> None:
        assert readable_name("deep-sky", 7, "Como o Hubble viu dez mil galáxias?") == (
            "deep-sky-007-como-o-hubble-viu-dez-mil-galaxias.mp4"
        )

    @given(st.text(max_size=300))
    def test_is_safe_whatever_the_title(self, title: str) -> None:
        name = readable_name("p", 1, title)
        assert name.endswith(".mp4")
        assert len(name) <= LONGEST_NAME + 4
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")


class TestPlace:
    def test_replaces_in_one_move_and_leaves_nothing_else(self, tmp_path: Path) -> None:
        source, target = tmp_path / "object", tmp_path / "films" / "film.mp4"
        source.write_bytes(b"film")
        for _ in range(2):
            assert place(source, target) == target
        assert target.read_bytes() == b"film"
        assert [path.name for path in target.parent.iterdir()] == ["film.mp4"]
        assert source.exists()

    def test_a_copy_is_independent(self, tmp_path: Path) -> None:
        source, target = tmp_path / "object", tmp_path / "out.mp4"
        source.write_bytes(b"film")
        place(source, target, copy=True)
        target.write_bytes(b"changed")
        assert source.read_bytes() == b"film"

    def test_what_fails_leaves_nothing_half_written(self, tmp_path: Path) -> None:
        with pytest.raises(OSError):
            place(tmp_path / "missing", tmp_path / "films" / "film.mp4")
        assert list((tmp_path / "films").iterdir()) == []
