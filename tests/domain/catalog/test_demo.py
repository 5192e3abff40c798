"""The demo workspace is complete, sourced, licensed, and every reference in it leads somewhere."""

from __future__ import annotations

import io
import re
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from domain.catalog.demo.content import (
    HERE,
    LANGUAGES,
    DemoDocument,
    DemoFault,
    DemoPicture,
    demo_workspace,
    read_document,
    read_documents,
)

WORKSPACE = demo_workspace()
DOCUMENTS = read_documents()
BINARIES = {".jpg", ".png", ".flac"}


class TestKnowledge:
    def test_both_languages_tell_the_same_facts(self) -> None:
        by_language = {
            language: {
                re.sub(r"-pt$", "", document.slug): [fact.source for fact in document.facts]
                for document in DOCUMENTS
                if document.language == language
            }
            for language in LANGUAGES
        }
        assert by_language["en"] == by_language["pt-BR"]
        assert len(by_language["en"]) == 10

    @pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.slug)
    def test_facts_stand_on_their_own(self, document: DemoDocument) -> None:
        assert len(document.facts) >= (2 if document.tier == 1 else 11)
        assert len({fact.text for fact in document.facts}) == len(document.facts)
        assert document.tags
        for fact in document.facts:
            assert 5 <= len(fact.text.split()) <= 36, fact.text
            assert not re.match(r"(It|They|He|She|Its|This|These|Ele|Ela|Isso)\b", fact.text), fact.text
            assert "undated" in fact.source or re.search(r"\b(19|20)\d\d\b", fact.source), fact.source

    def test_numbers_agree_between_the_languages(self) -> None:
        pairs = {document.slug: document for document in DOCUMENTS}
        for document in DOCUMENTS:
            if document.language == "en":
                other = pairs[document.slug + "-pt"]
                for one, two in zip(document.facts, other.facts, strict=True):
                    years = re.findall(r"\b((?:1[0-9]|20)\d\d)s?\b", one.text)
                    assert years == re.findall(r"\b((?:1[0-9]|20)\d\d)s?\b", two.text), (one.text, two.text)

    def test_markdown_names_the_source_under_each_fact(self) -> None:
        text = next(document for document in DOCUMENTS if document.slug == "voyager").markdown()
        assert text.startswith("# The Voyagers\n\n- Voyager 2 left the Earth")
        assert text.count("\n\nSource: ") == text.count("\n\n- ") == 15

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ("- A fact without a key.\n\n## Sources\n\n", "does not have the form"),
            ("- A fact. [nowhere]\n\n## Sources\n\na: T — P, 2000\n", "no source is listed for nowhere"),
            ("- A fact. [a]\n\n## Sources\n\na: no publisher\n", "does not have the form"),
        ],
    )
    def test_a_malformed_document_is_named(self, tmp_path: Path, body: str, says: str) -> None:
        file = tmp_path / "bad.md"
        file.write_text(f"---\ntitle: T\nlanguage: en\ntier: 2\ntags: [a]\n---\n\n# T\n\n{body}", "utf-8")
        with pytest.raises(DemoFault, match=says):
            read_document(file)


class TestCatalogue:
    def test_slugs_are_unique_per_kind(self) -> None:
        names = [(item.kind, item.slug) for item in WORKSPACE.items]
        assert len(set(names)) == len(names)

    def test_recipes_refer_to_what_exists_and_fits(self) -> None:
        presets = {item.slug: item.body for item in WORKSPACE.of_kind("preset")}
        prompts = {item.slug: item.body for item in WORKSPACE.of_kind("prompt")}
        validators = {item.slug for item in WORKSPACE.of_kind("validator")}
        recipes = WORKSPACE.of_kind("recipe")
        assert {recipe.slug for recipe in recipes} == {"documentary", "documentary-pt", "short", "short-pt"}
        for recipe in recipes:
            body = recipe.body
            assert prompts[body["prompt"]]["language"] == body["language"]
            assert presets[body["voice"]]["preset"] == "voice"
            assert presets[body["voice"]]["language"] == body["language"]
            assert presets[body["ssml"]]["preset"] == "ssml"
            assert presets[body["video"]]["preset"] == "video"
            assert body["video"] == body["profile"]
            assert set(body["validators"]) <= validators

    def test_steps_form_a_graph_in_order(self) -> None:
        for recipe in WORKSPACE.of_kind("recipe"):
            seen: set[str] = set()
            for step in recipe.body["steps"]:
                assert set(step["needs"]) <= seen
                seen.add(step["kind"])
            assert [step["kind"] for step in recipe.body["steps"]] == (
                ["script", "narrate", "illustrate", "compose", "render", "mux", "check", "package"]
            )

    def test_jobs_speak_the_language_of_their_recipe(self) -> None:
        recipes = {recipe.slug: recipe.body for recipe in WORKSPACE.of_kind("recipe")}
        assert {job.language for job in WORKSPACE.jobs} == set(LANGUAGES)
        assert all(recipes[job.recipe]["language"] == job.language for job in WORKSPACE.jobs)
        assert WORKSPACE.first_job.recipe == "documentary"
        assert sum(job.first for job in WORKSPACE.jobs) == 1


class TestFiles:
    @pytest.mark.parametrize("picture", WORKSPACE.pictures, ids=lambda picture: picture.id)
    def test_each_file_is_what_it_is_said_to_be(self, picture: DemoPicture) -> None:
        assert picture.licence
        assert picture.credit
        assert set(picture.captions) == set(picture.tags) == set(LANGUAGES)
        if picture.role == "music":
            return
        with Image.open(io.BytesIO(picture.path.read_bytes())) as image:
            assert image.size == (picture.width, picture.height)
            assert Image.MIME[image.format or ""] == picture.media_type
            assert image.has_transparency_data == (picture.role == "logo")

    def test_licences_name_every_picture(self) -> None:
        notes = (HERE / "pictures" / "LICENCES.md").read_text("utf-8")
        photos = sorted(path.name for path in (HERE / "pictures").glob("*.jpg"))
        described = sorted(picture.path.name for picture in WORKSPACE.pictures if picture.role == "picture")
        assert photos == described
        assert all(f"`{name}`" in notes for name in photos)

    def test_binaries_stay_small(self) -> None:
        sizes = {path.name: path.stat().st_size for path in HERE.rglob("*") if path.suffix in BINARIES}
        assert sum(sizes.values()) <= 4 * 1024 * 1024
        assert sizes["slow-light.flac"] <= 1.5 * 1024 * 1024

    def test_the_music_loops_without_a_click(self) -> None:
        music = next(picture for picture in WORKSPACE.pictures if picture.role == "music")
        with av.open(str(music.path)) as container:
            parts = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
        sound = np.concatenate(parts).astype(np.float64) / 32768
        assert sound.shape == (int(music.seconds) * 48_000, 2)
        assert np.abs(sound).max() < 10 ** (-6 / 20)
        bends = np.abs(np.diff(np.concatenate([sound[-2400:], sound[:2400]]), 2, axis=0))
        usual = np.percentile(np.abs(np.diff(sound, 2, axis=0)), 99.9)
        assert bends[2390:2410].max() <= usual
        seconds = sound.reshape(48, -1)
        level = 20 * np.log10(np.sqrt((seconds**2).mean(axis=1)))
        assert level.max() - level.min() < 8
