"""A child process that answers requests and stays warm between them: heavy libraries live there, not in the worker.

One request is a JSON line, its answer a JSON line with `bytes` and that many bytes. The child ends when its input
ends (so also when the worker is killed), and after a while without requests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

_ROOT = Path(__file__).resolve().parents[1]

Answer = Callable[[dict[str, Any]], tuple[dict[str, Any], bytes]]


class ChildLost(Exception):
    """The child ended, hung or answered nonsense."""


class WarmChild:
    """The parent's side; safe to share between threads, one request at a time."""

    def __init__(self, module: str, *, answer_s: float, idle_s: float = 30.0) -> None:
        self._module, self._answer_s, self._idle_s = module, answer_s, idle_s
        self._lock = threading.Lock()
        self._idle: threading.Timer | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Answer a request, with a new child if the first is lost. Raises ChildLost when that is lost too."""
        with self._lock:
            self._stay()
            try:
                return self._ask_twice(request)
            finally:
                self._rest()

    def close(self) -> None:
        """End the child; the next request starts a new one."""
        with self._lock:
            self._stay()
            self._end()

    def _ask_twice(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        try:
            return self._exchange(request)
        except ChildLost:
            self._end()
        try:
            return self._exchange(request)
        except ChildLost:
            self._end()
            raise

    def _exchange(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        child = self._started()
        assert child.stdin
        assert child.stdout
        watch = threading.Timer(self._answer_s, child.kill)
        watch.start()
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            header = json.loads(child.stdout.readline() or b"null")
            if not isinstance(header, dict):
                raise ChildLost("it ended")
            body = child.stdout.read(int(header["bytes"]))
            if len(body) != header["bytes"]:
                raise ChildLost("it ended in the middle of an answer")
        except (OSError, ValueError, KeyError) as fault:
            raise ChildLost(type(fault).__name__) from None
        finally:
            watch.cancel()
        return header, body

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            self._end()
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env={"LC_ALL": "C.UTF-8", "PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1"},
            )
        return self.process

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _rest(self) -> None:
        """End the child when nobody asks for a while."""
        self._idle = threading.Timer(self._idle_s, self.close)
        self._idle.daemon = True
        self._idle.start()

    def _end(self) -> None:
        child, self.process = self.process, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                try:
                    pipe.close()
                except OSError:
                    continue


# ── The child's side ──────────────────────────────────────────────────────────────────────────────────────
def serve(requests: BinaryIO, answers: BinaryIO, answer: Answer, *, fork: bool = False) -> None:
    """Answer requests until the input ends; `fork`: each in a fork of this process, which always begins the same."""
    for line in requests:
        work = partial(framed, line, answer)
        answers.write(in_fork(work) if fork else work())
        answers.flush()


def framed(line: bytes, answer: Answer) -> bytes:
    """An answer as it goes over the line; a request that cannot be served is answered with its error."""
    try:
        header, body = answer(json.loads(line))
    except (ValueError, KeyError, TypeError) as fault:
        header, body = {"error": str(fault)[:300]}, b""
    return json.dumps({**header, "bytes": len(body)}).encode() + b"\n" + body


def in_fork(work: Callable[[], bytes]) -> bytes:
    """Do the work in a fork and hand back its bytes. If the fork is lost, so is this process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            with os.fdopen(writer, "wb") as out:
                out.write(work())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as source:
        result = source.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        sys.exit(1)
    return result


def answers_line() -> BinaryIO:
    """The true standard output for answers; what libraries print goes to standard error from now on."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers
