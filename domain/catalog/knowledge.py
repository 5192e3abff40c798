"""Knowledge: documents with one fact per sentence and their sources, and the choice of facts for a topic.

A document is Markdown. `##` headings are themes; list items and sentences are facts. Sources come in two forms:
`- A fact. [key]` with lines `key: Title — publisher, year` under a last heading `## Sources` (`## Fontes`), or a line
`Source: NASA, https://…` (`Fonte:`) for the facts above it in its theme that have none yet or, where there are
none, for those below it. `Tags: a, b` names the document's tags; a front matter between `---` yields no facts.

Tiers: 1 always comes along, 2 when the recipe names the document, 3 only when it is about the topic.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.catalog.wordlists import FILLER_WORDS
from domain.catalog.words import content_stems, number_terms, plain, primary, same_language, sentences_of, stem

ALWAYS, BY_RECIPE, BY_RETRIEVAL = 1, 2, 3

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_SOURCE = re.compile(r"^[>*_\-\s]*(?:sources?|fontes?)\s*[*_]*\s*:\s*[*_]*\s*(.+?)[*_]*$", re.IGNORECASE)
_TAGS = re.compile(r"^(?:tags|etiquetas)\s*:\s*(.+)$", re.IGNORECASE)
_KEYS = re.compile(r"\s*\[([\w.-]+(?:\s*,\s*[\w.-]+)*)\]\s*$")
_KEYED = re.compile(r"^([\w.-]+)\s*:\s+(.+)$")
_SOURCES = frozenset(("sources", "source", "fontes", "fonte", "references", "referências"))
_BULLET = re.compile(r"^(?:[-*+]|\d{1,3}[.)])\s+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"(\*\*|__|`)(.+?)\1")


@dataclass(frozen=True)
class Fact:
    """One sentence of knowledge with where it comes from.

    `id` stays the same as long as document and sentence do; `theme` is the heading it stands under and `position`
    its place in the document.
    """

    id: str
    text: str
    source: str
    document: str
    tags: tuple[str, ...] = ()
    theme: str = ""
    position: int = 0


@dataclass(frozen=True)
class KnowledgeDocument:
    """A knowledge document as the catalogue keeps it. `language` empty = fits every language."""

    slug: str
    title: str
    text: str
    language: str = ""
    tier: int = BY_RETRIEVAL
    tags: tuple[str, ...] = ()


@dataclass
class _Reading:
    """State while reading a document from top to bottom."""

    theme: str = ""
    default_source: str = ""
    open_from: int = 0
    facts: list[Fact] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)


def parse_document(document: KnowledgeDocument) -> list[Fact]:
    """Read a document's facts in order; a sentence that occurs twice is one fact."""
    front, body, listed = _parts(document.text)
    reading, tags = _Reading(keys=_listed_sources(listed)), [*document.tags, *_front_tags(front)]
    for line in _lines(body):
        if heading := _HEADING.match(line):
            reading.theme = "" if len(heading[1]) == 1 else _clean(heading[2])
            reading.default_source, reading.open_from = "", len(reading.facts)
        elif source := _SOURCE.match(line):
            _give_source(reading, _clean_source(source[1]))
        elif named := _TAGS.match(line):
            tags += _split_tags(named[1])
        else:
            _add_facts(reading, document, _BULLET.sub("", line))
    unique = {fact.id: fact for fact in reversed(reading.facts)}
    ordered = sorted(unique.values(), key=lambda fact: fact.position)
    return [replace(fact, tags=tuple(dict.fromkeys(tags))) for fact in ordered]


def _parts(text: str) -> tuple[list[str], list[str], list[str]]:
    """Front matter, body and the list of sources at the end, as lines."""
    lines = text.strip().splitlines()
    front: list[str] = []
    if lines and lines[0].strip() == "---":
        end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
        front, lines = lines[1:end], lines[end + 1 :]
    for number, line in enumerate(lines):
        heading = _HEADING.match(line.strip())
        if heading and heading[2].casefold() in _SOURCES:
            return front, lines[:number], lines[number + 1 :]
    return front, lines, []


def _listed_sources(lines: Sequence[str]) -> dict[str, str]:
    found = (_KEYED.match(_BULLET.sub("", line.strip())) for line in lines)
    return {match[1]: _clean_source(match[2]) for match in found if match}


