"""Where a text may be broken: the cost of ending a line or page between two words, lower is better.

Sentence ends are best, then clauses, then phrases; never between article and noun, number and unit, or two names.
"""

from __future__ import annotations

import re

SENTENCE, CLAUSE, PAUSE, PHRASE, PLAIN, NAMES, NUMBER, BOUND = 0, 20, 25, 50, 90, 140, 160, 220

_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_CLAUSE_END = re.compile(r"[,;:—–)\]»”、，；：]$")
_NUMERIC = re.compile(r"[\d.,%]+$")
_BARE = "\"'“”‘’«»()[]¿¡.,;:!?…"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BREAK_BEFORE: dict[str, frozenset[str]] = {
    "en": _set(
        "and or but so nor yet because although though while when where which who that than if unless until "
        "since after before as of in on at to from by with without for into over under between through across "
        "about against during like"
    ),
    "pt": _set(
        "e ou mas nem porque embora enquanto quando onde que quem se pois porém contudo depois antes como de "
        "do da dos das em no na nos nas a ao à aos às para por pelo pela pelos pelas com sem sobre sob entre "
        "até desde contra durante num numa"
    ),
}

_BOUND_TO_NEXT: dict[str, frozenset[str]] = {
    "en": _set(
        "a an the this that these those my your his her its our their no every each some any of in on at to "
        "from by with for into and or very not is are was were be been has have had will would can could may "
        "might must do does did dr mr mrs ms st"
    ),
    "pt": _set(
        "o a os as um uma uns umas este esta estes estas esse essa esses essas aquele aquela meu minha seu "
        "sua nosso nossa de do da dos das em no na nos nas ao à aos às para por pelo pela com sem e ou que "
        "não muito é são foi era será há sr sra dr dra num numa cada todo toda"
    ),
}


def break_cost(before: str, after: str, pause_ms: int, language: str) -> int:
    """Answer what it costs to break between two words that are spoken `pause_ms` apart."""
    if _SENTENCE_END.search(before):
        return SENTENCE
    if _CLAUSE_END.search(before):
        return CLAUSE
    short = language.split("-")[0].lower()
    left, right = before.strip(_BARE).lower(), after.strip(_BARE).lower()
    if left in _BOUND_TO_NEXT.get(short, frozenset()):
        return BOUND
    if _NUMERIC.match(left):
        return NUMBER
    if pause_ms >= 300:
        return PAUSE
    if right in _BREAK_BEFORE.get(short, frozenset()):
        return PHRASE
    if before[:1].isupper() and after[:1].isupper() and not before.isupper():
        return NAMES
    return PLAIN
