"""The little grammar a writer without a model needs: subjects, figures, pronouns, keywords, and where to split."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.text.lexicon import LEXICON, is_verb
from domain.catalog.wordlists import STOP_WORDS
from domain.catalog.words import content_stems, plain, primary, stem, words_of

MAX_TITLE_WORDS = 7
_DIGITS = re.compile(r"^[−-]?\d+(?:[.,]\d+)*(?:[-–]\d+)?%?$")
_HALVES = ("e meio", "e meia", "and a")
_BARE = ("times", "vezes", "more", "less", "orders")
_POSSESSIVES = ("its", "their", "his", "her", "seu", "sua", "seus", "suas", "nossos")
_WEAK = frozenset(
    ("every", "each", "almost", "nothing", "several", "enough", "together", "behind", "across", "away", "ago",
     "between", "wide", "tall", "apart", "sideways", "forward", "backwards", "strong", "past", "least", "back",
     "percent",
     "cada", "quase", "nada", "vários", "várias", "juntos", "atrás", "frente", "entre", "cerca", "pouco")
)  # fmt: skip
_CLAUSE_WORDS = ("when", "while", "without", "quando", "enquanto", "sem", "ao")
_OPENERS = ("today ", "hoje ")
_TRIM = "\"“”'‘’«»()[],.;:!?…"


def known(language: str) -> str:
    """The language whose words are known: en or pt."""
    return primary(language) if primary(language) in LEXICON else "en"


def subject_of(text: str, language: str) -> str:
    """What a sentence is about: the words before its verb, without a fronted time or place; empty if unclear."""
    lang = known(language)
    main = LEXICON[lang].fronted.sub("", text)
    main = next((main[len(word) :] for word in _OPENERS if main.casefold().startswith(word)), main)
    words = main.split()
    for index, word in enumerate(words[:12]):
        if index and is_verb(word, lang) and not (word[0].isupper() and index == 1):
            return " ".join(words[:index]).rstrip(",")
        if index and words[index - 1].endswith(","):
            return " ".join(words[:index]).rstrip(",")
    return ""


def short_subject(text: str, language: str) -> str:
    """A subject of at most seven words, cut before its first “of …” when longer; empty if unclear or a pronoun."""
    lang = known(language)
    words = subject_of(text, lang).split()
    if len(words) > 5:
        cut = next((n for n, word in enumerate(words) if n > 1 and word.casefold() in LEXICON[lang].cut), len(words))
        words = words[:cut]
    stops = STOP_WORDS[lang]
    if not words or all(word.casefold() in stops for word in words) or len(words) > MAX_TITLE_WORDS:
        return ""
    led_wrong = plain(words[0]) in _POSSESSIVES or words[0].casefold() in LEXICON[lang].cut - LEXICON[lang].articles
    if led_wrong or words[-1].casefold() in stops:
        return ""
    return capital(" ".join(words).strip(_TRIM))


def fronted_clause(text: str, language: str) -> str:
    """A short clause that a sentence begins with (“When galaxies collide”); empty if it has none."""
    match = LEXICON[known(language)].fronted.match(text)
    clause = match[0].rstrip(", ") if match else ""
    fitting = clause.split(" ")[0].casefold() in _CLAUSE_WORDS and 2 < len(clause.split()) <= 6
    return clause if fitting else ""


def runs_of(text: str, language: str) -> list[str]:
    """Runs of two to four meaningful words next to each other (“few nearby stars”), the longest first."""
    lang = known(language)
    lexicon, runs, run = LEXICON[lang], list[str](), list[str]()
    for word in [*text.split(), "."]:
        bare = word.strip(_TRIM)
        low = bare.casefold()
        skipped = low in STOP_WORDS[lang] | lexicon.months | lexicon.number_words | lexicon.magnitudes | lexicon.cut
        skipped = skipped or low in _WEAK
        if not bare or skipped or is_verb(bare, lang) or any(c.isdecimal() for c in bare) or low.endswith("ly"):
            if 2 <= len(run) <= 4:
                runs.append(" ".join(run))
            run = []
            continue
        run.append(bare)
        if word[-1] in ",.;:!?":
            if 2 <= len(run) <= 4:
                runs.append(" ".join(run))
            run = []
    return sorted(dict.fromkeys(runs), key=lambda run: -len(run.split()))


def figure_of(text: str, language: str) -> str:
    """A number with what it counts, as the sentence has it (“about 3,000 galaxies”); empty if there is none."""
    lang = known(language)
    words = text.split()
    for start, word in enumerate(words):
        if _starts_figure(words, start, lang) and (found := _figure_at(words, start, lang)):
            return found
        if word.endswith("%") and _DIGITS.match(word.strip(_TRIM)):
            return word.strip(_TRIM)
    return ""


def _starts_figure(words: Sequence[str], at: int, lang: str) -> bool:
    word = words[at].strip(_TRIM)
    before = words[at - 1].strip(_TRIM) if at else ""
    after = words[at + 1].strip(_TRIM).casefold() if at + 1 < len(words) else ""
    lexicon = LEXICON[lang]
    if (before[:1].isupper() and at > 1) or (at == 1 and before.casefold() not in {*STOP_WORDS[lang], *lexicon.hedges}):
        return False
    if after in lexicon.months or (after == "de" and at + 2 < len(words) and words[at + 2] in lexicon.months):
        return False
    if _DIGITS.match(word):
        year = word.isdecimal() and len(word) == 4 and 1000 <= int(word) < 2100
        return not year and not words[at].endswith((",", ".", ";"))
    return word.casefold() in lexicon.number_words and not words[at].endswith((",", ".", ";"))


def _figure_at(words: Sequence[str], at: int, lang: str) -> str:
    lexicon = LEXICON[lang]
    taken = [words[at]]
    index, nouns = at + 1, 0
    while index < len(words) and nouns < 2 and words[index - 1][-1] not in ",.;:!?":
        word = words[index].strip(_TRIM)
        low = word.casefold()
        joins = lang == "pt" and low == "de" and taken[-1].casefold() in lexicon.magnitudes
        phrase = next((p for p in lexicon.per if " ".join(words[index : index + 2]).strip(_TRIM).casefold() == p), "")
        if phrase and (nouns or phrase == "por cento"):
            taken += phrase.split()
            nouns += 1
            break
        if low in lexicon.magnitudes or joins:
            taken.append(words[index])
        elif low in STOP_WORDS[lang] or is_verb(word, lang) or low in lexicon.cut or _DIGITS.match(word):
            break
        else:
            taken.append(words[index])
            nouns += 1
        index += 1
    follows = " ".join(words[index : index + 2]).casefold().strip(_TRIM)
    if not nouns or follows in _HALVES or taken[-1].casefold().strip(_TRIM) in _BARE:
        return ""
    hedge = next((h for h in lexicon.hedges if " ".join(words[max(0, at - len(h.split())) : at]).casefold() == h), "")
    phrase = " ".join([*([hedge] if hedge else []), *taken]).strip(_TRIM)
    return phrase if len(phrase) <= 40 else " ".join(taken).strip(_TRIM)[:40]


def entities_of(text: str) -> list[str]:
    """Names in a sentence: runs of capitalised words that do not begin it."""
    runs = re.findall(r"(?<=[\w,;] )((?:[A-ZÀ-Þ][\w'’-]*)(?: (?:[A-ZÀ-Þ][\w'’-]*|\d{1,2}\b))*)", text)
    return list(dict.fromkeys(run for run in runs if len(run) > 2))


def keywords_of(texts: Sequence[str], tags: Sequence[str], language: str) -> list[str]:
    """Words to find pictures by: tags that occur, names, then the nouns left when verbs and numbers are gone."""
    lang = known(language)
    lexicon = LEXICON[lang]
    present = {stem(word, lang) for text in texts for word in words_of(text)}
    fitting = [tag for tag in tags if set(content_stems(tag, lang)) <= present]
    names = [name.casefold() for text in texts for name in entities_of(text) if name.casefold() not in lexicon.months]
    nouns = [
        word.casefold()
        for text in texts
        for word in words_of(text)
        if len(word) > 3
        and not word[0].isdecimal()
        and word.casefold() not in STOP_WORDS[lang] | lexicon.months | lexicon.number_words | lexicon.magnitudes
        and not is_verb(word, lang)
        and not word.casefold().endswith("ly" if lang == "en" else "mente")
    ]
    return list(dict.fromkeys([*fitting, *names, *nouns]))[:10]


def pronoun_for(subject: str, language: str) -> str:
    """The pronoun that can stand for a subject with a definite article; empty when agreement is not certain."""
    words = subject.split()
    if len(words) < 2:
        return ""
    article, last = words[0].casefold(), words[-1].casefold()
    if known(language) == "pt":
        return {"o": "Ele", "a": "Ela", "os": "Eles", "as": "Elas"}.get(article, "")
    singular = not last.endswith("s") and all(plain(word) not in ("and", "or") for word in words)
    return "It" if article == "the" and singular and len(words) <= 5 else ""


def with_pronoun(text: str, subject: str, language: str) -> str:
    """The sentence with its subject replaced by a pronoun, if that is certain to agree; else as it is."""
    pronoun = pronoun_for(subject, language)
    if not pronoun or not text.startswith(capital(subject) + " "):
        return text
    return pronoun + text[len(subject) :]


def split_long(text: str, language: str, limit: int = 22) -> list[str]:
    """Split a sentence longer than `limit` words where a clause can stand alone; else leave it whole."""
    if len(text.split()) <= limit:
        return [text]
    for pattern in LEXICON[known(language)].splits:
        for match in pattern.finditer(text):
            head, tail = text[: match.start()].rstrip(" ,;"), text[match.end() :].strip()
            if len(head.split()) >= 4 and len(tail.split()) >= 4:
                return [head + ".", *split_long(capital(tail), language, limit)]
    return [text]


def capital(text: str) -> str:
    """The text with its first letter in upper case (names that begin in lower case keep their form)."""
    if len(text) > 1 and text[1].isupper():
        return text
    return text[:1].upper() + text[1:]
