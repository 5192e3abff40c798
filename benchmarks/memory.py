"""Memory of the whole stack at rest, in MB: proportional shares, so pages that processes share count once.

python -m benchmarks.memory          while `vfos up` runs
python -m benchmarks.memory HOME     for another VFOS_HOME
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import psutil

from adapters import settings
from adapters.embedded.stack import Home

LIMIT_MB = 700


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 above the limit or when nothing runs."""
    home = Home(settings.load({"VFOS_HOME": argv[0]} if argv else None))
    running = home.announced()
    if running is None or not psutil.pid_exists(running.pid):
        print("Nothing runs there: start `vfos up` first.")
        return 1
    family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
    shares = list(shares_of(family))
    for share, name in sorted(shares, reverse=True):
        print(f"{share:7.1f} MB  {name}")
    total = sum(share for share, _ in shares)
    print(f"{total:7.1f} MB  in all, limit {LIMIT_MB} MB")
    return int(total > LIMIT_MB)


def shares_of(family: Iterable[psutil.Process]) -> Iterator[tuple[float, str]]:
    """What each holds, in MB, and its name; one that has ended meanwhile holds nothing, collected or not."""
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # also what psutil says of a zombie
            yield process.memory_full_info().pss / 1e6, title(process)


def title(process: psutil.Process) -> str:
    """A short name of a process."""
    words = process.cmdline()
    return " ".join([Path(words[0]).name, *words[1:]])[:90] if words else process.name()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
