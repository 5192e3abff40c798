"""The child that renders one Liquid template: JSON on standard input, JSON on standard output, then it ends.

Runs as a script in isolated mode and imports nothing of ours, so that a template has nothing to reach for.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

MEMORY = 400 << 20
CPU_SECONDS = 3
MAX_TEXT = 100_000
MAX_ITEMS = 1_000

FILTERS = (
    "append", "capitalize", "ceil", "compact", "concat", "default", "divided_by", "downcase", "first", "floor", "join",
    "last", "lstrip", "map", "minus", "modulo", "plus", "prepend", "remove", "replace", "replace_first", "reverse",
    "round", "rstrip", "size", "slice", "sort", "split", "squish", "strip", "strip_newlines", "times", "truncate",
    "truncatewords", "uniq", "upcase", "where",
)  # fmt: skip
TAGS = (
    "#", "assign", "break", "capture", "case", "comment", "continue", "cycle", "doc", "echo", "for", "if", "raw",
    "unless",
)  # fmt: skip
_DIRECTIVES = re.compile(r"%-?[YmdBbAaHMSpyejI%]")


def limit_process() -> None:
    """Cap memory and processor time where the system can (everywhere but Windows)."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def render(job: dict[str, Any]) -> dict[str, Any]:
    """Render the job's template; faults come back as one sentence, `limit` marks those of size."""
    from liquid import Environment, StrictUndefined
    from liquid.exceptions import LiquidError, ResourceLimitError

    class Bounded(Environment):
        block_nesting_limit = 20
        context_depth_limit = 20
        loop_iteration_limit = 10_000
        local_namespace_limit = 400_000
        output_stream_limit = 400_000

    class TooBig(ResourceLimitError):
        """A filter was given or made more than a prompt can hold."""

    environment = Bounded(undefined=StrictUndefined, strict_filters=True)
    environment.tags = {n: tag for n, tag in environment.tags.items() if n in TAGS or n in _INTERNAL_TAGS}
    kept = {name: environment.filters[name] for name in FILTERS}
    environment.filters = {name: _bounded(name, made, TooBig) for name, made in kept.items()}
    environment.filters["date"] = _date_filter(job["now"])
    try:
        text = environment.from_string(job["template"]).render(**job["variables"], now=job["now"])
    except ResourceLimitError as fault:
        return {"fault": f"The prompt template is over a limit ({_words(fault)}).", "limit": True}
    except LiquidError as fault:
        return {"fault": f"The prompt template cannot be rendered{_line(fault)}: {_words(fault)}."}
    except (MemoryError, RecursionError, OverflowError):
        return {"fault": "The prompt template needs more memory than it may use.", "limit": True}
    return {"text": text}


_INTERNAL_TAGS = ("literal", "content", "output", "illegal", "liquid")


def _bounded(name: str, made: Callable[..., Any], too_big: type[Exception]) -> Callable[..., Any]:
    def check(value: Any) -> Any:
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise too_big(f"“{name}” works on at most {MAX_TEXT} characters", token=None)  # type: ignore[call-arg]
        if isinstance(value, list | tuple | range) and len(value) > MAX_ITEMS:
            raise too_big(f"“{name}” works on at most {MAX_ITEMS} items", token=None)  # type: ignore[call-arg]
        return value

    @wraps(made)
    def bounded(left: Any, *args: Any, **kwargs: Any) -> Any:
        return check(made(check(left), *(check(value) for value in args), **kwargs))

    return bounded


def _date_filter(now: str) -> Callable[..., str]:
    def date(value: Any, form: Any = "%Y-%m-%d") -> str:
        text = now if str(value) in ("now", "today") else str(value)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return _DIRECTIVES.sub(lambda found: moment.strftime(found[0]), str(form)[:200])

    return date


def _line(fault: Any) -> str:
    token = getattr(fault, "token", None)
    if token is None or token.start_index < 0:
        return ""
    return f" (line {token.source.count(chr(10), 0, token.start_index) + 1})"


def _words(fault: Any) -> str:
    return " ".join(str(fault.message or type(fault).__name__).split())[:300].rstrip(".")


def main() -> None:
    limit_process()
    try:
        answer = render(json.loads(sys.stdin.buffer.read()))
    except MemoryError:
        answer = {"fault": "The prompt template needs more memory than it may use.", "limit": True}
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
