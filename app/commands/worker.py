"""Run one worker unit that serves pools of steps."""

from __future__ import annotations

import argparse
import os

from adapters import lifeline
from adapters.settings import Settings
from app.commands.common import with_addresses
from app.console import DONE, Console

SUMMARY = "run a worker unit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--pools and --slots."""
    parser.add_argument("--pools", default="io,cpu", help="pools to serve, comma-separated (default: io,cpu)")
    parser.add_argument("--slots", type=int, help="steps at once per pool (default: VFOS_SLOTS)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Work until asked to stop."""
    settings = with_addresses(settings)
    lifeline.watch()
    os.environ.update(settings.environment())
    from workers.main import main

    return main(["--pools", arguments.pools, "--slots", str(arguments.slots or settings.slots)]) or DONE
