"""Readings of a job that its page and its live updates share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.room import Room
from app.views.job import JobView, make_job
from app.views.log import LEVELS, Grouping, LogView, make_log
from app.views.money import Doubt, make_doubts
from app.views.outputs import READ_LIMIT, Item
from app.views.writing import Writing, make_writing
from domain.production.log_queries import LOG_WINDOW, log_lines
from domain.production.queries.cost import open_calls
from domain.production.queries.job import JobDetail
from tenants.unit import Unit

WINDOW_OVERVIEW = 400
"""Lines of the log on the overview; the Logs tab has more."""


@dataclass(frozen=True)
class LogWish:
    """How a reader narrowed the log, from the address."""

    step: str = ""
    level: str = "all"
    search: str = ""

    @property
    def plain(self) -> bool:
        return not self.step and self.level == "all" and not self.search


def read_wish(query: Mapping[str, Any]) -> LogWish:
    level = str(query.get("level", "all"))
    return LogWish(str(query.get("step", ""))[:40], level if level in LEVELS else "all", str(query.get("q", ""))[:200])


def read_view(room: Room, detail: JobDetail, tab: str) -> JobView:
    """The frame of a job's page for this person."""
    return make_job(
        room.tongue,
        detail,
        principal=room.principal,
        base=room.job_base,
        tab=tab,
        now=room.site.clock.now(),
    )


async def read_doubts(room: Room, unit: Unit, detail: JobDetail) -> list[Doubt]:
    """The calls that wait for a person; looked for only when a step waits because of one."""
    if not any(step.error_class == "InDoubt" and step.state in ("held", "dead") for step in detail.steps):
        return []
    return make_doubts(room.tongue, await open_calls(unit, detail.job.id))


async def read_writing(room: Room, unit: Unit, detail: JobDetail) -> Writing | None:
    """The script as far as it is written, while its step runs; None while nothing of it can be read."""
    steps = [step.id for step in detail.steps if step.kind == "script" and step.state == "running"]
    return make_writing(room.tongue, await log_lines(unit, detail.job.id, steps, last=LOG_WINDOW)) if steps else None


async def read_log(room: Room, unit: Unit, detail: JobDetail, window: int) -> LogView:
    """The log card: the end of the log, or what matches in all of it."""
    wish = read_wish(room.request.query_params)
    steps = [step for step in detail.steps if step.kind == wish.step] if wish.step else list(detail.steps)
    searching = wish.level != "all" or wish.search
    lines = await log_lines(
        unit,
        detail.job.id,
        [step.id for step in steps] if wish.step else None,
        last=None if searching else window,
    )
    grouping = Grouping(room.tongue, {step.id: step for step in detail.steps}, room.site.clock.now())
    return make_log(
        grouping,
        lines,
        total=detail.job.log_lines,
        window=window,
        step=wish.step,
        level=wish.level,
        search=wish.search,
        steps=detail.steps,
    )


@dataclass(frozen=True)
class ShownText:
    """A text output opened on the page; `cut` says that only its beginning is shown."""

    item: Item
    text: str
    cut: bool


async def read_shown(room: Room, view: JobView) -> ShownText | Item | None:
    """The output that the address asks to look at."""
    name = room.request.query_params.get("show", "")
    items = [item for section in view.outputs.sections for item in section.items]
    item = next((item for item in items if item.name == name), None)
    if item is None or item.way != "text":
        return item
    body = await room.site.store.get_bytes(room.principal.tenant_id, item.sha256)
    return ShownText(item, body[:READ_LIMIT].decode("utf-8", "replace"), len(body) > READ_LIMIT)
