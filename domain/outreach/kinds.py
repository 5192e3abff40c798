"""What endpoints can be told of: each kind of message, and the event of the workspace that it is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Source:
    """An event of the workspace; `state` narrows `job.state` to the state that the job has come to."""

    event: str
    state: str = ""


KINDS: Mapping[str, Source] = {
    "job.created": Source("job.created"),
    "job.finished": Source("job.state", "succeeded"),
    "job.failed": Source("job.state", "failed"),
    "job.cancelled": Source("job.state", "cancelled"),
    "job.paused": Source("job.paused"),
    "step.failed": Source("step.dead"),
    "approval.waiting": Source("step.waiting"),
    "approval.decided": Source("approval.decided"),
    "approval.expired": Source("approval.expired"),
}
"""Kind → where it comes from. A new source also belongs into `IS_TOLD` of tenants/model.py (and a migration)."""
TEST = "webhook.test"
"""The kind of a message that somebody sends to try an endpoint; it is of no event."""
SOURCES: tuple[str, ...] = tuple(sorted({source.event for source in KINDS.values()}))
"""Every type of event that a kind comes from."""
_BY_SOURCE: Mapping[tuple[str, str], str] = {(source.event, source.state): kind for kind, source in KINDS.items()}


def kind_of(event: str, data: Mapping[str, Any]) -> str | None:
    """The kind of message that an event is told as; None = nobody is told."""
    state = str(data.get("state", "")) if event == "job.state" else ""
    return _BY_SOURCE.get((event, state))
