"""The embedded services through real processes: starts, crashes, leftovers, ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from adapters.embedded.postgres import APP, OWNER, SYSTEM, Postgres
from adapters.embedded.process import ServiceError
from adapters.embedded.redis import Redis

ROOT = Path(__file__).parents[3]
START_AND_WAIT = """
import sys, pathlib
from adapters.embedded.postgres import Postgres
from adapters.embedded.redis import Redis
home = pathlib.Path(sys.argv[1])
postgres, redis = Postgres(home, durable=False), Redis(home)
postgres.start(); redis.start()
print(postgres.pid(), redis.pid(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose name has a space, short enough for sockets inside."""
    folder = Path(tempfile.mkdtemp(prefix="vfos a "))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def postgres(home: Path) -> Iterator[Postgres]:
    server = Postgres(home, durable=False)
    yield server
    server.stop()
    assert server.pid() is None
    assert not of_folder(home)


def of_folder(home: Path) -> list[psutil.Process]:
    """Processes that name the folder in their command line."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if str(home) in " ".join(process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


class TestPostgres:
    def test_gives_three_roles_that_cannot_step_around_row_security(self, postgres: Postgres) -> None:
        postgres.start()
        with postgres.connect() as connection:
            rows = connection.execute(
                "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
                " FROM pg_roles WHERE rolname LIKE 'vfos%'"
            ).fetchall()
        assert sorted(rows) == [(role, False, False, False, False) for role in sorted((OWNER, APP, SYSTEM))]

    def test_keeps_data_over_a_kill_and_a_second_start(self, postgres: Postgres) -> None:
        postgres.start()
        with postgres.connect("vfos") as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
            connection.execute("CHECKPOINT")
        pid = postgres.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert postgres.child is not None
        postgres.child.wait(10)
        again = Postgres(postgres.home, durable=False)
        again.start()
        try:
            with again.connect("vfos") as connection:
                assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]
        finally:
            again.stop()

    def test_adopts_a_server_that_runs_already(self, postgres: Postgres) -> None:
        postgres.start()
        other = Postgres(postgres.home, durable=False)
        other.start()
        assert other.pid() == postgres.pid()
        assert other.child is None

    def test_a_pid_file_that_names_a_stranger_is_removed(self, postgres: Postgres) -> None:
        postgres.start()
        postgres.stop()
        file = postgres.data / "postmaster.pid"
        file.write_text(f"{os.getpid()}\n{postgres.data}\n1\n5432\n{postgres.sockets}\n\n1 1\nready\n")
        assert postgres.pid() is None
        postgres.start()
        assert postgres.pid() not in {None, os.getpid()}

    def test_a_making_that_was_cut_short_is_begun_again(self, postgres: Postgres) -> None:
        left = postgres.data.with_name("postgres.making")
        left.mkdir()
        (left / "PG_VERSION").write_text("18\n")
        postgres.start()
        assert postgres.pid() is not None
        assert not left.exists()

    def test_a_broken_data_folder_is_one_clear_error(self, postgres: Postgres) -> None:
        postgres.data.mkdir()
        (postgres.data / "PG_VERSION").write_text("18\n")
        with pytest.raises(ServiceError, match=r"PostgreSQL did not start: .+ is in"):
            postgres.start()


class TestLongPath:
    def test_sockets_move_out_of_a_deep_home(self, home: Path) -> None:
        deep = home / ("deep and long " * 8).strip() / "var"
        deep.mkdir(parents=True)
        postgres, redis = Postgres(deep, durable=False), Redis(deep)
        try:
            postgres.start()
            redis.start()
            assert redis.answers()
            with postgres.connect() as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        finally:
            redis.stop()
            postgres.stop()
        assert not of_folder(deep)
        for folder in (postgres.sockets, redis.sockets):
            assert not folder.is_relative_to(home)
            shutil.rmtree(folder)


class TestRedis:
    def test_replaces_what_an_earlier_start_left(self, home: Path) -> None:
        first, second = Redis(home), Redis(home)
        try:
            first.start()
            left = first.child
            assert left is not None
            second.start()
            assert left.wait(5) is not None
            assert second.answers()
            assert second.pid() != left.pid
        finally:
            second.stop()
            first.stop()
        assert not of_folder(home)

    def test_stale_files_do_not_hinder_a_start(self, home: Path) -> None:
        redis = Redis(home)
        redis.sockets.mkdir(parents=True)
        redis.socket.touch()
        (redis.sockets / "redis.pid").write_text(f"{os.getpid()}\n")
        redis.start()
        try:
            assert redis.answers()
        finally:
            redis.stop()


class TestParentDeath:
    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel tells children only on Linux")
    def test_services_end_when_their_starter_is_killed(self, home: Path) -> None:
        starter = subprocess.Popen(
            [sys.executable, "-c", START_AND_WAIT, str(home)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        assert starter.stdin is not None
        assert starter.stdout is not None
        services = [psutil.Process(int(pid)) for pid in starter.stdout.readline().split()]
        starter.kill()
        starter.communicate()
        gone, left = psutil.wait_procs(services, timeout=15)
        assert len(gone) == 2
        assert not left
