"""One process of benchmarks/queue.py: `python -m benchmarks.queue_worker LOOPS SECONDS`; answers JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from adapters import settings
from adapters.database import make_engines
from benchmarks.queue import turn


async def main(loops: int, seconds: float) -> None:
    """Turn the line for some seconds; write how long each claim and settlement took (ms)."""
    engines = make_engines(settings.load(), "worker")
    units = engines.units()
    claims: list[float] = []
    settles: list[float] = []
    await turn(units, 0.5, [], [])
    begun = time.perf_counter()
    await asyncio.gather(*(turn(units, seconds, claims, settles) for _ in range(loops)))
    answer = {"claims": claims, "settles": settles, "seconds": time.perf_counter() - begun}
    await engines.dispose()
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