def _front_tags(lines: Sequence[str]) -> list[str]:
    return [tag for line in lines if (match := _TAGS.match(line.strip())) for tag in _split_tags(match[1])]


def _split_tags(text: str) -> list[str]:
    return [tag.strip() for tag in text.strip("[] ").split(",") if tag.strip()]


def unsourced(document: KnowledgeDocument) -> list[Fact]:
    """Facts of a document that name no source, for a warning where documents are edited."""
    return [fact for fact in parse_document(document) if not fact.source]


def _lines(raw_lines: Sequence[str]) -> Iterable[str]:
    """Markdown lines with the soft-wrapped lines of a paragraph or list item joined."""
    held = ""
    for raw in raw_lines:
        line = raw.strip()
        alone = not line or bool(_HEADING.match(line) or _SOURCE.match(line) or _TAGS.match(line))
        if held and (alone or _BULLET.match(line)):
            yield held
            held = ""
        if alone:
            if line:
                yield line
        else:
            held = f"{held} {line}".strip()
    if held:
        yield held


def _add_facts(reading: _Reading, document: KnowledgeDocument, text: str) -> None:
    keyed = _KEYS.search(text)
    named = [reading.keys[key] for key in re.split(r"\s*,\s*", keyed[1]) if key in reading.keys] if keyed else []
    for sentence in sentences_of(_clean(_KEYS.sub("", text) if named else text)):
        if len(sentence.split()) < 3:
            continue
        digest = hashlib.sha256(f"{document.slug}\n{plain(sentence)}".encode()).hexdigest()[:10]
        reading.facts.append(
            Fact(
                id=f"{document.slug}#{digest}",
                text=sentence if sentence[-1] in ".!?…" else sentence + ".",
                source="; ".join(named) or reading.default_source,
                document=document.title,
                theme=reading.theme,
                position=len(reading.facts),
            )
        )


def _give_source(reading: _Reading, source: str) -> None:
    waiting = range(reading.open_from, len(reading.facts))
    if not waiting:
        reading.default_source = source
    for index in waiting:
        if not reading.facts[index].source:
            reading.facts[index] = replace(reading.facts[index], source=source)
    reading.open_from = len(reading.facts)


def _clean(text: str) -> str:
    bare = _LINK.sub(r"\1", text).lstrip("> ")
    while (next_text := _MARKUP.sub(r"\2", bare)) != bare:
        bare = next_text
    return " ".join(bare.split())


