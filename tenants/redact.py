"""Keeps secrets out of logs and out of the audit trail."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from tenants.secret import MASK, Secret

_NAMES = re.compile(
    r"pass(word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|cookie|credential"
    r"|csrf|otp|recovery[_-]?code|connection[_-]?string",
    re.IGNORECASE,
)
"""Names whose text values are never shown (numbers are: `input_tokens` is a count)."""

_SHAPES = re.compile(
    r"""
      \bsk-[A-Za-z0-9_-]{12,}                                   # keys of language-model providers
    | \b(?:vf|sk|pk|rk|whsec|xox[abprs]|gh[pousr])[_-][A-Za-z0-9_-]{12,}
    | \bAKIA[0-9A-Z]{16}\b
    | \bAIza[0-9A-Za-z_-]{30,}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}  # signed tokens
    | (?<=://)[^/\s:@]*:[^/\s@]+(?=@)                           # user:password in an address
    | (?i:(?<=bearer\s)|(?<=basic\s))[A-Za-z0-9._~+/=-]{8,}
    | (?i:(?<=accountkey=)|(?<=sig=)|(?<=password=))[^&;\s'"]+
    """,
    re.VERBOSE,
)
_DEEPEST = 12


def redact(value: Any, depth: int = 0) -> Any:
    """Answer a copy in which secrets are masked: `Secret`, values under telling names, texts of telling shapes."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, str):
        return _SHAPES.sub(MASK, value)
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {key: _under(key, item, depth) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth + 1) for item in value]
    return value


def _under(name: object, value: Any, depth: int) -> Any:
    if isinstance(name, str) and _NAMES.search(name) and isinstance(value, str | bytes):
        return MASK if value else value
    return redact(value, depth + 1)


def redact_secrets(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Be a structlog processor; it stands after exceptions have become text and before the renderer."""
    return {key: _under(key, value, 0) for key, value in line.items()}
