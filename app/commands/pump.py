"""Run the pump: it relays events, wakes workers, returns lost steps and keeps the clockwork going."""

from __future__ import annotations

import argparse

from adapters.settings import Settings
from app.commands.common import become, with_addresses
from app.console import Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The pump takes no arguments; several may run, one leads."""


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Pump until asked to stop; this process becomes the pump."""
    become("workers.pump", [], with_addresses(settings))
