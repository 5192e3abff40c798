"""Every setting of the program: one table, read from environment variables, all faults reported at once."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.egress_rules import Allowance
from adapters.notify.email import read_server

ON, OFF = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


class SettingsError(Exception):
    """Raised when environment variables do not make sense; `faults` holds one sentence per variable."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Settings:
    """What the program was told. Empty database and Redis addresses mean: use the embedded ones."""

    home: Path
    bind: str
    port: int
    public_url: str
    database_url: str
    database_owner_url: str
    database_system_url: str
    redis_url: str
    redis_memory_mb: int
    store_url: str
    slots: int
    lease_seconds: int
    grace_seconds: int
    metrics_bind: str
    ffmpeg: str
    encoders: str
    secret_key_file: Path
    secret_keys: str = field(repr=False)
    service_user: str
    egress_allow: str
    smtp_url: str = field(repr=False)
    mail_from: str
    demo: bool
    log_level: str
    log_format: str

    @property
    def embedded_database(self) -> bool:
        """True when no database address was given."""
        return not self.database_url

    @property
    def embedded_redis(self) -> bool:
        """True when no Redis address was given."""
        return not self.redis_url

    @property
    def films(self) -> Path:
        """Where finished films are linked under readable names."""
        return self.home / "films"

    @property
    def run_folder(self) -> Path:
        """Where locks, sockets and the state of the running stack are."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """Where the embedded services write their logs."""
        return self.home / "logs"

    @property
    def staging(self) -> Path:
        """Where unfinished files are made; on the same disk as the local object store."""
        return self.home / "staging"

    @property
    def mail(self) -> bool:
        """True when e-mail can be sent."""
        return bool(self.smtp_url)

    @property
    def address(self) -> str:
        """The address people open, without a slash at the end."""
        if self.public_url:
            return self.public_url
        host = "localhost" if self.bind in {"127.0.0.1", "0.0.0.0", "::", "::1"} else self.bind  # noqa: S104 compared, not bound
        return f"http://{host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """These settings as environment variables, for child processes."""
        return {entry.name: entry.write(getattr(self, entry.field)) for entry in TABLE}

    def using(self, **changes: Any) -> Settings:
        """A copy with some fields replaced."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Entry:
    """One setting: its variable, field, default (as text), reader (ValueError carries the fix) and meaning."""

    name: str
    field: str
    default: str
    read: Callable[[str], Any]
    meaning: str

    def write(self, value: Any) -> str:
        if isinstance(value, bool):
            return "1" if value else "0"
        return str(value)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return int(text)

    return read


def _choice(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"give one of {', '.join(words)}")
        return text.lower()

    return read


def _switch(text: str) -> bool:
    if text.lower() in ON:
        return True
    if text.lower() in OFF:
        return False
    raise ValueError("give 1 or 0")


def _text(text: str) -> str:
    return text


