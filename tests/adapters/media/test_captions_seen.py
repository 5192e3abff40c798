"""Captions in a film: each defect seeded and found, a clean one left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adapters.media.captions_seen import Mark, captions_of, contrast, plain, spread
from adapters.media.captions_seen import found as findings
from adapters.media.segment import make_segment
from adapters.media.sound_heard import clipped
from adapters.media.text import Ink
from adapters.media.verdict import repeats
from adapters.media.watch import watch
from tests.support.plans import CAPTION_STYLE, Studio, caption, zoom
from timeline.plan import Box, Colour, Output, Rate, RenderPlan, Segment, Shot, SoundMix, TextState

W, H = 320, 180
SAFE = Box(x=16, y=9, w=W - 32, h=H - 18)


def plan_of(*states: TextState, line: int = 2, fill: str = "&H00FFFFFF", **output: Any) -> RenderPlan:
    value = CAPTION_STYLE.value.format(size=28, line=line).replace("&H00FFFFFF", fill, 1)
    segment = Segment(
        index=0, kind="body", start=0, frames=8, picture=Colour(value="#8a8f94"), captions=states, items=("a",)
    )
    return RenderPlan(
        title="t",
        language="en",
        output=Output(profile="p", width=W, height=H, rate=Rate(num=4), safe_area=SAFE, **output),
        frames=8,
        segments=(segment,),
        sound=SoundMix(samples=0, sounds=()),
        styles=(CAPTION_STYLE.model_copy(update={"value": value}),),
    )


def found(studio: Studio, made: RenderPlan, judged: RenderPlan | None = None) -> dict[str, float | None]:
    film = studio.folder / "film.mp4"
    make_segment(made, made.segments[0], studio.assets, film, studio.folder, lambda done, total: None)
    seen = watch(film, judged or made, studio.folder, lambda done, total: None)
    return {finding.code: finding.start for finding in findings(seen.marks, judged or made)}


GOOD = caption("Light travels", (W // 2, 150), 0, 8)


class TestCaptions:
    def test_clean(self, studio: Studio) -> None:
        assert found(studio, plan_of(GOOD)) == {}

    def test_cut_off_by_the_edge(self, studio: Studio) -> None:
        late = caption("Light travels very far indeed", (W // 2, 150), 4, 4)
        assert found(studio, plan_of(late)) == {"caption_cut": 1.0}

    def test_outside_the_safe_area(self, studio: Studio) -> None:
        assert found(studio, plan_of(caption("Light", (42, 150), 0, 8))) == {"caption_unsafe": 0.0}

    def test_hardly_any_contrast(self, studio: Studio) -> None:
        assert set(found(studio, plan_of(GOOD, line=0, fill="&H00A0A0A0"))) == {"caption_faint"}

    def test_not_there(self, studio: Studio) -> None:
        assert set(found(studio, plan_of(), plan_of(GOOD))) == {"caption_missing"}

    def test_letters_without_a_glyph(self, studio: Studio) -> None:
        assert "missing_glyph" in found(studio, plan_of(caption("Light \U0001f680", (W // 2, 150), 0, 8)))

    def test_nothing_is_asked_of_a_film_without_burnt_in_captions(self, studio: Studio) -> None:
        assert found(studio, plan_of(GOOD, burn_captions=False)) == {}


def test_the_worst_of_each_kind_is_told() -> None:
    marks = [Mark("caption_unsafe", 3, 2), Mark("caption_unsafe", 9, 5), Mark("caption_faint", 1.9, 1)]
    told = {each.code: (each.start, each.measured) for each in findings([*marks, marks[1]], plan_of(GOOD))}
    assert told == {"caption_unsafe": (1.25, "9 px"), "caption_faint": (0.25, "1.9")}


def test_captions_close_together_are_not_all_looked_at() -> None:
    states = [caption(f"{k}", (W // 2, 150), k, 1) for k in range(8)]
    plan = plan_of(*states)
    assert [each.first for each in spread(captions_of(plan), plan)] == [0, 4]


def test_what_is_read_of_an_event() -> None:
    event = r"{\pos(3,4)}Two \{braces\}{\fnOther}x{\fn}\Nnext{\p1}m 0 0 l 9 9{\p0}!"
    assert list(plain(event)) == [("", ""), ("Two {braces}", ""), ("x", "Other"), (" next", ""), ("!", "")]


@pytest.mark.parametrize(("ground", "least", "most"), [(0, 18, 21.5), (255, 0.9, 1.1), (118, 4, 5)])
def test_contrast(ground: int, least: float, most: float) -> None:
    image = np.full((40, 60, 3), ground, np.uint8)
    alpha = np.zeros((20, 20), np.uint8)
    alpha[5:15, 8:12] = 255
    ink = Ink(np.dstack([alpha] * 3), alpha, (10, 10))
    image[15:25, 18:22] = 255
    assert least <= contrast(image, ink)[0] <= most


class TestClipping:
    def wave(self, gain: float) -> np.ndarray:
        t = np.arange(96_000) / 48_000
        sound = np.clip(np.sin(2 * np.pi * 220 * t) * gain * (1 + (t > 1)), -1, 1)
        return np.stack([sound, sound], axis=1).astype(np.float32)

    def test_where_it_is(self) -> None:
        ((start, end),) = clipped(self.wave(0.8))
        assert start == pytest.approx(1.0, abs=0.02)
        assert end == pytest.approx(2.0, abs=0.02)

    def test_loud_is_not_clipped(self) -> None:
        assert clipped(self.wave(0.45)) == []


def test_a_picture_that_comes_back(studio: Studio) -> None:
    base = plan_of()
    one, other = (Shot(asset=studio.picture(k), motion=zoom("1", "0.9", 8)) for k in (1, 2))

    def film(*shots: Shot) -> RenderPlan:
        parts = [
            base.segments[0].model_copy(update={"index": k, "start": 8 * k, "picture": shot, "items": (str(k),)})
            for k, shot in enumerate(shots)
        ]
        return base.model_copy(update={"segments": tuple(parts), "frames": 8 * len(parts)})

    assert list(repeats(film(one, other))) == []
    (finding,) = repeats(film(one, other, one))
    assert (finding.code, finding.severity, finding.start) == ("repeated_picture", "warning", 4.0)
    assert list(repeats(film(one, *[other.model_copy(update={"asset": f"{k}"}) for k in range(20)], one))) == []
