"""From text or plain data to a Document; everything that is wrong is reported at once.

JSON numbers become decimals, YAML scalars stay text: no binary float and no guessed type ever enters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from timeline.binding import Binder, has_references
from timeline.document import Document
from timeline.faults import Fault, Findings, TimelineError
from timeline.mending import mended
from timeline.upgrades import upgraded
from timeline.validation import MAX_FAULTS, faults_of

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 60
_YAML_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class _Unreadable(ValueError):
    """Raised inside this module when a text is no JSON or YAML that we read."""


def load(
    text: str | bytes,
    *,
    format: Literal["json", "yaml"] | None = None,  # noqa: A002
    values: Mapping[str, Any] | None = None,
) -> Document:
    """Read a document from JSON or YAML (guessed from the first character if not said). Raises TimelineError.

    `values` replace defaults of variables where the document refers to them as {"var": name}.
    """
    return parse(read_plain(text, format), values)


def read_plain(text: str | bytes, format: Literal["json", "yaml"] | None = None) -> Any:  # noqa: A002
    """Read plain data from JSON or YAML. Raises TimelineError."""
    try:
        content = _decode(text)
        kind = format or ("json" if content.lstrip()[:1] in ("{", "[") else "yaml")
        return _read_json(content) if kind == "json" else _read_yaml(content)
    except _Unreadable as error:
        raise TimelineError([Fault(code="E_SYNTAX", message=str(error))]) from None


def parse(data: object, values: Mapping[str, Any] | None = None) -> Document:
    """Make a document from plain data (dicts, lists, text, integers, decimals). Raises TimelineError."""
    if not isinstance(data, dict):
        message = f"A document is an object with the fields schema, assets and sequence, not {_kind(data)}."
        raise TimelineError([Fault(code="E_SYNTAX", message=message)])
    try:
        return _parsed_fully(upgraded(data), values or {})
    except RecursionError:
        raise TimelineError([Fault(code="E_SYNTAX", message="The document is nested too deeply.")]) from None


def _parsed_fully(data: dict[str, Any], values: Mapping[str, Any]) -> Document:
    """As `_parsed`; a whole is checked only once its fields are right, so what is mended is looked at again."""
    found: list[Fault] = []
    whole: dict[str, Any] | None = data
    while whole is not None and len(found) < MAX_FAULTS:
        try:
            document = _parsed(whole, values)
        except TimelineError as error:
            new = [fault for fault in error.faults if not found or fault.path not in {each.path for each in found}]
            found += new
            whole = mended(whole, new) if new else None
        else:
            if found:
                break
            return document
    raise TimelineError(found)


def _parsed(data: dict[str, Any], values: Mapping[str, Any]) -> Document:
    findings = Findings()
    binder = Binder(data.get("variables"), values, findings)
    if has_references(data):
        data = {name: binder.bind(each, (name,)) for name, each in data.items()}
    try:
        document = Document.model_validate(data)
    except ValidationError as error:
        rest = [fault for fault in faults_of(error, data) if not fault.path.startswith(tuple(binder.paths) or ("\0",))]
        raise TimelineError([*findings.faults, *rest]) from None
    findings.raise_errors()
    return document.model_copy(update={"bound": tuple(binder.used)}) if binder.used else document


def _kind(data: object) -> str:
    names = {"list": "a list", "str": "a text", "NoneType": "nothing", "bool": "a truth value"}
    return names.get(type(data).__name__, "a number" if isinstance(data, int | float | Decimal) else "this")


def _decode(text: str | bytes) -> str:
    if len(text) > MAX_BYTES:
        raise _Unreadable(f"The document is larger than {MAX_BYTES // 2**20} MiB.")
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unreadable(f"The document is not UTF-8 text (byte {error.start}).") from None


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────
def _read_json(text: str) -> Any:
    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates
        )
    except json.JSONDecodeError as error:
        message = f"Not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        raise _Unreadable(message) from None
    except RecursionError:
        raise _Unreadable("The document is nested too deeply.") from None
    except _Unreadable:
        raise
    except ValueError:
        raise _Unreadable("Not JSON: it has a number with too many digits.") from None


def _refuse_constant(word: str) -> Any:
    raise _Unreadable(f"Not JSON: {word} is no number.")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unreadable(f"The field {twice[:60]!r} is written twice in one object.")
    return result


# ── YAML ──────────────────────────────────────────────────────────────────────────────────────────────────
def _read_yaml(text: str) -> Any:
    """Build plain data from events: no recursion, so that deep nesting is a fault and not a crash."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_YAML_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise _Unreadable(f"Not YAML: {error.problem or error.context}{where}.") from None
    except yaml.YAMLError as error:
        raise _Unreadable(f"Not YAML: {str(error).splitlines()[0][:200]}.") from None
    return builder.result


class _Builder:
    """Builds text, lists and dicts from YAML events; aliases, duplicate keys and second documents are refused."""

    def __init__(self) -> None:
        self.result: Any = None
        self._open: list[Any] = []
        self._keys: list[str | None] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _Unreadable(f"A second document begins in line {line}; write one.")
        elif isinstance(event, yaml.AliasEvent):
            raise _Unreadable(f"Aliases (*name) are not accepted (line {line}).")
        elif isinstance(event, yaml.ScalarEvent):
            self._put(event.value, line)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._keys.pop()

    def _begin(self, collection: Any, line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _Unreadable(f"The document is nested too deeply (line {line}).")
        self._put(collection, line)
        self._open.append(collection)
        self._keys.append(None)

    def _put(self, value: Any, line: int) -> None:
        if not self._open:
            self.result = value
        elif isinstance(self._open[-1], list):
            self._open[-1].append(value)
        elif self._keys[-1] is None:
            self._take_key(value, line)
        else:
            self._open[-1][self._keys[-1]] = value
            self._keys[-1] = None

    def _take_key(self, key: Any, line: int) -> None:
        if not isinstance(key, str):
            raise _Unreadable(f"A field name is a plain word (line {line}).")
        if key in self._open[-1]:
            raise _Unreadable(f"The field {key[:60]!r} is written twice in one object (line {line}).")
        self._keys[-1] = key