def _folder(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError("this is a file; give a folder")
    return path


def _file(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if path.is_dir():
        raise ValueError("this is a folder; give a file")
    return path


def _encoders(value: str) -> str:
    if value not in ("software", "hardware"):
        raise ValueError("choose software or hardware")
    return value


def _program(text: str) -> str:
    if text and not os.access(text, os.X_OK):
        raise ValueError("no program can be run there; give the full path of an ffmpeg, or leave it out")
    return text


def _host(text: str) -> str:
    if not text or any(c.isspace() or c == "/" for c in text):
        raise ValueError("give a host name or address such as 127.0.0.1")
    return text


def _listener(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if text and not (host and colon and port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError("give an address and a port such as 127.0.0.1:9464")
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.query):
        raise ValueError("give an address such as https://films.example.org")
    return text.rstrip("/")


def _database(text: str) -> str:
    if not text:
        return ""
    scheme, found, rest = text.partition("://")
    if not found or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("give an address such as postgresql://vfos_app:password@db.example.org/vfos")
    return f"postgresql+psycopg://{rest}"


def _redis(text: str) -> str:
    if text and urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("give an address such as redis://redis.example.org:6379/0")
    return text


def _places(text: str) -> str:
    Allowance.parse(text)
    return text


def _smtp(text: str) -> str:
    if text:
        read_server(text)
    return text


def _sender(text: str) -> str:
    if "@" not in text or any(ord(char) < 32 for char in text):
        raise ValueError("give an address such as Films <films@example.org>")
    return text


# fmt: off
TABLE: tuple[Entry, ...] = (
    Entry("VFOS_HOME", "home", "./var", _folder, "Folder for all data: database, objects, films, logs."),
    Entry("VFOS_BIND", "bind", "127.0.0.1", _host, "Address the web server listens on."),
    Entry("VFOS_PORT", "port", "8000", _whole(1, 65535), "Port of the web server; `vfos up` takes the next free one."),
    Entry("VFOS_PUBLIC_URL", "public_url", "", _web_address, "Address people use when a proxy stands in front."),
    Entry("DATABASE_URL", "database_url", "", _database,
          "PostgreSQL (15 or newer) as role `vfos_app`; empty = embedded PostgreSQL."),
    Entry("DATABASE_OWNER_URL", "database_owner_url", "", _database, "The same as `vfos_owner`, for migrations."),
    Entry("DATABASE_SYSTEM_URL", "database_system_url", "", _database,
          "The same as `vfos_system`, for the claim and the pump."),
    Entry("REDIS_URL", "redis_url", "", _redis,
          "Redis for wake-ups and live hints; empty = embedded Redis. It holds nothing that cannot be lost."),
    Entry("VFOS_REDIS_MEMORY_MB", "redis_memory_mb", "128", _whole(16, 65536), "Memory of the embedded Redis, MB."),
    Entry("VFOS_STORE_URL", "store_url", "", _text,
          "Object store: `s3://…`, `gs://…`, `az://…`; empty = folder `objects` in VFOS_HOME."),
    Entry("VFOS_SLOTS", "slots", "2", _whole(1, 256), "Steps a worker runs at once, per pool."),
    Entry("VFOS_LEASE_SECONDS", "lease_seconds", "30", _whole(6, 3600),
          "A worker silent for this long loses its step to another."),
    Entry("VFOS_GRACE_SECONDS", "grace_seconds", "1", _whole(0, 3600),
          "How long running steps may still finish when a worker is told to end; then they are given back unharmed."),
    Entry("VFOS_METRICS_BIND", "metrics_bind", "", _listener,
          "Address and port where the pump tells its metrics, such as `127.0.0.1:9464`; empty = nowhere."),
    Entry("VFOS_FFMPEG", "ffmpeg", "", _program, "Path of the ffmpeg to use; empty = the one from the wheel."),
    Entry("VFOS_ENCODERS", "encoders", "software", _encoders,
          "`software`, or `hardware` to try the graphics card's encoders first (each by encoding)."),
    Entry("VFOS_SECRET_KEY_FILE", "secret_key_file", "", _file,
          "File with the key that wraps all secrets; empty = `secret.key` in VFOS_HOME, made on first use, mode 0600."),
    Entry("VFOS_SECRET_KEYS", "secret_keys", "", _text,
          "Instead of the key file: `1:base64,2:base64`, 32 bytes each; the newest key seals, every key opens."),
    Entry("VFOS_SERVICE_USER", "service_user", "", _text,
          "When started as root: the account of PostgreSQL and Redis; empty = `vfos`, `postgres` or `nobody`."),
    Entry("VFOS_EGRESS_ALLOW", "egress_allow", "", _places,
          "Places besides public addresses that requests to providers and webhooks may reach: "
          "`127.0.0.1:9101, 10.0.0.0/8:8080, host.example:8443`; empty = none."),
    Entry("VFOS_SMTP_URL", "smtp_url", "", _smtp,
          "Mail server: `smtp://user:password@mail.example.org:587`, `smtps://…:465`; empty = no e-mail, links only."),
    Entry("VFOS_MAIL_FROM", "mail_from", "Video Factory OS <no-reply@localhost>", _sender, "Sender of e-mails."),
    Entry("VFOS_DEMO", "demo", "1", _switch, "1 = make the demo workspace on first start; 0 = start empty."),
    Entry("VFOS_LOG_LEVEL", "log_level", "info", _choice("debug", "info", "warning", "error"), "How much is logged."),
    Entry("VFOS_LOG_FORMAT", "log_format", "text", _choice("text", "json"), "Log lines for people or for machines."),
)
# fmt: on

DATABASE_NAMES = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL")


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read settings from the environment. Raises SettingsError with every fault."""
    given = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    faults: list[str] = []
    for entry in TABLE:
        text = given.get(entry.name, "").strip() or entry.default
        try:
            values[entry.field] = entry.read(text) if text else _empty(entry)
        except ValueError as fault:
            faults.append(f"{entry.name} is {_shown(entry, text)}: {fault}.")
    faults += _unknown(given) + _half_a_database(given)
    if faults:
        raise SettingsError(faults)
    if values["secret_key_file"] is None:
        values["secret_key_file"] = values["home"] / "secret.key"
    return Settings(**values)


def _empty(entry: Entry) -> Any:
    return None if entry.read is _file else entry.read("")


def _shown(entry: Entry, text: str) -> str:
    # Addresses may hold passwords, so a faulty one is not repeated.
    return "not understood" if entry.read in (_database, _redis, _smtp) else f"“{text[:80]}”"


def _unknown(given: Mapping[str, str]) -> list[str]:
    known = {entry.name for entry in TABLE} | INTERNAL
    return [
        f"{name} is not a setting: remove it or correct its name{_nearest(name, known)}."
        for name in sorted(given)
        if name.startswith("VFOS_") and name not in known
    ]


INTERNAL = {"VFOS_LIFELINE"}
"""Variables the program passes to its own children; nobody sets them by hand."""


def _nearest(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _half_a_database(given: Mapping[str, str]) -> list[str]:
    missing = [name for name in DATABASE_NAMES if not given.get(name, "").strip()]
    if not missing or len(missing) == len(DATABASE_NAMES):
        return []
    return [
        f"{name} is missing: give all of {', '.join(DATABASE_NAMES)}, or none for the embedded PostgreSQL."
        for name in missing
    ]


def table_markdown() -> str:
    """The settings as a Markdown table, for docs/operations.md."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{e.name}` | {f'`{e.default}`' if e.default else '–'} | {e.meaning} |" for e in TABLE]
    return "\n".join(lines)
