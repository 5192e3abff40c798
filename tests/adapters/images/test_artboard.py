"""Art boards are repeatable, readable, and keep their words where nothing covers them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from adapters.images import boards
from adapters.images.artboard import ArtBoard
from adapters.images.backdrops import BACKDROPS, choose_backdrop
from adapters.images.boards import OVERSIZE, contrast_of, paint
from adapters.images.layouts import ZONES, Words, bars_of, choose_layout, read_number, zone_of
from adapters.images.lettering import shorten_to_fit, text_width, wrap_evenly
from adapters.images.palette import MIN_CONTRAST, PALETTES, choose_palette, contrast, luminance
from domain.production.ports import PictureRequest, ProviderRefused

SIZES = {"wide": (480, 270), "tall": (270, 480), "square": (300, 300)}
PLAIN = PictureRequest(
    prompt="",
    headline="Ten thousand galaxies in one speck of sky",
    keywords=["galaxies"],
    language="en",
    width=480,
    height=270,
    seed="s1",
    palette="deep-sky",
)
SAYINGS = [
    {"headline": "Stars are born in cold clouds"},
    {"headline": "Sixteen sunrises every day", "figure": "16", "kicker": "Life in orbit"},
    {"headline": "A radiação cósmica de fundo é a luz mais antiga", "figure": "380 mil anos", "kicker": "Universo"},
    {"headline": "What the universe is made of", "figure": "5% · 27% · 68%", "kicker": "Planck"},
    {"headline": "Recovered water", "figure": "98%"},
    {"headline": "“Que é a distância, senão tempo à espera de ser contado?”", "kicker": "Deep Sky"},
    {"headline": "", "figure": "13.8 billion years"},
    {"headline": "Extraordinariamenteincompreensibilidadeininterrupta e longa " * 3},
]


def force_backdrop(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(boards, "choose_backdrop", lambda texts, rng: name)


@pytest.fixture(scope="module")
def maker() -> Iterator[ArtBoard]:
    """A painter whose process ends with the module."""
    board = ArtBoard()
    yield board
    board.close()


class TestBoards:
    async def test_the_same_request_gives_the_same_bytes(self, maker: ArtBoard) -> None:
        one, again = await maker.make(PLAIN), await maker.make(PLAIN)
        other = await maker.make(replace(PLAIN, seed="s2"))
        assert one == again
        assert other.data != one.data

    @pytest.mark.parametrize("shape", SIZES)
    async def test_larger_than_the_film_and_decodable(self, maker: ArtBoard, shape: str) -> None:
        width, height = SIZES[shape]
        made = await maker.make(replace(PLAIN, width=width, height=height))
        with Image.open(io.BytesIO(made.data)) as image:
            assert image.size == (made.width, made.height)
        assert made.width == pytest.approx(width * OVERSIZE, abs=2)
        assert made.height == pytest.approx(height * OVERSIZE, abs=2)
        assert (made.width % 2, made.height % 2) == (0, 0)
        assert made.licence
        assert made.draft

    @pytest.mark.parametrize("name", sorted(BACKDROPS))
    @pytest.mark.parametrize("shape", SIZES)
    def test_every_backdrop_in_every_shape(self, monkeypatch: pytest.MonkeyPatch, name: str, shape: str) -> None:
        force_backdrop(monkeypatch, name)
        width, height = SIZES[shape]
        board = paint(replace(PLAIN, width=width, height=height))
        assert np.isfinite(board.behind).all()
        levels = board.pixels.astype(float).mean(axis=2)
        assert levels.std() > 8
        assert 5 < levels.mean() < 150
        assert all(contrast_of(board.behind, element) >= MIN_CONTRAST for element in board.elements if element.is_text)

    @pytest.mark.parametrize("saying", SAYINGS, ids=lambda saying: (saying["headline"] or saying["figure"])[:20])
    @pytest.mark.parametrize("shape", SIZES)
    def test_words_stay_in_their_zone_and_apart(self, saying: dict[str, str], shape: str) -> None:
        width, height = SIZES[shape]
        board = paint(replace(PLAIN, **{"figure": "", "kicker": "", **saying}, width=width, height=height))
        down, across = board.pixels.shape[:2]
        left, top, right, bottom = ZONES[zone_of(across, down)]
        slack = 3
        for element in board.elements:
            box = element.box
            assert box[0] >= left * across - slack
            assert box[1] >= top * down - slack
            assert box[2] <= right * across + slack
            assert box[3] <= bottom * down + slack
            ink = Image.new("L", (across, down))
            element.draw(ink)
            drawn = ink.getbbox()
            assert drawn is not None
            assert drawn[0] >= box[0] - slack
            assert drawn[2] <= box[2] + slack
            assert drawn[3] <= bottom * down + slack
        texts = [element.box for element in board.elements if element.is_text]
        for one, other in combinations(texts, 2):
            assert one[3] <= other[1] + slack or other[3] <= one[1] + slack, (one, other)
        assert all(contrast_of(board.behind, element) >= MIN_CONTRAST for element in board.elements if element.is_text)

    def test_a_board_without_words_is_all_picture(self) -> None:
        assert paint(replace(PLAIN, headline="", kicker="Deep Sky")).elements == []

    def test_words_are_really_drawn(self) -> None:
        board = paint(PLAIN)
        left, top, right, bottom = board.elements[-1].box
        with_words = board.pixels[top:bottom, left:right].astype(float)
        assert np.percentile(with_words, 99) > 225
        assert with_words.max() - np.percentile(board.behind[top:bottom, left:right] * 255, 99) > 80


class TestRefusals:
    @pytest.mark.parametrize(("text", "names"), [("Lua 🌙", "U+1F319"), ("深い空", "U+6DF1"), ("مرحبا", "U+0645")])
    async def test_a_missing_glyph_is_named(self, maker: ArtBoard, text: str, names: str) -> None:
        with pytest.raises(ProviderRefused) as refused:
            await maker.make(replace(PLAIN, headline=text))
        assert names in refused.value.sentence
        assert "headline" in refused.value.fix

    @pytest.mark.parametrize(("width", "height"), [(0, 1080), (1920, -1), (30_000, 1080)])
    async def test_a_silly_size_is_refused(self, maker: ArtBoard, width: int, height: int) -> None:
        with pytest.raises(ProviderRefused, match="cannot be painted"):
            await maker.make(replace(PLAIN, width=width, height=height))

    def test_control_characters_are_dropped(self) -> None:
        assert paint(replace(PLAIN, headline="Deep\x00\n\tsky")).elements


class TestChoices:
    def test_the_words_of_a_scene_choose_the_backdrop(self) -> None:
        for words, fitting in [
            ("The spiral galaxy Andromeda", {"galaxy", "nebula"}),
            ("Um foguete decola da Terra", {"horizon", "planet"}),
            ("A faint radio signal", {"waves", "contours"}),
            ("A cratera da Lua", {"moon", "orbits"}),
        ]:
            chosen = {choose_backdrop([(words, 1.0)], np.random.default_rng(seed)) for seed in range(12)}
            assert chosen <= fitting, words

    def test_words_that_suggest_nothing_get_variety(self) -> None:
        assert len({choose_backdrop([("Bread", 1.0)], np.random.default_rng(seed)) for seed in range(30)}) >= 4

    @pytest.mark.parametrize(
        ("figure", "headline", "layout"),
        [
            ("27%", "x", "share"),
            ("27 por cento", "x", "share"),
            ("127%", "x", "figure"),
            ("5% · 27% · 68%", "x", "bars"),
            ("10 km vs 20 km", "x", "bars"),
            ("10 km vs 20 years", "x", "figure"),
            ("13.8 billion years", "x", "figure"),
            ("", "“Said”", "quote"),
            ("", "Said", "headline"),
        ],
    )
    def test_layout_follows_what_is_said(self, figure: str, headline: str, layout: str) -> None:
        assert choose_layout(Words("", headline, figure), "wide", np.random.default_rng(1)) == layout

    @pytest.mark.parametrize(
        ("text", "value"),
        [("1,234.5", 1234.5), ("1.234,5", 1234.5), ("299,792,458", 299_792_458), ("2.7", 2.7), ("384.400", 384400)],
    )
    def test_numbers_of_both_languages(self, text: str, value: float) -> None:
        assert read_number(text) == value

    def test_bars_keep_their_labels(self) -> None:
        assert bars_of("5% / 27% / 68%") == [("5%", 5.0), ("27%", 27.0), ("68%", 68.0)]


class TestPalettes:
    @pytest.mark.parametrize("name", [palette.name for palette in PALETTES])
    def test_inks_stand_on_their_ground_however_it_is_turned(self, name: str) -> None:
        for board in range(40):
            palette = choose_palette(name, f"s{board}")
            for colour in (palette.ink, palette.accent, palette.second):
                assert contrast(luminance(colour), luminance(palette.ground)) >= 7
                assert contrast(luminance(colour), luminance(palette.deep)) >= MIN_CONTRAST - 0.5

    def test_a_project_keeps_its_family(self) -> None:
        assert {choose_palette("acme", f"s{board}").name for board in range(20)} == {choose_palette("acme", "x").name}
        assert len({choose_palette(f"project {number}", "x").name for number in range(60)}) == len(PALETTES)


class TestLettering:
    def test_lines_are_even_and_fit(self) -> None:
        words = ["We", "see", "Andromeda", "as", "it", "was", "about", "2.5", "million", "years", "ago"]
        lines = wrap_evenly(words, "bold", 40, 420)
        assert lines is not None
        widths = [text_width(line, "bold", 40) for line in lines]
        assert " ".join(lines).split() == words
        assert max(widths) <= 420
        assert min(widths) >= 0.55 * max(widths)

    def test_too_long_a_text_ends_with_an_ellipsis(self) -> None:
        block = shorten_to_fit("many words " * 60, "bold", (300, 120), (60, 30), 3)
        assert block.lines[-1].endswith("…")
        assert block.height <= 120
