"""Failures in the reader's language: our own sentences translated, a provider's words as the provider wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from app.i18n import DEFAULT, MICRO, Tongue
from app.views.sayings import PARTS, QUOTED, SAYINGS

_NAME = re.compile(r"%\((\w+)\)s")
_OPEN, _SHUT = QUOTED.split("%(words)s")
_MONEY = re.compile(r"\$\d[\d,]*\.\d+")
_SENTENCE = re.compile(r".+?[.!?…][”)]?(?=\s|$)", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """A part of a text. `foreign`: it is English for readers of another language."""

    text: str
    foreign: bool = False


def tell(tongue: Tongue, text: str) -> Sequence[Piece]:
    """A text that was written in English, as its reader should see it; what nobody has translated stays as it is."""
    return (Piece(text),) if tongue.language == DEFAULT else _told(tongue, text)


@lru_cache(maxsize=1024)
def _told(tongue: Tongue, text: str) -> tuple[Piece, ...]:
    ours, opened, rest = text.partition(_OPEN)
    pieces = list(_sentences(tongue, ours.strip()))
    if opened:
        words, shut, after = rest.rpartition(_SHUT)
        if not shut:
            words, after = rest, ""
        before, behind = tongue.gettext(QUOTED).split("%(words)s")
        quoted = list(_sentences(tongue, words))
        pieces += [Piece(f" {before}".lstrip() if not pieces else f" {before}"), *quoted, Piece(behind)]
        pieces += [Piece(" "), *_told(tongue, after.strip())] if after.strip() else []
    return tuple(_joined(pieces))


def _sentences(tongue: Tongue, text: str) -> Iterator[Piece]:
    """Our sentences translated, and between them those that are not ours."""
    first = True
    while text:
        found = _read(text)
        if found is None:
            unknown = _SENTENCE.match(text)
            end = unknown.end() if unknown else len(text)
            told, foreign = text[:end], True
        else:
            saying, values, end = found
            told, foreign = tongue.gettext(saying, **{name: _part(tongue, one) for name, one in values.items()}), False
        yield Piece(told if first else f" {told}", foreign)
        text, first = text[end:].lstrip(), False


def _read(text: str) -> tuple[str, Mapping[str, str], int] | None:
    """The saying that a text begins with, its values, and where it ends; of several the one with the least values."""
    fits = [(saying, match) for saying, pattern in _patterns() if (match := pattern.match(text))]
    if not fits:
        return None
    saying, match = min(fits, key=lambda fit: (sum(map(len, fit[1].groupdict().values())), fit[0]))
    return saying, match.groupdict(), match.end()


@cache
def _patterns() -> Sequence[tuple[str, re.Pattern[str]]]:
    return [(saying, re.compile(f"{_pattern(saying)}(?=\\s|$)", re.DOTALL)) for saying in SAYINGS]


def _pattern(saying: str) -> str:
    """A saying as a pattern: the same name stands for the same text."""
    parts = _NAME.split(saying)
    return "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))


def _part(tongue: Tongue, value: str) -> str:
    """What stands in place of a name: a part of speech in the reader's language, an amount as it is written there."""
    for part in PARTS:
        if match := re.fullmatch(_pattern(part), value, re.DOTALL):
            return tongue.gettext(part, **{name: _part(tongue, one) for name, one in match.groupdict().items()})
    return _MONEY.sub(lambda found: _amount(tongue, found[0]), value)


def _amount(tongue: Tongue, text: str) -> str:
    return tongue.money(round(float(text[1:].replace(",", "")) * MICRO))


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbours of one language as one piece."""
    held: Piece | None = None
    for piece in pieces:
        if held is not None and held.foreign == piece.foreign:
            held = Piece(held.text + piece.text, held.foreign)
        else:
            if held is not None:
                yield held
            held = piece
    if held is not None:
        yield held
