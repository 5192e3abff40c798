"""What making a film with an edited timeline takes, before anything runs: exact, since all of it is known. Pure but for
the question what has been made before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from domain.dispatch.stats import Remaining, ratios, seconds_left
from domain.production.cache import part_key
from domain.production.model import Made
from domain.production.pipeline import STEP_KINDS, render
from domain.production.preview import SLOTS
from domain.production.spec import JobSpec
from tenants.unit import Unit
from timeline.changes import Change, Comparison, compare
from timeline.plan import RenderPlan


@dataclass(frozen=True)
class Recut:
    """What is made again and why, segment by segment; `seconds` is an estimate of the time until the film is there.

    `micro_dollars` is what providers are paid: nothing is asked of them.
    """

    comparison: Comparison
    fps: float
    seconds: float
    micro_dollars: int = 0

    @property
    def made(self) -> tuple[Change, ...]:
        return self.comparison.remade

    @property
    def kept(self) -> int:
        return len(self.comparison.segments) - len(self.made)


async def foresee_recut(unit: Unit, spec: JobSpec, before: RenderPlan, after: RenderPlan) -> Recut:
    """Answer what making `after` takes, where the film of `before` is there and all that the workspace has made."""
    keys = {node_key(kind, node, spec): node for kind, node in _nodes(after)}
    rows = await unit.session.execute(select(Made.key).where(Made.key.in_(list(keys))))
    made = frozenset(keys[key] for key in rows.scalars())
    return recut(spec, before, after, made, await ratios(unit.session, spec.profile))


def node_key(kind: str, node: str, spec: JobSpec) -> str:
    """The key under which a finished node of a plan is kept."""
    return part_key(kind, {"node": node}, spec.salt)


def _nodes(plan: RenderPlan) -> list[tuple[str, str]]:
    return [*(("segment", segment.key) for segment in plan.segments), ("sound", plan.sound.key)]


def recut(
    spec: JobSpec, before: RenderPlan, after: RenderPlan, made: Collection[str], learned: Mapping[str, float]
) -> Recut:
    """Compare two plans. `made`: nodes that are kept; `learned`: factors of durations by step kind."""
    found = compare(after, before, frozenset(made))
    # What the earlier plan only names counts as kept only if it has really been made.
    unmade = {segment.key for segment in before.segments} - set(made)
    segments = tuple(
        _again(change) if change.kept and after.segments[change.index].key in unmade else change
        for change in found.segments
    )
    sound_kept = after.sound.key in made
    frames = sum(change.frames for change in segments if not change.kept)
    comparison = Comparison(segments, sound_kept, frames, found.seconds)
    rate = after.output.rate
    return Recut(comparison, rate.num / rate.den, _seconds(spec, after, comparison, learned))


def _again(change: Change) -> Change:
    return Change(change.index, change.start, change.frames, change.items, kept=False, why="never made")


def _seconds(spec: JobSpec, after: RenderPlan, found: Comparison, learned: Mapping[str, float]) -> float:
    """Estimate the wall time from composing to packing."""
    facts = spec.model_dump(mode="json", include={"seconds"})
    cost = {kind: STEP_KINDS[kind].cost(facts, {}) * learned.get(kind, 1.0) for kind in STEP_KINDS}
    counted = [change.frames for change in found.remade]
    if not found.sound_kept:
        counted.append(after.frames // render.SOUND_SHARE)
    steps = [Remaining("compose", cost["compose"])]
    pace = learned.get("render", 1.0)
    renders = [
        Remaining(f"render-{place}", render.cost({}, {"frames": frames}) * pace, needs=["compose"])
        for place, frames in enumerate(counted)
    ]
    steps += renders
    steps.append(Remaining("mux", cost["mux"], needs=[step.id for step in renders] or ["compose"]))
    steps.append(Remaining("check", cost["check"], needs=["mux"]))
    steps.append(Remaining("package", cost["package"], needs=["check"]))
    return seconds_left(steps, SLOTS)
