"""The farm in numbers, for whoever watches it: the scaling signal, the ages of queues, how true forecasts are.

Nothing here says anything of a single workspace. The text form is Prometheus' exposition format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from domain.dispatch.capacity import PoolNeed, pool_needs
from domain.dispatch.crew import PoolCount, pool_counts
from domain.dispatch.hosts import Shunned, shunned_hosts
from domain.dispatch.model import Worker
from domain.dispatch.recount import read_drift
from domain.production.upkeep import Truth, forecast_truth
from tenants.model import OutboxMessage
from tenants.unit import Units


@dataclass(frozen=True)
class Gauge:
    """A measure with its meaning; `values` are (labels, number). A `counter` only ever grows."""

    name: str
    meaning: str
    values: Sequence[tuple[Mapping[str, str], float]] = field(default=())
    kind: str = "gauge"


NEEDS: Mapping[str, tuple[str, str]] = {
    "eligible_s": ("vfos_pool_eligible_seconds", "Estimated seconds of steps that limits would let start now."),
    "eligible": ("vfos_pool_eligible_steps", "Steps that limits would let start now."),
    "running": ("vfos_pool_running_steps", "Steps that run."),
    "running_s": ("vfos_pool_running_seconds", "Estimated seconds that running steps still need."),
    "slots": ("vfos_pool_slots", "Slots of active workers."),
    "desired": ("vfos_pool_desired_slots", "Slots that would clear what may run within the wanted wait."),
    "oldest_s": ("vfos_pool_oldest_wait_seconds", "How long the oldest ready step has waited."),
}
COUNTS: Mapping[str, tuple[str, str]] = {
    "ready": ("vfos_pool_ready_steps", "Steps that are ready, those that limits hold included."),
    "delayed": ("vfos_pool_delayed_steps", "Steps that will be tried again later."),
    "dead": ("vfos_pool_dead_steps", "Steps that have failed for good and wait for a person."),
    "hour": ("vfos_pool_done_last_hour", "Steps that succeeded in the last hour."),
}
STATES = ("active", "draining")


@dataclass(frozen=True)
class FarmNumbers:
    """One reading of the farm. `unsent` is the age in seconds of the oldest message nobody has handed on.

    `drift` tells, by kind of counter, how many the last recount and all of them found wrong; it must be 0.
    """

    needs: Mapping[str, PoolNeed]
    counts: Mapping[str, PoolCount]
    truth: Truth
    workers: Mapping[str, int]
    unsent: float
    drift: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    shunned: Sequence[Shunned] = ()


async def read_numbers(units: Units) -> FarmNumbers:
    """Measure the farm."""
    needs, counts, truth = await pool_needs(units), await pool_counts(units), await forecast_truth(units)
    async with units.system("farm-metrics") as unit:
        rows = await unit.session.execute(
            select(Worker.state, func.count()).where(Worker.state.in_(STATES)).group_by(Worker.state)
        )
        workers = {str(state): int(many) for state, many in rows}
        age = func.extract("epoch", func.clock_timestamp() - func.min(OutboxMessage.created_at))
        unsent = await unit.session.scalar(select(age).where(OutboxMessage.sent_at.is_(None)))
    drift, shunned = await read_drift(units), await shunned_hosts(units)
    return FarmNumbers(needs, counts, truth, workers, max(0.0, float(unsent or 0.0)), drift, shunned)


def gauges(seen: FarmNumbers) -> list[Gauge]:
    """All measures."""
    pools = sorted(seen.needs.keys() | seen.counts.keys())
    found = [
        Gauge(name, meaning, [({"pool": pool}, getattr(need, part)) for pool, need in seen.needs.items()])
        for part, (name, meaning) in NEEDS.items()
    ]
    found += [
        Gauge(name, meaning, [({"pool": pool}, getattr(seen.counts.get(pool, PoolCount()), part)) for pool in pools])
        for part, (name, meaning) in COUNTS.items()
    ]
    paused = [({"pool": pool}, float(bool(need.paused))) for pool, need in seen.needs.items()]
    states = [({"state": state}, seen.workers.get(state, 0)) for state in STATES]
    return [
        *found,
        Gauge("vfos_pool_paused", "1 while nothing starts in a pool.", paused),
        Gauge("vfos_workers", "Worker units.", states),
        *_truth(seen.truth),
        Gauge("vfos_outbox_oldest_seconds", "Age of the oldest message not handed on.", [({}, seen.unsent)]),
        *_drift(seen.drift),
        Gauge("vfos_shunned_hosts", "Hosts that get no steps of some kind for a while.", [({}, len(seen.shunned))]),
    ]


def _drift(found: Mapping[str, tuple[int, int]]) -> list[Gauge]:
    """Counters that were wrong; nothing before the first count."""
    if not found:
        return []
    last = [({"counter": name}, float(now)) for name, (now, _) in found.items()]
    ever = [({"counter": name}, float(total)) for name, (_, total) in found.items()]
    return [
        Gauge("vfos_counter_drift", "Counters that the last recount found wrong; 0 = all true.", last),
        Gauge("vfos_counter_drift_total", "Counters that recounts have found wrong so far.", ever, "counter"),
    ]


def _truth(truth: Truth) -> list[Gauge]:
    """How true forecasts were; the shares are left out until a job has finished."""
    found = [Gauge("vfos_forecast_jobs", "Finished jobs that the forecast measures are about.", [({}, truth.jobs)])]
    if truth.jobs:
        found += [
            Gauge("vfos_forecast_before_p90_ratio", "Share of jobs that ended before p90.", [({}, truth.before_p90)]),
            Gauge("vfos_forecast_median_error_ratio", "Median error of p50.", [({}, truth.median_error)]),
        ]
    return found


def prometheus(measures: Iterable[Gauge]) -> str:
    """The measures as text for a scraper."""
    lines: list[str] = []
    for gauge in measures:
        lines += [f"# HELP {gauge.name} {gauge.meaning}", f"# TYPE {gauge.name} {gauge.kind}"]
        lines += [f"{gauge.name}{_labels(labels)} {value:g}" for labels, value in gauge.values]
    return "\n".join([*lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = {
        name: text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for name, text in labels.items()
    }
    return "{" + ",".join(f'{name}="{text}"' for name, text in escaped.items()) + "}"


def as_json(seen: FarmNumbers) -> dict[str, Any]:
    """The same reading for programs."""
    return {
        "pools": {
            pool: {**vars(need), **vars(seen.counts.get(pool, PoolCount()))} for pool, need in seen.needs.items()
        },
        "workers": dict(seen.workers),
        "forecasts": vars(seen.truth),
        "outbox_oldest_s": seen.unsent,
        "drift": {name: {"now": found, "ever": total} for name, (found, total) in seen.drift.items()},
        "shunned": [{"host": one.host, "kind": one.kind, "until": one.until.isoformat()} for one in seen.shunned],
    }
