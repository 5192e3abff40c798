"""OpenTimelineIO files as plain nodes.

Files of strangers are not given to the library's own reader: it crashes the process on some damaged or old ones.
Old schema versions are brought up to date here, and its words for numbers that are none (Inf, NaN) are read.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from timeline.faults import Fault, TimelineError

SPACE = "vfos"
"""The name under which our metadata stands."""
MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 120
MAX_VALUE = 1e12
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?Inf(?:inity)?\b|NaN\b', re.DOTALL)
_RENAMED = {"Sequence": "Track", "Filler": "Gap"}
KINDS = ("Timeline", "Stack", "Track", "Clip", "Gap", "Transition")


def refused(why: str) -> TimelineError:
    return TimelineError([Fault(code="E_OTIO", message=f"The OpenTimelineIO file cannot be read. {why}")])


@dataclass(frozen=True)
class Node:
    """One object of a file; `kind` is its schema without version, in today's words."""

    kind: str
    data: dict[str, Any]

    @property
    def name(self) -> str:
        name = self.data.get("name")
        return name[:80] if isinstance(name, str) else ""

    @property
    def ours(self) -> dict[str, Any]:
        """Answer our metadata, empty when there is none."""
        metadata = self.data.get("metadata")
        own = metadata.get(SPACE) if isinstance(metadata, dict) else None
        return own if isinstance(own, dict) else {}

    @property
    def children(self) -> Iterator[Node]:
        for child in self.data.get("children") or []:
            yield node_of(child)

    @property
    def url(self) -> str:
        """Answer the address of a clip's file, empty when it has none."""
        media = self.data.get("media_reference")
        if media is None and isinstance(self.data.get("media_references"), dict):
            key = self.data.get("active_media_reference_key", "DEFAULT_MEDIA")
            media = self.data["media_references"].get(key)
        url = media.get("target_url") if isinstance(media, dict) else None
        return url if isinstance(url, str) else ""

    @property
    def span(self) -> dict[str, Any] | None:
        """Answer the range of its source that is used."""
        span = self.data.get("source_range")
        return span if isinstance(span, dict) else None

    @property
    def effects(self) -> list[str]:
        """Answer the names of its effects."""
        given = [each for each in self.data.get("effects") or [] if isinstance(each, dict)]
        return [str(each.get("effect_name") or each.get("name") or each.get("OTIO_SCHEMA"))[:60] for each in given]


def node_of(value: Any) -> Node:
    """Answer a node. Raises TimelineError for what is none."""
    schema = value.get("OTIO_SCHEMA") if isinstance(value, dict) else None
    if not isinstance(schema, str):
        raise refused("It holds something that names no schema.")
    kind = schema.partition(".")[0]
    return Node(_RENAMED.get(kind, kind), value)


def read_timeline(text: str) -> Node:
    """Answer the timeline of a file. Raises TimelineError."""
    if len(text) > MAX_BYTES:
        raise refused(f"It is larger than {MAX_BYTES // 2**20} MiB.")
    _check_depth(text)
    try:
        value = json.loads(_TOKEN.sub(_plain_word, text))
    except (ValueError, RecursionError) as error:
        raise refused(f"It is not JSON ({str(error)[:120]}).") from None
    node = node_of(value)
    if node.kind != "Timeline":
        raise refused(f"It holds a {node.kind[:40]}, not a Timeline.")
    return node


def _plain_word(found: re.Match[str]) -> str:
    word = found[0]
    return word if word[0] == '"' else "NaN" if word == "NaN" else "-1e999" if word[0] == "-" else "1e999"


def _check_depth(text: str) -> None:
    depth = 0
    for char in re.sub(r"[^\[\]{}]", "", _TOKEN.sub("", text)):
        depth += 1 if char in "[{" else -1
        if depth > MAX_DEPTH:
            raise refused("It is nested too deeply.")


def units(time: Any, rate: Fraction, what: str) -> int:
    """Answer a time as whole units at a rate. Raises TimelineError for what is no time."""
    value: Any = time.get("value") if isinstance(time, dict) else None
    own: Any = time.get("rate") if isinstance(time, dict) else None
    if not (_is_number(value) and _is_number(own)) or own <= 0 or abs(value) > MAX_VALUE or own > MAX_VALUE:
        raise refused(f"{what} has a time that is none ({str(value)[:20]} at {str(own)[:20]}).")
    if abs(own - float(rate)) < 1e-6 and value == int(value):
        return int(value)
    seconds = Fraction(value).limit_denominator(10**9) / Fraction(own).limit_denominator(10**6)
    return math.floor(seconds * rate + Fraction(1, 2))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def digest_of(stack: Any) -> str:
    """Answer a hash of everything inside a stack, the same however its numbers are written."""
    text = json.dumps(_canonical(stack.get("children")), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return int(value) if isinstance(value, float) and math.isfinite(value) and value == int(value) else value
