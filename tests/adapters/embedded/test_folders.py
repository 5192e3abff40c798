"""Where sockets go, and what is opened when we are root."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from adapters.embedded import folders
from adapters.embedded.process import ServiceError


class TestSocketFolder:
    def test_is_inside_home_when_its_path_is_short(self) -> None:
        assert folders.socket_folder(Path("/srv/films and more"), "redis") == Path("/srv/films and more/run/redis")

    @pytest.mark.parametrize("home", ["/srv/" + "x" * 90, "/srv/" + "é" * 45, "/srv/a,b"])
    def test_moves_out_when_too_long_in_bytes_or_with_a_comma(self, home: str) -> None:
        folder = folders.socket_folder(Path(home), "postgres")
        assert not folder.is_relative_to(home)
        assert len(os.fsencode(folder)) < 80
        assert folder != folders.socket_folder(Path(home + "2"), "postgres")


class TestPrivateFolder:
    def test_is_closed_to_others(self, tmp_path: Path) -> None:
        folders.private_folder(tmp_path / "a" / "b", "")
        assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700

    def test_a_link_in_its_place_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "target").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "target")
        with pytest.raises(ServiceError, match="belongs to another account"):
            folders.private_folder(tmp_path / "link", "")


class TestOpenTheWay:
    def test_adds_search_only_where_missing_and_tells(self, tmp_path: Path) -> None:
        closed, data = tmp_path / "closed", tmp_path / "closed" / "home" / "data"
        data.parent.mkdir(parents=True)
        closed.chmod(0o700)
        told: list[str] = []
        folders.open_the_way([data], "nobody", told.append)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o701
        assert len(told) == 1
        assert str(closed) in told[0]
        folders.open_the_way([data], "nobody", told.append)
        assert len(told) == 1

    def test_does_nothing_for_an_ordinary_account(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        folders.open_the_way([tmp_path / "data"], "", pytest.fail)
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


class TestServiceUser:
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root hands services to another account")
    def test_an_unknown_account_is_named(self) -> None:
        with pytest.raises(ServiceError, match="no account nobody-of-this-name"):
            folders.service_user("nobody-of-this-name")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root hands services to another account")
    def test_root_is_never_the_account(self) -> None:
        assert folders.service_user("") in folders.CANDIDATES
        with pytest.raises(ServiceError):
            folders.service_user("root")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root hands services to another account")
    def test_an_ordinary_account_runs_them_itself(self) -> None:
        assert folders.service_user("someone") == ""
