"""When a schedule comes next; local times stay the same over changes of the clocks. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.production.errors import Fault

Repeat = Literal["once", "hourly", "daily", "weekly", "monthly"]
REPEATS: tuple[Repeat, ...] = get_args(Repeat)
FURTHEST = timedelta(days=366)


def check_schedule(at: datetime, repeat: str, zone: str, now: datetime, days: Sequence[int] = ()) -> list[Fault]:
    """Answer everything wrong with a schedule. `days` are weekdays of a weekly one, 0 = Monday."""
    faults = []
    if repeat not in REPEATS:
        fix = f"Use one of {', '.join(REPEATS)}."
        faults.append(Fault("repeat", f"“{repeat[:40]}” is not a way to repeat.", fix))
    if not known_zone(zone):
        faults.append(Fault("zone", f"There is no time zone “{zone[:60]}”.", "Use a name such as America/Sao_Paulo."))
    if days and (repeat != "weekly" or not set(days) <= set(range(7))):
        faults.append(Fault("days", "These days do not fit.", "Name weekdays, and only for a weekly schedule."))
    if at <= now:
        faults.append(Fault("at", "The time has passed.", "Choose a time that is still to come."))
    if at > now + FURTHEST:
        faults.append(Fault("at", "The time is more than a year away.", "Choose an earlier one."))
    return faults


def known_zone(zone: str) -> bool:
    """Whether there is such a time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def anchor_days(at: datetime, repeat: str, zone: str, days: Sequence[int]) -> list[int]:
    """The days that a schedule keeps: weekdays, or the day of the month that its first time names."""
    local = at.astimezone(ZoneInfo(zone))
    if repeat == "weekly":
        return sorted(set(days)) or [local.weekday()]
    return [local.day] if repeat == "monthly" else []


def first_time(at: datetime, repeat: str, zone: str, days: Sequence[int] = ()) -> datetime:
    """The first time of a schedule at or after `at`: the wanted moment, or the next of the wanted weekdays."""
    local = at.astimezone(ZoneInfo(zone))
    if repeat != "weekly" or not days or local.weekday() in days:
        return at.astimezone(UTC)
    return next(found for found in _days_after(local, zone) if found.astimezone(ZoneInfo(zone)).weekday() in days)


def next_time(at: datetime, repeat: str, zone: str, now: datetime, days: Sequence[int] = ()) -> datetime | None:
    """The first time after `now` of a schedule that was due `at`; None when it does not repeat.

    What was missed while nobody worked is not made up for: one job, not a swarm.
    """
    if repeat == "once":
        return None
    if repeat == "hourly":
        hours = max(1, int((now - at) / timedelta(hours=1)) + 1)
        return at + timedelta(hours=hours)
    local = at.astimezone(ZoneInfo(zone))
    if repeat == "monthly":
        times = _months_after(local, zone, days[0] if days else local.day)
    else:
        wanted = set(days) or ({local.weekday()} if repeat == "weekly" else set(range(7)))
        skipped = max(0, (now - at).days - 1)
        ahead = _days_after(local + timedelta(days=skipped), zone)
        times = (found for found in ahead if found.astimezone(ZoneInfo(zone)).weekday() in wanted)
    return next(found for found in times if found > now)


def upcoming(at: datetime, repeat: str, zone: str, days: Sequence[int] = (), most: int = 3) -> list[datetime]:
    """The next times of a schedule, the due one first."""

    def times() -> Iterator[datetime]:
        found: datetime | None = at
        while found is not None:
            yield found
            found = next_time(found, repeat, zone, found, days)

    return list(islice(times(), most))


def _days_after(local: datetime, zone: str) -> Iterator[datetime]:
    """The same hour on every later day, in UTC; adding days to a local time keeps its hour."""
    day = 0
    while True:
        day += 1
        yield _moment(local.date() + timedelta(days=day), local, zone)


def _months_after(local: datetime, zone: str, day: int) -> Iterator[datetime]:
    """The same day and hour in every later month; a month without that day gives its last one."""
    month = local.year * 12 + local.month - 1
    while True:
        month += 1
        year, index = divmod(month, 12)
        last = calendar.monthrange(year, index + 1)[1]
        yield _moment(date(year, index + 1, min(day, last)), local, zone)


def _moment(day: date, local: datetime, zone: str) -> datetime:
    return datetime.combine(day, local.time(), ZoneInfo(zone)).astimezone(UTC)
