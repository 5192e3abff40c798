"""The films a job may become: how likely their pictures have to be made, and which of them is promised."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.production.matching import Shelf, match_on
from domain.production.sketches import Film, fairest, film_of, films_of, made_chances, usual
from domain.production.spec import LibraryItem
from domain.studio.script import Scene, Script, Sentence, Visual


def picture(*tags: str) -> LibraryItem:
    shape = {"role": "picture", "media_type": "image/jpeg", "width": 1920, "height": 1080}
    return LibraryItem(id=tags[0], sha256="0" * 64, tags={"en": list(tags)}, **shape)


def scene(number: int, text: str, *keywords: str) -> Scene:
    sentences = [Sentence(id=f"s{number}.1", text=text)]
    return Scene(id=f"s{number}", sentences=sentences, visual=Visual(keywords=list(keywords)))


def film(pictures: float, chance: float = 1.0) -> Film:
    return Film(tokens=100, characters=500, sentences=6, scenes=4, pictures=pictures, chance=chance)


def chances(scenes: Sequence[Scene], *library: LibraryItem) -> list[float]:
    return made_chances(match_on(scenes, Shelf(library)).values())


class TestChances:
    def test_a_scene_that_nothing_is_like_needs_a_picture(self) -> None:
        assert chances([scene(1, "Bread rises.", "bread")], picture("moon")) == pytest.approx([0, 1], abs=0.01)

    def test_a_scene_that_a_picture_clearly_shows_needs_none(self) -> None:
        told = [scene(1, "The Moon rises.", "moon"), scene(2, "A rocket leaves.", "rocket")]
        assert chances(told, picture("moon"), picture("rocket")) == pytest.approx([1, 0, 0], abs=0.01)

    def test_near_the_threshold_both_are_possible(self) -> None:
        """A fourth tag among the keywords is nearly what is asked for."""
        kept, made = chances([scene(1, "Craters lie there.", "craters")], picture("a1", "b1", "c1", "crater"))
        assert 0.1 < made < 0.9
        assert kept + made == pytest.approx(1)

    def test_a_picture_is_not_counted_on_twice(self) -> None:
        told = [scene(number, "The Moon rises.", "moon") for number in (1, 2)]
        assert chances(told, picture("moon")) == pytest.approx([0, 1, 0], abs=0.01)

    def test_films_hold_what_is_said_and_written(self) -> None:
        sketch = Script(title="Moon", language="en", scenes=[scene(1, "In 1969 they landed.", "moon")])
        (one,) = films_of(sketch, {}, Shelf([]))
        assert (one.scenes, one.sentences, one.pictures) == (1, 1, 1)
        assert one.characters > len("In 1969 they landed.")  # the year is said in words
        assert one.tokens > 40

    def test_of_a_script_that_is_known_nothing_wavers(self) -> None:
        shelf = Shelf([picture("a1", "b1", "c1", "crater")])
        script = Script(title="Moon", language="en", scenes=[scene(1, "Craters lie there.", "craters")])
        one = film_of(script, {}, shelf)
        assert (one.pictures, one.chance) == (1, 1.0)
        assert [round(other.pictures) for other in films_of(script, {}, shelf)] == [0, 1]


class TestPromise:
    def test_of_equally_likely_films_the_cheap_one_weighs_more(self) -> None:
        """Promising 100 for 60 is two thirds off, promising 60 for 100 two fifths."""
        assert fairest([film(0), film(1)], [60.0, 100.0]) == film(0)
        assert fairest([film(0, 0.2), film(1, 0.8)], [60.0, 100.0]) == film(1, 0.8)

    def test_free_films_have_a_promise_too(self) -> None:
        assert fairest([film(3)], [0.0]) == film(3)

    @given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(0.01, 1)), min_size=1, max_size=8))
    def test_no_other_price_would_be_less_off(self, drawn: Sequence[tuple[float, float]]) -> None:
        films = [film(number, chance) for number, (_, chance) in enumerate(drawn)]
        prices = [price for price, _ in drawn]

        def off(promise: float) -> float:
            return sum(one.chance * abs(promise - price) / price for one, price in zip(films, prices, strict=True))

        promised = prices[int(fairest(films, prices).pictures)]
        assert off(promised) <= min(map(off, prices)) + 1e-9

    def test_a_range_leaves_out_what_is_rare(self) -> None:
        films = [film(0, 0.02), film(1, 0.5), film(2, 0.46), film(9, 0.02)]
        assert usual(films, lambda one: one.pictures) == (1, 2)
        assert usual([film(4)], lambda one: one.pictures) == (4, 4)
