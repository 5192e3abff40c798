"""A value that must not be seen: credentials while they are in memory."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn

MASK = "•••"


class Secret:
    """A secret text. Every way of showing it gives a mask; only `reveal` answers the text.

    It is not a `str`: joining, JSON and logging reach the characters of a subclass without asking it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Answer the text; call it at the very place that uses it."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A secret is not pickled, copied into messages or written to disk in the clear")
