"""Every effect by its pixels: unchanged at its neutral value, known values elsewhere, coverage left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.media.effects import EFFECTS, effect
from adapters.media.effects.lut import parse
from adapters.media.effects.tools import Moment
from adapters.media.errors import PlanUnrenderable
from adapters.media.planes import Plane
from adapters.media.sheets import premultiplied
from tests.support.plans import scenery
from timeline.effects import EFFECTS as KINDS

PHOTO = premultiplied(scenery(4, (64, 36)))
NEUTRAL = [
    ("blur", {"radius": "0"}),
    ("brightness", {"amount": "0"}),
    ("contrast", {"amount": "1"}),
    ("saturation", {"amount": "1"}),
    ("vignette", {"amount": "0"}),
    ("grain", {"amount": "0"}),
    ("sepia", {"amount": "0"}),
    ("sharpen", {"amount": "0"}),
    ("chroma-key", {"colour": "#00ff00", "similarity": "0", "softness": "0.004", "spill": "0"}),
]


def patch(colour: tuple[int, int, int], cover: int = 255) -> Plane:
    image = np.empty((8, 8, 4), np.uint8)
    image[:] = (*colour, cover)
    return premultiplied(image)


def done(name: str, pixels: Plane, path: Path | None = None, frame: int = 0, **params: str) -> Plane:
    return effect(name)(pixels, params, Moment(frame, 1080, lambda asset: path or Path(asset)))


def test_every_name_of_the_language_is_drawn_and_no_other() -> None:
    assert set(EFFECTS) == set(KINDS)
    with pytest.raises(PlanUnrenderable, match="no effect"):
        effect("sparkle")


@pytest.mark.parametrize(("name", "params"), NEUTRAL)
def test_neutral_values_change_nothing(name: str, params: dict[str, str]) -> None:
    assert np.abs(done(name, PHOTO, **params).astype(int) - PHOTO).max() <= 1


@pytest.mark.parametrize(
    ("name", "params", "before", "after"),
    [
        ("brightness", {"amount": "0.2"}, (100, 50, 0), (151, 101, 51)),
        ("brightness", {"amount": "-1"}, (255, 50, 0), (0, 0, 0)),
        ("contrast", {"amount": "2"}, (100, 150, 127), (72, 172, 126)),
        ("contrast", {"amount": "0"}, (10, 150, 250), (128, 128, 128)),
        ("saturation", {"amount": "0"}, (255, 0, 0), (54, 54, 54)),
        ("saturation", {"amount": "2"}, (140, 120, 100), (158, 118, 78)),
        ("sepia", {"amount": "1"}, (100, 100, 100), (107, 90, 68)),
    ],
)
def test_colours(name: str, params: dict[str, str], before: tuple[int, int, int], after: tuple[int, int, int]) -> None:
    got = done(name, patch(before), **params)[4, 4]
    assert np.abs(got[:3].astype(int) - after).max() <= 1
    half = done(name, patch(before, 128), **params)[4, 4]
    assert int(half[3]) == 128
    assert np.abs(half[:3].astype(int) - np.array(after) * 128 / 255).max() <= 3


def test_blur_spreads_and_keeps_the_sum() -> None:
    point = patch((0, 0, 0)).repeat(8, 0).repeat(8, 1)
    point[32, 32] = 255
    soft = done("blur", point, radius="0.004")[..., 0].astype(int)
    assert 0 < soft[32, 34] < soft[32, 32] < 60


def test_sharpen_overshoots_at_an_edge_only() -> None:
    edge = np.hstack([patch((80, 80, 80)), patch((160, 160, 160))])
    sharp = done("sharpen", edge, amount="1", radius="0.001")[..., 0]
    assert int(sharp[4, 7]) < 80
    assert int(sharp[4, 8]) > 160
    assert int(sharp[4, 0]) == 80


def test_vignette_darkens_corners_not_the_middle() -> None:
    white = np.full((40, 60, 4), 255, np.uint8)
    dark = done("vignette", white, amount="1", size="0.3")[..., 0]
    assert int(dark[20, 30]) == 255
    assert int(dark[0, 0]) < 20


def test_grain_moves_and_repeats() -> None:
    grey = np.full((40, 60, 4), (128, 128, 128, 255), np.uint8)
    first, again, next_one = (done("grain", grey, frame=k, amount="0.1") for k in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, next_one)
    assert float(first[..., 0].std()) == pytest.approx(25, abs=6)
    assert (first[..., 0] == first[..., 2]).all()


def test_chroma_key_clears_the_screen_and_keeps_the_rest() -> None:
    assert int(done("chroma-key", patch((0, 177, 64)))[4, 4, 3]) == 0
    skin = done("chroma-key", patch((220, 170, 140)))[4, 4]
    assert int(skin[3]) == 255
    assert np.abs(skin[:3].astype(int) - (220, 170, 140)).max() <= 2
    cast = done("chroma-key", patch((120, 170, 120)), similarity="0.02", spill="1")[4, 4]
    assert int(cast[1]) - int(cast[0]) < 15


class TestLut:
    def cube(self, folder: Path, size: int = 3) -> Path:
        """Swaps red and blue."""
        path, top = folder / "swap.cube", size - 1
        steps = [(r, g, b) for b in range(size) for g in range(size) for r in range(size)]
        rows = [f"{b / top} {g / top} {r / top}" for r, g, b in steps]
        path.write_text("\n".join(["# made here", 'TITLE "swap"', f"LUT_3D_SIZE {size}", *rows]))
        return path

    def test_between_its_entries(self, tmp_path: Path) -> None:
        got = done("lut", patch((200, 30, 70)), self.cube(tmp_path), asset="x")[4, 4]
        assert np.abs(got[:3].astype(int) - (70, 30, 200)).max() <= 1

    def test_half_of_it(self, tmp_path: Path) -> None:
        got = done("lut", patch((200, 30, 100)), self.cube(tmp_path), asset="x", amount="0.5")[4, 4]
        assert np.abs(got[:3].astype(int) - (150, 30, 150)).max() <= 1

    def test_curves(self, tmp_path: Path) -> None:
        path = tmp_path / "curve.cube"
        path.write_text("LUT_1D_SIZE 2\n1 1 1\n0 0 0\n")
        assert done("lut", patch((200, 30, 70)), path, asset="x")[4, 4, 0] == 55

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "size is 0"),
            ("LUT_3D_SIZE 900", "size is 900"),
            ("LUT_3D_SIZE 2\n0 0 0", "1 rows instead of 8"),
            ("LUT_1D_SIZE 2\n0 0 zero\n1 1 1", "line 2"),
            ("LUT_1D_SIZE 2\nDOMAIN_MIN 1 1 1\n0 0 0\n1 1 1", "domain"),
            ("LUT_1D_SIZE 2\n0 0\n1 1 1", "three numbers"),
        ],
    )
    def test_broken_tables_are_refused_by_what_is_wrong(self, text: str, said: str) -> None:
        with pytest.raises(PlanUnrenderable, match=said):
            parse(text, Path("x.cube"))
