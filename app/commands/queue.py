"""Look at the farm's pools and steer them: status, shares of the workspaces, pauses, tiers.

`status --prometheus` writes the scaling signal for a scraper, `status --json` the same for scripts.
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.settings import Settings
from app.commands.common import Act, steer, with_addresses
from app.console import Console, span

if TYPE_CHECKING:
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
    return steer(ACTS[arguments.act], with_addresses(settings), arguments, console)


async def _status(units: Units, arguments: argparse.Namespace, console: Console) -> None:
    from domain.insight.farm import as_json, gauges, prometheus, read_numbers

    seen = await read_numbers(units)
    if arguments.prometheus:
        console.result({}, prometheus(gauges(seen)).rstrip())
        return
    lines = [
        f"{need.pool:<12} {need.running} running, {need.eligible} may start ({span(need.eligible_s)} of work), "
        f"{need.slots} slots, {need.desired} wanted{f', paused: {need.paused}' if need.paused else ''}"
        for need in seen.needs.values()
    ]
    lines += [
        f"{one.host} gets no {one.kind} until {one.until:%H:%M} UTC: too many failed there" for one in seen.shunned
    ]
    lines += [f"counters of {name} were wrong {total} times" for name, (_, total) in seen.drift.items() if total]
    console.result(as_json(seen), *lines)


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


ACTS: Mapping[str, Act] = {
    "status": _status,
    "shares": _shares,
    "pause": _pause,
    "resume": _resume,
    "tier": _tier,
}
