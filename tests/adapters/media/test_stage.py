"""Layers on a stage by their pixels: contents, fit, places, turning, opacity, blending, curves, groups."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

from adapters.media.compositor import Compositor, Painter
from adapters.media.contents import CONTENTS
from adapters.media.errors import PlanUnrenderable
from adapters.media.ground import rgb_of_planes
from adapters.media.layer_painter import LayerPainter
from adapters.media.planes import Plane, blank
from adapters.media.sheets import BLENDS
from adapters.media.workshop import Workshop
from tests.support.clips import counting, write_clip
from tests.support.plans import CAPTION_STYLE, Studio
from timeline.parts import Curve, CurveKey, Effect
from timeline.plan import Box, Layer, Output, Rate, RenderPlan, Segment, SoundMix, Stage
from timeline.stage import (
    BLEND_MODES,
    SHAPES,
    Bar,
    Code,
    Fill,
    Gradient,
    Group,
    Image,
    Mix,
    Shadow,
    Shape,
    Stop,
    Text,
    Video,
    Wave,
)

W, H = 96, 54
STYLE = CAPTION_STYLE.model_copy(update={"value": CAPTION_STYLE.value.format(size=24, line=1)})
WHITE, BLACK, RED, GREEN = (255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 255, 0)


def layer(content: Any, box: tuple[int, int, int, int] = (0, 0, W, H), **more: Any) -> Layer:
    x, y, w, h = box
    given = {"first": 0, "frames": 20, "item_frames": 20, "pivot": (str(x + w / 2), str(y + h / 2)), **more}
    return Layer(content=content, box=Box(x=x, y=y, w=w, h=h), **given)


def shown(studio: Studio, *layers: Layer, frame: int = 0, ground: str = "#000000") -> Plane:
    """A frame of a stage as RGB."""
    with ExitStack() as stack:
        shop = Workshop((W, H), studio.assets, (STYLE,), studio.folder, stack, LayerPainter)
        target = blank((W, H))
        Painter(shop).paint(Stage(ground=ground, layers=layers)).fill(frame, target)
        return rgb_of_planes(target)


def near(got: Any, wanted: tuple[int, int, int], by: int = 4) -> bool:
    return bool(np.abs(np.asarray(got, int) - wanted).max() <= by)


def fill(colour: str = "#ffffff") -> Fill:
    return Fill(colour=colour)


def keep(studio: Studio, image: np.ndarray, name: str) -> str:
    path = studio.folder / f"{name}.png"
    Picture.fromarray(image).save(path)
    return studio.keep(path)


class TestPlace:
    def test_a_box_and_nothing_else(self, studio: Studio) -> None:
        image = shown(studio, layer(fill(), (10, 8, 20, 16)))
        assert near(image[9, 11], WHITE)
        assert near(image[23, 29], WHITE)
        assert near(image[7:25, 9], BLACK)
        assert near(image[30, 50], BLACK)

    def test_later_layers_lie_above(self, studio: Studio) -> None:
        image = shown(studio, layer(fill("#ff0000")), layer(fill("#00ff00"), (0, 0, 20, 20)))
        assert near(image[5, 5], GREEN)
        assert near(image[40, 60], RED)

    def test_first_and_last_frame(self, studio: Studio) -> None:
        late = layer(fill(), first=3, frames=2)
        assert [near(shown(studio, late, frame=k)[9, 9], WHITE) for k in range(7)] == [0, 0, 0, 1, 1, 0, 0]

    def test_beyond_the_edges(self, studio: Studio) -> None:
        image = shown(studio, layer(fill(), (-10, -10, 20, 20)), layer(fill(), (200, 0, 20, 20)))
        assert near(image[8, 8], WHITE)
        assert near(image[12, 12], BLACK)

    def test_half_turned_and_scaled(self, studio: Studio) -> None:
        image = shown(studio, layer(fill(), (38, 22, 20, 10), rotation="90"))
        assert near(image[19, 48], WHITE)
        assert near(image[27, 40], BLACK)
        image = shown(studio, layer(fill(), (38, 22, 20, 10), scale="0.5"))
        assert near(image[27, 48], WHITE)
        assert near(image[23, 48], BLACK)

    def test_turns_clockwise(self, studio: Studio) -> None:
        flag = np.zeros((10, 20, 3), np.uint8)
        flag[:, :10] = 255
        picture = keep(studio, flag, "flag")
        image = shown(studio, layer(Image(asset=picture), (38, 22, 20, 10), rotation="90"))
        assert near(image[20, 48], WHITE, 40)
        assert near(image[34, 48], BLACK, 40)

    def test_moves_between_pixels(self, studio: Studio) -> None:
        def edge(frame: int) -> float:
            keys = (CurveKey(frame=0, value="0"), CurveKey(frame=20, value="10"))
            moving = layer(fill(), (20, 10, 20, 20), curves=(Curve(property="x", keys=keys),))
            return float(shown(studio, moving, frame=frame)[20, 15:60, 0].astype(float).sum()) / 255 + 15

        row = [
            float((shown_row := _row(studio, k)) @ np.arange(len(shown_row)) / shown_row.sum()) for k in range(0, 20, 3)
        ]
        assert np.allclose(np.diff(row), 1.5, atol=0.08)
        assert edge(0) == pytest.approx(edge(7), abs=0.3)


def _row(studio: Studio, frame: int) -> np.ndarray:
    keys = (CurveKey(frame=0, value="0"), CurveKey(frame=20, value="10"))
    moving = layer(fill(), (20, 10, 20, 20), curves=(Curve(property="x", keys=keys),))
    return shown(studio, moving, frame=frame)[20, :, 1].astype(float)


class TestOpacity:
    def test_of_the_layer_the_curve_and_the_fades(self, studio: Studio) -> None:
        assert near(shown(studio, layer(fill(), opacity="0.5"))[9, 9], (128, 128, 128))
        keys = (CurveKey(frame=0, value="0", hold=True), CurveKey(frame=10, value="1"))
        held = layer(fill(), (0, 0, 40, 40), curves=(Curve(property="opacity", keys=keys),))
        assert [int(shown(studio, held, frame=k)[9, 9, 0]) for k in (0, 9, 10)] == [0, 0, 255]
        fading = layer(fill(), fades=(3, 3))
        levels = [int(shown(studio, fading, frame=k)[9, 9, 0]) for k in (0, 1, 2, 3, 17, 18, 19)]
        assert np.abs(np.array(levels) - [64, 128, 191, 255, 191, 128, 64]).max() <= 3

    def test_a_later_piece_of_an_item_goes_on(self, studio: Studio) -> None:
        part = layer(fill(), (0, 0, 40, 40), fades=(9, 0), offset=4, frames=5)
        assert near(shown(studio, part)[9, 9], (128, 128, 128))


class TestFit:
    @pytest.fixture
    def wide(self, studio: Studio) -> Image:
        """Red, white, green from left to right; twice as wide as high."""
        image = np.zeros((40, 80, 3), np.uint8)
        image[:, :20], image[:, 20:60], image[:, 60:] = RED, WHITE, GREEN
        return Image(asset=keep(studio, image, "wide"))

    @pytest.mark.parametrize(
        ("fit", "focus", "middle", "corner"),
        [
            ("cover", ("0.5", "0.5"), WHITE, WHITE),
            ("cover", ("0", "0.5"), WHITE, RED),
            ("contain", ("0.5", "0.5"), WHITE, BLACK),
            ("fill", ("0.5", "0.5"), WHITE, RED),
            ("none", ("0.5", "0.5"), WHITE, WHITE),
        ],
    )
    def test_css_meaning(self, studio: Studio, wide: Image, fit: Any, focus: Any, middle: Any, corner: Any) -> None:
        image = shown(studio, layer(wide, (20, 10, 30, 30), fit=fit, focus=focus))
        assert near(image[25, 38], middle)
        assert near(image[12, 22], corner)
        assert near(image[25, 15], BLACK)

    def test_backdrops(self, studio: Studio, wide: Image) -> None:
        image = shown(studio, layer(wide, (20, 10, 30, 30), fit="contain", backdrop="#00ff00"))
        assert near(image[12, 35], GREEN)
        image = shown(studio, layer(wide, (20, 10, 30, 30), fit="contain", backdrop="blur"))
        assert 100 < int(image[12, 35, 0]) < 240

    def test_crop_comes_first(self, studio: Studio, wide: Image) -> None:
        image = shown(studio, layer(wide, (20, 10, 30, 30), fit="fill", crop=("0.75", "0", "0", "0")))
        assert near(image[25, 21], GREEN)

    @pytest.mark.parametrize("fit", ["cover", "contain", "fill"])
    def test_the_quick_way_shows_what_the_general_one_shows(self, studio: Studio, fit: Any) -> None:
        path = write_clip(studio.folder / "photo.mp4", counting(3, (128, 60)))
        content = Video(asset=studio.keep(path), start=0, step=1, scale=25, low=0, high=3)
        plain = layer(content, fit=fit, backdrop="blur" if fit == "contain" else "none")
        turned = plain.model_copy(update={"effects": (Effect(name="contrast", params={"amount": "1"}),)})
        quick, general = shown(studio, plain, frame=2), shown(studio, turned, frame=2)
        assert np.abs(quick.astype(int) - general).mean() < 2.5


class TestDress:
    def test_round_corners(self, studio: Studio) -> None:
        image = shown(studio, layer(fill(), (20, 10, 30, 30), radius=10))
        assert near(image[10, 20], BLACK)
        assert near(image[25, 20], WHITE)

    def test_a_shadow_falls_under_and_beside(self, studio: Studio) -> None:
        shadow = Shadow(x=8, y=0, blur=1, colour="#0000ff", opacity="1")
        image = shown(studio, layer(fill(), (20, 10, 30, 30), shadow=shadow))
        assert near(image[25, 48], WHITE)
        assert near(image[25, 54], (0, 0, 255), 12)

    def test_effects_change_over_time(self, studio: Studio) -> None:
        keys = (CurveKey(frame=0, value="0"), CurveKey(frame=10, value="1"))
        bright = Effect(name="brightness", params={"amount": "0"}, curves=(Curve(property="amount", keys=keys),))
        grey = layer(fill("#000000"), (0, 0, 40, 40), effects=(bright,))
        levels = [int(shown(studio, grey, frame=k)[9, 9, 0]) for k in (0, 5, 10)]
        assert np.abs(np.array(levels) - [0, 128, 255]).max() <= 3


BLENDED = {
    "multiply": 50,
    "screen": 178,
    "overlay": 100,
    "darken": 100,
    "lighten": 128,
    "add": 228,
    "difference": 28,
    "soft-light": 100,
}


class TestBlend:
    def test_all_modes_of_the_language(self) -> None:
        assert set(BLEND_MODES) == {"normal", *BLENDS}

    @pytest.mark.parametrize("mode", BLENDED)
    def test_grey_on_grey(self, studio: Studio, mode: Any) -> None:
        box = (10, 10, 21, 21)
        image = shown(studio, layer(fill("#646464")), layer(fill("#808080"), box, blend=mode))
        assert near(image[20, 20], (BLENDED[mode],) * 3)
        assert near(image[40, 60], (100, 100, 100))
        half = shown(studio, layer(fill("#646464")), layer(fill("#808080"), box, blend=mode, opacity="0.5"))
        assert near(half[20, 20], ((BLENDED[mode] + 100) // 2,) * 3)

    def test_in_a_group_nothing_is_below(self, studio: Studio) -> None:
        inner = layer(fill("#808080"), (0, 0, 40, 40), blend="multiply")
        group = Group(width=W, height=H, layers=(inner,))
        assert near(shown(studio, layer(group, fit="fill"), ground="#ffffff")[9, 9], (128, 128, 128))


class TestContents:
    def test_every_kind_of_the_language_is_drawn(self) -> None:
        kinds = (Image, Video, Fill, Gradient, Shape, Bar, Wave, Code, Text, Group, Mix)
        assert set(CONTENTS) == {kind.model_fields["kind"].default for kind in kinds}

    def test_video(self, studio: Studio) -> None:
        path = write_clip(studio.folder / "count.mp4", counting(12))
        content = Video(asset=studio.keep(path), start=11, step=-1, scale=25, low=0, high=12)
        for box in ((0, 0, W, H), (10, 10, 64, 36)):
            levels = [int(shown(studio, layer(content, box), frame=k)[40, 70, 1]) for k in (0, 1, 5)]
            assert np.abs(np.array(levels) - [98, 90, 58]).max() <= 4

    def test_gradients(self, studio: Studio) -> None:
        stops = (Stop(at="0", colour="#000000"), Stop(at="1", colour="#ffffff"))
        row = shown(studio, layer(Gradient(stops=stops)))[20, :, 0].astype(int)
        assert row[0] < 6
        assert row[-1] > 249
        assert abs(row[W // 2] - 128) < 5
        down = shown(studio, layer(Gradient(angle="90", stops=stops)))
        assert int(down[-1, 5, 0]) > 240 > 15 > int(down[0, 5, 0])
        round_ = shown(studio, layer(Gradient(shape="radial", stops=stops)))
        assert int(round_[H // 2, W // 2, 0]) < 8
        clear = (Stop(at="0", colour="#ffffff", opacity="0"), Stop(at="1", colour="#ffffff"))
        half = shown(studio, layer(Gradient(stops=clear)), ground="#ff0000")
        assert near(half[20, 0], RED, 8)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_shapes_stay_in_their_box(self, studio: Studio, shape: Any) -> None:
        corners = (("0.5", "0"), ("1", "0.5"), ("0.5", "1"), ("0", "0.5"))
        content = Shape(shape=shape, fill="#ffffff", points=corners, stroke="#ffffff", stroke_width=2)
        image = shown(studio, layer(content, (20, 10, 40, 30)))[..., 1]
        assert int(image[25, 40]) > 200
        outside = image.copy()
        outside[10:40, 20:60] = 0
        assert int(outside.max()) < 20

    def test_a_stroke_lies_inside(self, studio: Studio) -> None:
        content = Shape(shape="rectangle", fill="#ffffff", stroke="#ff0000", stroke_width=4)
        image = shown(studio, layer(content, (20, 10, 40, 30)))
        assert near(image[25, 22], RED, 12)
        assert near(image[25, 40], WHITE)
        hollow = shown(studio, layer(content.model_copy(update={"fill": ""}), (20, 10, 40, 30)))
        assert near(hollow[25, 40], BLACK)

    def test_a_bar_grows(self, studio: Studio) -> None:
        content = Bar(colour="#ffffff", ground="#ff0000")
        image = shown(studio, layer(content, (0, 0, 80, 10)), frame=9)
        assert near(image[4, 38], WHITE)
        assert near(image[4, 44], RED)
        upwards = shown(studio, layer(Bar(colour="#ffffff", direction="up"), (0, 0, 10, 40)), frame=9)
        assert near(upwards[36, 4], WHITE)
        assert near(upwards[4, 4], BLACK)

    def test_a_wave_is_high_where_it_is_loud(self, studio: Studio) -> None:
        loud = np.zeros(48_000)
        loud[24_000:] = np.sin(np.arange(24_000) / 20) * 0.8
        asset = studio.sound("half", loud)
        content = Wave(asset=asset, start=0, samples=48_000, bars=16, colour="#ffffff", ground="#ff0000")
        image = shown(studio, layer(content, (0, 0, 96, 40)), frame=19)
        assert int((image[:, 63, 1] > 128).sum()) > 30
        assert int((image[:, 15, 1] > 128).sum()) < 4
        early = shown(studio, layer(content, (0, 0, 96, 40)), frame=4)
        assert int((early[:, 63, 1] > 128).sum()) == 0 < int((early[:, 63, 0] > 128).sum())
        live = Wave(asset=asset, start=0, samples=48_000, mode="live", style="line")
        quiet, strong = (shown(studio, layer(live, (0, 0, 96, 40)), frame=k)[..., 1] > 128 for k in (2, 17))
        assert quiet.sum() < strong.sum()

    def test_a_code_can_be_read(self, studio: Studio) -> None:
        import cv2

        content = Code(text="https://example.org/a")
        with ExitStack() as stack:
            shop = Workshop((W, H), studio.assets, (), studio.folder, stack, LayerPainter)
            source = CONTENTS["code"](content, layer(content, (0, 0, 132, 132)), shop)
        grey = np.ascontiguousarray(source.draw(0, 0)[..., 0])
        assert cv2.QRCodeDetector().detectAndDecode(grey)[0] == content.text
        with pytest.raises(PlanUnrenderable, match="modules"):
            shown(studio, layer(content, (0, 0, 10, 10)))
        with pytest.raises(PlanUnrenderable, match="fit"):
            shown(studio, layer(Code(text="x" * 5000)))

    def test_a_text_can_be_turned(self, studio: Studio) -> None:
        text = Text(style="caption", events=(r"{\pos(48,27)\an5}IIIIII",))
        level, upright = (shown(studio, layer(text, rotation=turn))[..., 1] > 128 for turn in ("0", "90"))
        assert np.ptp(np.flatnonzero(level.any(axis=0))) > np.ptp(np.flatnonzero(level.any(axis=1)))
        assert np.ptp(np.flatnonzero(upright.any(axis=0))) < np.ptp(np.flatnonzero(upright.any(axis=1)))

    def test_a_group_is_one_picture(self, studio: Studio) -> None:
        inner = (layer(fill("#ff0000"), (0, 0, 20, 20)), layer(fill("#00ff00"), (10, 10, 20, 20)))
        group = layer(Group(width=40, height=40, layers=inner), (10, 10, 40, 40), opacity="0.5")
        image = shown(studio, group, ground="#000000")
        assert near(image[12, 12], (128, 0, 0), 6)
        assert near(image[24, 24], (0, 128, 0), 6)

    def test_a_mix_between_layers_and_nothing(self, studio: Studio) -> None:
        box = (10, 10, 30, 30)
        mix = Mix(transition="crossfade", a=None, b=layer(fill(), box), length=9)
        image = shown(studio, layer(mix), frame=4)
        assert near(image[20, 20], (128, 128, 128))
        assert near(image[45, 60], BLACK)


class TestStillness:
    def segment(self, *layers: Layer) -> Segment:
        stage = Stage(ground="#000000", layers=layers)
        return Segment(index=0, kind="body", start=0, frames=20, picture=stage)

    def plan(self, segment: Segment) -> RenderPlan:
        output = Output(profile="p", width=W, height=H, rate=Rate(num=30))
        return RenderPlan(
            title="t",
            language="en",
            output=output,
            frames=20,
            segments=(segment,),
            sound=SoundMix(samples=0, sounds=()),
            styles=(STYLE,),
        )

    @pytest.mark.parametrize(
        ("more", "still"),
        [
            ({}, True),
            ({"fades": (3, 0)}, False),
            ({"frames": 10}, False),
            ({"effects": (Effect(name="grain"),)}, False),
            ({"effects": (Effect(name="sepia"),)}, True),
        ],
    )
    def test_is_known(self, studio: Studio, more: dict[str, Any], still: bool) -> None:
        segment = self.segment(layer(fill(), (0, 0, 40, 40), **more))
        with Compositor(self.plan(segment), segment, studio.assets, Path(studio.folder)) as compositor:
            assert compositor.still is still
