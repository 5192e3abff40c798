"""Where pictures are sampled: easing, windows, phases, and motion without jitter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.media.geometry import PARTS, Axis, Rect, best_phase, closest_zoom, eased, moves, view, window_at
from adapters.media.planes import Plane, Planes, blank
from adapters.media.sampling import TOLERANCE, Sampler, warp
from tests.support.plans import zoom

EASE = ("0.4", "0", "0.6", "1")


class TestEasing:
    def test_ends_and_middle(self) -> None:
        assert eased(0, 100, EASE) == 0.0
        assert eased(100, 100, EASE) == 1.0
        assert eased(50, 100, EASE) == pytest.approx(0.5)

    @given(st.integers(1, 500))
    def test_never_goes_back(self, steps: int) -> None:
        values = [eased(k, steps, EASE) for k in range(steps + 1)]
        assert values == sorted(values)

    def test_linear_is_exact(self) -> None:
        assert eased(1, 4, ("0", "0", "1", "1")) == 0.25


class TestWindow:
    def test_first_and_last_frame_of_the_item(self) -> None:
        motion = zoom("1", "0.8", 100)
        assert window_at(motion, 0) == Rect(0, 0, 1, 1)
        assert window_at(motion, 99).w == pytest.approx(0.8)

    def test_a_later_segment_goes_on_where_the_earlier_ended(self) -> None:
        whole, part = zoom("1", "0.8", 100), zoom("1", "0.8", 100, offset=40)
        assert window_at(whole, 55) == window_at(part, 15)

    def test_still_and_zoom(self) -> None:
        assert not moves(None)
        assert not moves(zoom("0.9", "0.9", 10))
        assert moves(zoom("1", "0.9", 10))
        assert closest_zoom(zoom("1", "0.8", 10)) == pytest.approx(1.25)

    def test_chroma_lies_on_even_columns_and_between_rows(self) -> None:
        seen = view(Rect(0.05, 0.1, 0.9, 0.8), (400, 200), (320, 160))
        for i in (0, 7, 100):
            assert seen.chroma_x.scale * i + seen.chroma_x.shift == pytest.approx(
                (seen.luma_x.scale * 2 * i + seen.luma_x.shift) / 2
            )
            assert 2 * (seen.chroma_y.scale * i + seen.chroma_y.shift) + 0.5 == pytest.approx(
                seen.luma_y.scale * (2 * i + 0.5) + seen.luma_y.shift
            )


@given(st.floats(1.0, 1.3), st.floats(-2, 300))
def test_a_phase_says_truly_what_is_left(scale: float, shift: float) -> None:
    phase = best_phase(Axis(scale, shift))
    reached = phase.start + phase.part / PARTS + (phase.lead + 0.5) * scale - 0.5
    assert shift - reached == pytest.approx(phase.error, abs=1e-9)
    assert abs(phase.error) <= 0.5 / PARTS + 1e-9


def waves(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A pattern that is steep nearly everywhere, with its slopes across and down."""
    level = 128 + 55 * np.sin(0.31 * x + 0.07 * y) + 50 * np.sin(0.29 * y - 0.05 * x)
    across = 55 * 0.31 * np.cos(0.31 * x + 0.07 * y) - 50 * 0.05 * np.cos(0.29 * y - 0.05 * x)
    down = 55 * 0.07 * np.cos(0.31 * x + 0.07 * y) + 50 * 0.29 * np.cos(0.29 * y - 0.05 * x)
    return level, across, down


def pattern(size: tuple[int, int]) -> Planes:
    planes = blank(size)
    for plane, half in zip(planes.each, (1, 2, 2), strict=True):
        y, x = np.mgrid[0 : plane.shape[0], 0 : plane.shape[1]].astype(np.float64) * half
        plane[:] = waves(x, y)[0].round().astype(np.uint8)
    return planes


def misplaced(frame: Plane, x: Axis, y: Axis) -> np.ndarray:
    """How far (across, down, in source pixels) a drawn frame lies off its place, by least squares."""
    down, across = np.mgrid[0 : frame.shape[0], 0 : frame.shape[1]].astype(np.float64)
    level, slope_x, slope_y = waves(x.scale * across + x.shift, y.scale * down + y.shift)
    inner = np.s_[8:-8, 8:-8]
    slopes = np.stack([slope_x[inner].ravel(), slope_y[inner].ravel()], axis=1)
    return np.asarray(np.linalg.lstsq(slopes, (frame - level)[inner].ravel(), rcond=None)[0])


def off_path(frames: int = 90) -> np.ndarray:
    """Misplacement of every frame of a zoom."""
    canvas, source = (320, 180), (368, 206)
    motion = zoom("1", "0.87", frames)
    sampler, target, out = Sampler(pattern(source), canvas), blank(canvas), []
    for frame in range(frames):
        window = window_at(motion, frame)
        sampler.draw(window, target)
        seen = view(window, source, canvas)
        out.append(misplaced(target.y, seen.luma_x, seen.luma_y))
    return np.array(out)


def test_motion_is_smooth_to_hundredths_of_a_pixel() -> None:
    off = off_path()
    assert np.abs(off).max() < 0.03
    assert np.sqrt((np.diff(off, n=2, axis=0) ** 2).mean()) <= 0.02


def test_the_quick_way_shows_what_the_warp_shows() -> None:
    canvas, source = (320, 180), (368, 206)
    planes = pattern(source)
    quick, sure = blank(canvas), blank(canvas)
    for frame in range(0, 60, 7):
        window = window_at(zoom("1", "0.87", 60), frame)
        Sampler(planes, canvas).draw(window, quick)
        seen = view(window, source, canvas)
        for index, plane in enumerate(planes.each):
            axes = (seen.chroma_x, seen.chroma_y) if index else (seen.luma_x, seen.luma_y)
            warp(plane, *axes, sure.each[index])
        for a, b in zip(quick.each, sure.each, strict=True):
            apart = np.abs(a.astype(int) - b.astype(int))
            assert apart.mean() < 1.5
            assert apart.max() <= 10  # a cubic keeps steep waves steeper than a line does


def test_warp_writes_into_the_given_memory() -> None:
    target = np.zeros((20, 40), np.uint8)[:, :30]
    warp(np.full((50, 50), 77, np.uint8), Axis(1.1, 0.3), Axis(1.1, 0.7), target)
    assert (target == 77).all()
    assert 0 < TOLERANCE <= 0.02
