"""Write a timeline document for other programs: OpenTimelineIO, an edit list, or its captions."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.settings import Settings
from app.commands.check import report_faults
from app.commands.plan import write
from app.console import DONE, FAILED, CommandError, Console

if TYPE_CHECKING:
    from app.documents import Compiled

Written = tuple[str, list[str]]
"""The text, and what it cannot say."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The document, the form, and where it goes."""
    parser.add_argument("document", type=Path, help="timeline document (JSON or YAML); assets are paths beside it")
    parser.add_argument("--to", required=True, choices=list(FORMATS), help="form to write")
    parser.add_argument("-o", "--out", type=Path, help="file to write (default: beside the document)")
    parser.add_argument("--profile", default="", help="output profile (default: the document's first)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Compile, write, and name every loss."""
    from app.documents import compile_file
    from timeline.faults import TimelineError

    try:
        compiled = compile_file(arguments.document, arguments.profile)
    except TimelineError as error:
        report_faults(error, console)
        return FAILED
    text, losses = FORMATS[arguments.to](compiled)
    suffix = {"transcript": "transcript.json"}.get(arguments.to, arguments.to)
    out: Path = arguments.out or arguments.document.with_name(f"{arguments.document.stem}.{suffix}")
    if out.resolve() == arguments.document.resolve():
        raise CommandError("--out is the document itself; choose another name.")
    write(out, text)
    for loss in losses:
        console.say(console.paint("lost: ", "yellow") + loss)
    console.result({"file": str(out), "losses": losses}, f"file      {out}", f"losses    {len(losses)}")
    return DONE


def _otio(compiled: Compiled) -> Written:
    from adapters.interchange.otio_writer import write_otio

    captions = [track for track in compiled.resolved.tracks if track.kind == "caption"]
    losses = [f"Captions of {track.id} travel as data only; export srt or vtt beside it." for track in captions]
    return write_otio(compiled.document, compiled.resolved), losses


def _edl(compiled: Compiled) -> Written:
    from adapters.interchange.edl import write_edl

    return write_edl(compiled.resolved)


def _srt(compiled: Compiled) -> Written:
    from timeline.captions.sidecars import write_srt

    return write_srt(_cued(compiled).plan.cues, compiled.plan.sound.sample_rate), []


def _vtt(compiled: Compiled) -> Written:
    from timeline.captions.sidecars import write_vtt

    return write_vtt(_cued(compiled).plan.cues, compiled.plan.sound.sample_rate), []


def _ttml(compiled: Compiled) -> Written:
    from timeline.captions.sidecars import write_ttml

    return write_ttml(_cued(compiled).plan.cues, compiled.plan.language, compiled.plan.sound.sample_rate), []


def _ass(compiled: Compiled) -> Written:
    from timeline.captions.sidecars import write_ass

    return write_ass(_cued(compiled).plan), []


def _transcript(compiled: Compiled) -> Written:
    from timeline.captions.sidecars import write_transcript

    return write_transcript(_cued(compiled).plan.cues, compiled.plan.language, compiled.plan.sound.sample_rate), []


def _cued(compiled: Compiled) -> Compiled:
    if not compiled.plan.cues:
        raise CommandError('This document shows no captions: add a track {"role": "caption", "from": …}.')
    return compiled


FORMATS: Mapping[str, Callable[[Compiled], Written]] = {
    "otio": _otio,
    "edl": _edl,
    "srt": _srt,
    "vtt": _vtt,
    "ttml": _ttml,
    "ass": _ass,
    "transcript": _transcript,
}
