"""Checks the audit trails: every line must match its digest and follow the one before."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from adapters.embedded.stack import services
from adapters.settings import Settings
from app import demo
from app.console import DONE, FAILED, WRONG, CommandError, Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """verify [--workspace]."""
    tasks = parser.add_subparsers(dest="task", metavar="task", required=True)
    verify = tasks.add_parser("verify", help="name the first line of each trail that was changed, removed or put in")
    verify.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer as JSON")
    verify.add_argument("--workspace", default="", help="only this one (its short name)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Read every trail and say where one is broken."""
    with services(settings, console.say) as ready:
        found = asyncio.run(verify(ready, arguments.workspace))
    if arguments.workspace and not found:
        raise CommandError(f"There is no workspace “{arguments.workspace}”.", code=WRONG)
    broken = [entry for entry in found if entry["broken"] is not None]
    lines = [
        f"{entry['workspace']}: BROKEN at line {entry['broken']}: {entry['reason']}"
        if entry["broken"] is not None
        else f"{entry['workspace']}: {entry['lines']} lines hold"
        for entry in found
    ]
    console.result({"trails": found}, "\n".join(lines) or "There is no workspace yet.")
    return FAILED if broken else DONE


async def verify(settings: Settings, workspace: str = "") -> list[dict[str, Any]]:
    """Check one trail or all; `broken` is the number of the first bad line, or None."""
    from adapters.wiring import build_runtime
    from tenants.audit import verify_chain
    from tenants.directory import all_tenants

    runtime = build_runtime(settings)
    found = []
    try:
        for tenant_id, slug in await all_tenants(runtime.units):
            if workspace not in ("", slug):
                continue
            async with runtime.units.open(demo.machine_owner(tenant_id)) as unit:
                report = await verify_chain(unit.session, tenant_id)
            entry = {"workspace": slug, "lines": report.lines, "broken": report.broken_seq, "reason": report.reason}
            found.append(entry)
    finally:
        await runtime.close()
    return found
