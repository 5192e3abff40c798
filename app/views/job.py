"""The job page: header, tabs, what it may do now, and the facts beside the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.i18n import N_, Tongue
from app.views.cost import Cost, make_cost
from app.views.gate import step_address
from app.views.marks import LANGUAGE_NAMES, PROFILE_NAMES, Mark, job_mark, kind_name, maker_name, said
from app.views.outputs import Outputs, make_outputs
from app.views.sayings import UNEXPLAINED
from app.views.settings import Option
from app.views.stages import Stage, make_stages
from app.views.waiting import say_left, say_waiting
from domain.dispatch.model import Step
from domain.dispatch.policy import PRIORITIES
from domain.production.graph import may_skip
from domain.production.model import Job
from domain.production.queries.gate import Relative
from domain.production.queries.job import JobDetail, Parts
from domain.production.queries.jobs import recipe_kinds
from domain.production.states import FINAL, can_cancel, can_pause, can_resume, can_retry
from tenants.principal import Principal

TABS = ("overview", "script", "timeline", "steps", "artifacts", "logs", "cost", "manifest", "config")


@dataclass(frozen=True)
class Tab:
    name: str
    label: str
    href: str
    current: bool
    count: int = 0


@dataclass(frozen=True)
class Row:
    """A line of a list of facts; `short` is shown instead of a long value."""

    name: str
    value: str
    short: str = ""
    mono: bool = False
    href: str = ""


@dataclass(frozen=True)
class Failure:
    """What stopped a job, in plain words first.

    `href` leads to the step, where it can be tried with changes; `script` to the text that a later step could not use.
    """

    step: str
    href: str
    script: str
    may_skip: bool
    sentence: str
    fix: str
    kept: str
    details: tuple[Row, ...]


@dataclass(frozen=True)
class JobView:
    """Everything above the tab's own content."""

    number: int
    title: str
    state: str
    mark: Mark
    href: str
    recipe: str
    recipe_version: int
    origin: str
    origin_href: str
    level: str
    level_said: str
    levels: tuple[Option, ...]
    made_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    now: datetime
    left: str
    waits: str
    cost: Cost
    tabs: tuple[Tab, ...]
    can_pause: bool
    can_resume: bool
    can_cancel: bool
    can_retry: bool
    may_decide: bool
    over_budget: bool
    retry_from: str
    reason: str
    final: bool
    failure: Failure | None
    stages: tuple[Stage, ...]
    outputs: Outputs
    provenance: tuple[Row, ...]
    announcement: str
    seq: int
    draft: bool
    reroutes: tuple[str, ...] = ()
    lost_edits: str = ""


def make_job(
    tongue: Tongue,
    detail: JobDetail,
    *,
    principal: Principal,
    base: str,
    tab: str,
    now: datetime,
) -> JobView:
    """Build the page's frame from one reading of the job."""
    job = detail.job
    may = principal.can("jobs:control", job.project_id)
    mark = job_mark(tongue, job.state)
    outputs = make_outputs(tongue, detail.outputs, detail.steps, base)
    stages = make_stages(tongue, recipe_kinds(job.spec), detail.steps, base, now)
    dead = next((step for step in detail.steps if step.state == "dead"), None)
    earlier = _whole((job.forked_from or {}).get("job")) or _whole(job.spec.get("edited_from"))
    return JobView(
        number=job.number,
        title=job.title,
        state=job.state,
        mark=mark,
        href=base,
        recipe=detail.recipe,
        recipe_version=job.recipe_version,
        origin=_origin(tongue, job, earlier),
        origin_href=f"{base.rpartition('/')[0]}/{earlier}" if earlier else "",
        level=level_of(job.priority),
        level_said=tongue.gettext(LEVELS[level_of(job.priority)]),
        levels=make_levels(tongue),
        made_by=maker_name(tongue, job.made_by_name),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        now=now,
        left=say_left(tongue, job.state, job, now),
        waits=say_waiting(tongue, job.state, job, now),
        cost=make_cost(tongue, detail.spent, job.cost_limit, job.quote),
        tabs=_tabs(tongue, base, tab, len(detail.steps), outputs.count),
        can_pause=may and can_pause(job.state, job.control),
        can_resume=may and can_resume(job.state, job.control) and not waits_for_call(detail.steps),
        can_cancel=may and can_cancel(job.state, job.control),
        can_retry=may and can_retry(job.state),
        may_decide=may,
        over_budget=any(step.state == "held" and step.error_class == "OverBudget" for step in detail.steps),
        retry_from=kind_name(tongue, dead.kind) if dead else "",
        reason=job.control_reason or "",
        final=job.state in FINAL,
        failure=_failure(tongue, job, dead, detail.steps, base),
        stages=tuple(stages),
        outputs=outputs,
        provenance=_provenance(tongue, detail),
        announcement=_announcement(tongue, mark, stages),
        seq=detail.seq,
        draft=any(step.outputs and step.outputs.get("draft") for step in detail.steps),
        reroutes=tuple(_rerouted(tongue, told) for told in detail.reroutes),
        lost_edits=_lost_edits(tongue, detail.steps),
    )


