"""Pictures go to the scenes they belong to, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.production.matching import NEIGHBOURS, assign, match_again, match_pictures, stem, terms
from domain.production.pipeline.base import StepInfo
from domain.production.pipeline.illustrate import choose_pictures
from domain.studio.script import Scene, Sentence, Visual
from tenants.records import uuid7


@dataclass(frozen=True)
class Photo:
    id: str
    tags: dict[str, list[str]]
    captions: dict[str, str] = field(default_factory=dict)


HUBBLE = Photo(
    "hubble",
    {"en": ["hubble", "deep field", "galaxies"], "pt-BR": ["hubble", "campo profundo", "galáxias"]},
    {"en": "Thousands of galaxies in one small patch of sky"},
)
ROCKET = Photo("rocket", {"en": ["rocket", "launch", "falcon"], "pt-BR": ["foguete", "lançamento", "falcon"]})
MOON = Photo("moon", {"en": ["moon", "lunar surface", "crater"], "pt-BR": ["lua", "superfície lunar", "cratera"]})
LIBRARY = [HUBBLE, ROCKET, MOON]


def scene(scene_id: str, text: str, *keywords: str, picture: str | None = None) -> Scene:
    return Scene(
        id=scene_id,
        sentences=[Sentence(id=f"{scene_id}.1", text=text)],
        visual=Visual(keywords=list(keywords), picture=picture),
    )


class TestWords:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Galaxies", "galaxy"),
            ("galáxias", "Galáxia"),
            ("lançamentos", "lancamento"),
            ("explosões", "explosão"),
            ("rockets", "rocket"),
            ("launched", "launch"),
            ("crateras", "cratera"),
        ],
    )
    def test_forms_of_a_word_meet(self, one: str, other: str) -> None:
        assert terms(one) == terms(other)

    @pytest.mark.parametrize("word", ["gas", "lua", "sol", "glass", "sun", "red"])
    def test_short_words_stay_whole(self, word: str) -> None:
        assert stem(word) == word

    def test_stop_words_of_both_languages_say_nothing(self) -> None:
        assert terms("the moon and the de para não uma") == ["moon"]


class TestMatching:
    def test_each_scene_gets_the_picture_it_speaks_of(self) -> None:
        scenes = [
            scene("s1", "A launch begins with fire.", "rocket", "launch"),
            scene("s2", "Footprints stay on the lunar surface.", "moon"),
            scene("s3", "Every smudge is a galaxy.", "galaxy", "deep field"),
        ]
        found = match_pictures(scenes, LIBRARY)
        assert {key: match.picture for key, match in found.items()} == {"s1": "rocket", "s2": "moon", "s3": "hubble"}
        assert all(match.score >= 1.5 and "fit" in match.reason for match in found.values())

    def test_portuguese_words_find_the_same_pictures(self) -> None:
        scenes = [
            scene("s1", "O foguete sobe.", "Foguetes", "lançamentos"),
            scene("s2", "O campo profundo mostrou galáxias.", "galaxia"),
        ]
        found = match_pictures(scenes, LIBRARY)
        assert [found["s1"].picture, found["s2"].picture] == ["rocket", "hubble"]

    def test_an_unrelated_scene_gets_nothing_and_says_why(self) -> None:
        found = match_pictures([scene("s1", "Bread rises because yeast breathes.", "bread", "yeast")], LIBRARY)
        assert found["s1"].picture is None
        assert "nothing in the library fits" in found["s1"].reason

    def test_a_word_in_passing_is_not_enough(self) -> None:
        found = match_pictures([scene("s1", "The tide follows the Moon, but also the Sun.", "tide", "ocean")], LIBRARY)
        assert found["s1"].picture is None

    def test_a_tag_of_two_words_needs_both(self) -> None:
        found = match_pictures([scene("s1", "A field of deep green wheat.", "field", "wheat")], LIBRARY)
        assert found["s1"].picture is None

    def test_neighbours_never_share_a_picture(self) -> None:
        scenes = [scene(f"s{n}", "The Hubble deep field and its galaxies.", "hubble", "galaxies") for n in range(9)]
        found = match_pictures(scenes, LIBRARY)
        places = [n for n in range(9) if found[f"s{n}"].picture == "hubble"]
        assert len(places) == 2
        assert places[1] - places[0] > NEIGHBOURS
        assert sum("shown again" in match.reason for match in found.values()) == 1

    def test_the_whole_counts_more_than_the_first_come(self) -> None:
        both = Photo("both", {"en": ["comet", "tail"]})
        only = Photo("only", {"en": ["comet"]})
        scenes = [
            scene("s1", "A comet has a tail.", "comet", "tail"),
            scene("s2", "Its tail glows.", "tail"),
        ]
        found = match_pictures(scenes, [both, only])
        assert [found["s1"].picture, found["s2"].picture] == ["only", "both"]

    def test_a_persons_choice_stands_and_is_not_shown_elsewhere_first(self) -> None:
        scenes = [
            scene("s1", "Bread.", "bread", picture="moon"),
            scene("s2", "The Moon rises.", "moon"),
        ]
        found = match_pictures(scenes, LIBRARY)
        assert found["s1"].picture == "moon"
        assert found["s1"].reason == "chosen by a person"
        assert found["s2"].picture is None

    def test_a_chosen_picture_that_is_gone_is_matched_anew(self) -> None:
        found = match_pictures([scene("s1", "The Moon rises.", "moon", picture="deleted")], LIBRARY)
        assert found["s1"].picture == "moon"

    def test_no_pictures_and_no_scenes(self) -> None:
        assert match_pictures([], LIBRARY) == {}
        assert match_pictures([scene("s1", "The Moon.", "moon")], [])["s1"].picture is None


class TestAssign:
    @given(
        st.lists(
            st.dictionaries(st.sampled_from("abcd"), st.integers(1, 40).map(float), max_size=4),
            min_size=1,
            max_size=4,
        )
    )
    def test_total_is_the_greatest_possible(self, rows: list[dict[str, float]]) -> None:
        edges = dict(enumerate(rows))
        found = assign(edges)
        assert len(set(found.values())) == len(found)
        total = sum(edges[number][picture] for number, picture in found.items())
        slots = [*"abcd", *[""] * len(rows)]
        best = max(
            sum(edges[n].get(p, 0.0) for n, p in enumerate(order)) for order in set(permutations(slots, len(rows)))
        )
        assert total == pytest.approx(best)


class TestAgain:
    def test_each_round_leaves_out_what_was_chosen_before(self) -> None:
        scenes = [scene("s1", "The tide follows the Moon, but also the Sun.", "tide", "moon", "ocean")]
        seen = [match_again(scenes, LIBRARY, "", salt)["s1"].picture for salt in ("", "1", "x:2")]
        assert seen[0] is not None
        assert len({picture for picture in seen if picture}) == sum(picture is not None for picture in seen)
        assert match_again(scenes, LIBRARY, "at night", "1")["s1"].picture is None
        assert match_again(scenes, LIBRARY, "", str(2**100))["s1"].picture is None

    def test_a_salt_of_the_whole_job_is_no_round(self) -> None:
        scenes = [scene("s1", "The tide follows the Moon, but also the Sun.", "tide", "moon", "ocean")]
        first = match_pictures(scenes, LIBRARY)
        step = StepInfo(uuid7(), "illustrate", salt="again, please")
        assert choose_pictures(scenes, LIBRARY, step) == first
        asked = replace(step, spec={"salt": "1"}, salt="again, please:1")
        assert choose_pictures(scenes, LIBRARY, asked) != first
