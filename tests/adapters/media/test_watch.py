"""What was seen of segments stands for the film they became, and only for that film."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from adapters.media.pictures_seen import Seen, Thumb, joined, look
from adapters.media.renderer import FfmpegRenderer
from tests.adapters.media.conftest import Made, never
from timeline.plan import Box


def thumbs(*runs: tuple[int, int]) -> list[Thumb]:
    """Runs of (level, frames) as even pictures."""
    return [np.full((12, 16), level, np.uint8) for level, frames in runs for _ in range(frames)]


FILMS = {
    "moving": [(level, 1) for level in range(40, 80)],
    "one still through several pieces": [(90, 3), (100, 30), (120, 4)],
    "a freeze that ends at a seam": [(90, 10), (100, 10), (140, 7)],
    "black at both ends": [(16, 9), (100, 3), (120, 2), (17, 11)],
    "black all through": [(16, 40)],
    "nothing": [],
}


class TestPieces:
    @pytest.mark.parametrize("film", FILMS.values(), ids=FILMS.keys())
    @pytest.mark.parametrize("cuts", [(10,), (1, 2, 20), (5, 10, 15, 20, 25)])
    def test_pieces_put_together_are_the_film(self, film: list[tuple[int, int]], cuts: tuple[int, ...]) -> None:
        whole = thumbs(*film)
        places = [min(cut, len(whole)) for cut in (0, *cuts, len(whole))]
        pieces = [look(whole[a:b], 6) for a, b in pairwise(places)]
        assert joined(pieces, 6) == joined([look(whole, 6)], 6)

    def test_what_is_found(self) -> None:
        film = thumbs((90, 10), (16, 8), (100, 2), (130, 1))
        seen = joined([look(film[:12], 6), look(film[12:], 6)], 6)
        assert (seen.frames, seen.repeated) == (21, 9 + 7 + 1)
        assert [(run.first, run.end) for run in seen.black] == [(10, 18)]
        assert [(run.first, run.end) for run in seen.still] == [(0, 10), (10, 18)]

    def test_slow_motion_is_no_freeze_whatever_is_cut(self) -> None:
        film = [np.full((12, 16), 100 + k // 2, np.uint8) for k in range(40)]
        assert joined([look(film[:15], 8), look(film[15:], 8)], 8) == Seen(frames=40, repeated=20)


@pytest.fixture
async def seen(renderer: FfmpegRenderer, made: Made, tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"{part.index}.json" for part in made.plan.segments]
    for part, segment, out in zip(made.plan.segments, made.segments, files, strict=True):
        await renderer.watch(made.plan, part, segment, out, never)
    return files


class TestRemembering:
    async def test_the_film_is_judged_as_if_it_had_been_decoded(
        self, renderer: FfmpegRenderer, made: Made, seen: list[Path]
    ) -> None:
        again = await renderer.inspect(made.film, made.plan, never, seen)
        assert again == await renderer.inspect(made.film, made.plan, never)
        assert again.passed

    async def test_pictures_are_not_decoded_again(self, renderer: FfmpegRenderer, made: Made, seen: list[Path]) -> None:
        kept = json.loads(seen[1].read_text())
        seen[1].write_text(json.dumps(kept | {"marks": [{"code": "caption_missing", "amount": 1.2, "frame": 3}]}))
        (finding,) = (await renderer.inspect(made.film, made.plan, never, seen)).findings
        assert (finding.code, finding.start) == ("caption_missing", 99 / 30)

    @pytest.mark.parametrize("fault", ["packets", "key", "damage", "frames", "torn", "gone"])
    async def test_what_does_not_fit_is_looked_at_anew(
        self, renderer: FfmpegRenderer, made: Made, seen: list[Path], fault: str
    ) -> None:
        kept = json.loads(seen[1].read_text()) | {"marks": [{"code": "caption_missing", "amount": 1.2, "frame": 3}]}
        if fault == "gone":
            seen[1].unlink()
        else:
            text = json.dumps(kept | {fault: 7 if fault == "frames" else "x"})
            seen[1].write_text(text[:-20] if fault == "torn" else text)
        assert list((await renderer.inspect(made.film, made.plan, never, seen)).findings) == []

    async def test_another_film_is_looked_at_anew(
        self, renderer: FfmpegRenderer, made: Made, seen: list[Path], tmp_path: Path
    ) -> None:
        data = bytearray(made.film.read_bytes())
        middle = len(data) // 2
        data[middle : middle + 20_000] = bytes(20_000)
        (film := tmp_path / "f.mp4").write_bytes(data)
        assert not (await renderer.inspect(film, made.plan, never, seen)).passed

    def test_its_key_names_what_shapes_it_and_not_the_place(self, renderer: FfmpegRenderer, made: Made) -> None:
        plan, first = made.plan, made.plan.segments[0]
        safe = plan.output.model_copy(update={"safe_area": Box(x=9, y=9, w=99, h=99)})
        style = plan.styles[0].model_copy(update={"value": plan.styles[0].value.replace("101010", "202020")})
        others = [
            (plan, first),
            (plan, first.model_copy(update={"captions": first.captions[:1]})),
            (plan.model_copy(update={"output": safe}), first),
            (plan.model_copy(update={"styles": (style,)}), first),
        ]
        assert len({renderer.watch_key(*each) for each in others}) == len(others)
        moved = first.model_copy(update={"index": 9, "start": 900, "items": ("x",), "key": "k"})
        assert renderer.watch_key(plan, moved) == renderer.watch_key(plan, first)
