"""How many pictures a film will need made, before its script is written. Pure.

Sketches of the film say best what its scenes are about (domain.production.sketches); without them the facts do that the
script will rest on. Either way scenes are matched with the library as those of the script will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.catalog.knowledge import Fact
from domain.catalog.words import words_of
from domain.production.asking import choose_facts
from domain.production.matching import match_pictures
from domain.production.sketches import Film
from domain.production.spec import JobSpec, LibraryItem
from domain.studio.script import Scene, Sentence, Visual

MOST_SCENES = 40
"""Scenes of a long film that are looked at; the others are taken to be like them."""
LONG_WORD = 5
"""Letters of a word that a writer would name among a scene's keywords."""


@dataclass(frozen=True)
class Foreseen:
    """What was found out about a film before it is ordered; each part may be missing.

    `prompt_tokens`: as the writer's provider counts them; `films`: that it may become, by sketches of it.
    """

    prompt_tokens: int | None = None
    films: Sequence[Film] = ()


NO_FORESIGHT = Foreseen()


def library_of(spec: JobSpec) -> list[LibraryItem]:
    """The pictures that a film may take from its project's library."""
    return [item for item in spec.library if item.role == "picture"] if "library" in spec.recipe.pictures else []


def share_to_make(spec: JobSpec, scenes: float) -> float:
    """The share of a film's scenes that no picture of the library will fit, from 0 to 1."""
    library = library_of(spec)
    if not library:
        return 1.0
    count = max(1, round(scenes))
    looked = min(count, MOST_SCENES)
    facts = choose_facts(spec)
    guessed = guess_scenes(facts[: max(2 * looked, round(len(facts) * looked / count))], looked)
    if not guessed:
        return 1.0
    fitting = sum(match.picture is not None for match in match_pictures(guessed, library).values())
    # A picture is shown twice at most: beyond the scenes that were looked at, few are left.
    return max(0.0, 1.0 - fitting / count) if looked < count else 1.0 - fitting / len(guessed)


def guess_scenes(facts: Sequence[Fact], count: int) -> list[Scene]:
    """Scenes as a writer might make them: the facts in their order, shared out evenly."""
    edges = [round(number * len(facts) / count) for number in range(count + 1)]
    groups = [facts[begin:end] for begin, end in pairwise(edges)]
    return [_scene(number, group) for number, group in enumerate(groups) if group]


def _scene(number: int, facts: Sequence[Fact]) -> Scene:
    sentences = [Sentence(id=f"s{number}.{place}", text=fact.text[:1000]) for place, fact in enumerate(facts)]
    keywords = [word for word in dict.fromkeys(words_of(facts[0].text)) if len(word) >= LONG_WORD]
    return Scene(id=f"s{number}", sentences=sentences, visual=Visual(keywords=keywords[:8]))
