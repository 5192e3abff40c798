"""Run one worker unit that serves pools of steps."""

from __future__ import annotations

import argparse

from adapters.settings import Settings
from app.commands.common import become, with_addresses
from app.console import Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--pools and --slots."""
    parser.add_argument("--pools", default="io,cpu", help="pools to serve, comma-separated (default: io,cpu)")
    parser.add_argument("--slots", type=int, help="steps at once per pool (default: VFOS_SLOTS)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Work until asked to stop; this process becomes the worker."""
    become(
        "workers.main",
        ["--pools", arguments.pools, "--slots", str(arguments.slots or settings.slots)],
        with_addresses(settings),
    )
