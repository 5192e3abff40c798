"""Say what rendering a timeline document would make: segment by segment, what is kept, what is made again and why."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.settings import Settings
from app.commands.check import report_faults
from app.console import DONE, FAILED, CommandError, Console, span

if TYPE_CHECKING:
    from timeline.plan import RenderPlan

MOST_LINES = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The document, what it is compared with, and where the plan goes."""
    parser.add_argument("document", type=Path, help="timeline document (JSON or YAML); assets are paths beside it")
    parser.add_argument("--profile", default="", help="output profile (default: the document's first)")
    parser.add_argument("--against", type=Path, help="an earlier version of the document, or an earlier plan")
    parser.add_argument("--keep", type=Path, help="folder of kept segments, as given to `vfos render --keep`")
    parser.add_argument("-o", "--out", type=Path, help="write the plan there (JSON)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Compile, compare, tell."""
    from app.documents import compile_file
    from timeline.changes import compare
    from timeline.faults import TimelineError

    try:
        plan = compile_file(arguments.document, arguments.profile).plan
        old = earlier(arguments.against, plan.output.profile) if arguments.against else None
    except TimelineError as error:
        report_faults(error, console)
        return FAILED
    made = frozenset(path.stem for path in arguments.keep.glob("*.mp4")) if arguments.keep else frozenset[str]()
    found = compare(plan, old, made)
    if arguments.out:
        write(arguments.out, plan.model_dump_json(indent=1))
    console.result(
        {
            "profile": plan.output.profile,
            "frames": plan.frames,
            "segments": [vars(change) for change in found.segments],
            "remade_segments": len(found.remade),
            "remade_frames": found.frames,
            "share": round(found.frames / plan.frames, 4),
            "sound": "kept" if found.sound_kept else "made again",
            "estimated_cpu_seconds": found.seconds,
        },
        *(
            f"{change.start:>8}  {change.frames:>6} frames  {'kept  ' if change.kept else 'make  '}  "
            f"{' + '.join(change.items) or '(nothing)'}{': ' + change.why if change.why else ''}"
            for change in found.segments[:MOST_LINES]
        ),
        *([f"          … and {len(found.segments) - MOST_LINES} more"] if len(found.segments) > MOST_LINES else []),
        f"segments  {len(found.remade)} of {len(found.segments)} to make, {found.frames} of {plan.frames} frames",
        f"sound     {'kept' if found.sound_kept else 'to make'}",
        f"estimate  about {span(found.seconds)} of one core",
    )
    return DONE


def earlier(path: Path, profile: str) -> RenderPlan:
    """An earlier plan, or the plan of an earlier document. Raises TimelineError, CommandError."""
    from app.documents import compile_file, read
    from timeline.plan import RenderPlan

    text = read(path)
    if b'"plan/1"' in text[:4000]:
        try:
            return RenderPlan.model_validate_json(text)
        except ValueError as error:
            raise CommandError(f"{path} is no plan of ours: {str(error).splitlines()[0]}.") from error
    return compile_file(path, profile).plan


def write(path: Path, text: str) -> None:
    """Write a text whole or not at all. Raises CommandError."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CommandError(f"{path} cannot be written ({error.strerror}).") from error
