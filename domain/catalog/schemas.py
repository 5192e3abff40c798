"""JSON Schemas written by tenants, made safe: no references (they can fold out endlessly), RE2 for patterns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import re2
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import SchemaError
from jsonschema.validators import extend

MAX_SCHEMA = 20_000
MAX_VIOLATIONS = 25
_REFUSED = ("$ref", "$dynamicRef", "$recursiveRef", "patternProperties", "unevaluatedProperties", "unevaluatedItems")


def schema_faults(schema: Mapping[str, Any]) -> list[str]:
    """What keeps a schema from being used: size, refused keywords, patterns RE2 cannot read, wrong form."""
    try:
        size = len(json.dumps(schema))
    except (ValueError, RecursionError):
        return ["the schema is nested too deeply; write it flatter"]
    if size > MAX_SCHEMA:
        return [f"the schema has {size} characters; at most {MAX_SCHEMA} are allowed"]
    faults = [fault for place, node in _nodes(schema) for fault in _node_faults(place, node)]
    if not faults:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as fault:
            faults.append(f"{'/'.join(map(str, fault.absolute_path)) or 'schema'}: {fault.message[:200]}")
    return faults


def violations(schema: Mapping[str, Any], document: Any) -> Iterator[tuple[str, str]]:
    """Where and how a document breaks a schema that `schema_faults` has accepted (JSON Pointer, sentence)."""
    found = sorted(_Safe(schema).iter_errors(document), key=lambda fault: [str(part) for part in fault.absolute_path])
    for fault in found[:MAX_VIOLATIONS]:
        pointer = "".join(f"/{part}" for part in fault.absolute_path)
        yield pointer, f"{fault.message[:300]}."


def _nodes(node: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, Mapping):
        yield place or "schema", node
        for key, value in node.items():
            yield from _nodes(value, f"{place}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _nodes(value, f"{place}/{index}")


def _node_faults(place: str, node: Mapping[str, Any]) -> Iterator[str]:
    for key in _REFUSED:
        if key in node:
            yield f"{place}: {key} is not supported; write that part out in place"
    pattern = node.get("pattern")
    if isinstance(pattern, str):
        try:
            _compile(pattern)
        except re2.error as fault:
            yield f"{place}: RE2 cannot read the pattern ({said_of(fault)})"


def said_of(fault: re2.error) -> str:
    """What RE2 says of a pattern; it says it in bytes."""
    said = fault.args[0] if fault.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem, options.log_errors = 8 << 20, False
    return re2.compile(pattern, options)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compile(pattern).search(instance):
        yield ValidationError(f"{instance[:80]!r} does not match {pattern!r}")


_Safe = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
