"""The offline writer's outline: which facts are told, in which order, and how they fall into scenes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from adapters.text.grammar import figure_of, known, split_long, subject_of
from adapters.text.lexicon import LEXICON
from domain.catalog.knowledge import Fact, Relevance, document_of, topic_stems
from domain.catalog.words import content_stems, number_terms, spoken_length, stem, words_of

SENTENCE_PAUSE = 0.38
SCENE_PAUSE = 0.36
_PACE = {"en": 2.76, "pt": 2.53}
"""Words per second while speaking, pauses apart; measured on the draft voices over a whole knowledge base."""


def seconds_of(text: str, language: str) -> float:
    """Estimated seconds a sentence takes, with the pause after it."""
    return spoken_length(text) / _PACE[known(language)] + SENTENCE_PAUSE


def chance(*parts: str) -> float:
    """A repeatable number 0..1 from its parts."""
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:6]) / (1 << 48)


def support(topic: str, facts: Sequence[Fact], language: str) -> float:
    """How much of the topic's meaning the facts can speak about, 0..1; names and words of titles weigh more."""
    told = {term for fact in facts for term in content_stems(fact.text, language) + number_terms(fact.text, language)}
    headed = {
        term
        for fact in facts
        for part in (fact.document, fact.theme, *fact.tags)
        for term in content_stems(part, language)
    }
    names = {stem(word, language) for word in words_of(topic)[1:] if word[0].isupper()}
    total = met = 0.0
    for term in dict.fromkeys(topic_stems(topic, language)):
        weight = 3.0 if term in names or term in headed else 1.0
        total += weight
        met += weight if term in told | headed else 0.0
    return met / total if total else 0.0


class Chooser:
    """Chooses facts for a length: relevant, various, and in runs that follow on from each other."""

    def __init__(self, facts: Sequence[Fact], topic: str, language: str, seed: str, focus: str = "") -> None:
        self.facts, self.language = list(facts), language
        self.documents: dict[str, list[Fact]] = {}
        for fact in facts:
            self.documents.setdefault(document_of(fact), []).append(fact)
        relevance = Relevance(facts, language)
        own = relevance.own(topic, facts)
        stressed = relevance.own(focus, facts) if focus else {}
        top, top_focus = max(own.values(), default=0) or 1, max(stressed.values(), default=0) or 1
        self.hit = {fact.id: max(own[fact.id] / top, stressed.get(fact.id, 0) / top_focus) for fact in facts}
        self.weight = {
            slug: relevance.headed(group, topic) * sum(sorted((own[fact.id] for fact in group), reverse=True)[:4])
            for slug, group in self.documents.items()
        }
        self.worth = {
            fact.id: self.hit[fact.id]
            + 0.8 * stressed.get(fact.id, 0) / top_focus
            + self._merit(fact)
            + 0.06 * chance(seed, fact.id)
            for fact in facts
        }
        self.bags = {fact.id: set(content_stems(fact.text, language)) for fact in facts}
        self.by_place = {(document_of(fact), fact.position): fact for fact in facts}

    def _merit(self, fact: Fact) -> float:
        merit = 0.12 if figure_of(fact.text, self.language) else 0.0
        longest = max(len(part.split()) for part in split_long(fact.text, self.language))
        return merit - 0.05 * max(0, longest - 20)

    def main(self) -> list[Fact]:
        """The facts that may be told: all of the document most about the topic, and good hits in others."""
        best = max(self.weight, key=lambda slug: (self.weight[slug], slug), default="")
        return [fact for fact in self.facts if document_of(fact) == best or self.hit[fact.id] >= GOOD_HIT]

    def before(self, fact: Fact) -> Fact | None:
        """The fact this one follows in its document, if it was given."""
        return self.by_place.get((document_of(fact), fact.position - 1))

    def leans(self, fact: Fact) -> bool:
        """Whether the fact cannot be understood without the one before it."""
        return bool(LEXICON[known(self.language)].leaning.search(fact.text))

    def choose(self, pool: Sequence[Fact], room: float, fixed: Sequence[Fact]) -> list[Fact]:
        """Fill `room` seconds with facts of the pool, the fixed ones among them, in telling order."""
        chosen, left = list(fixed), [fact for fact in pool if fact not in fixed]
        slack, third = min(1.5, room / 10), 0.3 * room
        room -= sum(seconds_of(fact.text, self.language) for fact in fixed)
        alike = {fact.id: max(self._alike(fact, other) for other in fixed) for fact in left}
        while left:
            ids = {fact.id for fact in chosen}
            open_now = [fact for fact in left if not self.leans(fact) or self._follows(fact, ids)]
            fitting = [fact for fact in open_now if seconds_of(fact.text, self.language) <= room + slack]
            if not fitting and room > third:
                # A little too long is better than a third of the film missing.
                near = min(open_now, key=lambda fact: spoken_length(fact.text), default=None)
                fitting = [near] if near and seconds_of(near.text, self.language) <= room + third else []
            if not fitting:
                break
            best = max(
                fitting, key=lambda fact: (self._value(fact, chosen, ids) - 0.6 * alike[fact.id], -fact.position)
            )
            chosen.append(best)
            left.remove(best)
            alike |= {fact.id: max(alike[fact.id], self._alike(fact, best)) for fact in left}
            room -= seconds_of(best.text, self.language)
        first = document_of(fixed[0])
        slugs = sorted(self.documents, key=lambda slug: (slug != first, -self.weight[slug], slug))
        return sorted(chosen, key=lambda fact: (slugs.index(document_of(fact)), fact.position))

    def _follows(self, fact: Fact, ids: set[str]) -> bool:
        before = self.before(fact)
        return before is not None and before.id in ids

    def _value(self, fact: Fact, chosen: Sequence[Fact], ids: set[str]) -> float:
        """Worth, plus for following on from what is told, less for going back in time."""
        opener = chosen[0]
        after = self.by_place.get((document_of(fact), fact.position + 1))
        value = self.worth[fact.id] + (0.2 if self._beside_a_hit(fact) else 0.0)
        value += 0.22 * self._follows(fact, ids) + 0.12 * (after is not None and after.id in ids)
        if document_of(fact) == document_of(opener):
            value += 0.2 - 0.25 * (fact.position < opener.position)
            value -= 0.6 * self._goes_back(fact, chosen)
        return value

    def _alike(self, fact: Fact, other: Fact) -> float:
        bag, told = self.bags[fact.id], self.bags[other.id]
        return len(bag & told) / (len(bag | told) or 1)

    def _beside_a_hit(self, fact: Fact) -> bool:
        places = ((document_of(fact), fact.position + step) for step in (-2, -1, 1))
        return any(self.hit[near.id] >= GOOD_HIT for place in places if (near := self.by_place.get(place)))

    def _goes_back(self, fact: Fact, chosen: Sequence[Fact]) -> bool:
        year = year_of(fact)
        earlier = [year_of(other) for other in chosen if other.position < fact.position]
        return bool(year) and year < max(earlier, default=0)


