"""Who holds a home, and what others learn about it."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import settings as settings_module
from adapters.embedded.process import ServiceError
from adapters.embedded.stack import Embedded, Home, Running, joined, services
from adapters.settings import Settings


@pytest.fixture
def settings() -> Iterator[Settings]:
    home = Path(tempfile.mkdtemp(prefix="vfos-stack-"))
    yield settings_module.load({"VFOS_HOME": str(home)})
    shutil.rmtree(home)


def running(settings: Settings, *, working: bool = True) -> Running:
    urls = {"database_url": "postgresql+psycopg://vfos_app:secret@/vfos", "redis_url": "unix:///tmp/r"}
    owner = dict.fromkeys(("database_owner_url", "database_system_url"), urls["database_url"])
    return Running(os.getpid(), settings.using(**urls, **owner), "http://localhost:9", working, ((1, 2.5),))


class TestHome:
    def test_is_held_by_one(self, settings: Settings) -> None:
        first, second = Home(settings), Home(settings)
        assert first.hold()
        assert not second.hold()
        first.release()
        assert second.hold()
        second.release()

    def test_what_is_announced_is_read_back_and_private(self, settings: Settings) -> None:
        home = Home(settings)
        assert home.hold()
        home.announce(running(settings))
        assert Home(settings).announced() == running(settings)
        assert stat.S_IMODE((settings.run_folder / "stack.json").stat().st_mode) == 0o600
        home.release()
        assert Home(settings).announced() is None

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "settings": {"VFOS_PORT": "no"}}'])
    def test_a_broken_announcement_is_none(self, settings: Settings, text: str) -> None:
        settings.run_folder.mkdir(parents=True)
        (settings.run_folder / "stack.json").write_text(text)
        assert Home(settings).announced() is None

    def test_joining_takes_addresses_and_keeps_the_rest(self, settings: Settings) -> None:
        mine = joined(settings.using(slots=7), running(settings))
        assert mine.slots == 7
        assert mine.redis_url == "unix:///tmp/r"
        assert mine.address == "http://localhost:9"


class TestServices:
    def test_given_addresses_start_nothing(self, settings: Settings) -> None:
        given = running(settings).settings
        with services(given, pytest.fail) as ready:
            assert ready is given
        assert not settings.run_folder.exists()

    def test_start_for_us_serve_a_second_command_and_end(self, settings: Settings) -> None:
        told: list[str] = []
        with services(settings, told.append) as ready:
            assert not ready.embedded_database
            with services(settings, told.append) as other:
                assert other.database_url == ready.database_url
            embedded = Embedded(settings, told.append)
            assert embedded.postgres is not None
            assert embedded.postgres.pid() is not None
        assert embedded.postgres.pid() is None
        assert embedded.redis is not None
        assert embedded.redis.pid() is None

    def test_a_home_that_is_just_starting_is_said(self, settings: Settings) -> None:
        home = Home(settings)
        assert home.hold()
        with pytest.raises(ServiceError, match="try again in a moment"), services(settings, pytest.fail):
            pass
        home.release()


class TestRevive:
    def test_starts_again_what_has_ended(self, settings: Settings) -> None:
        embedded = Embedded(settings, lambda line: None)
        embedded.start()
        try:
            assert embedded.revive() == []
            assert embedded.redis is not None
            child = embedded.redis.child
            assert child is not None
            child.kill()
            child.wait()
            assert embedded.revive() == ["Redis"]
            assert embedded.redis.answers()
        finally:
            embedded.stop()
