"""The queue page: pools, jobs that wait and why, workers, what is tried again, what has failed, what is scheduled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from app.i18n import Tongue
from app.views.marks import Mark, kind_name, part_name
from app.views.sayings import UNEXPLAINED
from app.views.waiting import ENDLESS, pool_word, say_eta, say_level, say_pause, say_reason, say_start
from domain.production.queries.projects import ProjectLine
from domain.production.queries.queue import Hold, PoolLine, Queue, QueueWish, StepLine, WaitingLine, WorkerLine

FRESH = timedelta(seconds=45)
"""A worker heard of within this time is well; beats come every third of a lease."""


@dataclass(frozen=True)
class PoolRow:
    pool: str
    name: str
    ready: str
    running: str
    oldest_at: datetime | None
    oldest: str
    hour: str
    workers: str
    paused: str


@dataclass(frozen=True)
class StepRow:
    """A step of one of the lists. `until` says when it is tried again, `why` what went wrong."""

    id: str
    job_id: str
    number: int
    title: str
    href: str
    step: str
    tries: str
    until_at: datetime | None
    until: str
    since_at: datetime | None
    since: str
    why: str
    error: str
    letter: bool


@dataclass(frozen=True)
class WaitingRow:
    number: int
    title: str
    href: str
    place: str
    why: str
    ahead: str
    starts: str
    left: str
    urgent: str
    since_at: datetime
    since: str


@dataclass(frozen=True)
class WorkerRow:
    id: str
    name: str
    mark: Mark
    pools: str
    memory: str
    seen_at: datetime
    seen: str
    steps: tuple[StepRow, ...]


@dataclass(frozen=True)
class Choice:
    """An entry of a filter."""

    label: str
    href: str
    current: bool


@dataclass(frozen=True)
class QueueView:
    """The page. `pauses` are sentences for everybody; `held` says what the button of this page would end."""

    base: str
    load: str
    pauses: tuple[str, ...]
    held: bool
    where: str
    project: str
    project_name: str
    pools: tuple[PoolRow, ...]
    waiting: tuple[WaitingRow, ...]
    workers: tuple[WorkerRow, ...]
    others: str
    delayed: tuple[StepRow, ...]
    dead: tuple[StepRow, ...]
    dead_total: int
    dead_shown: str
    kind: str
    error: str
    query: str
    now: datetime


def make_queue(tongue: Tongue, found: Queue, base: str, wish: QueueWish, projects: Sequence[ProjectLine]) -> QueueView:
    """Build the page from one reading."""
    project = next((line for line in projects if line.id == wish.project_id), None)
    now, total = found.now, found.totals.get("dead", 0)
    return QueueView(
        base=f"{base}/queue",
        load=tongue.gettext("%(running)s of %(limit)s steps run", running=found.running, limit=found.limit),
        pauses=_pauses(tongue, found),
        held=bool((found.project_hold if project else found.hold).reason),
        where="project" if project else "workspace",
        project=project.slug if project else "",
        project_name=project.name if project else "",
        pools=tuple(_pool(tongue, line, now) for line in found.pools),
        waiting=tuple(_waiting(tongue, line, base, now) for line in found.waiting),
        workers=tuple(_worker(tongue, line, base, now) for line in found.workers),
        others=_others(tongue, found),
        delayed=tuple(_step(tongue, line, base, now) for line in found.delayed),
        dead=tuple(_step(tongue, line, base, now) for line in found.dead),
        dead_total=total,
        dead_shown=tongue.gettext("the first %(num)s", num=len(found.dead)) if total > len(found.dead) else "",
        kind=wish.kind,
        error=wish.error,
        query=query_of(project.slug if project else "", wish),
        now=now,
    )


def query_of(project: str, wish: QueueWish) -> str:
    """The filter as it stands in the address."""
    parts = {"project": project, "kind": wish.kind, "error": wish.error}
    return urlencode({name: value for name, value in parts.items() if value})


def project_choices(tongue: Tongue, projects: Sequence[ProjectLine], base: str, current: str) -> list[Choice]:
    """All projects, and each alone."""
    whole = Choice(tongue.gettext("All projects"), f"{base}/queue", not current)
    return [
        whole,
        *(Choice(line.name, f"{base}/queue?project={line.slug}", line.slug == current) for line in projects),
    ]


def letter_filters(
    tongue: Tongue, found: Sequence[tuple[str, str, int]], base: str, project: str, wish: QueueWish
) -> list[Choice]:
    """The kinds and errors of dead letters, with their numbers; a chosen one is switched off by following it."""
    counted: dict[tuple[str, str], int] = {}
    for kind, error, many in found:
        counted["kind", kind] = counted.get(("kind", kind), 0) + many
        if error:
            counted["error", error] = counted.get(("error", error), 0) + many
    chosen: Mapping[str, str] = {"kind": wish.kind, "error": wish.error}
    answer = []
    for (part, value), many in counted.items():
        on = chosen[part] == value
        kept = {"project": project, **chosen, part: "" if on else value}
        query = urlencode({name: text for name, text in kept.items() if text})
        label = kind_name(tongue, value) if part == "kind" else value
        href = f"{base}/queue?{query}#dead" if query else f"{base}/queue#dead"
        answer.append(Choice(f"{label} ({many})", href, on))
    return answer


def _pauses(tongue: Tongue, found: Queue) -> tuple[str, ...]:
    holds: tuple[tuple[str, Hold], ...] = (("workspace", found.hold), ("project", found.project_hold))
    said = [say_pause(tongue, where, hold.reason, hold.by) for where, hold in holds if hold.reason]
    said += [say_pause(tongue, "pool", line.paused, line.paused_by, line.pool) for line in found.pools if line.paused]
    return tuple(said)


def _others(tongue: Tongue, found: Queue) -> str:
    if not found.other_workers:
        return "" if found.workers else tongue.gettext("No worker is there. What is ready waits for one.")
    return tongue.ngettext(
        "%(num)s more worker is free or serves other workspaces.",
        "%(num)s more workers are free or serve other workspaces.",
        found.other_workers,
    )


def _pool(tongue: Tongue, line: PoolLine, now: datetime) -> PoolRow:
    slots = tongue.ngettext("%(num)s slot", "%(num)s slots", line.slots)
    return PoolRow(
        pool=line.pool,
        name=pool_word(line.pool),
        ready=tongue.number(line.ready),
        running=tongue.gettext("%(running)s of %(limit)s", running=line.running, limit=line.limit)
        if line.limit
        else tongue.number(line.running),
        oldest_at=line.oldest,
        oldest=tongue.rough((now - line.oldest).total_seconds()) if line.oldest else "–",
        hour=tongue.number(line.hour),
        workers=tongue.ngettext("%(num)s worker, %(slots)s", "%(num)s workers, %(slots)s", line.workers, slots=slots),
        paused=line.paused,
    )


def _waiting(tongue: Tongue, line: WaitingLine, base: str, now: datetime) -> WaitingRow:
    reason = line.waiting or {}
    ahead = tongue.ngettext("%(num)s step before", "%(num)s steps before", line.ahead) if line.ahead is not None else ""
    return WaitingRow(
        number=line.number,
        title=line.title,
        href=f"{base}/p/{line.project}/jobs/{line.number}",
        place=tongue.number(line.position) if line.position else "–",
        why=say_reason(tongue, reason, line.position) if reason else tongue.gettext("Its place is being worked out."),
        ahead=ahead,
        starts=say_start(tongue, reason, now),
        left="" if reason.get("code") in ENDLESS else say_eta(tongue, line.eta_p50, line.eta_p90, now),
        urgent=say_level(tongue, line.priority),
        since_at=line.since,
        since=tongue.moment(line.since, now),
    )


def _worker(tongue: Tongue, line: WorkerLine, base: str, now: datetime) -> WorkerRow:
    return WorkerRow(
        id=str(line.id),
        name=tongue.gettext("Worker %(name)s", name=str(line.id)[-4:]),
        mark=worker_mark(tongue, line.state, now - line.seen_at),
        pools=", ".join(line.pools),
        memory=tongue.size(line.memory) if line.memory else "–",
        seen_at=line.seen_at,
        seen=tongue.moment(line.seen_at, now),
        steps=tuple(_step(tongue, step, base, now) for step in line.steps),
    )


def worker_mark(tongue: Tongue, state: str, silent: timedelta) -> Mark:
    """How a worker is: at work, draining, or silent for longer than its beat."""
    if silent > FRESH:
        return Mark("bad", "circle-alert", tongue.gettext("silent"))
    if state == "draining":
        return Mark("wait", "circle-pause", tongue.gettext("draining"))
    return Mark("ok", "circle-check", tongue.gettext("at work"))


def _step(tongue: Tongue, line: StepLine, base: str, now: datetime) -> StepRow:
    name = kind_name(tongue, line.kind)
    left = (line.not_before - now).total_seconds() if line.not_before else 0.0
    since = line.finished_at or line.started_at
    return StepRow(
        id=str(line.id),
        job_id=str(line.job_id),
        number=line.number,
        title=line.title,
        href=f"{base}/p/{line.project}/jobs/{line.number}",
        step=f"{name} {part_name(tongue, line.shard)}".strip(),
        tries=tongue.gettext("try %(number)s of %(most)s", number=line.attempt, most=line.max_attempts),
        until_at=line.not_before,
        until=tongue.gettext("in %(time)s", time=tongue.rough(left)) if left > 1 else tongue.gettext("now"),
        since_at=since,
        since=tongue.moment(since, now) if since else "–",
        why=str((line.error or {}).get("sentence", "")) or UNEXPLAINED,
        error=line.error_class,
        letter=line.letter,
    )
