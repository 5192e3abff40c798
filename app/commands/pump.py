"""Run the pump: it relays events, wakes workers, returns lost steps and keeps the clockwork going."""

from __future__ import annotations

import argparse
import os

from adapters import lifeline
from adapters.settings import Settings
from app.commands.common import with_addresses
from app.console import DONE, Console

SUMMARY = "run the pump (wakes workers, relays events, returns lost steps)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The pump takes no arguments; several may run, one leads."""


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Pump until asked to stop."""
    settings = with_addresses(settings)
    lifeline.watch()
    os.environ.update(settings.environment())
    from workers.pump import main

    return main() or DONE
