"""Things only the owner of the machine may do."""

from __future__ import annotations

import argparse
import asyncio

from adapters.embedded.stack import services
from adapters.settings import Settings
from app import demo
from app.commands import provider_tasks
from app.console import DONE, WRONG, CommandError, Console

SUMMARY = "owner's tasks: make a new sign-in link, add and test providers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """owner-link [--workspace]."""
    tasks = parser.add_subparsers(dest="task", metavar="task", required=True)
    provider_tasks.add_arguments(tasks)
    link = tasks.add_parser("owner-link", help="make a link that signs in the owner of a workspace once")
    # Also after the task's name; SUPPRESS keeps what was said before it.
    link.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer as JSON")
    link.add_argument("--workspace", default=demo.WORKSPACE, help=f"its short name (default: {demo.WORKSPACE})")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Make the link and print it; links made before and not used end."""
    if arguments.task == "provider":
        return provider_tasks.run(arguments, settings, console)
    with services(settings, console.say) as ready:
        path = asyncio.run(new_link(ready, arguments.workspace))
        address = ready.address
    if path is None:
        raise CommandError(f"There is no workspace “{arguments.workspace}”.", code=WRONG)
    console.result({"link": address + path}, address + path)
    return DONE


async def new_link(settings: Settings, workspace: str) -> str | None:
    """The path of a fresh link, or None when there is no such workspace."""
    from adapters.wiring import build_runtime

    runtime = build_runtime(settings)
    try:
        return await demo.new_owner_link(runtime, workspace)
    finally:
        await runtime.close()
