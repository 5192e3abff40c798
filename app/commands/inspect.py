"""Judge any video file by what the quality gate measures: black, frozen, silent, loudness, size, rate, colour tags."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from adapters.settings import Settings
from app.console import DONE, FAILED, CommandError, Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The film, and the plan it should follow."""
    parser.add_argument("film", type=Path, help="video file")
    parser.add_argument("--plan", type=Path, help="a plan (`vfos plan -o`) or document the film should follow")
    parser.add_argument("--profile", default="", help="output profile of the document")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Measure and tell; exit code 1 when something is wrong."""
    from adapters.media.renderer import FfmpegRenderer
    from app.commands.check import report_faults
    from app.commands.plan import earlier
    from domain.production.ports import ProviderError
    from timeline.faults import TimelineError

    os.environ.update(settings.environment())
    try:
        plan = earlier(arguments.plan, arguments.profile) if arguments.plan else None
        found = asyncio.run(FfmpegRenderer().inspect(arguments.film.absolute(), plan, lambda: False))
    except TimelineError as error:
        report_faults(error, console)
        return FAILED
    except ProviderError as error:
        raise CommandError(*filter(None, (error.sentence, error.fix)), code=FAILED) from error
    for finding in found.findings:
        colour = "red" if finding.severity == "error" else "yellow"
        console.say(console.paint(f"{finding.severity}: ", colour) + finding.message)
    console.result(
        {
            "film": str(arguments.film),
            "passed": found.passed,
            "findings": [vars(finding) for finding in found.findings],
            "facts": dict(found.facts),
        },
        *(f"{name:<18} {value}" for name, value in found.facts.items() if not isinstance(value, list | dict)),
        "quality            passed" if found.passed else "quality            refused",
    )
    return DONE if found.passed else FAILED
