"""Every transition by its pixels: only the first picture at 0, only the second at 1, and what lies between."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.media.errors import PlanUnrenderable
from adapters.media.planes import Planes, blank, flat
from adapters.media.sheets import Sheet
from adapters.media.transitions import TRANSITIONS, transition
from timeline.transitions import TRANSITIONS as KINDS

SIZE = (64, 36)
FIRST, SECOND = "#ff0000", "#0000ff"
CASES = [(name, {}) for name in TRANSITIONS] + [
    (name, {"direction": way}) for name in ("wipe", "slide", "push") for way in ("right", "left", "down", "up")
]


def planes_of(colour: str) -> Planes:
    out = blank(SIZE)
    flat(colour, SIZE).copy_to(out)
    return out


def sheet_of(colour: tuple[int, int, int], cover: int = 255) -> Sheet:
    pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    pixels[:] = (*(part * cover // 255 for part in colour), cover)
    return Sheet(pixels)


def mixed(name: str, progress: float, params: dict[str, str]) -> Planes:
    a = planes_of(FIRST)
    transition(name)(a, planes_of(SECOND), progress, params)
    return a


def at(planes: Planes, x: float, y: float) -> float:
    """How far from the first to the second picture a place is, by its luma."""
    here = int(planes.y[int(y * 35), int(x * 63)])
    one, two = int(planes_of(FIRST).y[0, 0]), int(planes_of(SECOND).y[0, 0])
    return (here - one) / (two - one)


def test_every_name_of_the_language_is_drawn_and_no_other() -> None:
    assert set(TRANSITIONS) == set(KINDS)
    with pytest.raises(PlanUnrenderable, match="no transition"):
        transition("melt")


@pytest.mark.parametrize(("name", "params"), CASES)
class TestEnds:
    def test_planes(self, name: str, params: dict[str, str]) -> None:
        for progress, colour in ((0.0, FIRST), (1.0, SECOND)):
            for got, wanted in zip(mixed(name, progress, params).each, planes_of(colour).each, strict=True):
                assert np.abs(got.astype(int) - wanted).max() <= 1

    def test_sheets_with_nothing_in_them(self, name: str, params: dict[str, str]) -> None:
        for progress, cover in ((0.0, 0), (1.0, 255)):
            a = sheet_of((255, 0, 0), 0)
            transition(name)(a, sheet_of((0, 0, 255)), progress, params)
            assert (a.pixels[..., 3] == cover).all()


MIDDLES = [
    ("crossfade", {}, {(0.5, 0.5): 0.5, (0.0, 0.0): 0.5}),
    ("wipe", {}, {(0.1, 0.5): 1.0, (0.9, 0.5): 0.0}),
    ("wipe", {"direction": "up"}, {(0.5, 0.9): 1.0, (0.5, 0.1): 0.0}),
    ("slide", {"direction": "left"}, {(0.9, 0.5): 1.0, (0.1, 0.5): 0.0}),
    ("slide", {"direction": "down"}, {(0.5, 0.1): 1.0, (0.5, 0.9): 0.0}),
    ("push", {"direction": "right"}, {(0.1, 0.5): 1.0, (0.9, 0.5): 0.0}),
    ("zoom", {}, {(0.5, 0.5): 0.5}),
    ("blur", {}, {(0.5, 0.5): 0.5}),
    ("iris", {}, {(0.5, 0.5): 1.0, (0.0, 0.0): 0.0}),
    ("iris", {"mode": "close"}, {(0.5, 0.5): 0.0, (0.0, 0.0): 1.0}),
]


@pytest.mark.parametrize(("name", "params", "places"), MIDDLES)
def test_halfway(name: str, params: dict[str, str], places: dict[tuple[float, float], float]) -> None:
    half = mixed(name, 0.5, params)
    for (x, y), share in places.items():
        assert at(half, x, y) == pytest.approx(share, abs=0.03)


def test_a_fade_is_all_colour_and_a_dip_nearly() -> None:
    assert int(mixed("fade", 0.5, {"colour": "#ffffff"}).y[3, 3]) == 235
    dipped = int(mixed("dip", 0.5, {"colour": "#ffffff", "depth": "0.5"}).y[3, 3])
    assert 120 < dipped < 200


def test_a_push_moves_both_pictures() -> None:
    a, b = planes_of(FIRST), planes_of(SECOND)
    a.y[:, :4] = 200
    transition("push")(a, b, 0.5, {"direction": "right"})
    assert (a.y[:, 32:36] == 200).all()
    assert (a.y[:, :32] == b.y[0, 0]).all()


def test_a_direction_that_is_none() -> None:
    with pytest.raises(PlanUnrenderable, match="sideways"):
        mixed("wipe", 0.5, {"direction": "sideways"})
