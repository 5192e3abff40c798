"""From a job's choices and a composed draft to a render plan, with the edits people have made on the way: pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.production.spec import JobSpec
from domain.production.wishes import wished_video
from timeline.compile import compile_plan
from timeline.editing.applying import Unfit, replay
from timeline.editing.draft import Draft
from timeline.editing.operations import AnyOperation, read_operation
from timeline.faults import TimelineError
from timeline.metrics import FontMetrics
from timeline.outputs import with_captions
from timeline.plan import Master, RenderPlan
from timeline.profiles import PROFILES, Profile

PRESETS = {"draft": "superfast", "standard": "veryfast", "high": "medium"}
"""Quality of a video preset → preset of the encoder; veryfast is the knee of time against bytes."""


@dataclass(frozen=True)
class Pressed:
    """A film ready to be rendered; `unfit` are the edits that could not be made on what was composed."""

    draft: Draft
    plan: RenderPlan
    unfit: tuple[Unfit, ...] = ()


def press(composed: Draft, spec: JobSpec, fonts: Mapping[str, FontMetrics], build: str) -> Pressed:
    """Make a job's edits on what was composed, and compile it. Raises TimelineError where even that has faults."""
    operations = stored_operations([edit.operation for edit in spec.timeline_edits])
    done = replay(composed, operations)
    try:
        return Pressed(done.draft, plan_of(done.draft, spec, fonts, build), done.unfit)
    except TimelineError:
        # Something cannot be shown, such as a text without a face for it: find the edit that wants it.
        done = replay(composed, operations, lambda draft: _compile(draft, spec, fonts, build))
        return Pressed(done.draft, plan_of(done.draft, spec, fonts, build), done.unfit)


def _compile(draft: Draft, spec: JobSpec, fonts: Mapping[str, FontMetrics], build: str) -> None:
    plan_of(draft, spec, fonts, build)


def plan_of(
    draft: Draft,
    spec: JobSpec,
    fonts: Mapping[str, FontMetrics],
    build: str,
    *,
    span: tuple[int, int] | None = None,
) -> RenderPlan:
    """Compile a draft for a job's output, or frames [first, stop) of it. Raises TimelineError."""
    profile = with_captions(choose_profile(spec), draft.document.profiles[0])
    return compile_plan(draft.resolved, profile, fonts, build, span=span)


def choose_profile(spec: JobSpec) -> Profile:
    """Answer the profile with the video preset's quality and loudness."""
    video = spec.video.body
    master = Master(loudness_mlufs=int(Decimal(video.loudness_lufs) * 1000))
    return dataclasses.replace(PROFILES[spec.profile], preset=PRESETS[video.quality], master=master)


def wished_spec(spec: JobSpec, instruction: str | None) -> JobSpec:
    """The choices with what a person has asked of the compose step in words."""
    if not instruction:
        return spec
    video = spec.video.model_copy(update={"body": wished_video(spec.video.body, instruction)})
    return spec.model_copy(update={"video": video})


def stored_operations(stored: Sequence[Mapping[str, object]]) -> list[AnyOperation]:
    """Read operations as they were stored. Raises TimelineError for one that this program does not know."""
    return [read_operation(dict(each)) for each in stored]


def describe_unfit(unfit: Unfit) -> str:
    """Say which edit does not fit, and why."""
    named = f" of {unfit.item}" if unfit.item else ""
    return f"{unfit.op}{named} (edit {unfit.number + 1}): {unfit.faults[0].message}"
