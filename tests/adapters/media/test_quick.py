"""The quick ways of drawing show what the plain ones show."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.media import text
from adapters.media.coverings import _blur
from adapters.media.geometry import closest_zoom, view, window_at
from adapters.media.planes import Planes, blank, scaled_size
from adapters.media.sampling import TOLERANCE, nearest_phase
from adapters.media.text import Ink, band_of, drawings
from tests.support.plans import CAPTION_STYLE, zoom
from timeline.plan import Window


def painted(size: tuple[int, int]) -> Planes:
    """Planes with a slope across and down."""
    planes = blank(size)
    for plane in planes.each:
        h, w = plane.shape
        plane[:] = np.add.outer(np.linspace(20, 120, h), np.linspace(0, 100, w)).astype(np.uint8)
    return planes


@pytest.mark.parametrize(("inside", "size"), [((270, 152), (270, 480)), ((202, 100), (202, 334)), ((64, 64), (64, 64))])
def test_a_backdrop_is_drawn_only_where_it_is_seen(inside: tuple[int, int], size: tuple[int, int]) -> None:
    whole, banded = blank(size), blank(size)
    first = (size[1] - inside[1]) // 4 * 2
    for plane in banded.each:
        plane[:] = 7
    _blur(painted(inside), whole, None)
    _blur(painted(inside), banded, (first, first + inside[1]))
    for index, (a, b) in enumerate(zip(whole.each, banded.each, strict=True)):
        half = 2 if index else 1
        hidden = np.s_[first // half : (first + inside[1]) // half]
        assert (b[hidden] == 7).all()
        off = np.abs(a.astype(int) - b)
        off[hidden] = 0
        assert off.max(initial=0) <= 2


@given(st.integers(16, 600).map(lambda half: 2 * half), st.integers(16, 600), st.integers(0, 100), st.integers(0, 100))
def test_any_size_can_have_a_backdrop_around_any_rows(width: int, height: int, a: int, b: int) -> None:
    size = (width, 2 * height)
    first, last = (height * min(a, b) // 100) * 2, (height * max(a, b) // 100) * 2
    _blur(painted((64, 36)), blank(size), (first, last))


def test_a_camera_that_only_pans_is_sampled_the_quick_way() -> None:
    motion = zoom("0.9", "0.9", 200).model_copy(
        update={
            "start": Window(x="0", y="0.05", w="0.9", h="0.9"),
            "end": Window(x="0.1", y="0.05", w="0.9", h="0.9"),
        }
    )
    size = scaled_size((1920, 1080), closest_zoom(motion), moving=True)
    for frame in range(200):
        seen = view(window_at(motion, frame), size, (1920, 1080))
        for axis in (seen.luma_x, seen.luma_y, seen.chroma_x, seen.chroma_y):
            assert abs(nearest_phase(axis).error) <= TOLERANCE


STYLE = CAPTION_STYLE.model_copy(update={"value": CAPTION_STYLE.value.format(size=40, line=2)})


def drawn(event: str, folder: Path) -> Ink:
    with ExitStack() as stack:
        ((_, ink),) = drawings([("caption", (event,))], [STYLE], (640, 360), folder, stack)
        assert ink
        return ink


@pytest.mark.parametrize("anchor", [2, 5, 8])
@pytest.mark.parametrize("text", ["Ágjy", "Two\\Nlines", "Åบปี้\\N\\NŞ"])
def test_text_lies_in_the_rows_expected_of_its_anchor(anchor: int, text: str, tmp_path: Path) -> None:
    event = f"{{\\an{anchor}\\pos(320,180)}}{text}"
    top, bottom = band_of([("caption", (event,))], [STYLE], 360)
    ink = drawn(event, tmp_path)
    assert 0 < top < ink.at[1]
    assert ink.at[1] + ink.alpha.shape[0] < bottom < 360


def test_one_pass_over_both_grounds_draws_what_two_passes_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = (
        "{\\an2\\pos(320,300.25)\\1c&H00D7FF&\\4a&H60&\\shad3\\blur2}Água \\N{\\alpha&H80&}viva",
        "{\\an5\\pos(310.5,290)}سلام",
    )
    looks = [("caption", events), ("caption", events[:1]), ("caption", events[1:])]
    with ExitStack() as stack:
        once = list(drawings(looks, [STYLE], (640, 360), tmp_path, stack))
        monkeypatch.setattr(text, "band_of", lambda *_: (0, 360))
        twice = list(drawings(looks, [STYLE], (640, 360), tmp_path, stack))
    assert len(once) == len(twice) == 3
    for (_, one), (_, two) in zip(once, twice, strict=True):
        assert one
        assert two
        assert one.at == two.at
        assert (one.rgb == two.rgb).all()
        assert (one.alpha == two.alpha).all()


def test_text_that_leaves_its_rows_is_drawn_whole_all_the_same(tmp_path: Path) -> None:
    event = "{\\an5\\pos(320,180)\\fscy400}Tall"
    _, bottom = band_of([("caption", (event,))], [STYLE], 360)
    ink = drawn(event, tmp_path)
    assert ink.at[1] + ink.alpha.shape[0] > bottom


def test_who_asks_for_nodes_loads_no_media_library() -> None:
    code = "import sys; from adapters.media.renderer import FfmpegRenderer; FfmpegRenderer().build"
    tell = "print({'av', 'cv2', 'PIL'} & {*sys.modules})"
    said = subprocess.run([sys.executable, "-c", f"{code}; {tell}"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
