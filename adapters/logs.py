"""The log: one line per event on standard error, for people or for machines, with secrets masked."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from adapters.repeats import Repeats
from adapters.settings import Settings
from tenants.outage import is_away
from tenants.redact import redact_secrets

LOUD = ("warning", "error", "critical", "exception")
REPEATS = Repeats()


def shorten_outages(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An absent database needs no traceback: where it was missed says nothing about why."""
    given = line.get("exc_info")
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else sys.exc_info()[1]
    if given and is_away(error):
        line.pop("exc_info")
        line["error"] = "the database is away"
    return line


def hold_repeats(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say the same warning once in a while only, with how often it came. Raises DropEvent for those between."""
    if line.get("level") not in LOUD:
        return line
    times = REPEATS.times(tuple((name, str(line[name])) for name in sorted(line) if name != "timestamp"))
    if times == 0:
        raise structlog.DropEvent
    if times > 1:
        line["times"] = times
    return line


class LibraryLines(logging.Filter):
    """The same two rules for what libraries say."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and is_away(record.exc_info[1]):
            record.exc_info = None
        return REPEATS.times((record.levelno, record.getMessage())) > 0


SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # A plain traceback: the default one shows local variables, and those hold secrets.
    shorten_outages,
    structlog.processors.format_exc_info,
    redact_secrets,
)


def configure_logs(settings: Settings) -> None:
    """Send our lines and those of libraries through one chain; call once, first thing in a process."""
    REPEATS.forget()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: Processor = structlog.processors.JSONRenderer() if settings.log_format == "json" else _for_people
    structlog.configure(
        processors=[*SHARED, hold_repeats, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LibraryLines())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # Libraries speak of their own workings; only what goes wrong there is ours to show.
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    # It warns of every query whose asker has left, as a reader does who goes to another page.
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def _for_people(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> str:
    """`warning  worker.recovered  steps=3`, then the traceback if there is one; the time is the supervisor's."""
    line.pop("timestamp", None)
    trace = line.pop("exception", None)
    head = f"{line.pop('level', 'info'):<8} {line.pop('event', '')}"
    facts = "  ".join(f"{name}={value}" for name, value in line.items())
    return "\n".join(filter(None, (f"{head}  {facts}".rstrip(), trace)))
