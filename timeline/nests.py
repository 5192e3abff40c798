"""Sequences inside sequences: in which order they are resolved, and where their faults lie."""

from __future__ import annotations

from typing import Any

from timeline.document import Clip, Document, Sequence
from timeline.faults import Fault, Findings, nearest, pointer
from timeline.resolved import ResolvedTimeline

MAX_NESTS = 200


def at_rate(document: Document, fps: Any) -> Document:
    """Answer the document with all its sequences at another frame rate."""
    nested = {name: each.model_copy(update={"fps": fps}) for name, each in document.sequences.items()}
    sequence = document.sequence.model_copy(update={"fps": fps})
    return document.model_copy(update={"sequence": sequence, "sequences": nested})


def nested_in(sequence: Sequence) -> dict[str, str]:
    """Answer the names of the sequences that one plays, each with the id of its first item."""
    found: dict[str, str] = {}
    for track in sequence.tracks:
        for item in track.items:
            if isinstance(item, Clip) and item.sequence is not None:
                found.setdefault(item.sequence, item.id)
    return found


def nesting_order(document: Document, findings: Findings) -> list[str]:
    """Answer the names of all sequences, each after those it plays; circles and unknown names are reported."""
    if len(document.sequences) > MAX_NESTS:
        findings.add("E_TOO_MANY", f"There are more than {MAX_NESTS} sequences.", path="/sequences")
        return []
    needs = {name: nested_in(each) for name, each in document.sequences.items()}
    for owner, wanted in (("", nested_in(document.sequence)), *needs.items()):
        _check_known(document, owner, wanted, findings)
    order: list[str] = []
    while len(order) < len(needs):
        ready = [name for name in needs if name not in order and all(n in order or n not in needs for n in needs[name])]
        if not ready:
            circle = " → ".join(_circle({name: list(each) for name, each in needs.items() if name not in order}))
            findings.add("E_CYCLE", f"Sequences play each other in a circle: {circle}.", path="/sequences")
            return []
        order += ready
    return order


def _check_known(document: Document, owner: str, wanted: dict[str, str], findings: Findings) -> None:
    main = document.sequence.fps
    for name, item in wanted.items():
        if name not in document.sequences:
            fix = nearest(name, document.sequences) or "Add it to sequences."
            findings.add("E_UNKNOWN_REF", f"There is no sequence {name[:60]!r}.", item_id=item, fix=fix)
        elif document.sequences[name].fps != main:
            message = f"The sequence {name!r} runs at {document.sequences[name].fps} frames/s, the film at {main}."
            path = pointer("sequences", name, "fps")
            findings.add("E_NEST_RATE", message, path=path, item_id=item, fix=f"Write {str(main)!r}.")


def _circle(needs: dict[str, list[str]]) -> list[str]:
    name = next(iter(needs))
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = next(each for each in needs[name] if each in needs)
    return [*path[path.index(name) :], name]


# ── Places ────────────────────────────────────────────────────────────────────────────────────────────────
def moved_path(path: str, name: str) -> str:
    """Answer the pointer of something in a named sequence."""
    return pointer("sequences", name) + path.removeprefix("/sequence") if path.startswith("/sequence/") else path


def moved_fault(fault: Fault, name: str) -> Fault:
    patch = tuple(
        {key: moved_path(each, name) if key in ("path", "from") else each for key, each in operation.items()}
        for operation in fault.patch
    )
    return fault.model_copy(update={"path": moved_path(fault.path, name), "patch": patch})


def moved_timeline(timeline: ResolvedTimeline, name: str) -> ResolvedTimeline:
    """Answer a resolved sequence whose items point into `sequences`."""
    tracks = [
        track.model_copy(
            update={
                "items": tuple(item.model_copy(update={"path": moved_path(item.path, name)}) for item in track.items)
            }
        )
        for track in timeline.tracks
    ]
    return timeline.model_copy(update={"tracks": tuple(tracks)})
