"""Why a step waits, in the order in which people should hear it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Code = Literal[
    "pool_paused", "workspace_paused", "project_paused", "no_worker", "workspace_limit", "project_limit", "line"
]


@dataclass(frozen=True)
class Place:
    """How things stand around a waiting step. Empty reason = not paused; limit None = none."""

    pool: str
    slots: int
    pool_reason: str = ""
    pool_by: str = ""
    workspace_reason: str = ""
    workspace_by: str = ""
    project_reason: str = ""
    project_by: str = ""
    running: int = 0
    limit: int = 1
    project_running: int = 0
    project_limit: int | None = None
    rank: int = 1
    before: int | None = None


def why(place: Place) -> dict[str, Any]:
    """The reason as data: `code` and what its sentence needs."""
    pauses: tuple[tuple[Code, str, str], ...] = (
        ("workspace_paused", place.workspace_reason, place.workspace_by),
        ("project_paused", place.project_reason, place.project_by),
        ("pool_paused", place.pool_reason, place.pool_by),
    )
    for code, reason, by in pauses:
        if reason:
            return {"code": code, "reason": reason, "by": by, "pool": place.pool}
    if place.slots == 0:
        return {"code": "no_worker", "pool": place.pool}
    if place.running >= place.limit:
        return {"code": "workspace_limit", "running": place.running, "limit": place.limit}
    if place.project_limit is not None and place.project_running >= place.project_limit:
        return {"code": "project_limit", "running": place.project_running, "limit": place.project_limit}
    return {"code": "line", "pool": place.pool}
