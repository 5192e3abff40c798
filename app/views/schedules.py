"""Schedules in words: what, how often, when next, and how the last time went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_datetime, get_day_names

from app.i18n import Tongue, zone_names, zone_of
from app.views.marks import Mark, maker_name
from app.views.settings import Option
from domain.production.model import Schedule
from domain.production.schedules import upcoming


@dataclass(frozen=True)
class ScheduleRow:
    """One schedule. `times` are its next times, the nearest first; empty when it is over or paused."""

    id: str
    topic: str
    recipe: str
    project: str
    rule: str
    times: tuple[tuple[datetime, str], ...]
    mark: Mark
    paused: bool
    over: bool
    base: str
    last: str
    last_href: str
    error: str
    by: str


def make_schedules(tongue: Tongue, rows: Sequence[tuple[Schedule, str]], base: str, now: datetime) -> list[ScheduleRow]:
    """Build the rows; `base` is the address of the workspace."""
    return [_row(tongue, row, slug, base, now) for row, slug in rows]


def _row(tongue: Tongue, row: Schedule, slug: str, base: str, now: datetime) -> ScheduleRow:
    over = row.next_at is None
    times = [] if row.next_at is None else upcoming(row.next_at, row.repeat, row.zone, row.days)
    project = f"{base}/p/{slug}"
    return ScheduleRow(
        id=str(row.id),
        topic=" ".join(str(row.request.get("topic", "")).split())[:120],
        recipe=str(row.request.get("recipe", "")),
        project=slug,
        rule=say_rule(tongue, row),
        times=tuple((moment, say_time(tongue, moment, row.zone)) for moment in times),
        mark=_mark(tongue, row, over),
        paused=row.paused,
        over=over,
        base=f"{project}/schedules",
        last=tongue.gettext("#%(number)s, %(when)s", number=row.last_number, when=tongue.moment(row.last_at, now))
        if row.last_number and row.last_at
        else "",
        last_href=f"{project}/jobs/{row.last_number}" if row.last_number else "",
        error=row.last_error or "",
        by=maker_name(tongue, row.made_by_name),
    )


def _mark(tongue: Tongue, row: Schedule, over: bool) -> Mark:
    if row.last_error and not over:
        return Mark("bad", "circle-alert", tongue.gettext("the last time did not start"))
    if row.last_error:
        return Mark("bad", "circle-alert", tongue.gettext("did not start"))
    if over:
        return Mark("ok", "circle-check", tongue.gettext("over"))
    if row.paused:
        return Mark("wait", "circle-pause", tongue.gettext("paused"))
    return Mark("idle", "clock", tongue.gettext("waits for its time"))


def say_time(tongue: Tongue, moment: datetime, zone: str) -> str:
    """A time where the schedule lives: weekday, date, hour."""
    return format_datetime(moment, "EEE d MMM y HH:mm", tzinfo=zone_of(zone), locale=tongue.locale)


def say_rule(tongue: Tongue, row: Schedule) -> str:
    """How often, in the zone that the schedule keeps."""
    words = {
        "once": tongue.gettext("Once"),
        "hourly": tongue.gettext("Every hour"),
        "daily": tongue.gettext("Every day"),
        "weekly": tongue.gettext("Every week"),
        "monthly": tongue.gettext("Every month"),
    }
    rule = words.get(row.repeat, row.repeat)
    if row.repeat == "weekly" and row.days:
        names = get_day_names("abbreviated", locale=tongue.locale)
        rule = f"{rule}: {', '.join(str(names[day]) for day in row.days)}"
    if row.repeat == "monthly" and row.days:
        rule = tongue.gettext("%(rule)s on day %(day)s", rule=rule, day=row.days[0])
    return tongue.gettext("%(rule)s, time of %(zone)s", rule=rule, zone=row.zone.replace("_", " "))


def repeat_options(tongue: Tongue) -> list[Option]:
    """The ways to repeat."""
    return [
        Option("once", tongue.gettext("Once")),
        Option("hourly", tongue.gettext("Every hour")),
        Option("daily", tongue.gettext("Every day")),
        Option("weekly", tongue.gettext("Every week"), tongue.gettext("on the days below")),
        Option("monthly", tongue.gettext("Every month"), tongue.gettext("on the same day, or the last of the month")),
    ]


def day_options(tongue: Tongue) -> list[Option]:
    """The days of the week."""
    names = get_day_names("abbreviated", locale=tongue.locale)
    return [Option(f"d{day}", str(names[day])) for day in range(7)]


def zone_options() -> list[Option]:
    """Every time zone."""
    return [Option(name, name.replace("_", " ")) for name in zone_names()]
