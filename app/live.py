"""Live pages: one event stream per open job page.

The stream says only what has changed, as the same blocks the page is made of. Its ids are `seq.line`: the tenant's
event number and the log line that the page has after this message, so that a reader who comes back continues
exactly there. Redis only hints that there is something to read; without it the poll finds the same, later.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import structlog
from litestar import Response, get
from litestar.response import Stream

from adapters.queue.names import events_channel, progress_channel
from app.errors import Missing
from app.forms import FormState
from app.gate_reading import Asked, read_asked, show_asked
from app.job_reading import read_doubts, read_view
from app.room import Room
from app.session import token_of
from app.side import Side
from app.site import AnyRequest
from app.templating import partial
from app.views.job import JobView
from app.views.log import Grouping, log_heading, show_line
from app.views.marks import Mark
from app.views.shell import side_address
from app.views.waterfall import make_waterfall
from app.views.wave import wave_path
from domain.production.log_queries import LOG_WINDOW, LogLine, log_after, log_lines
from domain.production.queries.job import Pulse, find_job, job_detail, pulse, tries_of
from tenants.directory import load_visitor
from tenants.outage import is_away

HEARTBEAT_S = 15.0
RIGHTS_S = 30.0
LIFETIME_S = 3600.0
BATCH_S = 0.2
"""At most five messages a second."""
LOG_STEP = 500
COMMENT = ": still here\n\n"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Position:
    """Where a reader stands: the last event and the last log line they have."""

    seq: int
    line: int

    def __str__(self) -> str:
        return f"{self.seq}.{self.line}"


def read_position(last_event_id: str | None, after: str) -> Position:
    """The reader's position: from the header on reconnection, else from the page's address."""
    seq, _, line = (last_event_id or after or "").strip().partition(".")
    return Position(_number(seq), _number(line))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def message(data: str, position: Position | None = None, event: str = "") -> str:
    """Write one message of an event stream."""
    lines = [f"id: {position}"] if position is not None else []
    lines += [f"event: {event}"] if event else []
    lines += [f"data: {line}" for line in data.splitlines() or [""]]
    return "\n".join(lines) + "\n\n"


@get("/w/{tenant:str}/p/{project:str}/jobs/{number:str}/events")
async def stream_job(request: AnyRequest) -> Response[Any]:
    """Open the stream of a job's page (`tab` says which page)."""
    room = await Room.enter(request)
    async with room.open() as unit:
        job = await find_job(unit, room.project_slug, room.number)
        if job is None:
            raise Missing
        job_id = job.id
    position = read_position(request.headers.get("last-event-id"), request.query_params.get("after", ""))
    tab = str(request.query_params.get("tab", "overview"))
    came_from = "inbox" if request.query_params.get("from", "") == "inbox" else ""
    side = Side(room, room.project_slug)
    reader = Reader(room, job_id, tab, position, plain=_plain(request), came_from=came_from, side=side)
    return Stream(
        guarded(reader.messages),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _plain(request: AnyRequest) -> bool:
    """Whether the page shows the log as it is (a narrowed log is not added to)."""
    return request.query_params.get("narrow", "") == ""


async def guarded(messages: Callable[[], AsyncIterator[str]]) -> AsyncIterator[bytes]:
    """Never let a stream end silently by an error: say it, with a reference, and close."""
    try:
        async for text in messages():
            yield text.encode()
    except Exception as error:
        reference = uuid4().hex[:16]
        if is_away(error):
            # The page opens its stream again by itself, and its requests say the same of the database.
            log.warning("stream.no_database", reference=reference)
        else:
            log.exception("stream.failed", reference=reference)
        yield message(reference, event="error").encode()


@dataclass
class Reader:
    """One open page: what it has been sent, and how to bring it up to date."""

    room: Room
    job_id: UUID
    tab: str
    position: Position
    plain: bool = True
    came_from: str = ""
    side: Side | None = None
    _sent: dict[str, str] = field(default_factory=dict)
    _pulse: Pulse | None = None
    _groups: dict[str, tuple[LogLine, Mark]] | None = None

    async def messages(self) -> AsyncIterator[str]:
        """Yield messages until the job ends, the reader's rights end, or the stream has lived long enough."""
        site, tenant = self.room.site, self.room.principal.tenant_id
        born = checked = beat = time.monotonic()
        hints = site.feed.listen(events_channel(tenant), progress_channel(tenant))
        # The first bytes tell the browser that the line stands.
        yield COMMENT
        async with aclosing(hints) as listened:  # type: ignore[type-var]
            async for hint in listened:
                now = time.monotonic()
                if self.side is not None:
                    self.side.hear(hint)
                if site.closing or now - born > LIFETIME_S:
                    return
                if now - checked > RIGHTS_S:
                    checked = now
                    if not await self._may_still_read():
                        yield message("", event="end")
                        return
                if hint is not None and not self._concerns(hint):
                    continue
                ended = False
                async for text, last in self._news():
                    beat, ended = time.monotonic(), last
                    yield text
                if ended:
                    return
                if self.side is not None and (counted := await self.side.news()):
                    yield message("".join(counted))
                if time.monotonic() - beat > HEARTBEAT_S:
                    beat = time.monotonic()
                    yield COMMENT

    def _concerns(self, hint: str) -> bool:
        """A progress hint names its job; an event hint names a number and may be about any job."""
        return "-" not in hint or hint == str(self.job_id)

    async def _may_still_read(self) -> bool:
        """Read session, membership and job again: rights may have ended while the stream was open."""
        visitor = await load_visitor(self.room.site.units, token_of(self.room.request))
        principal = visitor.principal(self.room.seat.slug) if visitor else None
        if visitor is None or principal is None:
            return False
        self.room.visitor, self.room.principal = visitor, principal
        async with self.room.open() as unit:
            return await find_job(unit, self.room.project_slug, self.room.number) is not None

    # ── What has changed ──────────────────────────────────────────────────────────────────────────────────
    async def _news(self) -> AsyncIterator[tuple[str, bool]]:
        """Yield the messages that bring the page up to date; the flag marks the last one of the job."""
        more = True
        while more:
            began = time.monotonic()
            fresh = await self._read()
            if fresh is None:
                return
            view, values, logged, more = fresh
            parts = self._changed(values) + logged
            self.position = Position(max(view.seq, self.position.seq), self.position.line)
            if parts:
                yield message("".join(parts), self.position), False
            if view.final and not more:
                yield message(self._closing(values), self.position), False
                yield message("", event="end"), True
                return
            await asyncio.sleep(max(0.0, BATCH_S - (time.monotonic() - began)))

    async def _read(self) -> tuple[JobView, dict[str, Any], list[str], bool] | None:
        """Read the job when its pulse has changed; None when the page is already up to date."""
        follows = self.tab in ("overview", "logs") and self.plain
        async with self.room.open() as unit:
            beat = await pulse(unit, self.job_id)
            if beat is None or (beat == self._pulse and not (follows and self.position.line < beat.log_lines)):
                return None
            job = await find_job(unit, self.room.project_slug, self.room.number)
            if job is None:
                return None
            detail = await job_detail(unit, job)
            grouping = Grouping(self.room.tongue, {s.id: s for s in detail.steps}, self.room.site.clock.now())
            lines: list[LogLine] = []
            if follows:
                await self._groups_of_page(unit, grouping)
                lines = await log_after(unit, self.job_id, self.position.line, LOG_STEP)
            doubts = await read_doubts(self.room, unit, detail) if self.tab == "overview" else []
            asked = await read_asked(unit, detail) if self.tab == "overview" else Asked()
            tries = await tries_of(unit, self.job_id) if self.tab == "steps" else None
        self._pulse = beat
        view = read_view(self.room, detail, self.tab)
        values: dict[str, Any] = {
            "view": view,
            "tab": self.tab,
            "wave": await self._wave(view),
            "shown": None,
            "doubts": doubts,
        }
        if tries is not None:
            values["fall"] = make_waterfall(
                self.room.tongue, detail.steps, tries, self.room.job_base, self.room.site.clock.now()
            )
        if self.tab == "overview":
            values |= {**await show_asked(self.room, detail, asked), "answer": FormState({}), "late": ""}
            values["came_from"] = self.came_from
            heading, attempt = log_heading(self.room.tongue, "", detail.steps)
            values["heading"], values["attempt"] = heading, attempt
        return view, values, self._log_parts(grouping, job.log_lines, lines), len(lines) >= LOG_STEP

    async def _wave(self, view: JobView) -> str:
        narration = view.outputs.narration
        if narration is None or self.tab != "overview":
            return ""
        return await wave_path(self.room.site.store, self.room.principal.tenant_id, narration.sha256)

    def _changed(self, values: dict[str, Any]) -> list[str]:
        """The blocks that look different from what this page was sent last."""
        full = self.room.values(shell=None, **values)
        parts = []
        for target, block in BLOCKS.get(self.tab, FRAME).items():
            body = self._block(block, full)
            digest = hashlib.sha256(body.encode()).hexdigest()
            if self._sent.get(target) != digest:
                self._sent[target] = digest
                parts.append(partial(target, body))
        return parts

    def _closing(self, values: dict[str, Any]) -> str:
        """Replace the live element with a plain one: the job has ended and nothing will change but the navigation."""
        ended = partial("live", self._block("ended", self.room.values(shell=None, **values)), "outerHTML")
        address = side_address(self.room.seat.slug, self.room.project_slug)
        side = self.room.site.templates.block("ui/side.html", "begun", self.room.tongue, {"value": address})
        return ended + partial("side-live", side, "outerHTML")

    def _block(self, block: str, values: dict[str, Any]) -> str:
        return self.room.site.templates.block(f"jobs/job_{self.tab}.html", block, self.room.tongue, values)

    # ── The log ───────────────────────────────────────────────────────────────────────────────────────────
    async def _groups_of_page(self, unit: Any, grouping: Grouping) -> None:
        """Read once which groups the page has already."""
        if self._groups is not None:
            return
        self._groups = {}
        for line in await log_lines(unit, self.job_id, None, last=LOG_WINDOW):
            if line.number <= self.position.line:
                self._groups.setdefault(grouping.key(line), (line, grouping.mark_of(line)))

    def _log_parts(self, grouping: Grouping, total: int, lines: list[LogLine]) -> list[str]:
        """Lines into the groups the page has, new groups at its end, and marks of groups that have changed."""
        known = self._groups if self._groups is not None else {}
        fresh: dict[str, list[LogLine]] = {}
        for line in lines:
            fresh.setdefault(grouping.key(line), []).append(line)
        parts = [self._into(grouping, key, group, key in known) for key, group in fresh.items()]
        for key, group in fresh.items():
            known.setdefault(key, (group[0], grouping.mark_of(group[0])))
        for key, (first, mark) in list(known.items()):
            now = grouping.mark_of(first)
            if now != mark:
                known[key] = (first, now)
                parts.append(partial(f"m-{key}", self._part("log_mark", {"id": key, "mark": now})))
        if lines:
            self.position = Position(self.position.seq, lines[-1].number)
            # A line may have come between the reading of the job and that of its lines.
            parts.append(partial("log-total", self._part("log_total", max(total, lines[-1].number))))
        return parts

    def _into(self, grouping: Grouping, key: str, group: list[LogLine], known: bool) -> str:
        if known:
            return partial(key, self._part("log_lines", [show_line(line) for line in group]), "beforeend")
        return partial("log-lines", self._part("log_group", grouping.gather(group)[0]), "beforeend")

    def _part(self, block: str, value: Any) -> str:
        templates = self.room.site.templates
        return templates.block("jobs/log_parts.html", block, self.room.tongue, {"value": value})


FRAME = {"job-head": "head", "job-tabs": "tabs", "said": "said"}
BLOCKS: dict[str, dict[str, str]] = {
    "overview": {
        **FRAME,
        "job-failure": "failure",
        "gates": "gates",
        "decisions": "decisions",
        "pipeline": "pipeline",
        "film": "film",
        "artifacts": "artifacts",
        "cost": "cost",
        "provenance": "provenance",
        "log-heading": "log_heading",
    },
    "steps": {**FRAME, "fall": "fall"},
    "artifacts": {**FRAME, "sections": "sections"},
}
"""Tab → element on the page → block of the page's template that it is made of."""
