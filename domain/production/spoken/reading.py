"""From shown tokens to spoken ones: the small normaliser that stands between a script and a voice.

A token is what captions show between two blanks (money and its amount are one token, a lone dash belongs to the
word before it). Reading never changes, drops or adds a shown token.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from types import ModuleType

from domain.catalog.words import number_value, primary
from domain.production.spoken import english, portuguese
from domain.production.spoken.lexis import (
    ABBREVIATIONS,
    CURRENCIES,
    MAGNITUDES,
    MASCULINE_IN_A,
    SIGNS,
    UNITS,
    WORDS,
)

_NUMERALS: dict[str, ModuleType] = {"en": english, "pt": portuguese}
_N = r"\d+(?:[.,\u00a0\u202f]\d+)*"
_EDGE = re.compile(r"^([\"“”'‘’«»(\[¿¡]*)(.*?)([\"“”'’«»)\].,;:!?…—– ]*)$", re.DOTALL)
_MONEY = re.compile(rf"^([-−]?)(US\$|R\$|\$|€|£)\s*({_N})(?:\s+(\w+))?$")
_AMOUNT = re.compile(rf"^([-−+~≈<>]*)({_N})(.*)$", re.DOTALL)
_ISO_DATE = re.compile(r"^(\d{4})-(\d{2})-(\d{2})$")
_DAY_DATE = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$")
_CLOCK = re.compile(r"^(\d{1,2})(?:[:h](\d{2})|h)(?:min)?$")
_RANGE = re.compile(rf"^({_N})[–-]({_N})(\D*)$")
_FRACTION = re.compile(r"^(\d+)/(\d+)$")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_CURRENCY_ALONE = re.compile(r"^(US\$|R\$|\$|€|£)$")


@dataclass(frozen=True)
class Token:
    """A shown token and how it is said; `spoken` keeps the punctuation that shapes the voice."""

    shown: str
    spoken: str


def tokens_of(text: str, language: str) -> list[str]:
    """Shown tokens of a sentence: split at blanks, then money and stray punctuation joined to their word."""
    lang = primary(language)
    joined: list[str] = []
    for part in text.split():
        stray = not any(character.isalnum() or character in "%°$€£&@#=+×" for character in part)
        after_currency = bool(joined) and bool(_CURRENCY_ALONE.match(_EDGE.sub(r"\2", joined[-1])))
        magnitude = part.rstrip(".,;:!?…").casefold() in MAGNITUDES.get(lang, ())
        after_money = bool(joined) and bool(_MONEY.match(joined[-1])) and magnitude
        if joined and (stray or (after_currency and part[0].isdecimal()) or after_money):
            joined[-1] += f" {part}"
        else:
            joined.append(part)
    if len(joined) > 1 and not any(character.isalnum() for character in joined[0]) and len(joined[0]) == 1:
        joined[:2] = [f"{joined[0]} {joined[1]}"] if joined[0] in "—–-•" else joined[:2]
    return joined


def read_tokens(shown: list[str], language: str) -> list[Token]:
    """How each shown token is said, in the light of its neighbours."""
    bare = [_EDGE.sub(r"\2", token) for token in shown]
    return [
        Token(token, read_token(token, language, bare[i - 1] if i else "", bare[i + 1] if i + 1 < len(bare) else ""))
        for i, token in enumerate(shown)
    ]


def read_token(token: str, language: str, before: str = "", after: str = "") -> str:
    """How one shown token is said; punctuation after it is kept, brackets, quotes and pictographs are not."""
    lang = primary(language)
    if lang not in _NUMERALS:
        return _without_symbols(token)
    folded = token.casefold().rstrip(",;:!?")
    if folded in ABBREVIATIONS[lang]:
        return ABBREVIATIONS[lang][folded] + ("," if token.endswith(",") else "")
    match = _EDGE.match(token)
    core, tail = (match[2], match[3]) if match else (token, "")
    ending = next((sign for sign in reversed(tail) if sign in ".,;:!?…"), "," if set(tail) & set("—–") else "")
    spoken = _read_core(core, lang, language, before, after)
    return (_without_symbols(spoken) or "") + ending if spoken.strip() else ""


def _read_core(core: str, lang: str, language: str, before: str, after: str) -> str:
    if not any(character.isdecimal() for character in core):
        if _is_number(before) and core.casefold() in UNITS[lang] and core not in ("A", "a"):
            return UNITS[lang][core.casefold()][_plural(before, lang)]
        return SIGNS[lang].get(core, core)
    for reader in (_money, _calendar, _time, _range_or_fraction):
        if (spoken := reader(core, lang, language)) is not None:
            return spoken
    return _amount(core, lang, after)


def _money(core: str, lang: str, language: str) -> str | None:
    match = _MONEY.match(core)
    if not match:
        return None
    one, many, cent, cents = CURRENCIES[lang][match[2]]
    sign = f"{WORDS[lang]['minus']} " if match[1] else ""
    if match[4]:
        of = f" {WORDS[lang]['of']}" if WORDS[lang]["of"] and match[4] != "mil" else ""
        return f"{sign}{say_number(match[3], lang)} {match[4]}{of} {many}"
    value = number_value(match[3], language)
    whole, rest = int(value), round((value - int(value)) * 100)
    numerals = _NUMERALS[lang]
    round_million = lang == "pt" and whole >= 10**6 and whole % 10**6 == 0
    text = f"{numerals.cardinal(whole, match[2] == '£')}{' de' if round_million else ''} {one if whole == 1 else many}"
    if rest:
        text += f" {WORDS[lang]['and']} {numerals.cardinal(rest)} {cent if rest == 1 else cents}"
    return sign + text


def _calendar(core: str, lang: str, language: str) -> str | None:
    if match := _ISO_DATE.match(core):
        year, month, day = map(int, match.groups())
    elif match := _DAY_DATE.match(core):
        first, second, year = map(int, match.groups())
        month_first = language.casefold() in ("en", "en-us") and first <= 12
        day, month = (second, first) if month_first else (first, second)
    else:
        return None
    try:
        date(year, month, day)
    except ValueError:
        return None
    return str(_NUMERALS[lang].date(day, month, year))


def _time(core: str, lang: str, language: str) -> str | None:
    match = _CLOCK.match(core)
    if not match or int(match[1]) > 24 or int(match[2] or 0) > 59:
        return None
    return str(_NUMERALS[lang].clock(int(match[1]), int(match[2] or 0)))


def _range_or_fraction(core: str, lang: str, language: str) -> str | None:
    if match := _RANGE.match(core):
        tail = _suffix(match[3], match[2], lang)
        years = all(_looks_like_year(part) for part in match.groups()[:2])
        first, second = (_whole_or_year(part, lang, years) for part in match.groups()[:2])
        return f"{first} {WORDS[lang]['to']} {second}{tail}"
    if match := _FRACTION.match(core):
        top, bottom = int(match[1]), int(match[2])
        numerals = _NUMERALS[lang]
        if (top, bottom) == (1, 2):
            return WORDS[lang]["half"]
        return f"{numerals.cardinal(top)} {WORDS[lang]['over']} {numerals.cardinal(bottom)}"
    return None


def _amount(core: str, lang: str, after: str) -> str:
    match = _AMOUNT.match(core)
    if not match:
        return _letters_and_digits(core, lang)
    signs, number, tail = match.groups()
    words = [WORDS[lang]["minus"] if sign in "-−" else SIGNS[lang].get(sign, "") for sign in signs]
    numerals = _NUMERALS[lang]
    low = tail.casefold()
    if low in ("st", "nd", "rd", "th", "º", "ª", "o", "a") and number.isdecimal() and int(number) < 1000:
        return " ".join([*words, numerals.ordinal(int(number), low in ("ª", "a"))])
    if low in ("s", "'s", "’s") and _looks_like_year(number) and number.endswith("0"):
        return " ".join([*words, numerals.decade(int(number))])
    if not tail and not signs and _looks_like_year(number) and after.casefold() not in UNITS[lang]:
        return str(numerals.year(int(number)))
    feminine = lang == "pt" and not tail and _is_feminine(after)
    return " ".join([*filter(None, words), say_number(number, lang, feminine)]) + _suffix(tail, number, lang)


def _suffix(tail: str, number: str, lang: str) -> str:
    """What stands glued to a number: a unit, a power, a hyphenated word."""
    if not tail:
        return ""
    if tail.casefold() in UNITS[lang]:
        return " " + UNITS[lang][tail.casefold()][_plural(number, lang)]
    if all(character in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻" for character in tail):
        power = int(tail.translate(_SUPERSCRIPT))
        return f" {WORDS[lang]['power']} {_NUMERALS[lang].cardinal(power)}"
    if tail[0] in "-–" and tail[1:].isalpha():
        return f" {tail[1:]}"
    return " " + _letters_and_digits(tail, lang)


def _letters_and_digits(core: str, lang: str) -> str:
    parts = re.findall(rf"{_N}|[^\d]+", core)
    return " ".join(say_number(part, lang) if part[0].isdecimal() else part.strip("-–/") for part in parts).strip()


def say_number(shown: str, lang: str, feminine: bool = False) -> str:
    """A number in digits as words, with the language's separators; long ones digit by digit."""
    numerals = _NUMERALS[lang]
    value = number_value(shown, lang)
    text = f"{value:.12f}".rstrip("0").rstrip(".") if value < 1e15 else ""
    point = "," if lang == "pt" else "."
    tail = shown.rpartition(point)[2] if "." in text and point in shown else ""
    if not text:
        return " ".join(str(numerals.LOW[int(digit)]) for digit in shown if digit.isdecimal())
    if shown.isdecimal() and len(shown) > 1 and shown.startswith("0"):
        return " ".join(str(numerals.LOW[int(digit)]) for digit in shown)
    words = str(numerals.cardinal(int(value), feminine))
    return f"{words} {WORDS[lang]['point']} {numerals.decimals(tail)}" if tail.isdecimal() else words


def _whole_or_year(shown: str, lang: str, years: bool) -> str:
    return str(_NUMERALS[lang].year(int(shown))) if years else say_number(shown, lang)


def _looks_like_year(shown: str) -> bool:
    return shown.isdecimal() and len(shown) == 4 and 1100 <= int(shown) < 2100


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(rf"[-−+~≈]?{_N}", text))


def _plural(number: str, lang: str) -> bool:
    value = number_value(re.sub(r"[^\d.,]", "", number) or "0", lang)
    return value >= 2 if lang == "pt" else value != 1


def _is_feminine(noun: str) -> bool:
    word = noun.casefold()
    if word in MASCULINE_IN_A:
        return False
    return word.endswith(("a", "as", "ção", "ções", "dade", "dades", "agem", "agens", "são", "sões", "vezes"))


def _without_symbols(text: str) -> str:
    """Drop what has no sound (pictographs, quotes, brackets); every other sign stays."""
    kept = (
        " " if unicodedata.category(c) in ("So", "Sk", "Cf", "Co", "Cn", "Ps", "Pe", "Pi", "Pf") else c for c in text
    )
    return " ".join("".join(kept).replace('"', " ").split())
