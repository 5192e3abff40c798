"""What a film will need is foreseen from its facts: pictures to be made, prompts that are kept, words that fill it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from adapters.prices.tariffs import PriceFiles
from adapters.vendors.counting import films, sketches
from domain.catalog.bodies import KnowledgeBody
from domain.catalog.words import words_for
from domain.production.asking import choose_facts
from domain.production.estimate import demands_of
from domain.production.foresight import NO_FORESIGHT, Foreseen, guess_scenes, share_to_make
from domain.production.sketches import Film
from domain.production.spec import JobSpec, KnowledgePart, LibraryItem, ProviderPart, ProvidersPart
from domain.usage.quote import Demand, expected_cost, make_quote
from tests.support.specs import make_spec, ref

FACTS = """- The Moon is a quarter as wide as the Earth.
- Astronauts walked on the Moon in 1969.
- A rocket needs eleven kilometres a second to leave the Earth.
- Whales sing under water."""


def film(seconds: int, *tags: str, **providers: ProviderPart) -> JobSpec:
    """A film on four facts, with a library picture for each tag."""
    shape = {"role": "picture", "media_type": "image/jpeg", "width": 1920, "height": 1080}
    library = [
        LibraryItem(id=tag, sha256=f"{number:064d}", tags={"en": [tag]}, **shape) for number, tag in enumerate(tags)
    ]
    body = KnowledgeBody(title="Sky and sea", language="en", tier=1, text=FACTS, tags=["sky"])
    knowledge = [KnowledgePart(ref=ref("knowledge", "sky"), body=body)]
    chosen = ProvidersPart(
        writer=providers.get("writer"), images=[providers["images"]] if "images" in providers else []
    )
    return make_spec(seconds=seconds, library=library, knowledge=knowledge, providers=chosen)


def part(kind: str, model: str, **options: str) -> ProviderPart:
    return ProviderPart(id="0" * 32, slug=kind, kind=kind, name=kind, model=model, options=options)


def demand(spec: JobSpec, step: str, foreseen: Foreseen = NO_FORESIGHT) -> Demand:
    return next(one for one in demands_of(spec, PriceFiles(), foreseen) if one.step == step)


class TestPictures:
    def test_without_a_library_all_are_made(self) -> None:
        assert share_to_make(film(30), 4) == 1.0

    def test_scenes_about_what_a_picture_shows_need_none(self) -> None:
        assert share_to_make(film(30, "astronauts", "rocket"), 4) == 0.5
        assert share_to_make(film(30, "whales"), 4) == 0.75

    def test_sketches_say_it_scene_by_scene(self) -> None:
        spec = film(30, "moon", "rocket", images=part("gemini", "gemini-3-pro-image"))
        spec = spec.model_copy(update={"topic": "Astronauts on the Moon"})
        found = films(spec)
        promised = demand(spec, "illustrate", Foreseen(None, found)).units["pictures"]
        assert promised.likely in {one.pictures for one in found}
        assert promised.low < promised.likely < min(one.scenes for one in found)
        assert films(spec) == found
        assert films(spec.model_copy(update={"topic": "Medieval tax law"})) == []
        assert films(spec.model_copy(update={"seconds": 3600})) == []

    def test_a_picture_that_no_sketch_needs_has_a_price_all_the_same(self) -> None:
        spec = film(30, images=part("gemini", "gemini-3-pro-image"))
        fitting = Film(tokens=400, characters=300, sentences=5, scenes=3, pictures=0)
        quote = make_quote(demands_of(spec, PriceFiles(), Foreseen(900, [fitting])), PriceFiles()).as_json()
        drawn = next(line for line in quote["lines"] if line["step"] == "illustrate")
        assert (drawn["micro_dollars"], drawn["counts"]) == (0, [0, 0, 1])
        asked = expected_cost(quote, "illustrate", "gemini", {})
        assert asked.most is not None
        assert asked.most > 100_000

    def test_a_sketch_knows_no_more_than_a_writer(self) -> None:
        """Titles and tags of documents are in no prompt, so they must not find pictures either."""
        spec = film(30, "sky", images=part("gemini", "gemini-3-pro-image"))
        spec = spec.model_copy(update={"topic": "Astronauts on the Moon"})
        words = {word for script in sketches(spec) for scene in script.scenes for word in scene.visual.keywords}
        assert words
        assert "sky" not in words

    @pytest.mark.parametrize(("seconds", "count"), [(60, 8), (150, 4), (600, 2)])
    def test_short_films_are_sketched_more_often(self, seconds: int, count: int) -> None:
        assert len(sketches(film(seconds).model_copy(update={"topic": "Astronauts on the Moon"}))) == count

    def test_of_a_long_film_only_a_part_is_looked_at(self) -> None:
        assert 0.9 < share_to_make(film(3600, "astronauts", "rocket"), 480) < 1.0

    def test_facts_are_shared_out_and_none_is_lost(self) -> None:
        for count in (1, 3, 4, 9):
            scenes = guess_scenes(choose_facts(film(30)), count)
            assert len(scenes) == min(count, 4)
            assert sum(len(scene.sentences) for scene in scenes) == 4

    def test_the_quote_counts_what_is_left_to_make(self) -> None:
        maker = part("openai", "gpt-image-2.5-flare")
        bare, rich = film(30, images=maker), film(30, "astronauts", "rocket", images=maker)
        assert demand(rich, "illustrate").count().likely == pytest.approx(demand(bare, "illustrate").count().likely / 2)


class TestScripts:
    @pytest.mark.parametrize(("cache", "unit"), [("5m", "cache_write_5m"), ("1h", "cache_write_1h"), ("off", "")])
    def test_a_prompt_that_is_kept_is_quoted_at_that_rate(self, cache: str, unit: str) -> None:
        spec = film(30, writer=part("anthropic", "claude-sonnet-5-5", cache=cache))
        units: Mapping[str, object] = demand(spec, "script").units
        assert set(units) == {"input", "output", unit} - {""}

    def test_a_count_of_the_provider_stands_for_our_estimate(self) -> None:
        spec = film(30, writer=part("anthropic", "claude-sonnet-5-5", cache="off"))
        assert demand(spec, "script", Foreseen(1234)).units["input"].likely == 1234

    def test_portuguese_takes_longer(self) -> None:
        assert words_for(60, "pt-BR") < words_for(60, "de") < words_for(60, "en-GB") == 144
