"""Small language tools shared by retrieval, validators and writers: word forms, stop words, reading time."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from domain.catalog.wordlists import ABBREVIATIONS, NUMBER_WORDS, STOP_WORDS

WORDS_PER_SECOND = {"pt": 2.4, "en": 2.6}
"""Calm narration, by primary language subtag."""
FILM_WORDS_PER_SECOND = {"pt": 2.2, "en": 2.4}
"""The same over a whole film, with the pauses between sentences and scenes."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”»)]*\s+(?=[\"“«(¿¡]*[A-ZÀ-Þ0-9−-])")


def primary(language: str) -> str:
    """The primary subtag of a language tag: pt-BR → pt."""
    return language.replace("_", "-").split("-")[0].casefold()


def same_language(one: str, other: str) -> bool:
    """Whether two tags share their primary language; an empty tag means any."""
    return not one or not other or primary(one) == primary(other)


def plain(text: str) -> str:
    """Lower case without accents, for comparison only."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def words_of(text: str) -> list[str]:
    """The words and numbers of a text, in order, as written."""
    return _WORD.findall(text)


@lru_cache(maxsize=1 << 15)
def stem(word: str, language: str) -> str:
    """A crude common form of a word's inflections (plural, simple verb endings), for matching only."""
    root = plain(word).split("'")[0].split("’")[0]
    endings = _ENDINGS.get(primary(language), _ENDINGS["en"])
    for ending, replacement in endings:
        if root.endswith(ending) and len(root) - len(ending) >= 3:
            return root[: -len(ending)] + replacement
    return root


_ENDINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("ss", "ss"), ("us", "us"), ("es", "e"), ("s", "")),
    "pt": (
        ("coes", "cao"), ("oes", "ao"), ("aes", "ao"), ("ais", "al"), ("eis", "el"), ("ois", "ol"), ("res", "r"),
        ("zes", "z"), ("ns", "m"), ("as", "a"), ("os", "o"), ("es", "e"), ("s", ""),
    ),
}  # fmt: skip


def content_stems(text: str, language: str) -> list[str]:
    """Stems of the words that carry meaning, in order, repeats kept."""
    stops = STOP_WORDS.get(primary(language), frozenset())
    return [stem(word, language) for word in words_of(text) if word.casefold() not in stops and len(word) > 1]


def number_terms(text: str, language: str) -> list[str]:
    """Numbers of a text as comparable terms, however written: ten thousand, 10,000 and 10 mil are all “#10000”.

    Numbers below twenty are left out: they are parts of names (Apollo 11) as often as amounts.
    """
    lang = primary(language) if primary(language) in NUMBER_WORDS else "en"
    values, held = NUMBER_WORDS[lang], list[float]()
    terms: list[str] = []
    for token in [*text.casefold().split(), ""]:
        bare = token.strip("\"“”'‘’()[].,;:!?…")
        value = values.get(bare)
        if _FIGURE.fullmatch(bare):
            held = [number_value(bare, language)]
        elif value is not None and held and value >= 100:
            held[-1] *= value
        elif value is not None and value != 1:
            held = [value]
        elif held:
            terms += [f"#{held[-1]:.6g}"] if held[-1] >= 20 else []
            held = []
    return terms


def number_value(shown: str, language: str) -> float:
    """The value of a number as written in a language: 1,234.5 (en) and 1.234,5 (pt) are equal."""
    thousands, decimal = (".", ",") if primary(language) == "pt" else (",", ".")
    bare = shown.replace("\u00a0", "").replace("\u202f", "")
    groups = bare.split(decimal)[0].split(thousands)
    if any(len(group) != 3 for group in groups[1:]):
        bare = bare.replace(thousands, decimal)
    head, _, tail = bare.replace(thousands, "").replace(decimal, ".").partition(".")
    return float(f"{head}.{tail.replace('.', '') or '0'}")


def sentences_of(text: str) -> list[str]:
    """Split running text into sentences; abbreviations and decimals do not end one."""
    found: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        last = text[start : match.start()].rstrip().split(" ")[-1]
        if last.endswith(".") and last[:-1].casefold().lstrip("(“\"'") in ABBREVIATIONS:
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


@lru_cache(maxsize=1 << 12)
def spoken_length(text: str) -> float:
    """How many words a text takes to say: a number written in digits counts as the words it is read with."""
    total = 0.0
    for token in text.split():
        digits = sum(character.isdecimal() for character in token)
        letters = sum(character.isalpha() for character in token)
        total += max(1.0, 0.8 * digits) + (1.0 if set("%$€£°") & set(token) else 0.0) if digits else float(letters > 0)
    return total


def reading_seconds(text: str, language: str) -> float:
    """Estimate the seconds a calm narrator needs for a text."""
    return spoken_length(text) / WORDS_PER_SECOND.get(primary(language), 2.5)


def words_for(seconds: float, language: str) -> float:
    """How many words fill a film of so many seconds."""
    return seconds * FILM_WORDS_PER_SECOND.get(primary(language), 2.3)
