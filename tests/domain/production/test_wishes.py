"""What steps make of instructions, what forks make anew, what an outlook says, and differences in words: pure."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.bodies import VideoPreset
from domain.production.commands.fork_choices import made_anew
from domain.production.narration import Delivery, Pauses
from domain.production.pipeline import STEP_KINDS
from domain.production.spec import ProviderPart, ProvidersPart
from domain.production.wishes import hearing, understood, wished_delivery, wished_pauses, wished_video
from domain.studio.diff import diff_words, only_near
from tests.support.specs import make_spec

CLAUDE = ProviderPart(id="1", slug="claude", kind="anthropic", name="Claude")


class TestHearing:
    def test_every_kind_says_how_it_takes_an_instruction(self) -> None:
        spec = make_spec().model_dump(mode="json")
        heard = {kind: (hearing(kind, spec).takes, hearing(kind, spec).code) for kind in STEP_KINDS}
        assert heard == {
            "script": ("any", "script.offline"),
            "narrate": ("some", "narrate"),
            "illustrate": ("any", "illustrate.artboard"),
            "compose": ("some", "compose"),
            "render": ("none", "exact"),
            "mux": ("none", "exact"),
            "check": ("none", "exact"),
            "package": ("none", "exact"),
        }
        paid = make_spec(providers=ProvidersPart(writer=CLAUDE, images=[CLAUDE])).model_dump(mode="json")
        assert (hearing("script", paid).code, hearing("illustrate", paid).code) == ("script", "illustrate")

    @pytest.mark.parametrize(
        ("said", "rate", "pitch", "scene_ms"),
        [
            ("Slower, please, with longer pauses.", -10, 0, 1200),
            ("Much faster!", 20, 0, 750),
            ("It is too fast", -10, 0, 750),
            ("15 % slower and lower", -15, -6, 750),
            ("Fale mais devagar, com pausas mais longas", -10, 0, 1200),
            ("Está rápido demais; menos pausas", -10, 0, 450),
            ("More purple", 0, 0, 750),
        ],
    )
    def test_a_voice_follows(self, said: str, rate: int, pitch: int, scene_ms: int) -> None:
        spoken = wished_delivery(Delivery("en"), said)
        assert (spoken.rate, spoken.pitch, wished_pauses(Pauses(), said).scene) == (rate, pitch, scene_ms)
        assert bool(understood("narrate", said)) == (said != "More purple")

    @pytest.mark.parametrize(
        ("said", "changes"),
        [
            ("Without captions, softer music", {"captions": "none", "music_gain_db": "-25.0"}),
            ("Sem música e sem título", {"music": False, "title_seconds": "0"}),
            ("A slide as transition", {"transition": "slide"}),
            ("Crossfade transitions", {"transition": "crossfade"}),
            ("Push it", {}),
        ],
    )
    def test_a_timeline_follows(self, said: str, changes: dict[str, Any]) -> None:
        before = VideoPreset(transition="dip")
        after = wished_video(before, said)
        assert after == before.model_copy(update=changes)
        assert VideoPreset.model_validate(after.model_dump()) == after


class TestMadeAnew:
    @pytest.mark.parametrize(
        ("start", "changes", "anew"),
        [
            ("mux", {}, "mux check package"),
            ("compose", {}, "compose render mux check package"),
            ("check", {"video": "music"}, "compose render mux check package"),
            ("package", {"voice": "other"}, "narrate illustrate compose render mux check package"),
            ("mux", {"topic": "Other"}, "script narrate illustrate compose render mux check package"),
        ],
    )
    def test_the_step_what_is_touched_and_what_rests_on_it(
        self, start: str, changes: dict[str, Any], anew: str
    ) -> None:
        before = make_spec()
        after = before.model_copy(deep=True)
        if "topic" in changes:
            after.topic = changes["topic"]
        if "video" in changes:
            after.video.body.music = not after.video.body.music
        if "voice" in changes:
            after.voice.body.voice = "another"
        assert " ".join(made_anew(before, after, start, STEP_KINDS)) == anew

    def test_why_something_was_chosen_is_no_change(self) -> None:
        before = make_spec()
        after = before.model_copy(deep=True)
        after.voice.ref.origin = "job"
        assert made_anew(before, after, "package", STEP_KINDS) == ["package"]


class TestDiff:
    def test_only_lines_near_to_what_differs_are_shown(self) -> None:
        lines = [f"{number}\n" for number in range(20)]
        old, new = "".join(lines), "".join([*lines[:9], "other\n", *lines[10:19], "end"])
        pieces = only_near(diff_words(old, new))
        assert "".join(piece.text for piece in pieces if piece.kind != "gone") == (
            "⋯\n5\n6\n7\n8\nother\n10\n11\n12\n⋯\n15\n16\n17\n18\nend"
        )
        assert only_near(diff_words("a\n" * 4, "a\n" * 4 + "b")) == diff_words("a\n" * 4, "a\n" * 4 + "b")

    def test_words(self) -> None:
        pieces = [(piece.kind, piece.text) for piece in diff_words("A calm sea.\nTwo.\n", "A wild sea.\nTwo.\n")]
        assert pieces == [("same", "A "), ("gone", "calm"), ("new", "wild"), ("same", " sea.\nTwo.\n")]

    @given(st.text(max_size=60), st.text(max_size=60))
    def test_both_texts_can_be_read_out_of_it(self, old: str, new: str) -> None:
        pieces = diff_words(old, new)
        assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
        assert "".join(piece.text for piece in pieces if piece.kind != "gone") == new
        assert all(a.kind != b.kind for a, b in itertools.pairwise(pieces))
