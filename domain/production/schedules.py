"""When a schedule comes next; local times stay the same over changes of the clocks. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.production.errors import Fault

Repeat = Literal["once", "hourly", "daily", "weekly"]
REPEATS: tuple[Repeat, ...] = get_args(Repeat)
DAYS = {"daily": 1, "weekly": 7}


def check_schedule(at: datetime, repeat: str, zone: str, now: datetime) -> list[Fault]:
    """Answer everything wrong with a schedule."""
    faults = []
    if repeat not in REPEATS:
        fix = f"Use one of {', '.join(REPEATS)}."
        faults.append(Fault("repeat", f"“{repeat[:40]}” is not a way to repeat.", fix))
    if not known_zone(zone):
        faults.append(Fault("zone", f"There is no time zone “{zone[:60]}”.", "Use a name such as America/Sao_Paulo."))
    if at <= now:
        faults.append(Fault("at", "The time has passed.", "Choose a time that is still to come."))
    if at > now + timedelta(days=366):
        faults.append(Fault("at", "The time is more than a year away.", "Choose an earlier one."))
    return faults


def known_zone(zone: str) -> bool:
    """Whether there is such a time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def next_time(at: datetime, repeat: str, zone: str, now: datetime) -> datetime | None:
    """The first time after `now` of a schedule that was due `at`; None when it does not repeat.

    What was missed while nobody worked is not made up for: one job, not a swarm.
    """
    if repeat == "once":
        return None
    if repeat == "hourly":
        hours = max(1, int((now - at) / timedelta(hours=1)) + 1)
        return at + timedelta(hours=hours)
    local = at.astimezone(ZoneInfo(zone))
    step = DAYS[repeat]
    days = step * max(1, int((now - at) / timedelta(days=step)))
    while True:
        # Adding days to a local time keeps its hour over a change of the clocks.
        found = (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if found > now:
            return found
        days += step
