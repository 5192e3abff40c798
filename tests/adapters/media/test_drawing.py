"""Pixels: conversion to BT.709, fitting, overlays, captions, transitions; and the argument lists of ffmpeg."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from adapters.media import ffmpeg
from adapters.media.errors import PlanUnrenderable
from adapters.media.layers import lay, opacity_at, overlay, patch_of
from adapters.media.planes import Planes, blank, crop_to_aspect, fitted, flat, from_rgb
from adapters.media.text import TextLayer, distinct, script
from adapters.media.transitions import TRANSITIONS, transition
from tests.support.plans import CAPTION_STYLE, Studio, caption
from timeline.plan import Box, Key

STYLE = CAPTION_STYLE.model_copy(update={"value": CAPTION_STYLE.value.format(size=40, line=3)})


class TestArguments:
    def test_text_states(self) -> None:
        assert ffmpeg.text_states_argv("t.ass", "fonts", 640, 360, 5) == [
            *("-hide_banner", "-nostdin", "-loglevel", "error", "-filter_complex_threads", "1", "-filter_complex"),
            "color=c=black:s=640x360:r=1:d=5,format=rgb24,ass=f=t.ass:fontsdir=fonts[k];"
            "color=c=white:s=640x360:r=1:d=5,format=rgb24,ass=f=t.ass:fontsdir=fonts[w];[k][w]vstack",
            *("-frames:v", "5", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"),
        ]

    def test_sounds_are_opened_as_local_files_of_safe_kinds_only(self) -> None:
        for argv in (ffmpeg.decode_sound_argv("file:/a", 48_000), ffmpeg.measure_argv("file:/a")):
            assert argv[argv.index("-protocol_whitelist") + 1] == "file,pipe"
            kinds = argv[argv.index("-format_whitelist") + 1].split(",")
            assert not {"concat", "hls", "dash", "image2", "lavfi"} & set(kinds)
            assert argv.index("-format_whitelist") < argv.index("-i")

    def test_a_raw_mix_is_measured_as_what_it_is(self) -> None:
        argv = ffmpeg.measure_argv("mix.f32", 48_000)
        assert argv[argv.index("-f") : argv.index("-i")] == ["-f", "f32le", "-ar", "48000", "-ac", "2"]

    def test_words_of_the_tool_lose_their_addresses(self) -> None:
        assert ffmpeg.said(b"[mp4 @ 0x55ab] moov missing\n\nbad\n") == "[mp4] moov missing / bad"


class TestColour:
    @pytest.mark.parametrize(
        ("colour", "ycc"),
        [
            ("#000000", (16, 128, 128)),
            ("#ffffff", (235, 128, 128)),
            ("#ff0000", (63, 102, 240)),
            ("#00ff00", (173, 42, 26)),
            ("#0000ff", (32, 240, 118)),
        ],
    )
    def test_bt709_limited(self, colour: str, ycc: tuple[int, int, int]) -> None:
        planes = flat(colour, (4, 4))
        assert tuple(int(plane[0, 0]) for plane in planes.each) == ycc

    @pytest.mark.parametrize("colour", ["red", "#12345", "#12345g", "123456#"])
    def test_not_a_colour(self, colour: str) -> None:
        with pytest.raises(PlanUnrenderable, match="#rrggbb"):
            flat(colour, (4, 4))


class TestFit:
    def test_cover_keeps_the_focus(self) -> None:
        image = np.zeros((100, 300, 3), np.uint8)
        image[:, 290:] = 255
        assert crop_to_aspect(image, (100, 100), (1.0, 0.5)).max() == 255
        assert crop_to_aspect(image, (100, 100), (0.5, 0.5)).max() == 0

    def test_contain_shows_all_and_never_stretches(self, studio: Studio) -> None:
        path = studio.paths[studio.picture(3, (100, 100))]
        planes = fitted(path, (320, 180), "contain", "#000000", (0.5, 0.5))
        assert (planes.y[:, :69] == 16).all()
        assert (planes.y[:, 251:] == 16).all()
        assert planes.y[:, 70:250].std() > 10

    def test_blur_fills_the_rest_softly(self, studio: Studio) -> None:
        path = studio.paths[studio.picture(3, (100, 100))]
        side = fitted(path, (320, 180), "contain", "blur", (0.5, 0.5)).y[:, :60].astype(int)
        assert side.mean() > 20
        assert np.abs(np.diff(side, axis=1)).max() <= 4


class TestLayers:
    def test_opacity_between_keys(self) -> None:
        keys = (Key(frame=10, value="0"), Key(frame=20, value="1"))
        assert [opacity_at(keys, k) for k in (0, 10, 15, 20, 99)] == [0.0, 0.0, 0.5, 1.0, 1.0]
        assert opacity_at((), 5) == 1.0

    def test_opaque_and_half(self) -> None:
        rgb, alpha = np.full((10, 10, 3), 255, np.uint8), np.full((10, 10), 255, np.uint8)
        patch = patch_of(rgb, alpha, (4, 4), (40, 40))
        assert patch is not None
        ground = flat("#000000", (40, 40))
        lay(patch, ground, 1.0)
        assert int(ground.y[8, 8]) == 235
        assert int(ground.y[2, 2]) == 16
        ground = flat("#000000", (40, 40))
        lay(patch, ground, 0.5)
        assert abs(int(ground.y[8, 8]) - 125) <= 2

    def test_odd_places_and_edges(self) -> None:
        rgb, alpha = np.full((10, 10, 3), 255, np.uint8), np.full((10, 10), 255, np.uint8)
        for at in ((-3, -5), (35, 33), (7, 9)):
            patch = patch_of(rgb, alpha, at, (40, 40))
            assert patch is not None
            ground = flat("#000000", (40, 40))
            lay(patch, ground, 1.0)
            expected = np.zeros((40, 40), bool)
            expected[max(at[1], 0) : at[1] + 10, max(at[0], 0) : at[0] + 10] = True
            assert ((ground.y > 200) == expected).all()
        assert patch_of(rgb, alpha, (100, 100), (40, 40)) is None

    def test_a_logo_in_its_box(self, studio: Studio) -> None:
        path = studio.paths[studio.logo((48, 48))]
        patch = overlay(path, Box(x=10, y=20, w=24, h=24), (80, 60))
        assert patch is not None
        ground = flat("#ffffff", (80, 60))
        lay(patch, ground, 1.0)
        assert int(ground.y[32, 22]) < 150
        assert int(ground.y[20, 10]) == 235


def drawn(folder: Path, text: str, style: str = STYLE.value) -> Planes:
    """Text on white, through libass."""
    state = caption(text, (160, 120), 0, 10)
    ground = flat("#ffffff", (320, 180))
    with ExitStack() as stack:
        named = STYLE.model_copy(update={"value": style})
        patch = TextLayer([state], [named], (320, 180), folder, stack).patch(state, 0)
        if patch is not None:
            lay(patch, ground, 1.0)
    return ground


class TestText:
    def test_is_drawn_where_it_belongs(self, tmp_path: Path) -> None:
        ink = drawn(tmp_path, "Light").y < 100
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        assert 70 < rows[0] < rows[-1] < 130
        assert abs((columns[0] + columns[-1]) / 2 - 160) < 5

    def test_translucent_colours_keep_their_share(self, tmp_path: Path) -> None:
        box = "Inter,40,&HFF000000,&HFF000000,&H80000000,&H80000000,0,0,0,0,100,100,0,0,3,8,0,2,0,0,0,1"
        darkest = int(drawn(tmp_path, "M", box).y.min())
        assert darkest == pytest.approx(126, abs=6)

    def test_nothing_to_see(self, tmp_path: Path) -> None:
        assert (drawn(tmp_path, " ").y == 235).all()

    def test_equal_states_are_drawn_once(self) -> None:
        states = [caption("a", (1, 1), 0, 5), caption("b", (1, 1), 5, 5), caption("a", (1, 1), 10, 5)]
        assert len(distinct(states)) == 2

    def test_no_control_characters(self) -> None:
        state = caption("a\nDialogue: evil", (1, 1), 0, 5)
        with pytest.raises(PlanUnrenderable, match="control character"):
            script([(state.style, state.events)], [STYLE], (320, 180))


class TestTransitions:
    @pytest.mark.parametrize("name", sorted(TRANSITIONS))
    def test_begins_with_one_and_ends_with_the_other(self, name: str) -> None:
        for progress, wanted in ((0.0, "#204060"), (1.0, "#d0a080")):
            a, b = flat("#204060", (64, 48)), flat("#d0a080", (64, 48))
            transition(name)(a, b, progress, {})
            for got, goal in zip(a.each, flat(wanted, (64, 48)).each, strict=True):
                assert np.abs(got.astype(int) - goal.astype(int)).max() <= 1

    def test_crossfade_meets_in_the_middle(self) -> None:
        a, b = flat("#000000", (16, 16)), flat("#ffffff", (16, 16))
        transition("crossfade")(a, b, 0.5, {})
        assert abs(int(a.y[0, 0]) - 125) <= 1

    def test_fade_goes_through_its_colour(self) -> None:
        a, b = flat("#ff0000", (16, 16)), flat("#00ff00", (16, 16))
        transition("fade")(a, b, 0.5, {"colour": "#ffffff"})
        assert int(a.y[0, 0]) == 235

    def test_wipe_goes_right(self) -> None:
        a, b = flat("#000000", (64, 48)), flat("#ffffff", (64, 48))
        transition("wipe")(a, b, 0.5, {"direction": "right"})
        assert int(a.y[0, 4]) == 235
        assert int(a.y[0, 60]) == 16

    def test_unknown(self) -> None:
        with pytest.raises(PlanUnrenderable, match="no transition 'swirl'"):
            transition("swirl")


def test_from_rgb_keeps_chroma_in_place() -> None:
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, 32:] = (255, 0, 0)
    planes = from_rgb(image)
    assert int(planes.v[8, 10]) == 128
    assert int(planes.v[8, 20]) == 240
    # The edge lies between luma columns 31 and 32; the chroma sample on column 32 is three quarters red.
    assert int(planes.v[8, 16]) == pytest.approx(128 + 0.75 * 112, abs=3)
    assert blank((8, 8)).size == (8, 8)
