"""What was changed about a timeline: edit by edit, what can be undone, and which edits do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.i18n import Tongue
from app.views.cut_edits import say_edit, say_fault
from domain.production.cutting import Desk
from domain.production.queries.job import JobDetail
from domain.studio.history import changed_since, next_redo, next_undo
from domain.studio.model import TimelineEdit


@dataclass(frozen=True)
class EditLine:
    """One edit in a sentence, by whom and when. `state`: done, undone; `lost` says why it no longer fits."""

    text: str
    state: str
    by: str
    at: datetime | None
    lost: str = ""


@dataclass(frozen=True)
class History:
    """The edits of a draft and those that the film was made with before. `meanwhile`: what others did since."""

    version: int
    lines: tuple[EditLine, ...]
    earlier: tuple[EditLine, ...]
    lost: tuple[EditLine, ...]
    meanwhile: tuple[EditLine, ...]
    undo: str
    redo: str
    count: int
    made: str = ""
    made_href: str = ""


def make_history(
    tongue: Tongue,
    detail: JobDetail,
    desk: Desk,
    names: Mapping[str, str],
    since: int | None,
    jobs_base: str,
) -> History:
    """Tell what was changed."""
    changes = desk.changes
    unfit = {changes.done[each.number].number: say_fault(tongue, each.faults[0], names) for each in desk.unfit}
    lines = {edit.number: _line(tongue, edit, names, unfit.get(edit.number, "")) for edit in changes.edits}
    shown = [lines[edit.number] for edit in changes.edits if edit.state != "dropped"]
    undo, redo = next_undo(changes.edits), next_redo(changes.edits)
    numbers = changed_since(changes.edits, since) if since is not None else []
    made = changes.made_number if changes.made_version == changes.version else None
    return History(
        version=changes.version,
        lines=tuple(reversed(shown)),
        earlier=_earlier(tongue, detail, names),
        lost=(*_lost(tongue, detail, names), *(line for line in shown if line.lost)),
        meanwhile=tuple(lines[number] for number in numbers),
        undo=lines[undo].text if undo is not None else "",
        redo=lines[redo].text if redo is not None else "",
        count=len(changes.done),
        made=f"#{made}" if made else "",
        made_href=f"{jobs_base}/{made}" if made else "",
    )


def _line(tongue: Tongue, edit: TimelineEdit, names: Mapping[str, str], lost: str) -> EditLine:
    return EditLine(say_edit(tongue, edit.operation, names), edit.state, edit.changed_by_name, edit.changed_at, lost)


def _earlier(tongue: Tongue, detail: JobDetail, names: Mapping[str, str]) -> tuple[EditLine, ...]:
    """The edits that this film was composed with."""
    edits = detail.job.spec.get("timeline_edits", ())
    return tuple(
        EditLine(
            say_edit(tongue, edit["operation"], names),
            "done",
            str(edit.get("by", "")),
            datetime.fromisoformat(edit["at"]) if edit.get("at") else None,
        )
        for edit in edits
    )


def _lost(tongue: Tongue, detail: JobDetail, names: Mapping[str, str]) -> tuple[EditLine, ...]:
    """Of these, the ones that this film no longer takes, and why."""
    step = next((step for step in detail.steps if step.kind == "compose"), None)
    told = ((step.outputs or {}) if step else {}).get("edits", {}).get("lost", ())
    lines = _earlier(tongue, detail, names)
    return tuple(
        EditLine(lines[lost["number"]].text, "done", lines[lost["number"]].by, None, str(lost["why"]))
        for lost in told
        if lost["number"] < len(lines)
    )
