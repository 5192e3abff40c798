"""Looking behind the first faults: a document put right as far as that is safe, so that what else is wrong is told too.

A field that is not known, or whose value is none, is left out or replaced by the word that was meant; nothing that
decides when something is shown is ever guessed. Faults found in the mended document are told beside the first ones,
except about items that have a fault already.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from typing import Any

from timeline.faults import Fault

TIMES = frozenset(
    (
        *("fps", "duration", "sample_rate", "place", "at", "anchor", "ref", "edge", "offset", "length", "until", "fr"),
        *("source", "in", "dur", "speed", "gap", "align", "in_offset", "out_offset", "handles", "mode", "range"),
        *("start", "end", "words", "uri", "variables", "var"),
    )
)
"""Fields that decide when things are shown, or what is measured: where one is wrong, nothing is told of the rest."""
_ITEM = re.compile(r"(?:/sequence|/sequences/[^/]+)/tracks/\d+(?:/items/\d+)?")


def mended(data: dict[str, Any], faults: Sequence[Fault]) -> dict[str, Any] | None:
    """Answer plain data without what the faults are about; None where that cannot be done safely."""
    whole = copy.deepcopy(data)
    for fault in faults:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in fault.path.split("/")[1:]]
        if not steps or TIMES & set(steps) or fault.code not in ("E_UNKNOWN_FIELD", "E_UNKNOWN_WORD", "E_VALUE"):
            return None
        if not _mend(whole, steps, fault):
            return None
    return whole


def _mend(whole: Any, steps: Sequence[str], fault: Fault) -> bool:
    here = whole
    for step in steps[:-1]:
        here = _below(here, step)
    last = steps[-1]
    if isinstance(here, dict) and last in here:
        given = here.pop(last)
        if fault.nearest and fault.code == "E_UNKNOWN_FIELD":
            here[fault.nearest] = given
        elif fault.nearest:
            here[last] = fault.nearest
        return True
    if isinstance(here, list) and last.isdigit() and int(last) < len(here) and fault.nearest:
        here[int(last)] = fault.nearest
        return True
    return False


def _below(here: Any, step: str) -> Any:
    if isinstance(here, dict):
        return here.get(step)
    if isinstance(here, list) and step.isdigit() and int(step) < len(here):
        return here[int(step)]
    return None


def further(first: Sequence[Fault], later: Iterable[Fault]) -> list[Fault]:
    """Answer errors of a mended document that are not about items with a fault of their own."""
    touched = {found[0] for fault in first if (found := _ITEM.match(fault.path))}
    return [
        fault
        for fault in later
        if fault.severity == "error" and not ((found := _ITEM.match(fault.path)) and found[0] in touched)
    ]