def _lost_edits(tongue: Tongue, steps: Sequence[Step]) -> str:
    """That changes people made to the timeline did not fit the film as it was composed; empty when all did."""
    composed = next((step.outputs for step in steps if step.kind == "compose" and step.outputs), {})
    lost = len(composed.get("edits", {}).get("lost", ()))
    if not lost:
        return ""
    return tongue.ngettext(
        "%(num)s change of the timeline no longer fits this film and was left out.",
        "%(num)s changes of the timeline no longer fit this film and were left out.",
        lost,
    )


def _rerouted(tongue: Tongue, told: Mapping[str, Any]) -> str:
    """Which steps were moved to another pool, and why."""
    return tongue.ngettext(
        "%(step)s: %(num)s step was moved to the pool %(pool)s, because no worker of %(before)s took it in time.",
        "%(step)s: %(num)s steps were moved to the pool %(pool)s, because no worker of %(before)s took them in time.",
        int(told.get("count", 1)),
        step=kind_name(tongue, str(told.get("step", ""))),
        pool=str(told.get("pool", "")),
        before=str(told.get("before", "")),
    )


def _origin(tongue: Tongue, job: Job, earlier: int | None) -> str:
    """Which job this one was made from, and where it began to differ."""
    if earlier is None:
        return ""
    origin = job.forked_from or {}
    if not origin or origin.get("edited"):
        return tongue.gettext("Changed from #%(number)s", number=earlier)
    step = kind_name(tongue, str(origin.get("step", "")))
    return tongue.gettext("Forked from #%(number)s at %(step)s", number=earlier, step=step)


@dataclass(frozen=True)
class Child:
    """A job that was made from this one."""

    href: str
    label: str
    note: str


def make_children(tongue: Tongue, relatives: Sequence[Relative], jobs_base: str) -> tuple[Child, ...]:
    """The jobs that were made from this one."""
    return tuple(
        Child(f"{jobs_base}/{one.number}", f"#{one.number} {one.title}", _child_note(tongue, one)) for one in relatives
    )


def _child_note(tongue: Tongue, one: Relative) -> str:
    if one.origin.get("timeline"):
        return tongue.gettext("timeline changed")
    if one.origin.get("edited"):
        return tongue.gettext("script changed")
    return tongue.gettext("from %(step)s", step=kind_name(tongue, str(one.origin.get("step", ""))))


LEVELS: Mapping[str, str] = {"urgent": N_("Urgent"), "standard": N_("Standard"), "batch": N_("Batch")}


def make_levels(tongue: Tongue) -> tuple[Option, ...]:
    """The levels of a job inside its workspace, with what each means."""
    notes = {
        "urgent": tongue.gettext("before the workspace’s other jobs"),
        "standard": tongue.gettext("in its turn"),
        "batch": tongue.gettext("when nothing else waits"),
    }
    return tuple(Option(name, tongue.gettext(label), notes[name]) for name, label in LEVELS.items())


def level_of(priority: int) -> str:
    """The name of a job's level."""
    return next((name for name, number in PRIORITIES.items() if number == priority), "standard")


def waits_for_call(steps: Sequence[Step]) -> bool:
    """Whether a step waits for a decision on a call; resuming the job would only pause it again."""
    return any(step.state == "held" and step.error_class == "InDoubt" for step in steps)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _tabs(tongue: Tongue, base: str, current: str, steps: int, outputs: int) -> tuple[Tab, ...]:
    labels = {
        "overview": tongue.gettext("Overview"),
        "script": tongue.gettext("Script"),
        "timeline": tongue.gettext("Timeline"),
        "steps": tongue.gettext("Steps"),
        "artifacts": tongue.gettext("Artifacts"),
        "logs": tongue.gettext("Logs"),
        "cost": tongue.gettext("Cost"),
        "manifest": tongue.gettext("Manifest"),
        "config": tongue.gettext("Config"),
    }
    counts = {"steps": steps, "artifacts": outputs}
    return tuple(
        Tab(name, labels[name], base if name == "overview" else f"{base}/{name}", name == current, counts.get(name, 0))
        for name in TABS
    )


