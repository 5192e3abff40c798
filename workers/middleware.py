"""Dramatiq middleware of a worker unit."""

from __future__ import annotations

from typing import Any

import structlog
from dramatiq.middleware import Middleware, SkipMessage

from workers.slots import Slots

log = structlog.get_logger(__name__)


class DrainGuard(Middleware):
    """Skips tickets while the unit drains, and says when one has failed."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def before_process_message(self, broker: Any, message: Any) -> None:
        if self._slots.draining:
            raise SkipMessage

    def after_process_message(self, broker: Any, message: Any, *, result: Any = None, exception: Any = None) -> None:
        if exception is not None:
            log.error("ticket.failed", queue=message.queue_name, exc_info=exception)
