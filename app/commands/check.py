"""Check a timeline document: every fault with its place and fix, or what it would become. Renders nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.settings import Settings
from app.console import DONE, FAILED, Console, span

if TYPE_CHECKING:
    from app.documents import Compiled
    from timeline.faults import Fault, TimelineError

FRAMES_PER_SECOND = 45.0
"""Frames of a full HD film that one core makes in a second; only for the estimate."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The document and the profile."""
    parser.add_argument("document", type=Path, help="timeline document (JSON or YAML); assets are paths beside it")
    parser.add_argument("--profile", default="", help="output profile (default: describe the first, check all)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Compile the document and describe the result."""
    from app.documents import open_file
    from timeline.describe import describe_resolved
    from timeline.faults import TimelineError

    try:
        opened = open_file(arguments.document, arguments.profile)
        compiled = opened.compile()
        others = [] if arguments.profile else [other.compile() for other in opened.others()]
    except TimelineError as error:
        report_faults(error, console)
        return FAILED
    found = describe(compiled)
    found["profiles"] = [each.plan.output.profile for each in (compiled, *others)]
    seen = [fault for each in (compiled, *others) for fault in (*each.resolved.warnings, *each.warnings)]
    warnings = {(fault.code, fault.path, fault.message): fault for fault in seen}.values()
    for fault in warnings:
        console.say(console.paint("warning: ", "yellow") + str(fault))
    found["warnings"] = [fault.model_dump(mode="json") for fault in warnings]
    console.result(found, *lines(found), *describe_resolved(compiled.resolved))
    return DONE


def report_faults(error: TimelineError, console: Console) -> None:
    """Every fault, for people and with --json for machines."""
    faults: list[Fault] = sorted(error.faults, key=lambda fault: fault.severity != "error")
    for fault in faults:
        colour = "red" if fault.severity == "error" else "yellow"
        console.say(console.paint(f"{fault.severity}: ", colour, "bold") + told(fault))
    errors = sum(fault.severity == "error" for fault in faults)
    console.result({"faults": [fault.model_dump(mode="json") for fault in faults]}, counted(errors))


def told(fault: Fault) -> str:
    """A fault in one line, with the moment in the film it is about."""
    return f"{fault} ({fault.at})" if fault.at else str(fault)


def counted(faults: int) -> str:
    """How many faults, in words."""
    return "1 fault" if faults == 1 else f"{faults} faults"


def describe(compiled: Compiled) -> dict[str, object]:
    """What the document would become; times in seconds."""
    plan, output = compiled.plan, compiled.plan.output
    seconds = plan.frames * output.rate.den / output.rate.num
    megapixels = output.width * output.height / (1920 * 1080)
    return {
        "title": plan.title,
        "profile": output.profile,
        "seconds": round(seconds, 3),
        "frames": plan.frames,
        "width": output.width,
        "height": output.height,
        "rate": f"{output.rate.num}/{output.rate.den}",
        "segments": len(plan.segments),
        "sounds": len(plan.sound.sounds),
        "captions": len(plan.cues),
        "estimated_cpu_seconds": round(plan.frames * megapixels / FRAMES_PER_SECOND, 1),
    }


def lines(found: dict[str, object]) -> list[str]:
    """The same for people."""
    return [
        f"title     {found['title'] or '(none)'}",
        f"output    {found['profile']}, {found['width']}×{found['height']} at {found['rate']} frames/s",
        f"length    {span(float(str(found['seconds'])))}, {found['frames']} frames",
        f"plan      {found['segments']} segments, {found['sounds']} sounds, {found['captions']} captions",
        f"estimate  about {span(float(str(found['estimated_cpu_seconds'])))} of one core",
    ]
