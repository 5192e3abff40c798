"""The log: one line per event on standard error, for people or for machines, with secrets masked."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from adapters.settings import Settings
from tenants.redact import redact_secrets

SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # A plain traceback: the default one shows local variables, and those hold secrets.
    structlog.processors.format_exc_info,
    redact_secrets,
)


def configure_logs(settings: Settings) -> None:
    """Send our lines and those of libraries through one chain; call once, first thing in a process."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: Processor = structlog.processors.JSONRenderer() if settings.log_format == "json" else _for_people
    structlog.configure(
        processors=[*SHARED, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # Libraries speak of their own workings; only what goes wrong there is ours to show.
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def _for_people(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> str:
    """`warning  worker.recovered  steps=3`, then the traceback if there is one; the time is the supervisor's."""
    line.pop("timestamp", None)
    trace = line.pop("exception", None)
    head = f"{line.pop('level', 'info'):<8} {line.pop('event', '')}"
    facts = "  ".join(f"{name}={value}" for name, value in line.items())
    return "\n".join(filter(None, (f"{head}  {facts}".rstrip(), trace)))
