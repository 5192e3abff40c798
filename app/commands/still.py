"""Write one picture of a film or of a timeline document as JPEG, without rendering the rest."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from adapters.settings import Settings
from app.commands.check import report_faults
from app.console import DONE, FAILED, WRONG, CommandError, Console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, when, where to."""
    parser.add_argument("source", type=Path, help="video file, or timeline document (JSON or YAML)")
    parser.add_argument("--at", default="0", help="time: 12.5, 00:01:02.5 or 375f (frames); default 0")
    parser.add_argument("-o", "--out", type=Path, required=True, help="picture to write (.jpg)")
    parser.add_argument("--profile", default="", help="output profile of a document (default: its first)")
    parser.add_argument("--width", type=int, default=0, help="width in pixels (default: the film's)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Find the frame, draw it."""
    from app.stills import stills
    from domain.production.ports import ProviderError
    from timeline.faults import TimelineError
    from timeline.time import BadTime, parse_moment, snap_frame

    if arguments.width and not 16 <= arguments.width <= 8192:
        raise CommandError("--width: from 16 to 8192.", code=WRONG)
    try:
        moment = parse_moment(arguments.at)
    except BadTime as error:
        raise CommandError(f"--at: {error}", code=WRONG) from error

    def choose(rate: Fraction, count: int) -> Sequence[int]:
        frame = snap_frame(moment.at(rate), rate)
        if not 0 <= frame < count:
            raise CommandError(f"--at: frame {frame} does not exist; the film has {count}.", code=WRONG)
        return [frame]

    os.environ.update(settings.environment())
    try:
        folder, found, size = stills(arguments.source, arguments.profile, choose, arguments.width, lambda: None)
    except TimelineError as error:
        report_faults(error, console)
        return FAILED
    except ProviderError as error:
        raise CommandError(*filter(None, (error.sentence, error.fix)), code=FAILED) from error
    frame, picture = found[0]
    place(picture, arguments.out)
    shutil.rmtree(folder, ignore_errors=True)
    console.result(
        {"file": str(arguments.out), "frame": frame, "width": size[0], "height": size[1]},
        f"file      {arguments.out}",
        f"frame     {frame}, {size[0]}×{size[1]}",
    )
    return DONE


def place(made: Path, out: Path) -> None:
    """Move a finished file to where it is wanted. Raises CommandError."""
    try:
        shutil.move(made, out)
    except OSError as error:
        raise CommandError(f"{out} cannot be written ({error.strerror}).", code=WRONG) from error
