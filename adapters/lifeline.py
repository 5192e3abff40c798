"""A pipe from the supervisor: when its other end closes, the supervisor is gone and so must we be."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress

VARIABLE = "VFOS_LIFELINE"
GRACE_SECONDS = 10.0


def watch() -> bool:
    """End this process (SIGTERM, later its whole group) when the supervisor ends; True when there is one to watch."""
    number = os.environ.pop(VARIABLE, "")
    if not number.isdigit():
        return False
    # Programs started by this process must not hold the pipe or believe it to be theirs.
    os.set_inheritable(int(number), False)
    threading.Thread(target=_wait, args=(int(number),), name="lifeline", daemon=True).start()
    return True


def _wait(pipe: int) -> None:
    with suppress(OSError):
        while os.read(pipe, 1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
