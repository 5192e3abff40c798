"""Write a sheet of small pictures, evenly spread over a film or a timeline document, as JPEG."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from adapters.settings import Settings
from app.commands.check import report_faults
from app.commands.still import place
from app.console import DONE, FAILED, WRONG, CommandError, Console

GAP = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, how many, where to."""
    parser.add_argument("source", type=Path, help="video file, or timeline document (JSON or YAML)")
    parser.add_argument("-o", "--out", type=Path, required=True, help="sheet to write (.jpg)")
    parser.add_argument("--columns", type=int, default=4, help="pictures beside each other (1-12, default 4)")
    parser.add_argument("--rows", type=int, default=4, help="pictures below each other (1-30, default 4)")
    parser.add_argument("--width", type=int, default=320, help="width of one picture in pixels (default 320)")
    parser.add_argument("--profile", default="", help="output profile of a document (default: its first)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Draw the pictures, set them side by side."""
    from app.stills import stills
    from domain.production.ports import ProviderError
    from timeline.faults import TimelineError

    if not (1 <= arguments.columns <= 12 and 1 <= arguments.rows <= 30 and 32 <= arguments.width <= 1920):
        raise CommandError("Use 1-12 columns, 1-30 rows and a width of 32-1920 pixels.", code=WRONG)
    wanted, made = arguments.columns * arguments.rows, [0]

    def choose(rate: Fraction, count: int) -> Sequence[int]:
        return sorted({(2 * place + 1) * count // (2 * wanted) for place in range(wanted)})

    def done() -> None:
        made[0] += 1
        console.bar(f"{made[0]}/{wanted} pictures")

    os.environ.update(settings.environment())
    try:
        folder, found, size = stills(arguments.source, arguments.profile, choose, arguments.width, done)
    except TimelineError as error:
        report_faults(error, console)
        return FAILED
    except ProviderError as error:
        raise CommandError(*filter(None, (error.sentence, error.fix)), code=FAILED) from error
    finally:
        console.end_bar()
    sheet = folder / "sheet.jpg"
    tile([path for _, path in found], arguments.columns, size, sheet)
    place(sheet, arguments.out)
    shutil.rmtree(folder, ignore_errors=True)
    frames = [frame for frame, _ in found]
    console.result(
        {"file": str(arguments.out), "frames": frames, "width": size[0], "height": size[1]},
        f"file      {arguments.out}",
        f"pictures  {len(frames)} of {size[0]}×{size[1]}",
    )
    return DONE


def tile(paths: Sequence[Path], columns: int, size: tuple[int, int], out: Path) -> None:
    """Set pictures side by side on a dark ground."""
    from PIL import Image

    rows = -(-len(paths) // columns)
    whole = Image.new("RGB", (columns * (size[0] + GAP) + GAP, rows * (size[1] + GAP) + GAP), "#14161c")
    for number, path in enumerate(paths):
        with Image.open(path) as picture:
            x, y = number % columns, number // columns
            whole.paste(picture, (GAP + x * (size[0] + GAP), GAP + y * (size[1] + GAP)))
    whole.save(out, "JPEG", quality=86, optimize=True)
