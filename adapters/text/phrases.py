"""What the offline writer says between facts: few, short, true of any topic, and safe in agreement."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.text.grammar import capital, known
from domain.catalog.words import primary


@dataclass(frozen=True)
class Phrases:
    """Variants per slot; `{t}` is the topic, `{list}` figures joined by commas, `{figure}` one of them."""

    clause_open: tuple[str, ...]
    clause_close: tuple[str, ...]
    noun_open: tuple[str, ...]
    noun_close: tuple[str, ...]
    tease: tuple[str, ...]
    onward: tuple[str, ...]
    recap: tuple[str, ...]
    last: tuple[str, ...]
    recap_title: str
    last_title: str
    sources: str


PHRASES = {
    "en": Phrases(
        clause_open=("This is {t}.",),
        clause_close=("And that is {t}.",),
        noun_open=("Here is a closer look at {t}.", "Let us take a closer look at {t}."),
        noun_close=("That, in short, is the story of {t}.",),
        tease=("{figure}. Remember that number.", "{figure}. Keep that number in mind."),
        onward=("There is more.", "Now look closer."),
        recap=("In numbers: {list}.", "Three figures to keep: {list}."),
        last=("One last thing.", "And one thing to remember.", "Keep one thing in mind."),
        recap_title="In numbers",
        last_title="One last thing",
        sources="Sources",
    ),
    "pt": Phrases(
        clause_open=("Veja {t}.",),
        clause_close=("E essa, em resumo, é a história.",),
        noun_open=("Esta é a história {de}.", "Vale a pena olhar de perto: {t}."),
        noun_close=("E essa é, em resumo, a história {de}.",),
        tease=("{figure}. Guarde esse número.", "{figure}. Lembre-se desse número."),
        onward=("E tem mais.", "Agora, mais de perto.", "E não para por aí."),
        recap=("Em números: {list}.", "Três números para guardar: {list}."),
        last=("Uma última coisa.", "E uma coisa para guardar.", "Fica uma última ideia."),
        recap_title="Em números",
        last_title="Uma última coisa",
        sources="Fontes",
    ),
}

_ORDERS = re.compile(
    r"^(?:please\s+)?(?:make|create|write|produce|do|tell|explain|describe|show|talk about|faça|crie|escreva|produza|"
    r"conte|explique|descreva|mostre|fale sobre)\b"
    r"(?:\s+(?:me|us|a|an|the|um|uma|o|a|nos))*"
    r"(?:\s+(?:short\s+|curto\s+|pequeno\s+)?(?:video|film|story|documentary|short|script|vídeo|filme|documentário|"
    r"história|roteiro|curta)(?:\s+(?:about|on|of|sobre|de|do|da))?)?\s+",
    re.I,
)
_CLAUSE = {
    "en": re.compile(r"^(?:how|why|what|where|when|who)\b", re.I),
    "pt": re.compile(r"^(?:como|por que|porque|o que|onde|quando|quem)\b", re.I),
}
_AUXILIARY = re.compile(
    r"^(?:how|why|what|where|when|who)\s+(?:is|are|was|were|do|does|did|can|could|will|would|has|have|many|much|far|old|"
    r"big|fast)\b",
    re.I,
)
_ARTICLES = {"o": "do", "a": "da", "os": "dos", "as": "das"}
_KEEP_LOWER = frozenset(
    (
        "the",
        "a",
        "an",
        "how",
        "why",
        "what",
        "where",
        "when",
        "who",
        "o",
        "os",
        "as",
        "um",
        "uma",
        "como",
        "por",
        "onde",
    )
)
MAX_SPOKEN_TOPIC = 14


@dataclass(frozen=True)
class Topic:
    """A topic made speakable: its text without order words, and its kind (question, clause or noun)."""

    text: str
    kind: str
    language: str

    @property
    def title(self) -> str:
        return capital(self.text)

    def said(self, form: str, names: frozenset[str]) -> str:
        """The topic set into a phrase, its first letter lower unless the word is a name."""
        text = lowered(self.text, names)
        return capital(form.format(t=text, de=with_de(text) if primary(self.language) == "pt" else text))


def read_topic(topic: str, language: str) -> Topic:
    """Tell what kind of topic this is and take off what is addressed to the writer (“make a video about …”)."""
    text = " ".join(topic.split()).strip(" .!…")
    bare = _ORDERS.sub("", text)
    text = bare if len(bare) >= 3 else text
    lang = known(language)
    if text.endswith("?") or (lang == "en" and _AUXILIARY.match(text)):
        return Topic(text.rstrip("?").strip() + "?", "question", language)
    return Topic(text, "clause" if _CLAUSE[lang].match(text) else "noun", language)


def lowered(text: str, names: frozenset[str]) -> str:
    """The text with a lower first letter, unless its first word is one of the names or has capitals inside."""
    first = text.split(" ")[0]
    if first.casefold() not in _KEEP_LOWER and (first in names or not first[1:].islower()):
        return text
    return text[:1].lower() + text[1:]


def with_de(text: str) -> str:
    """Portuguese “de” before a noun phrase, drawn together with its article: da viagem, do Sol, de Marte."""
    first, _, rest = text.partition(" ")
    return f"{_ARTICLES[first.casefold()]} {rest}" if first.casefold() in _ARTICLES and rest else f"de {text}"
