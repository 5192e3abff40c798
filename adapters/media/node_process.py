"""What a node process does: makes one node of a plan in a folder.

Reads `request.json` in the folder, writes its output there, and speaks JSON lines on standard output:
`{"done": n, "total": m}` while working, then `{"result": …}` or `{"error": name, "sentence": …, "fix": …}`.
Standard input is the lifeline to the parent.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapters.media.errors import MediaError
from adapters.media.guard import limit_resources, watch_parent

Request = dict[str, Any]
Report = Callable[[int, int], None]
OUT = "out.part"
PLAN = "plan.json"
EVERY_S = 0.25


def reporter(write: Callable[[Request], None], clock: Callable[[], float] = time.monotonic) -> Report:
    """Progress lines at most four times a second, and always the last one."""
    last = -EVERY_S

    def report(done: int, total: int) -> None:
        nonlocal last
        now = clock()
        if done >= total or now - last >= EVERY_S:
            last = now
            write({"done": done, "total": total})

    return report


def _segment(folder: Path, request: Request, report: Report) -> None:
    from adapters.media.segment import make_segment

    plan = _plan(folder)
    make_segment(plan, plan.segments[0], _assets(request), folder / OUT, folder, report)


def _sound(folder: Path, request: Request, report: Report) -> None:
    from adapters.media.sound import make_sound

    make_sound(_plan(folder).sound, _assets(request), folder / OUT, folder, report)


def _join(folder: Path, request: Request, report: Report) -> None:
    from adapters.media.join import join_film

    segments = [Path(path) for path in request["segments"]]
    join_film(_plan(folder), segments, Path(request["sound"]), folder / OUT, folder, report)


def _watch(folder: Path, request: Request, report: Report) -> None:
    from adapters.media.watch import watch, written
    from adapters.media.watch_key import watch_key

    plan = _plan(folder)
    watched = watch(Path(request["film"]), plan, folder, report)
    (folder / OUT).write_bytes(written(watched, watch_key(plan, plan.segments[0])))


def _inspect(folder: Path, request: Request, report: Report) -> Request:
    from adapters.media.inspect import inspect_film

    plan = _plan(folder) if (folder / PLAN).exists() else None
    seen = [Path(path) for path in request["seen"]]
    found = inspect_film(Path(request["film"]), plan, folder, report, seen)
    return {"facts": dict(found.facts), "findings": [asdict(finding) for finding in found.findings]}


def _still(folder: Path, request: Request, report: Report) -> None:
    from adapters.media.still import make_still

    make_still(Path(request["film"]), request["frame"], folder / OUT, request["width"], request["height"])


def _frame(folder: Path, request: Request, report: Report) -> None:
    from adapters.media.excerpts import make_frame

    make_frame(_plan(folder), _assets(request), request["frame"], folder / OUT, folder, request["width"])


def _contact(folder: Path, request: Request, report: Report) -> None:
    from adapters.media.excerpts import make_contact_sheet

    how = {name: request[name] for name in ("count", "columns", "width")}
    make_contact_sheet(_plan(folder), _assets(request), folder / OUT, folder, report, **how)


def _preview(folder: Path, request: Request, report: Report) -> None:
    from adapters.media.excerpts import make_preview

    first, stop = request["first"], request["stop"]
    make_preview(_plan(folder), _assets(request), first, stop, folder / OUT, folder, report)


KINDS: dict[str, Callable[[Path, Request, Report], Request | None]] = {
    "segment": _segment,
    "sound": _sound,
    "join": _join,
    "watch": _watch,
    "inspect": _inspect,
    "still": _still,
    "frame": _frame,
    "contact": _contact,
    "preview": _preview,
}


def _plan(folder: Path) -> Any:
    from timeline.plan import RenderPlan

    return RenderPlan.model_validate_json((folder / PLAN).read_bytes())


def _assets(request: Request) -> Any:
    from domain.production.ports import Assets

    return Assets({key: Path(path) for key, path in request["assets"].items()})


def work(kind: str, folder: Path, write: Callable[[Request], None]) -> None:
    """Do one request and write its outcome; the output is forced to disk before it is announced."""
    request = json.loads((folder / "request.json").read_text())
    try:
        result = KINDS[kind](folder, request, reporter(write))
        if (folder / OUT).exists():
            _to_disk(folder / OUT)
    except MediaError as error:
        write({"error": type(error).__name__, "sentence": error.sentence, "fix": error.fix})
    except OSError as error:
        from adapters.media.encoder import file_fault

        fault = file_fault(error, f"make the {kind}")
        write({"error": type(fault).__name__, "sentence": fault.sentence, "fix": fault.fix})
    except MemoryError:
        write({"error": "ToolFailed", "sentence": f"There was not enough memory to make the {kind}.", "fix": ""})
    except Exception as error:
        traceback.print_exc()
        write({"error": "ToolFailed", "sentence": f"The {kind} could not be made: {error!r}.", "fix": ""})
    else:
        write({"result": result})


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def run(kind: str, folder: str, cpu_s: int, file_bytes: int) -> None:
    """Be a node: descriptors 0, 1 and 2 are lifeline, output and log. Does not return."""
    os.chdir(folder)
    watch_parent(0, Path(folder))
    limit_resources(cpu_s, file_bytes)
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    work(kind, Path(folder), lambda message: print(json.dumps(message), file=lines, flush=True))
    sys.stderr.flush()
    os._exit(0)
