"""The log as shown: lines gathered in groups of step, attempt and topic; searched and narrowed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from app.i18n import N_, Tongue
from app.views.marks import Mark, kind_name, part_name, step_mark
from domain.dispatch.model import Step
from domain.production.log_queries import LogLine
from domain.production.pipeline.check import FINDINGS
from domain.production.pipeline.script import LIVE, ROUNDS

LEVELS = ("all", "warn", "error")
NOT_BEGUN = frozenset({"blocked", "ready"})


@dataclass(frozen=True)
class Piece:
    """A stretch of a line's text; `hit` marks what was searched for."""

    text: str
    hit: bool = False


@dataclass(frozen=True)
class ShownLine:
    number: int
    at: datetime | None
    level: str
    parts: tuple[Piece, ...]


@dataclass(frozen=True)
class Group:
    """Lines that belong together; `id` is the same in every rendering."""

    id: str
    title: str
    mark: Mark
    took: str
    open: bool
    lines: tuple[ShownLine, ...]


@dataclass(frozen=True)
class LogView:
    """The log card. `matches` is set while searching; `earlier` says that older lines are not shown."""

    groups: tuple[Group, ...]
    total: int
    warnings: int
    errors: int
    level: str
    search: str
    matches: int | None
    step: str
    step_name: str
    heading: str
    attempt: str
    earlier: bool
    last: int

    @property
    def narrowed(self) -> bool:
        """Whether this is less than the log as it comes; live lines are then not added."""
        return bool(self.step or self.search or self.level != "all")

    def link(self, level: str) -> str:
        """The address of this log at another level."""
        parts = {"step": self.step, "level": "" if level == "all" else level, "q": self.search}
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"?{query}#log" if query else "#log"


GROUPS: Mapping[str, str] = {ROUNDS: N_("rounds"), FINDINGS: N_("findings"), LIVE: N_("draft %(number)s")}
"""Groups that are words, by their first one; others are ids of scenes and parts."""


def group_name(tongue: Tongue, group: str) -> str:
    """What a step calls a topic of its log, in the reader's language."""
    word, _, number = group.partition(" ")
    return tongue.gettext(GROUPS[word], number=number) if word in GROUPS else group


@dataclass
class Grouping:
    """Gathers lines of a job into groups; remembers its steps so that live lines land where the page has them."""

    tongue: Tongue
    steps: Mapping[UUID, Step]
    now: datetime

    def key(self, line: LogLine) -> str:
        """The group of a line, the same for every reader and at every time."""
        digest = hashlib.sha256(f"{line.step_id}/{line.attempt}/{line.group}".encode()).hexdigest()
        return f"g-{digest[:12]}"

    def gather(self, lines: Sequence[LogLine], search: str = "") -> tuple[Group, ...]:
        """Make groups in order of their first line; finished ones are closed except the last."""
        found: dict[str, list[LogLine]] = {}
        for line in lines:
            found.setdefault(self.key(line), []).append(line)
        keys = list(found)
        return tuple(
            self._group(key, found[key], last=place == len(keys) - 1, search=search) for place, key in enumerate(keys)
        )

    def _group(self, key: str, lines: Sequence[LogLine], *, last: bool, search: str) -> Group:
        first, step = lines[0], self.steps.get(lines[0].step_id)
        mark = self.mark(step, first)
        troubled = any(line.level == "error" for line in lines)
        opened = bool(search) or last or troubled or mark.st in ("run", "bad")
        shown = tuple(show_line(line, search) for line in lines)
        return Group(key, self.title(step, first), mark, self.took(lines), opened, shown)

    def mark_of(self, line: LogLine) -> Mark:
        """How the group of a line stands now."""
        return self.mark(self.steps.get(line.step_id), line)

    def mark(self, step: Step | None, line: LogLine) -> Mark:
        """How a group stands: an earlier attempt is over, however it ended, else as its step does.

        A step that waits for its turn has no attempt of its own yet: what it said before is of an earlier one.
        """
        if step is None:
            return step_mark(self.tongue, "succeeded")
        if line.attempt < step.attempt or step.state in NOT_BEGUN:
            return Mark("idle", "rotate-ccw", self.tongue.gettext("earlier attempt"))
        return step_mark(self.tongue, step.state)

    def title(self, step: Step | None, line: LogLine) -> str:
        """What a group is about: step, part of it, attempt when there was more than one."""
        parts = [kind_name(self.tongue, step.kind)] if step else [self.tongue.gettext("Job")]
        if step is not None and step.shard:
            parts.append(part_name(self.tongue, step.shard))
        if line.group and (step is None or line.group != step.shard):
            parts.append(group_name(self.tongue, line.group))
        title = " · ".join(parts)
        if line.attempt > 1 or (step is not None and step.attempt > 1):
            title += self.tongue.gettext(", attempt %(number)s", number=line.attempt)
        return title

    def took(self, lines: Sequence[LogLine]) -> str:
        first, last = moment_of(lines[0].at), moment_of(lines[-1].at)
        return self.tongue.duration((last - first).total_seconds()) if first and last and len(lines) > 1 else ""