def _clean_source(text: str) -> str:
    return " ".join(re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1, \2", text).split())


# ── Choice ────────────────────────────────────────────────────────────────────────────────────────────────
class Relevance:
    """BM25 of facts for a topic (k1 1.4, b 0.6); words of title, theme and tags count too, but less."""

    def __init__(self, facts: Sequence[Fact], language: str) -> None:
        self.language = language
        self.bags = {fact.id: _bag(fact, language) for fact in facts}
        lengths = [sum(bag.values()) for bag in self.bags.values()]
        self.mean = sum(lengths) / len(lengths) if lengths else 1.0
        self.seen = Counter(term for bag in self.bags.values() for term in bag)

    def rarity(self, term: str) -> float:
        count = self.seen[term]
        return math.log(1 + (len(self.bags) - count + 0.5) / (count + 0.5))

    def score(self, fact: Fact, topic: str) -> float:
        """0 when no meaningful word of the topic occurs in the fact or its headings."""
        bag = self.bags[fact.id]
        size = sum(bag.values()) / self.mean
        total = 0.0
        for term in dict.fromkeys(topic_stems(topic, self.language)):
            count = bag.get(term, 0.0)
            total += self.rarity(term) * count * 2.4 / (count + 1.4 * (0.4 + 0.6 * size)) if count else 0.0
        return total

    def in_documents(self, documents: Mapping[str, Sequence[Fact]], topic: str) -> dict[str, float]:
        """Scores by fact id, where a fact gains from its neighbours' and from its whole document's."""
        scores: dict[str, float] = {}
        for facts in documents.values():
            own = [self.score(fact, topic) for fact in facts]
            best = sorted(own, reverse=True)[:5]
            lift = 0.5 * self.headed(facts, topic) * sum(best) / len(best) if best else 0.0
            for index, fact in enumerate(facts):
                near = max((0.4 / step * own[at] for step in (1, 2) for at in (index - step, index + step)
                            if 0 <= at < len(own)), default=0.0)  # fmt: skip
                scores[fact.id] = own[index] + near + lift
        return scores

    def headed(self, facts: Sequence[Fact], topic: str) -> float:
        """1 to 2: more, the more of the topic's words stand in a document's title and tags."""
        headings = " ".join({part for fact in facts for part in (fact.document, *fact.tags)})
        named, asked = set(content_stems(headings, self.language)), set(topic_stems(topic, self.language))
        return 1.0 + len(named & asked) / (len(asked) or 1)

    def own(self, topic: str, facts: Sequence[Fact]) -> dict[str, float]:
        """Scores by fact id without the lift of their documents."""
        return {fact.id: self.score(fact, topic) for fact in facts}


def topic_stems(topic: str, language: str) -> list[str]:
    """The topic's meaningful stems; words about the film itself (video, story, minute) say nothing about facts."""
    fillers = {stem(word, language) for word in FILLER_WORDS.get(primary(language), frozenset())}
    stems = content_stems(topic, language)
    return [*([term for term in stems if term not in fillers] or stems), *number_terms(topic, language)]


HEADING_WEIGHT = 0.15
"""What a word in title, theme or tags counts against one in the sentence itself."""


def _bag(fact: Fact, language: str) -> dict[str, float]:
    bag: dict[str, float] = {}
    for term in content_stems(" ".join([fact.theme, fact.document, *fact.tags]), language):
        bag[term] = HEADING_WEIGHT
    for term in content_stems(fact.text, language) + number_terms(fact.text, language):
        bag[term] = bag.get(term, 0.0) + 1.0
    return bag


def select_facts(topic: str, documents: Sequence[KnowledgeDocument], n: int, language: str) -> list[Fact]:
    """Choose the facts that come along with a topic: all of tier 1, then the best `n` of tiers 2 and 3.

    A document is about the topic when one of its facts shares a meaningful word with it; its other facts may come
    along too. When no document is, those of tier 2 (named by the recipe) still do. Choosing is diverse: a fact that
    repeats chosen ones yields to one that adds something. Facts of one document keep their order.
    """
    fitting = [document for document in documents if same_language(document.language, language)]
    read = {document.slug: parse_document(document) for document in fitting}
    always = [fact for document in fitting if document.tier == ALWAYS for fact in read[document.slug]]
    pool = {document.slug: read[document.slug] for document in fitting if document.tier != ALWAYS}
    relevance = Relevance([fact for facts in pool.values() for fact in facts], language)
    scores = relevance.in_documents(pool, topic)
    named = {document.slug for document in fitting if document.tier == BY_RECIPE}
    wanted = [slug for slug in pool if any(scores[fact.id] for fact in pool[slug])]
    wanted = wanted or [slug for slug in pool if slug in named]
    bonus = {slug: 1.15 if slug in named else 1.0 for slug in wanted}
    chosen = diverse([(fact, scores[fact.id] * bonus[slug]) for slug in wanted for fact in pool[slug]], n, language)
    places = {slug: place for place, slug in enumerate(pool)}
    chosen.sort(key=lambda fact: (places[document_of(fact)], fact.position))
    return always + chosen


def document_of(fact: Fact) -> str:
    """The slug of the document a fact stands in."""
    return fact.id.rpartition("#")[0]


def diverse(scored: Sequence[tuple[Fact, float]], n: int, language: str) -> list[Fact]:
    """Greedy choice of `n` facts by score less likeness to what is chosen already (maximal marginal relevance)."""
    best = max((score for _, score in scored), default=0.0) or 1.0
    bags = {fact.id: set(content_stems(fact.text, language)) for fact, _ in scored}
    left, chosen = list(scored), list[Fact]()
    likeness = dict.fromkeys(bags, 0.0)
    while left and len(chosen) < n:
        fact, _ = max(left, key=lambda item: (0.7 * item[1] / best - 0.4 * likeness[item[0].id], -item[0].position))
        chosen.append(fact)
        left = [item for item in left if item[0].id != fact.id]
        for other, _ in left:
            shared = len(bags[fact.id] & bags[other.id]) / (len(bags[fact.id] | bags[other.id]) or 1)
            likeness[other.id] = max(likeness[other.id], shared)
    return chosen
