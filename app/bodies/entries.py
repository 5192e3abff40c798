"""What a form of a body is made of: entries that are shown as text and read back, every fault at once.

An entry's `way` says how a value is written: line, text, whole, number, decimal (a number that is kept as it was
written), share (percent of one), tick, one (of a list), many (ticks), list (by commas), rows (one a line), pairs
("written = spoken", one a line), json.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as set_up
from typing import Any, Literal

from domain.production.commands.new_job import hidden_places

Way = Literal[
    "line", "text", "whole", "number", "decimal", "share", "tick", "one", "many", "list", "rows", "pairs", "json"
]
MOST_PARTS = 2000


@dataclass(frozen=True)
class Entry:
    """One field of a form. `path`: where it lies in the body; `source`: the list that its choices come from.

    `low` and `high` bound numbers, `high` alone the characters of a text. `needed`: it may not be left empty;
    otherwise an empty one is `empty`. `numeric`: what is chosen is kept as a number.
    """

    path: str
    label: str
    way: Way = "line"
    help: str = ""
    low: float = 0
    high: float = 200
    needed: bool = True
    empty: Any = None
    choices: Mapping[str, str] = set_up(default_factory=dict)
    source: str = ""
    rows: int = 4
    mono: bool = False
    numeric: bool = False

    @property
    def name(self) -> str:
        """Its name in the form."""
        return self.path.replace(".", "-")


@dataclass(frozen=True)
class Trouble:
    """One thing wrong: the form's field, a code with its sentence in app/views/troubles.py, and the words in it."""

    field: str
    code: str
    words: Mapping[str, object] = set_up(default_factory=dict)


Offer = Mapping[str, Sequence[str]]
"""Source, or path of an entry without one → the values that can be chosen."""


class Unread(ValueError):
    """Raised inside this module when a value cannot be read."""

    def __init__(self, code: str, **words: object) -> None:
        super().__init__(code)
        self.code, self.words = code, words


def show_entries(entries: Sequence[Entry], body: Mapping[str, Any]) -> dict[str, str]:
    """A body as the values of its form."""
    values: dict[str, str] = {}
    for entry in entries:
        value = dig(body, entry.path)
        if entry.way == "many":
            values |= {f"{entry.name}.{one}": "1" for one in value or ()}
        else:
            values[entry.name] = _shown(entry, value)
    return values


def read_entries(
    entries: Sequence[Entry], values: Mapping[str, str], offer: Offer
) -> tuple[dict[str, Any], list[Trouble]]:
    """The body that a form describes, and everything wrong with it; what cannot be read is left out."""
    body: dict[str, Any] = {}
    troubles: list[Trouble] = []
    for entry in entries:
        try:
            put(body, entry.path, _read(entry, values, offer))
        except Unread as wrong:
            troubles.append(Trouble(entry.name, wrong.code, {"low": entry.low, "high": entry.high, **wrong.words}))
    return body, troubles


def names_of(entries: Sequence[Entry]) -> set[str]:
    """The fields of a form; those of ticks end with a dot."""
    return {f"{entry.name}." if entry.way == "many" else entry.name for entry in entries}


def dig(body: Mapping[str, Any], path: str) -> Any:
    """The value at a path; None where there is none."""
    value: Any = body
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path; None leaves the body's own default."""
    *above, last = path.split(".")
    for part in above:
        body = body.setdefault(part, {})
    if value is not None:
        body[last] = value


# ── Showing ───────────────────────────────────────────────────────────────────────────────────────────────
def _shown(entry: Entry, value: Any) -> str:
    if value is None:
        return ""
    return _SHOWN.get(entry.way, _as_text)(value)


def _as_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _share(value: Any) -> str:
    return f"{float(value) * 100:g}"


_SHOWN: Mapping[str, Callable[[Any], str]] = {
    "tick": lambda value: "1" if value else "",
    "share": _share,
    "list": lambda value: ", ".join(map(str, value)),
    "rows": lambda value: "\n".join(map(str, value)),
    "pairs": lambda value: "\n".join(f"{left} = {right}" for left, right in value.items()),
    "json": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
}


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────
def _read(entry: Entry, values: Mapping[str, str], offer: Offer) -> Any:
    if entry.way == "many":
        return _many(entry, values, offer)
    given = values.get(entry.name, "")
    if entry.way == "tick":
        return given != ""
    if hidden := hidden_places(given):
        place = hidden[0]
        raise Unread("hidden", line=given.count("\n", 0, place) + 1, sign=f"U+{ord(given[place]):04X}")
    if not given.strip():
        if entry.needed:
            raise Unread("empty")
        return entry.empty
    return _READ[entry.way](entry, given, offer)


def _line(entry: Entry, given: str, _offer: Offer) -> str:
    return _bounded(entry, " ".join(given.split()))


