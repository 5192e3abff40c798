"""Read what other programs wrote: an edited OpenTimelineIO file as a document, or captions as timed words."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from adapters.settings import Settings
from app.commands.check import report_faults
from app.commands.plan import write
from app.console import DONE, FAILED, Console

FORMS = ("otio", "srt", "vtt")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, its form, and where the result goes."""
    parser.add_argument("file", type=Path, help="file to read")
    parser.add_argument("--from", dest="form", choices=FORMS, help="its form (default: told by its name)")
    parser.add_argument("-o", "--out", type=Path, help="file to write (default: beside it)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Read and write; the report says what was kept, what was changed there, and what we cannot say."""
    from timeline.faults import TimelineError

    form = arguments.form or arguments.file.suffix.lower().lstrip(".")
    try:
        return (_otio if form == "otio" else _captions)(arguments.file, arguments.out, console)
    except TimelineError as error:
        report_faults(error, console)
        return FAILED


def _text(path: Path) -> str:
    from app.documents import read

    return read(path, 64 * 2**20).decode("utf-8-sig", errors="replace")


def _otio(path: Path, out: Path | None, console: Console) -> int:
    from adapters.interchange.otio_reader import read_otio

    document, report = read_otio(_text(path))
    target = out or path.with_suffix(".json")
    write(target, document.model_dump_json(indent=1) + "\n")
    rows = [("kept", "changed there", "not expressible"), *report.rows()]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    console.result(
        {"file": str(target), "kept": report.kept, "changed": report.changed, "not_expressible": report.lost},
        *(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in rows),
        f"file      {target}",
    )
    return DONE


def _captions(path: Path, out: Path | None, console: Console) -> int:
    from timeline.captions.reading import read_captions

    words = read_captions(_text(path))
    target = out or path.with_suffix(".words.json")
    write(target, json.dumps([asdict(word) for word in words], ensure_ascii=False, indent=1) + "\n")
    sentences = words[-1].sentence if words else 0
    console.result(
        {"file": str(target), "words": len(words), "sentences": sentences},
        f"file      {target}",
        f"words     {len(words)} in {sentences} captions",
    )
    return DONE
