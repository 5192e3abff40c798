"""The child that looks at uploaded files: one JSON request on standard input, one JSON line per file as it is done.

Decoders meet bytes of strangers here, away from the server, within limits of memory, time and output.
"""

from __future__ import annotations

import contextlib
import errno
import json
import sys
from pathlib import Path
from typing import Any

from adapters.images.normalise import PictureRefused, normalise

MEMORY = 4 << 30
"""Address space: the largest picture allowed needs about 1.6 GB while it is turned and scaled."""
CPU_SECONDS = 300
MAX_OUTPUT = 256 << 20


def limit_process() -> None:
    """Cap memory, processor time and file size where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT, MAX_OUTPUT))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def look_at(source: Path, name: str, target: Path) -> dict[str, Any]:
    """Normalise one file into `target`; answer its facts or why it was refused."""
    try:
        made = normalise(source.read_bytes(), name)
        target.write_bytes(made.data)
    except PictureRefused as refused:
        return {"refused": refused.code, "facts": refused.facts, "sentence": refused.sentence}
    except OSError as fault:
        target.unlink(missing_ok=True)
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return {"refused": "full", "facts": {}, "sentence": "The disk is full."}
    return {"media_type": made.media_type, "width": made.width, "height": made.height}


def main() -> None:
    limit_process()
    for file in json.loads(sys.stdin.buffer.read()):
        answer = look_at(Path(file["source"]), file["name"], Path(file["target"]))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