def moment_of(text: str) -> datetime | None:
    """The time of a line, or None when it carries none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def show_line(line: LogLine, search: str = "") -> ShownLine:
    return ShownLine(line.number, moment_of(line.at), line.level, split_hits(line.text, search))


def split_hits(text: str, search: str) -> tuple[Piece, ...]:
    """Cut a text where it holds what was searched for (capitals do not matter)."""
    if not search:
        return (Piece(text),)
    pieces: list[Piece] = []
    start = 0
    for hit in re.finditer(re.escape(search), text, re.IGNORECASE):
        pieces += [Piece(text[start : hit.start()]), Piece(hit.group(), True)]
        start = hit.end()
    return tuple(piece for piece in (*pieces, Piece(text[start:])) if piece.text)


def make_log(
    grouping: Grouping,
    lines: Sequence[LogLine],
    *,
    total: int,
    window: int,
    step: str = "",
    level: str = "all",
    search: str = "",
    steps: Sequence[Step] = (),
) -> LogView:
    """Build the log card from the lines at hand (the end of the log, or all of it while searching)."""
    wanted = [line for line in lines if _passes(line, level, search)]
    shown = wanted[-window:]
    tongue = grouping.tongue
    heading, attempt = log_heading(tongue, step, steps)
    last = lines[-1].number if lines else 0
    return LogView(
        groups=grouping.gather(shown, search),
        total=total,
        warnings=sum(line.level == "warn" for line in lines),
        errors=sum(line.level == "error" for line in lines),
        level=level,
        search=search,
        matches=len(wanted) if search else None,
        step=step,
        step_name=kind_name(tongue, step) if step else "",
        heading=heading,
        attempt=attempt,
        earlier=len(wanted) > len(shown) or (not step and level == "all" and not search and total > len(lines)),
        last=last,
    )


def _passes(line: LogLine, level: str, search: str) -> bool:
    if level == "error" and line.level != "error":
        return False
    if level == "warn" and line.level not in ("warn", "error"):
        return False
    return not search or search.lower() in line.text.lower()


def log_heading(tongue: Tongue, step: str, steps: Sequence[Step]) -> tuple[str, str]:
    """Which step the log is about just now, and which try of it."""
    pool = [s for s in steps if s.kind == step] if step else list(steps)
    now = next((s for s in pool if s.state in ("running", "dead")), None)
    if now is None:
        begun = [s for s in pool if s.started_at is not None]
        now = max(begun, key=lambda s: s.started_at, default=None)  # type: ignore[arg-type, return-value]
    if now is None:
        return tongue.gettext("Log"), ""
    return kind_name(tongue, now.kind), tongue.gettext("attempt %(number)s", number=now.attempt)
