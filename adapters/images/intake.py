"""Uploaded files become clean pictures, in a child process that may fall over without hurting anybody."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE_SECONDS = 45.0
"""Longest time one file may take."""
AT_ONCE = 2
"""Children at work at the same time in one process."""


@dataclass(frozen=True)
class Incoming:
    """A file as it came: where it lies and what its owner calls it."""

    path: Path
    name: str


@dataclass(frozen=True)
class CleanPicture:
    """A picture ready for the store: upright, sRGB, without metadata."""

    path: Path
    media_type: str
    width: int
    height: int


@dataclass(frozen=True)
class Refusal:
    """Why a file is not taken: `code` and `facts` for other languages, `sentence` in English."""

    code: str
    sentence: str
    facts: Mapping[str, int] = field(default_factory=dict)


class Intake:
    """Looks at uploads, a few at a time."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def look(self, files: Sequence[Incoming], folder: Path) -> AsyncIterator[CleanPicture | Refusal]:
        """Yield one answer per file, in order; clean pictures lie in `folder` until the caller takes them."""
        left = [(file, folder / f"clean-{place}") for place, file in enumerate(files)]
        async with self._gate:
            while left:
                # A child that falls over takes only the file it was looking at with it.
                async for answer in _run(left):
                    left.pop(0)
                    yield answer
                if left:
                    file, target = left.pop(0)
                    target.unlink(missing_ok=True)
                    yield Refusal("heavy", f"{file.name} needs too much memory or time; please make it smaller.")


async def _run(files: Sequence[tuple[Incoming, Path]]) -> AsyncIterator[CleanPicture | Refusal]:
    """Start a child on these files; stops early when it ends or a file takes too long."""
    request = [{"source": str(file.path), "name": file.name, "target": str(target)} for file, target in files]
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "adapters.images.intake_process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=ROOT,
        env=_environment(),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(json.dumps(request).encode())
        with contextlib.suppress(ConnectionError):
            await child.stdin.drain()
        child.stdin.close()
        for _, target in list(files):
            line = await asyncio.wait_for(child.stdout.readline(), FILE_SECONDS)
            if not line:
                return
            yield _answer(json.loads(line), target)
    except TimeoutError:
        return
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _answer(values: Mapping[str, Any], target: Path) -> CleanPicture | Refusal:
    if "refused" in values:
        return Refusal(values["refused"], values["sentence"], values["facts"])
    return CleanPicture(target, values["media_type"], values["width"], values["height"])


def _environment() -> dict[str, str]:
    """Nothing of ours but the way to our modules; one thread is enough and keeps memory small."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return {"LC_ALL": "C.UTF-8", "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