GOOD_HIT = 0.4
"""Share of the best fact's score from which on a fact counts as being about the topic."""


def year_of(fact: Fact) -> int:
    """The first year a fact names, 0 if none."""
    years = (int(word) for word in words_of(fact.text) if len(word) == 4 and word.isdecimal())
    return next((year for year in years if 1000 < year < 2100), 0)


def pick_opener(chooser: Chooser, pool: Sequence[Fact], room: float) -> Fact:
    """The fact that opens: of those about the topic the first in its document that stands by itself.

    In a film of a few seconds (`room`) it must be one that fits, or the shortest.
    """
    slug = max(chooser.weight, key=lambda slug: (chooser.weight[slug], slug))
    standing = [fact for fact in pool if not chooser.leans(fact)] or list(pool)
    own = [fact for fact in standing if document_of(fact) == slug] or standing
    best = max(chooser.hit[fact.id] for fact in own)
    about = [fact for fact in own if chooser.hit[fact.id] >= 0.75 * GOOD_HIT * best]
    fitting = [fact for fact in about if seconds_of(fact.text, chooser.language) <= room]
    if not fitting:
        return min(about, key=lambda fact: spoken_length(fact.text))
    return min(fitting, key=lambda fact: fact.position)


def pick_closer(chooser: Chooser, pool: Sequence[Fact], opener: Fact, language: str) -> Fact | None:
    """A fact to end on: timeless rather than dated, short, about the topic, standing by itself; None if none is."""
    lexicon = LEXICON[known(language)]
    leant_on = {before.id for fact in pool if chooser.leans(fact) and (before := chooser.before(fact))}
    free = [fact for fact in pool if fact is not opener and not chooser.leans(fact) and fact.id not in leant_on]
    calm = [fact for fact in free if lexicon.timeless.search(fact.text) and not year_of(fact)]
    last = max((fact.position for fact in pool), default=0) or 1

    def merit(fact: Fact) -> tuple[float, int]:
        same = 0.3 * (document_of(fact) == document_of(opener))
        words = len(fact.text.split())
        return chooser.worth[fact.id] + same + 0.3 * fact.position / last - 0.03 * words, -fact.position

    return max(calm, key=merit, default=None)


def into_scenes(facts: Sequence[Fact], wanted: int, language: str) -> list[list[Fact]]:
    """Cut facts into about `wanted` scenes of one to three, keeping neighbours with one subject together."""
    if not facts:
        return []
    target = max(1.0, len(facts) / max(1, wanted))
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(facts) + 1):
        options = (
            (best[end - size][0] + _scene_cost(facts[end - size : end], target, language), size)
            for size in range(1, min(3, end) + 1)
        )
        best.append(min(options))
    scenes, end = [], len(facts)
    while end:
        size = best[end][1]
        scenes.append(list(facts[end - size : end]))
        end -= size
    return scenes[::-1]


def _scene_cost(facts: Sequence[Fact], target: float, language: str) -> float:
    subjects = [subject_of(fact.text, language).casefold() for fact in facts]
    same = sum(one == other != "" for one, other in pairwise(subjects))
    foreign = sum(document_of(one) != document_of(other) for one, other in pairwise(facts))
    return (len(facts) - target) ** 2 + 0.5 * (len(facts) - 1 - same) - 0.7 * same + 2.0 * foreign
