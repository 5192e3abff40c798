"""When a message is tried again, when an endpoint is given up, and whose messages go next: pure decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

Outcome = Literal["delivered", "refused", "redirected", "gone", "late", "unreachable", "forbidden", "sealed"]
"""How a try ended: 2xx; another status; 3xx (never followed); 410; out of time; no answer; an address that requests may
not reach; a signing secret that does not open."""

PAUSES_S: tuple[int, ...] = (5, 300, 1800, 7200, 18000, 36000, 36000)
"""Seconds to wait after each failed try, the first being made at once; after the last one the message is given up."""
SPREAD = 0.1
"""Pauses grow by up to this share, so that what failed together does not return together."""
GIVE_UP_AFTER = timedelta(days=5)
"""An endpoint that nothing has got through to for so long is switched off."""
LONGEST_WISH_S = 24 * 3600.0
"""A receiver that asks for a longer pause than this gets this one."""
LEASE_S = 60.0
"""A try that has not been settled by then counts as lost, and the message is due again."""
SECONDS = 15.0
"""A try takes at most so long, all in all."""

MOST_AT_ENDPOINT = 4
MOST_OF_TENANT = 16
MOST = 96
"""Tries under way at once: at one endpoint (one where it fails), of one workspace, in all."""


@dataclass(frozen=True)
class Verdict:
    """What a failed try leads to: the delivery's state and, while it waits, the seconds until the next try.

    `off`: the endpoint is switched off for this reason (`gone`, `failing`), else empty.
    """

    state: Literal["waiting", "held", "failed"]
    pause_s: float = 0.0
    off: str = ""


def after_failure(
    outcome: Outcome,
    failures: int,
    failing_for: timedelta,
    endpoint: str = "enabled",
    wish_s: float | None = None,
    chance: float = 0.0,
) -> Verdict:
    """Decide after the `failures`-th failed try in a row of a delivery (from 1).

    `failing_for`: how long nothing has got through to the endpoint; `endpoint`: its state; `wish_s`: the pause that the
    receiver asked for; `chance`: 0 to 1, spreads the pause.
    """
    if outcome == "gone":
        return Verdict("failed", off="gone")
    if endpoint == "disabled":
        return Verdict("failed")
    if endpoint == "enabled" and failing_for >= GIVE_UP_AFTER:
        return Verdict("failed", off="failing")
    if failures > len(PAUSES_S):
        return Verdict("failed")
    pause = PAUSES_S[failures - 1] * (1 + SPREAD * chance)
    if wish_s is not None:
        pause = max(pause, min(wish_s, LONGEST_WISH_S))
    return Verdict("held" if endpoint == "paused" else "waiting", pause)


def outcome_of(status: int) -> Outcome:
    """What an answer's status means."""
    if 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    return "redirected" if 300 <= status < 400 else "refused"


@dataclass(frozen=True)
class Due:
    """A delivery whose time has come; `failing`: nothing gets through to its endpoint at present."""

    tenant_id: UUID
    endpoint_id: UUID
    delivery_id: UUID
    failing: bool = False


def choose(due: Sequence[Due], busy: Collection[Due], most: int = MOST) -> list[Due]:
    """Whose tries begin now beside those under way: in turn between workspaces, then endpoints, the oldest first.

    Nobody takes more than a share, and an endpoint that fails gets one try at a time: a slow one holds up only itself.
    """
    at, of = Counter(one.endpoint_id for one in busy), Counter(one.tenant_id for one in busy)
    waiting: defaultdict[UUID, list[Due]] = defaultdict(list)
    for one in due:
        waiting[one.tenant_id].append(one)
    chosen: list[Due] = []
    while len(chosen) + len(busy) < most and waiting:
        tenant_id = min(waiting, key=lambda one: of[one])
        ready = [one for one in waiting[tenant_id] if at[one.endpoint_id] < (1 if one.failing else MOST_AT_ENDPOINT)]
        if not ready or of[tenant_id] >= MOST_OF_TENANT:
            del waiting[tenant_id]
            continue
        best = min(ready, key=lambda one: at[one.endpoint_id])
        waiting[tenant_id].remove(best)
        chosen.append(best)
        at[best.endpoint_id] += 1
        of[tenant_id] += 1
    return chosen


def is_full(endpoint: UUID, failing: bool, busy: Collection[Due]) -> bool:
    """Whether no further try may begin at an endpoint."""
    under_way = sum(1 for one in busy if one.endpoint_id == endpoint)
    return under_way >= (1 if failing else MOST_AT_ENDPOINT)


def failing_for(since: datetime | None, now: datetime) -> timedelta:
    """How long nothing has got through to an endpoint."""
    return timedelta(0) if since is None else now - since
