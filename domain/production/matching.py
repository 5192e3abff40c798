"""Which library picture belongs to which scene: pure, repeatable, and never a picture that has nothing to do with it.

A scene's words (keywords, headline, title, sentences) are compared with a picture's tags and captions in all its
languages, accents folded and endings trimmed. The assignment with the greatest total score wins; a picture is used
once, and again only far from its first place and only where it fits well.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Protocol

from domain.studio.script import Scene

THRESHOLD = 1.5
"""Least score of a match: one main tag among the scene's keywords, or two among its sentences."""
REUSE_THRESHOLD = 3.0
"""Least score for showing a picture once more."""
COVERAGE = 1.0
"""What one more scene with a fitting picture is worth against a better fit elsewhere."""
MAX_USES = 2
NEIGHBOURS = 6
"""A picture is not shown again within this many scenes."""
CANDIDATES = 12
"""Pictures considered for a scene; keeps large libraries quick."""

KEYWORD, HEADLINE, SENTENCE, PROMPT = 2.0, 1.5, 1.0, 0.5
MAIN_TAG, OTHER_TAG, CAPTION = 1.0, 0.6, 0.25
MAIN_TAGS = 3
MOST_OF_A_TERM = 3.0

_STOP_WORDS = """
a an and are as at be been but by can for from had has have he her his how i in into is it its may
more most no not of on one only or our out over she so some than that the their them there they this
to up was we were what when where which who why will with would you your about after all also any
because before between does each first just like many much new other such these those through too
two under until very while ao aos as ate com como da das de dela dele do dos e ela elas ele eles em
entre era essa esse esta este eu foi foram ha isso ja la lhe mais mas me mesmo muito na nao nas nem
no nos nossa nosso num numa o os ou para pela pelas pelo pelos por porque quando que quem se sem ser
seu seus so sua suas tambem te tem um uma umas uns vez primeira primeiro cada ainda sobre
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


class Picture(Protocol):
    """What matching needs to know of a library picture; captions and tags by language."""

    @property
    def id(self) -> str: ...
    @property
    def captions(self) -> Mapping[str, str]: ...
    @property
    def tags(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True)
class Match:
    """What was chosen for a scene and why; `picture` is None when nothing in the library fits."""

    picture: str | None
    score: float
    reason: str


def match_pictures(scenes: Sequence[Scene], pictures: Sequence[Picture]) -> dict[str, Match]:
    """Answer the choice for every scene by its id; a picture chosen by a person always stands."""
    return match_on(scenes, Shelf(pictures))


def match_on(scenes: Sequence[Scene], shelf: Shelf) -> dict[str, Match]:
    """The same for pictures that are set out to be matched with several scripts."""
    chosen = {number: scene.visual.picture for number, scene in enumerate(scenes) if scene.visual.picture}
    chosen = {number: picture for number, picture in chosen.items() if picture in shelf.ids}
    scores = {number: shelf.scores(_scene_terms(scene)) for number, scene in enumerate(scenes)}
    taken = Counter(chosen.values())
    open_edges = {
        number: {
            picture: score + COVERAGE for picture, score in row.items() if score >= THRESHOLD and not taken[picture]
        }
        for number, row in scores.items()
        if number not in chosen
    }
    assigned = assign(open_edges)
    everything = {**assigned, **chosen}
    reused = _reuse(scenes, scores, everything)
    return {scene.id: _explain(number, scene, scores, chosen, assigned, reused) for number, scene in enumerate(scenes)}


MOST_ROUNDS = 12


def match_again(scenes: Sequence[Scene], pictures: Sequence[Picture], instruction: str, salt: str) -> dict[str, Match]:
    """The choice when a person has had the pictures made again.

    A library's picture cannot follow an instruction, so with one every picture is made; without one each round leaves
    out what was chosen in the rounds before. `salt` ends in the number of rounds.
    """
    if instruction:
        return match_pictures(scenes, ())
    last = salt.rpartition(":")[2]
    rounds = min(int(last), MOST_ROUNDS) if last.isascii() and last.isdigit() else int(bool(last))
    left = list(pictures)
    for _ in range(rounds):
        seen = {match.picture for match in match_pictures(scenes, left).values()}
        left = [picture for picture in left if picture.id not in seen]
    return match_pictures(scenes, left)


def _explain(
    number: int,
    scene: Scene,
    scores: Mapping[int, Mapping[str, float]],
    chosen: Mapping[int, str],
    assigned: Mapping[int, str],
    reused: Mapping[int, str],
) -> Match:
    if number in chosen:
        return Match(chosen[number], scores[number].get(chosen[number], 0.0), "chosen by a person")
    best = max(scores[number].values(), default=0.0)
    picture = assigned.get(number) or reused.get(number)
    if picture is None:
        why = "nothing in the library fits" if best < THRESHOLD else "the fitting pictures are shown elsewhere"
        return Match(None, best, f"{why} (best score {best:.1f}, needed {THRESHOLD:.1f})")
    again = "shown again: " if number in reused else ""
    score = scores[number][picture]
    return Match(picture, score, f"{again}tags and captions fit (score {score:.1f})")


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────
def fold(text: str) -> str:
    """Lower the case and drop the accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def stem(word: str) -> str:
    """Trim the commonest endings of English and Portuguese from a folded word."""
    for ending, instead in (("oes", "ao"), ("ies", "y"), ("ais", "al"), ("eis", "el"), ("ns", "m")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + instead
    for ending in ("ing", "ed", "es", "s"):
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= (4 if len(ending) > 1 else 3) and not rest.endswith("s"):
            word = rest
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def terms(text: str) -> list[str]:
    """Answer the stems of a text's words that carry meaning, in order."""
    return list(_terms(text))


@lru_cache(maxsize=1 << 13)
def _terms(text: str) -> Sequence[str]:
    words = re.findall(r"[^\W_]+", fold(text))
    return [stem(word) for word in words if word not in STOP_WORDS and len(word) > 1]


# ── Scores ────────────────────────────────────────────────────────────────────────────────────────────────
def _scene_terms(scene: Scene) -> dict[str, float]:
    weights: dict[str, float] = {}
    parts = [(keyword, KEYWORD) for keyword in scene.visual.keywords]
    parts += [(scene.visual.headline, HEADLINE), (scene.title, HEADLINE), (scene.visual.prompt, PROMPT)]
    parts += [(sentence.text, SENTENCE) for sentence in scene.sentences]
    for text, weight in parts:
        for term in dict.fromkeys(terms(text)):
            weights[term] = min(weights.get(term, 0.0) + weight, MOST_OF_A_TERM)
    return weights


def _picture_terms(picture: Picture) -> dict[tuple[str, ...], float]:
    """Answer tags (one or several stems each) and caption words with their weights; the greatest weight stands."""
    weights: dict[tuple[str, ...], float] = {}
    for caption in picture.captions.values():
        for term in terms(caption):
            weights[(term,)] = CAPTION
    for tags in picture.tags.values():
        for place, tag in enumerate(tags):
            key = tuple(terms(tag))
            weight = MAIN_TAG if place < MAIN_TAGS else OTHER_TAG
            if key:
                weights[key] = max(weights.get(key, 0.0), weight)
    return weights


class Shelf:
    """Pictures set out by what they show, so that a scene is compared only with those that share a word with it."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        described = {picture.id: _picture_terms(picture) for picture in pictures}
        self.ids = frozenset(described)
        spread = Counter(term for weights in described.values() for term in weights)
        self._rarity = {term: min(1.0, 0.35 + log(1 + len(pictures) / count) / 1.6) for term, count in spread.items()}
        self._showing: dict[str, list[tuple[tuple[str, ...], str, float]]] = {}
        self._scored: dict[frozenset[tuple[str, float]], dict[str, float]] = {}
        for picture, weights in described.items():
            for term, weight in weights.items():
                self._showing.setdefault(term[0], []).append((term, picture, weight))

    def scores(self, scene: Mapping[str, float]) -> dict[str, float]:
        """The best pictures for a scene's terms with their scores; a word of a caption alone is no match."""
        words = frozenset(scene.items())
        if words not in self._scored:
            self._scored[words] = self._score(scene)
        return self._scored[words]

    def _score(self, scene: Mapping[str, float]) -> dict[str, float]:
        sums: dict[str, float] = {}
        tagged: set[str] = set()
        for first in scene:
            for term, picture, weight in self._showing.get(first, ()):
                if all(part in scene for part in term):
                    worth = min(scene[part] for part in term) * weight * self._rarity[term]
                    sums[picture] = sums.get(picture, 0.0) + worth
                    if weight >= OTHER_TAG:
                        tagged.add(picture)
        row = {picture: round(sums[picture], 6) for picture in tagged}
        return dict(sorted(row.items(), key=lambda pair: (-pair[1], pair[0]))[:CANDIDATES])


# ── Assignment ────────────────────────────────────────────────────────────────────────────────────────────
def assign(edges: Mapping[int, Mapping[str, float]]) -> dict[int, str]:
    """Answer the assignment of pictures to scenes, each used at most once, with the greatest total score.

    Successive best augmenting paths (Bellman–Ford) over the sparse candidate edges.
    """
    scene_of: dict[str, int] = {}
    picture_of: dict[int, str] = {}
    for scene in sorted(edges):
        path = _best_path(scene, edges, scene_of, picture_of)
        for step_scene, picture in path:
            picture_of[step_scene] = picture
            scene_of[picture] = step_scene
        if path and path[-1][1] == "":
            picture_of.pop(path[-1][0])
            scene_of.pop("")
    return dict(sorted(picture_of.items()))


def _best_path(
    start: int,
    edges: Mapping[int, Mapping[str, float]],
    scene_of: Mapping[str, int],
    picture_of: Mapping[int, str],
) -> list[tuple[int, str]]:
    """Answer the best chain of moves that starts at a scene: (scene, its new picture; "" = none) each."""
    gain: dict[int, float] = {start: 0.0}
    came: dict[int, tuple[int, str]] = {}
    best_end, best_gain = (start, ""), 0.0
    queue = [start]
    while queue:
        scene = queue.pop(0)
        if gain[scene] > best_gain + 1e-9:
            best_end, best_gain = (scene, ""), gain[scene]
        for picture, score in edges[scene].items():
            if picture_of.get(scene) == picture:
                continue
            total = gain[scene] + score
            owner = scene_of.get(picture)
            if owner is None:
                if total > best_gain + 1e-9:
                    best_end, best_gain = (scene, picture), total
            elif total - edges[owner][picture] > gain.get(owner, float("-inf")) + 1e-9 and owner != start:
                gain[owner] = total - edges[owner][picture]
                came[owner] = (scene, picture)
                queue.append(owner)
    moves = [best_end]
    while moves[-1][0] != start:
        moves.append(came[moves[-1][0]])
    return moves[::-1]


def _reuse(
    scenes: Sequence[Scene], scores: Mapping[int, Mapping[str, float]], used: Mapping[int, str]
) -> dict[int, str]:
    """Show fitting pictures once more in scenes that are left without one, away from where they were shown."""
    shown: dict[str, list[int]] = {}
    for number, picture in used.items():
        shown.setdefault(picture, []).append(number)
    again: dict[int, str] = {}
    wishes = sorted((-score, number, picture) for number, row in scores.items() for picture, score in row.items())
    for negative, number, picture in wishes:
        places = shown.setdefault(picture, [])
        if number in used or number in again or -negative < REUSE_THRESHOLD or len(places) >= MAX_USES:
            continue
        if all(abs(number - place) > NEIGHBOURS for place in places):
            again[number] = picture
            places.append(number)
    return again
