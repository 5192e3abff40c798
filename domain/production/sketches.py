"""The films that a job may become, by sketches of them, and the one whose price is promised. Pure.

A writer may tell the same facts in many ways, and a word more or less decides whether a picture of the library fits a
scene. So each sketch stands for several films, one for each number of pictures that may have to be made, with how
likely they are: the nearer a scene's best picture is to what matching asks for, the less is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import NormalDist

from domain.production.matching import THRESHOLD, Match, Shelf, match_on
from domain.production.narration import spoken_tokens
from domain.studio.script import Script

WAVER = 0.3
"""How far the score of a scene's best picture wavers with a writer's choice of words: half a word of a sentence."""
LEAST_CHANCE = 1e-3
"""Films that are less likely are left out."""
BYTES_PER_TOKEN = 4.0
USUAL = (0.05, 0.95)
"""Shares of the films between which a range lies."""
UNASKED = {"scenes": {"__all__": {"visual": {"picture"}}}}
"""What no writer answers: the choices of people."""


@dataclass(frozen=True)
class Film:
    """What one film asks for, and how likely it is.

    `tokens`: of the writer's answer; `characters`: that are said, without markup; `pictures`: that have to be made.
    """

    tokens: float
    characters: float
    sentences: float
    scenes: float
    pictures: float
    chance: float = 1.0


def film_of(script: Script, lexicon: Mapping[str, str], library: Shelf) -> Film:
    """The film of a script that is known."""
    return _film(script, lexicon, match_on(script.scenes, library))


def _film(script: Script, lexicon: Mapping[str, str], matches: Mapping[str, Match]) -> Film:
    tokens = len(script.model_dump_json(exclude=UNASKED).encode()) / BYTES_PER_TOKEN
    said = [spoken_tokens(sentence, script.language, lexicon) for sentence in script.sentences()]
    characters = sum(len(token.spoken) + 1 for sentence in said for token in sentence)
    made = sum(match.picture is None for match in matches.values())
    return Film(tokens, characters, len(said), len(script.scenes), made)


def films_of(sketch: Script, lexicon: Mapping[str, str], library: Shelf) -> list[Film]:
    """The films that a sketch stands for."""
    matches = match_on(sketch.scenes, library)
    film, chances = _film(sketch, lexicon, matches), enumerate(made_chances(matches.values()))
    return [replace(film, pictures=made, chance=chance) for made, chance in chances if chance > LEAST_CHANCE]


def made_chances(matches: Iterable[Match]) -> list[float]:
    """How likely no, one, two … pictures have to be made."""
    chances = [1.0]
    for match in matches:
        made = _chance_made(match)
        kept, more = [one * (1 - made) for one in chances], [one * made for one in chances]
        chances = [a + b for a, b in zip([*kept, 0.0], [0.0, *more], strict=True)]
    return chances


def _chance_made(match: Match) -> float:
    """How likely a scene's picture has to be made; what fits and is shown elsewhere does not come back."""
    if match.picture is None and match.score >= THRESHOLD:
        return 1.0
    return NormalDist(0.0, WAVER).cdf(THRESHOLD - match.score)


def fairest(films: Sequence[Film], prices: Sequence[float]) -> Film:
    """The film whose price is off by the least share of what any of them may come to.

    That is the median weighted by chance ÷ price: a cheap film would be far off by a promise made for a dear one.
    """
    ordered = sorted(zip(prices, range(len(films)), films, strict=True))
    sums = list(accumulate(film.chance / max(price, 1.0) for price, _, film in ordered))
    return next(film for total, (_, _, film) in zip(sums, ordered, strict=True) if total >= sums[-1] / 2)


def usual(films: Sequence[Film], of: Callable[[Film], float]) -> tuple[float, float]:
    """Between which values nine tenths of the films lie."""
    ordered = sorted((of(film), film.chance) for film in films)
    sums = list(accumulate(chance for _, chance in ordered))
    low, high = (
        next(value for total, (value, _) in zip(sums, ordered, strict=True) if total >= share * sums[-1])
        for share in USUAL
    )
    return low, high
