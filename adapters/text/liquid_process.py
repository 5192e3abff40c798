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
from difflib import get_close_matches
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


def make_environment(now: str) -> tuple[Any, type[Exception]]:
    """The engine with our tags, filters and limits, and the error of what is over a limit."""
    from liquid import Environment, StrictUndefined
    from liquid.exceptions import ResourceLimitError

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
    environment.filters["date"] = _date_filter(now)
    return environment, ResourceLimitError


def render(job: dict[str, Any]) -> dict[str, Any]:
    """Render the job's template; faults come back as one sentence, `limit` marks those of size."""
    from liquid.exceptions import LiquidError

    environment, ResourceLimitError = make_environment(job["now"])  # noqa: N806 a class
    try:
        text = environment.from_string(job["template"]).render(**job["variables"], now=job["now"])
    except ResourceLimitError as fault:
        return {"fault": f"The prompt template is over a limit ({_words(fault)}).", "limit": True}
    except LiquidError as fault:
        return {"fault": f"The prompt template cannot be rendered{_line(fault)}: {_words(fault)}."}
    except (MemoryError, RecursionError, OverflowError):
        return {"fault": "The prompt template needs more memory than it may use.", "limit": True}
    return {"text": text}


def check(job: dict[str, Any]) -> dict[str, Any]:
    """Every fault of the job's template: names that do not exist, else what goes wrong when it is filled."""
    from liquid.exceptions import LiquidError

    text = job["template"]
    unknown = [(name, at) for name, at in _tags_of(text) if name not in _TAG_NAMES]
    faults = [_unknown(text, at, "tag", name, _TAG_NAMES) for name, at in unknown]
    for _, at in unknown:
        # Out of the way, so that the rest can be looked at too; every place stays where it is.
        text = text[:at] + _WHOLE_TAG.sub(_blanked, text[at:], count=1)
    try:
        found = make_environment(job["now"])[0].from_string(text).analyze(include_partials=False)
    except LiquidError as fault:
        if not faults:
            faults.append({"line": _line_of(fault), "code": "syntax", "said": _words(fault)})
        return {"faults": faults}
    filters = (*FILTERS, "date")
    faults += [
        _unknown(text, span.index, "filter", name, filters)
        for name, spans in found.filters.items()
        if name not in filters
        for span in spans
    ]
    variables = (*job["variables"], "now")
    faults += [
        _unknown(text, one.span.index, "variable", name, variables)
        for name, uses in found.globals.items()
        if name not in variables
        for one in uses
    ]
    return {"faults": faults or _tried(job)}


def _tried(job: dict[str, Any]) -> list[dict[str, Any]]:
    """What goes wrong when the template is filled."""
    answer = render(job)
    if "fault" not in answer:
        return []
    line = re.search(r"\(line (\d+)\)", answer["fault"])
    words = re.sub(r"^The prompt template cannot be rendered(?: \(line \d+\))?: ", "", answer["fault"])
    code = "limit" if answer.get("limit") else "syntax"
    return [{"line": int(line[1]) if line else 0, "code": code, "said": words.rstrip(".")}]


_TAG_NAMES = (
    *TAGS,
    "liquid",
    "else",
    "elsif",
    "when",
    *(f"end{name}" for name in TAGS if name not in ("#", "assign", "echo")),
)
_WHOLE_TAG = re.compile(r"\{%.*?(?:%\}|$)", re.DOTALL)
_TAG = re.compile(r"\{%-?\s*(#|[\w.-]+)")
_SHUT_AWAY = re.compile(r"\{%-?\s*(raw|comment|doc)\s*-?%\}.*?\{%-?\s*end\1\s*-?%\}", re.DOTALL)


def _tags_of(text: str) -> list[tuple[str, int]]:
    """The names of tags and where they stand; what lies inside raw, comment and doc is text."""
    return [(found[1], found.start()) for found in _TAG.finditer(_SHUT_AWAY.sub(_blanked, text))]


def _blanked(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _unknown(text: str, at: int, code: str, name: str, known: tuple[str, ...]) -> dict[str, Any]:
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return {"line": text.count("\n", 0, at) + 1, "code": code, "name": name[:60], "near": near[0] if near else ""}


def _line_of(fault: Any) -> int:
    token = getattr(fault, "token", None)
    return 0 if token is None or token.start_index < 0 else int(token.source.count("\n", 0, token.start_index)) + 1


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
    line = _line_of(fault)
    return f" (line {line})" if line else ""


def _words(fault: Any) -> str:
    return " ".join(str(fault.message or type(fault).__name__).split())[:300].rstrip(".")


def main() -> None:
    limit_process()
    try:
        job = json.loads(sys.stdin.buffer.read())
        answer = check(job) if job.get("check") else render(job)
    except MemoryError:
        answer = {"fault": "The prompt template needs more memory than it may use.", "limit": True}
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