def _text(entry: Entry, given: str, _offer: Offer) -> str:
    return _bounded(entry, given)


def _bounded(entry: Entry, text: str) -> str:
    if len(text) > entry.high:
        raise Unread("long", count=len(text))
    return text


_NUMBER = re.compile(r"[+\-−]?\d{1,9}(?:[.,]\d{1,6})?", re.ASCII)


def _number(entry: Entry, given: str, _offer: Offer) -> float:
    plain = given.strip().rstrip("%").strip()
    if not _NUMBER.fullmatch(plain):
        raise Unread("number")
    number = float(plain.replace(",", ".").replace("−", "-"))
    if not entry.low <= number <= entry.high:
        raise Unread("bounds")
    return number


def _plain(entry: Entry, given: str, offer: Offer) -> float:
    """A number as a person would write it: 5 rather than 5.0."""
    number = _number(entry, given, offer)
    return int(number) if number == int(number) else number


def _whole(entry: Entry, given: str, offer: Offer) -> int:
    number = _number(entry, given, offer)
    if number != int(number):
        raise Unread("whole")
    return int(number)


def _decimal(entry: Entry, given: str, offer: Offer) -> str:
    _number(entry, given, offer)
    return given.strip().replace(",", ".").replace("−", "-").removeprefix("+")


def _of_one(entry: Entry, given: str, offer: Offer) -> float:
    return round(_number(entry, given, offer) / 100, 6)


def _one(entry: Entry, given: str, offer: Offer) -> str | int:
    if given not in choices_of(entry, offer):
        raise Unread("choice", name=given[:60])
    return int(given) if entry.numeric else given


def _many(entry: Entry, values: Mapping[str, str], offer: Offer) -> list[Any]:
    prefix = f"{entry.name}."
    chosen = [name.removeprefix(prefix) for name in values if name.startswith(prefix) and values[name]]
    known = choices_of(entry, offer)
    if wrong := [name for name in chosen if name not in known]:
        raise Unread("choice", name=wrong[0][:60])
    if entry.needed and not chosen:
        raise Unread("none")
    ordered = [name for name in known if name in chosen]
    return [int(name) if entry.numeric else name for name in ordered]


def choices_of(entry: Entry, offer: Offer) -> Sequence[str]:
    """The values an entry may have."""
    return offer.get(entry.source or entry.path, list(entry.choices))


def _list(entry: Entry, given: str, offer: Offer) -> list[str]:
    parts = [" ".join(part.split()) for part in given.split(",") if part.strip()]
    if entry.source:
        known = choices_of(entry, offer)
        if wrong := [part for part in parts if part not in known]:
            raise Unread("listed", name=wrong[0][:60], names=", ".join(known))
    return _parts(entry, list(dict.fromkeys(parts)))


def _rows(entry: Entry, given: str, _offer: Offer) -> list[str]:
    return _parts(entry, list(dict.fromkeys(" ".join(row.split()) for row in given.splitlines() if row.strip())))


def _parts(entry: Entry, parts: list[str]) -> list[str]:
    if len(parts) > MOST_PARTS:
        raise Unread("parts", count=len(parts), most=MOST_PARTS)
    if long := next((part for part in parts if len(part) > entry.high), ""):
        raise Unread("part", name=long[:40])
    return parts


def _pairs(entry: Entry, given: str, _offer: Offer) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for number, row in enumerate(given.splitlines(), 1):
        left, sign, right = (part.strip() for part in row.partition("="))
        if not row.strip():
            continue
        if not (left and sign and right):
            raise Unread("pair", line=number)
        if left in pairs:
            raise Unread("twice", line=number, name=left[:40])
        pairs[left] = right
    _parts(entry, [*pairs, *pairs.values()])
    return pairs


def _json(_entry: Entry, given: str, _offer: Offer) -> Any:
    try:
        value = json.loads(given)
    except json.JSONDecodeError as fault:
        raise Unread("json", line=fault.lineno, column=fault.colno) from None
    except (RecursionError, ValueError):
        raise Unread("deep") from None
    if not isinstance(value, dict):
        raise Unread("object")
    if not _finite(value):
        raise Unread("deep")
    return value


def _finite(value: Any, depth: int = 0) -> bool:
    """Whether a document has no number that is none, and no depth that nobody means."""
    if depth > 40:
        return False
    if isinstance(value, dict):
        return all(_finite(one, depth + 1) for one in value.values())
    if isinstance(value, list):
        return all(_finite(one, depth + 1) for one in value)
    return not isinstance(value, float) or math.isfinite(value)


_READ: Mapping[str, Callable[[Entry, str, Offer], Any]] = {
    "line": _line,
    "text": _text,
    "whole": _whole,
    "number": _plain,
    "decimal": _decimal,
    "share": _of_one,
    "one": _one,
    "list": _list,
    "rows": _rows,
    "pairs": _pairs,
    "json": _json,
}
