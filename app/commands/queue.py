"""Look at the farm's pools and steer them: status, shares of the workspaces, pauses, tiers.

`status --prometheus` writes the scaling signal for a scraper, `status --json` the same for scripts.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from adapters.settings import Settings
from app.commands.common import with_addresses
from app.console import DONE, WRONG, CommandError, Console, span

if TYPE_CHECKING:
    from domain.dispatch.capacity import PoolNeed
    from tenants.unit import Units


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """status, shares, pause, resume, tier."""
    acts = parser.add_subparsers(dest="act", metavar="act", required=True)
    status = acts.add_parser("status", help="what each pool needs now")
    status.add_argument("--prometheus", action="store_true", help="write metrics for a scraper")
    acts.add_parser("shares", help="every workspace's part of every pool")
    pause = acts.add_parser("pause", help="start nothing in a pool")
    pause.add_argument("pool")
    pause.add_argument("--reason", required=True, help="shown to everybody who waits")
    resume = acts.add_parser("resume", help="let a paused pool go on")
    resume.add_argument("pool")
    tier = acts.add_parser("tier", help="give a workspace a tier")
    tier.add_argument("workspace")
    tier.add_argument("tier")
    tier.add_argument("--max-running", type=int, help="steps at once, instead of the tier's own limit")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do one act."""
    from adapters.database import make_engines
    from domain.dispatch.capacity import BadOrder

    chosen = with_addresses(settings)

    async def act() -> None:
        engines = make_engines(chosen)
        try:
            await ACTS[arguments.act](engines.units(), arguments, console)
        finally:
            await engines.dispose()

    try:
        asyncio.run(act())
    except BadOrder as error:
        raise CommandError(str(error), code=WRONG) from error
    return DONE


async def _status(units: Units, arguments: argparse.Namespace, console: Console) -> None:
    from domain.dispatch.capacity import pool_needs
    from domain.dispatch.hosts import shunned_hosts
    from domain.dispatch.recount import read_drift
    from domain.production.upkeep import forecast_truth

    needs, truth, drift = await pool_needs(units), await forecast_truth(units), await read_drift(units)
    shunned = await shunned_hosts(units)
    if arguments.prometheus:
        console.result({}, *metrics(needs, vars(truth), drift, len(shunned)))
        return
    lines = [
        f"{need.pool:<12} {need.running} running, {need.eligible} may start ({span(need.eligible_s)} of work), "
        f"{need.slots} slots, {need.desired} wanted{f', paused: {need.paused}' if need.paused else ''}"
        for need in needs.values()
    ]
    lines += [f"{one.host} gets no {one.kind} until {one.until:%H:%M} UTC: too many failed there" for one in shunned]
    lines += [f"counters of {name} were wrong {total} times" for name, (_, total) in drift.items() if total]
    told = {
        "pools": {name: vars(need) for name, need in needs.items()},
        "forecasts": vars(truth),
        "drift": {name: {"now": found, "ever": total} for name, (found, total) in drift.items()},
        "shunned": [{"host": one.host, "kind": one.kind, "until": one.until.isoformat()} for one in shunned],
    }
    console.result(told, *lines)


GAUGES: Mapping[str, str] = {
    "eligible_s": "vfos_pool_eligible_seconds",
    "eligible": "vfos_pool_eligible_steps",
    "running": "vfos_pool_running_steps",
    "slots": "vfos_pool_slots",
    "desired": "vfos_pool_desired_slots",
    "oldest_s": "vfos_pool_oldest_wait_seconds",
}


def metrics(
    needs: Mapping[str, PoolNeed], truth: Mapping[str, float], drift: Mapping[str, tuple[int, int]], shunned: int
) -> list[str]:
    """The signal in Prometheus' text form. `drift`: wrong counters at the last count and ever, which must be 0."""
    lines = []
    for field, name in GAUGES.items():
        lines.append(f"# TYPE {name} gauge")
        lines += [f'{name}{{pool="{pool}"}} {getattr(need, field):g}' for pool, need in needs.items()]
    lines += ["# TYPE vfos_forecast_before_p90_ratio gauge", f"vfos_forecast_before_p90_ratio {truth['before_p90']:g}"]
    lines.append("# TYPE vfos_counter_drift gauge")
    lines += [f'vfos_counter_drift{{counter="{name}"}} {found}' for name, (found, _) in drift.items()]
    lines.append("# TYPE vfos_counter_drift_total counter")
    lines += [f'vfos_counter_drift_total{{counter="{name}"}} {total}' for name, (_, total) in drift.items()]
    return [*lines, "# TYPE vfos_shunned_hosts gauge", f"vfos_shunned_hosts {shunned}"]


async def _shares(units: Units, arguments: argparse.Namespace, console: Console) -> None:
    from domain.dispatch.capacity import shares

    found = await shares(units)
    lines = [
        f"{one.pool:<10} {one.slug:<24} {one.tier:<9} weight {one.weight:g}  {one.ready} waiting  "
        f"{one.running} of {one.max_running} running"
        for one in found
    ]
    console.result({"shares": [vars(one) for one in found]}, *lines)


async def _pause(units: Units, arguments: argparse.Namespace, console: Console) -> None:
    from domain.dispatch.capacity import pause_pool

    await pause_pool(units, arguments.pool, arguments.reason, getpass.getuser())
    console.result({"pool": arguments.pool, "paused": True}, f"{arguments.pool} is paused: {arguments.reason}")


async def _resume(units: Units, arguments: argparse.Namespace, console: Console) -> None:
    from domain.dispatch.capacity import resume_pool

    await resume_pool(units, arguments.pool)
    console.result({"pool": arguments.pool, "paused": False}, f"{arguments.pool} goes on")


async def _tier(units: Units, arguments: argparse.Namespace, console: Console) -> None:
    from domain.dispatch.capacity import set_tier

    told: Mapping[str, Any] = await set_tier(units, arguments.workspace, arguments.tier, arguments.max_running)
    console.result(
        dict(told), f"{told['workspace']}: {told['tier']}, weight {told['weight']}, {told['max_running']} steps at once"
    )


ACTS: Mapping[str, Callable[[Any, argparse.Namespace, Console], Awaitable[None]]] = {
    "status": _status,
    "shares": _shares,
    "pause": _pause,
    "resume": _resume,
    "tier": _tier,
}
