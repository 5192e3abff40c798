"""How words stand beside each other: with a space, or, in scripts that write none, without; and where those break.

Chinese and Japanese may break between almost any two characters, except before closing marks, small kana and
the like, and after opening ones. Thai, Lao and Khmer break between words, which the voice tells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from timeline.media import SpokenWord

NOT_FIRST = frozenset(
    "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ…‥!),.:;?]}%"
)
"""Characters that no line begins with."""
NOT_LAST = frozenset("‘“（〔［｛〈《「『【([{$¥£")
"""Characters that no line ends with."""
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff9f\U00020000-\U0003ffff]"
)
_BROKEN = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uff9f\U00020000-\U0003ffff]")


def glue(before: str, after: str) -> str:
    """Answer what stands between two words: a space, or nothing in scripts without."""
    return "" if _UNSPACED.match(before[-1:]) and _UNSPACED.match(after[:1]) else " "


def joined(texts: Sequence[str]) -> str:
    """Answer words as people write them."""
    return "".join([*texts[:1], *(glue(a, b) + b for a, b in pairwise(texts))])


def columns(text: str) -> int:
    """Answer how much room a text takes, in Latin letters: wide characters count twice."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def breakable(words: Iterable[SpokenWord]) -> list[SpokenWord]:
    """Answer words with those of unspaced ideographic text divided where lines may end; times are shared evenly."""
    return [part for word in words for part in _divided(word)]


def _divided(word: SpokenWord) -> list[SpokenWord]:
    pieces = pieces_of(word.text)
    if len(pieces) < 2:
        return [word]
    total, done, parts = columns(word.text), 0, []
    length = word.end - word.start
    for piece in pieces:
        start = word.start + int(Fraction(length * done, total))
        done += columns(piece)
        parts.append(replace(word, text=piece, start=start, end=word.start + int(Fraction(length * done, total))))
    return parts


def pieces_of(text: str) -> list[str]:
    """Answer the smallest pieces that lines may be made of; Latin words and numbers stay whole."""
    if not _BROKEN.search(text):
        return [text]
    pieces = [text[0]]
    for before, after in pairwise(text):
        loose = _BROKEN.match(before) or _BROKEN.match(after)
        if loose and after not in NOT_FIRST and before not in NOT_LAST:
            pieces.append(after)
        else:
            pieces[-1] += after
    return pieces
