"""The pictures behind the words, and which of them suit a scene: one function each, in the registry `BACKDROPS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from adapters.images.backdrops_ground import contours, horizon, mountains, orbits, waves, well
from adapters.images.backdrops_sky import galaxy, moon, nebula, planet, rays, starfield
from adapters.images.surface import Surface
from domain.production.matching import terms

Backdrop = Callable[[Surface], None]

BACKDROPS: Mapping[str, Backdrop] = {
    "contours": contours,
    "galaxy": galaxy,
    "horizon": horizon,
    "moon": moon,
    "mountains": mountains,
    "nebula": nebula,
    "orbits": orbits,
    "planet": planet,
    "rays": rays,
    "starfield": starfield,
    "waves": waves,
    "well": well,
}
GENERAL = ("contours", "waves", "mountains", "rays", "orbits", "nebula")
"""For scenes whose words suggest nothing."""

_SUITS = {
    "galaxy galaxies galáxia milky láctea andromeda andrômeda spiral espiral": ("galaxy", "nebula"),
    "star stars estrela nebula nebulosa cloud nuvem supernova pulsar": ("nebula", "starfield", "rays"),
    "sun sol light luz photon fóton shine brilho laser mirror espelho": ("rays", "starfield"),
    "moon lua lunar crater cratera mars marte mercury mercúrio apollo regolith footprint pegada": ("moon", "orbits"),
    "planet planeta jupiter júpiter saturn saturno uranus urano neptune netuno": ("planet", "orbits"),
    "earth terra atmosphere atmosfera rocket foguete launch lançamento shuttle ônibus booster lift-off": (
        "horizon",
        "planet",
    ),
    "orbit órbita station estação satellite satélite astronaut astronauta crew tripulação spacewalk": (
        "horizon",
        "orbits",
    ),
    "probe sonda voyager spacecraft nave solar system sistema interstellar interestelar": (
        "orbits",
        "starfield",
        "planet",
    ),
    "hubble telescope telescópio webb exposure exposição": ("starfield", "nebula", "galaxy"),
    "radio rádio signal sinal microwave micro-ondas sound som noise chiado wave onda music música record disco": (
        "waves",
        "contours",
    ),
    "gravity gravidade mass massa black hole buraco negro dark matter matéria escura energy energia": (
        "well",
        "galaxy",
    ),
    "universe universo expansion expansão cosmos cosmic cósmica big bang sky céu deep profundo field campo": (
        "starfield",
        "galaxy",
        "nebula",
        "well",
    ),
    "mountain montanha landscape paisagem valley vale rock rocha journey viagem": ("mountains", "contours"),
}
SUITS: Mapping[str, tuple[str, ...]] = {term: backdrops for words, backdrops in _SUITS.items() for term in terms(words)}


def choose_backdrop(texts: list[tuple[str, float]], rng: np.random.Generator) -> str:
    """Choose by the words of the scene (text, weight); where several suit, the seed decides."""
    votes: dict[str, float] = {}
    for text, weight in texts:
        for term in terms(text):
            for place, backdrop in enumerate(SUITS.get(term, ())):
                votes[backdrop] = votes.get(backdrop, 0.0) + weight / (1 + place * 0.4)
    if not votes:
        return str(rng.choice(GENERAL))
    best = max(votes.values())
    close = sorted(name for name, vote in votes.items() if vote >= best * 0.55)
    return str(rng.choice(close))
