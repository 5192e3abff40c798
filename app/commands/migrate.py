"""Bring the database schema to the newest version, or check that models and migrations agree."""

from __future__ import annotations

import argparse

from adapters.embedded.stack import services
from adapters.settings import Settings
from app.commands.common import migrate_and_check
from app.console import DONE, FAILED, Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--check only compares."""
    parser.add_argument(
        "--check", action="store_true", help="change nothing lasting; fail when models and migrations differ"
    )


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Migrate and say what was applied."""
    if arguments.check:
        return check(console)
    with services(settings, console.say) as ready:
        applied = migrate_and_check(ready)
    text = f"applied {', '.join(applied)}" if applied else "the schema is up to date"
    console.result({"applied": applied}, text)
    return DONE


def check(console: Console) -> int:
    """Migrate a throw-away database up and compare it with the models."""
    differences = differences_on_a_fresh_database()
    for line in differences:
        console.say(console.paint("differs: ", "red") + line)
    text = "models and migrations differ" if differences else "models and migrations agree"
    console.result({"differences": differences}, text)
    return FAILED if differences else DONE


def differences_on_a_fresh_database() -> list[str]:
    """What models, walls and migrations do not agree on after all migrations have run."""
    import asyncio
    import shutil
    import tempfile
    from pathlib import Path

    from adapters.database import differences, migrate
    from adapters.embedded.stack import Embedded
    from adapters.settings import load

    home = Path(tempfile.mkdtemp(prefix="vfos-check-"))
    embedded = Embedded(load({"VFOS_HOME": str(home)}), lambda line: None)
    try:
        settings = embedded.start()
        asyncio.run(migrate(settings))
        return differences(settings.database_owner_url)
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)
