"""`make bench`: every benchmark that needs nothing running, or the named ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from benchmarks import (
    chaos,
    drift,
    edit,
    fairness,
    films,
    forecasts,
    fuzz,
    gallery,
    isolation,
    kills,
    memory,
    narration_drift,
    outages,
    pages,
    queue,
    quotes,
    render_cost,
    second_opinion,
    turnaround,
    typefaces,
)

BENCHMARKS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "chaos": chaos.main,
    "drift": drift.main,
    "edit": edit.main,
    "films": films.main,
    "render_cost": render_cost.main,
    "pages": pages.main,
    "isolation": isolation.main,
    "memory": memory.main,
    "narration_drift": narration_drift.main,
    "quotes": quotes.main,
    "kills": kills.main,
    "fairness": fairness.main,
    "forecasts": forecasts.main,
    "fuzz": fuzz.main,
    "gallery": gallery.main,
    "outages": outages.main,
    "queue": queue.main,
    "second_opinion": second_opinion.main,
    "typefaces": typefaces.main,
    "turnaround": turnaround.main,
}
ALONE = ("drift", "edit", "films", "pages", "isolation", "render_cost", "narration_drift", "quotes", "kills", "fuzz")
"""Those that need no running stack."""


def main(words: Sequence[str]) -> int:
    """Run benchmarks; answers 1 when one misses its limit. Options after one name are that benchmark's own."""
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    names, options = words[:first], words[first:]
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown or (options and len(names) != 1):
        said = f"There is no benchmark {', '.join(unknown)}" if unknown else "Options need the name of one benchmark"
        print(f"{said}: choose from {', '.join(BENCHMARKS)}.")
        return 2
    failed = 0
    for name in names or ALONE:
        print(f"── {name}")
        failed |= BENCHMARKS[name](options)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