def _failure(tongue: Tongue, job: Job, dead: Step | None, steps: Sequence[Step], base: str) -> Failure | None:
    if job.state != "failed" and dead is None:
        return None
    error: Mapping[str, Any] = (dead.error if dead and dead.error else job.error) or {}
    sentence = _text(error, "sentence") or UNEXPLAINED
    fix = _text(error, "next")
    kept = sum(step.state == "succeeded" for step in steps)
    shown = {"sentence", "next", "kept"}
    details = [Row(str(key), str(value), mono=True) for key, value in error.items() if key not in shown and value]
    if dead is not None and dead.error_class:
        details.append(Row("class", dead.error_class, mono=True))
    return Failure(
        step=kind_name(tongue, dead.kind) if dead else tongue.gettext("Job"),
        href=f"{base}/step/{step_address(dead)}" if dead else "",
        script=f"{base}/script" if any(step.kind == "script" and step.state == "succeeded" for step in steps) else "",
        may_skip=dead is not None and may_skip(job.spec, dead.kind),
        sentence=sentence,
        fix=fix,
        kept=say_kept(tongue, kept),
        details=tuple(details),
    )


def say_kept(tongue: Tongue, steps: int) -> str:
    """What a failure leaves; empty when nothing had been finished."""
    said = tongue.ngettext(
        "Kept: the results of %(num)s finished step.", "Kept: the results of %(num)s finished steps.", steps
    )
    return said if steps else ""


def _text(error: Mapping[str, Any], *keys: str) -> str:
    return next((str(error[key]) for key in keys if error.get(key)), "")


def _announcement(tongue: Tongue, mark: Mark, stages: Sequence[Stage]) -> str:
    """What the polite live region says: it changes with steps and states, not with every tick."""
    running = next((stage for stage in stages if stage.mark.st == "run"), None)
    if running is not None and mark.st == "run":
        return tongue.gettext("Job is running: %(step)s", step=running.name)
    return tongue.gettext("Job: %(state)s", state=mark.word)


def _provenance(tongue: Tongue, detail: JobDetail) -> tuple[Row, ...]:
    job, spec = detail.job, detail.job.spec
    manifest = next((output for output in detail.outputs if output.role == "manifest"), None)
    rows = []
    if manifest is not None:
        rows.append(Row(tongue.gettext("Manifest"), manifest.sha256, f"sha256 {_short(manifest.sha256)}", True))
    rows += [
        Row(tongue.gettext("Specification"), job.spec_hash, f"sha256 {_short(job.spec_hash)}", True),
        Row(tongue.gettext("Recipe version"), f"v{job.recipe_version}"),
        Row(tongue.gettext("Language"), said(tongue, LANGUAGE_NAMES, str(spec.get("language", "")))),
        Row(tongue.gettext("Format"), said(tongue, PROFILE_NAMES, str(spec.get("profile", "")))),
    ]
    rows += [Row(name, value) for name, value in made_and_kept(tongue, detail)]
    return tuple(row for row in rows if row.value)


def made_and_kept(tongue: Tongue, detail: JobDetail) -> list[tuple[str, str]]:
    """How much of a finished film was made for it and how much was kept from before."""
    if detail.job.state != "succeeded":
        return []
    groups = {
        tongue.gettext("Sentences"): [step for step in detail.steps if step.kind == "narrate"],
        tongue.gettext("Video segments"): [s for s in detail.steps if s.kind == "render" and s.shard.isdigit()],
    }
    found = []
    for name, steps in groups.items():
        counts = [_parts_of(step, detail.parts) for step in steps if step.state == "succeeded"]
        made, kept = sum(one.made for one in counts), sum(one.found for one in counts)
        if made + kept:
            found.append((name, _counts(tongue, made, kept)))
    return found


def _parts_of(step: Step, parts: Mapping[tuple[str, str], Parts]) -> Parts:
    """What a step made and found; one that was taken over whole has found all of its parts."""
    if step.reused:
        return Parts(0, int((step.outputs or {}).get("sentences", 1)))
    return parts.get((step.kind, step.shard), Parts(0, 0))


def _counts(tongue: Tongue, made: int, kept: int) -> str:
    return tongue.gettext("%(made)s made, %(kept)s kept", made=tongue.number(made), kept=tongue.number(kept))


def _short(digest: str) -> str:
    return f"{digest[:4]}…{digest[-4:]}"
