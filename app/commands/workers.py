"""Worker units: list them, tell one to drain, or start and drain local ones by what the pools need.

`drain` names a unit as `list` does (host:process, or its id); it takes nothing more and ends when its steps have ended.
`autoscale` keeps between --min and --max units on this machine until it is stopped; with --json it writes one line per
move.
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.settings import Settings
from app.commands.common import Act, become, steer, with_addresses
from app.console import WRONG, CommandError, Console, size, span

if TYPE_CHECKING:
    from domain.dispatch.crew import Hand
    from tenants.unit import Units


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """list, drain, autoscale."""
    acts = parser.add_subparsers(dest="act", metavar="act", required=True)
    for name, words in (("list", "every unit that is not gone"), ("drain", "let a unit end after its steps")):
        part = acts.add_parser(name, help=words)
        part.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer as JSON")
        if name == "drain":
            part.add_argument("unit", help="host:process or id, as `vfos workers list` writes it")
    scale = acts.add_parser("autoscale", help="start and drain units of this machine by need")
    scale.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON line per move")
    scale.add_argument("--min", type=int, default=1, dest="fewest", help="fewest units (default: 1)")
    scale.add_argument("--max", type=int, default=2, dest="most", help="most units (default: 2)")
    scale.add_argument("--pools", default="io,cpu", help="pools of each unit, such as io:2,cpu:2 (default: io,cpu)")
    scale.add_argument("--every", type=float, default=5.0, help="seconds between two looks (default: 5)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do one act; autoscaling goes on until it is stopped."""
    chosen = with_addresses(settings)
    if arguments.act == "autoscale":
        return _autoscale(arguments, chosen)
    return steer(ACTS[arguments.act], chosen, arguments, console)


def _autoscale(arguments: argparse.Namespace, settings: Settings) -> int:
    if not 0 <= arguments.fewest <= arguments.most or arguments.most < 1:
        raise CommandError("Give 0 ≤ --min ≤ --max, and --max of at least 1.", code=WRONG)
    words = ["--min", str(arguments.fewest), "--max", str(arguments.most), "--pools", arguments.pools]
    words += ["--slots", str(settings.slots), "--every", str(max(0.2, arguments.every))]
    become("workers.autoscale", [*words, *(["--json"] if arguments.json else [])], settings)


async def _list(units: Units, arguments: argparse.Namespace, console: Console) -> None:
    from domain.dispatch.crew import crew

    hands = await crew(units)
    console.result({"workers": [_told(hand) for hand in hands]}, *(map(_line, hands) if hands else ["There is none."]))


def _line(hand: Hand) -> str:
    memory = size(hand.memory) if hand.memory else "unknown"
    steps = ", ".join(f"{step.kind} {step.shard}".strip() for step in hand.steps) or "idle"
    by = f" (told by {hand.drain_by})" if hand.drain_by else ""
    return (
        f"{hand.name:<28} {hand.state:<9}{by} {', '.join(hand.pools):<16} memory {memory}, "
        f"heard of {span(hand.silent_s)} ago, {steps}"
    )


def _told(hand: Hand) -> dict[str, Any]:
    return {
        "id": str(hand.id),
        "name": hand.name,
        "state": hand.state,
        "drain_by": hand.drain_by,
        "pools": list(hand.pools),
        "slots": hand.slots,
        "memory": hand.memory,
        "version": hand.version,
        "silent_s": round(hand.silent_s, 1),
        "steps": [{"workspace": step.workspace, "kind": step.kind, "shard": step.shard} for step in hand.steps],
    }


async def _drain(units: Units, arguments: argparse.Namespace, console: Console) -> None:
    from domain.dispatch.crew import order_drain

    hand = await order_drain(units, arguments.unit, getpass.getuser())
    words = f"{hand.name} takes nothing more; it ends when its {len(hand.steps)} running steps have ended."
    console.result({"worker": hand.name, "draining": True}, words)


ACTS: Mapping[str, Act] = {"list": _list, "drain": _drain}
"""Act → what does it."""
