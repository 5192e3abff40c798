"""Why a job waits, where it stands and when it will be done, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from app.i18n import Tongue
from domain.dispatch.policy import PRIORITIES


class Waiter(Protocol):
    """What is known of a job that waits."""

    @property
    def waiting(self) -> Mapping[str, Any] | None: ...
    @property
    def position(self) -> int | None: ...
    @property
    def ahead(self) -> int | None: ...


class Expected(Waiter, Protocol):
    """What is foreseen of a job."""

    @property
    def eta_p50(self) -> datetime | None: ...
    @property
    def eta_p90(self) -> datetime | None: ...


def say_waiting(tongue: Tongue, state: str, job: Waiter, now: datetime) -> str:
    """Up to three short sentences for a job that has not begun; nothing when no reason is known."""
    if state != "queued" or not job.waiting:
        return ""
    parts = [say_reason(tongue, job.waiting, job.position)]
    if job.waiting.get("code") == "line" and job.ahead is not None:
        parts.append(tongue.ngettext("%(num)s step is served before.", "%(num)s steps are served before.", job.ahead))
    return " ".join(filter(None, [*parts, say_start(tongue, job.waiting, now)]))


def say_start(tongue: Tongue, waiting: Mapping[str, Any], now: datetime) -> str:
    """When it will begin, marked as an estimate; nothing when that is not foreseen or over."""
    try:
        starts = datetime.fromisoformat(str(waiting.get("starts_at", "")))
        seconds = (starts - now).total_seconds()
    except (ValueError, TypeError):
        return ""
    return tongue.gettext("Begins in about %(time)s.", time=tongue.rough(seconds)) if seconds > 1 else ""


ENDLESS = frozenset({"workspace_paused", "project_paused", "pool_paused", "no_worker"})
"""Reasons that last until somebody does something: nobody can say how long it takes then."""


def say_left(tongue: Tongue, state: str, job: Expected, now: datetime) -> str:
    """How long a job still takes; nothing when it does not move or nobody can know."""
    if state not in ("queued", "running") or (state == "queued" and (job.waiting or {}).get("code") in ENDLESS):
        return ""
    return say_eta(tongue, job.eta_p50, job.eta_p90, now)


def say_eta(tongue: Tongue, p50: datetime | None, p90: datetime | None, now: datetime) -> str:
    """How long it still takes: about, and within what nine of ten jobs end; nothing when that has passed."""
    if p50 is None or p50 <= now:
        return ""
    about = tongue.rough((p50 - now).total_seconds())
    if p90 is None or p90 <= p50:
        return tongue.gettext("about %(time)s left", time=about)
    within = tongue.rough((p90 - now).total_seconds())
    return tongue.gettext("about %(time)s left, very likely within %(within)s", time=about, within=within)


def say_pause(tongue: Tongue, where: str, reason: str, by: str, pool: str = "") -> str:
    """A pause of a workspace, project or pool: what, by whom and why."""
    who = by or tongue.gettext("the farm’s operator")
    match where:
        case "workspace":
            return tongue.gettext(
                "The workspace is paused by %(who)s, because: %(reason)s", who=who, reason=_end(reason)
            )
        case "project":
            return tongue.gettext("The project is paused by %(who)s, because: %(reason)s", who=who, reason=_end(reason))
    return tongue.gettext(
        "Workers of “%(pool)s” are paused by %(who)s, because: %(reason)s", pool=pool, who=who, reason=_end(reason)
    )


def _end(reason: str) -> str:
    return reason if reason.endswith((".", "!", "?", "…")) else f"{reason}."


def say_reason(tongue: Tongue, found: Mapping[str, Any], position: int | None) -> str:
    """The reason alone."""
    code, pool = str(found.get("code", "")), str(found.get("pool", ""))
    numbers = {"running": found.get("running", 0), "limit": found.get("limit", 0)}
    match code:
        case "workspace_paused" | "project_paused" | "pool_paused":
            where = code.removesuffix("_paused")
            return say_pause(tongue, where, str(found.get("reason", "")), str(found.get("by", "")), pool)
        case "no_worker":
            return tongue.gettext("Waiting for a %(pool)s worker.", pool=pool_word(pool))
        case "workspace_limit":
            return tongue.gettext("Your workspace runs %(running)s of %(limit)s steps.", **numbers)
        case "project_limit":
            return tongue.gettext("The project runs %(running)s of %(limit)s steps.", **numbers)
    return tongue.gettext("Place %(place)s in your workspace.", place=tongue.number(position or 1))


def pool_word(pool: str) -> str:
    """A class of workers as people say it: CPU, GPU (nvenc), IO (eu)."""
    kind, _, rest = pool.replace("@", ".").partition(".")
    return f"{kind.upper()} ({rest.replace('.', ', ')})" if rest else kind.upper()


def say_level(tongue: Tongue, priority: int) -> str:
    """The word for a level of priority that is not the usual one."""
    words = {PRIORITIES["urgent"]: tongue.gettext("Urgent"), PRIORITIES["batch"]: tongue.gettext("Batch")}
    return words.get(priority, "")
