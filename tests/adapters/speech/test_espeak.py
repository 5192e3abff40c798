import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import espeakng_loader
import numpy as np
import psutil
import pytest

from adapters.speech.espeak import EspeakNarrator, engine_order
from adapters.speech.espeak_process import word_starts
from adapters.speech.sound import fast_size, present, word_ends
from adapters.speech.voices import VOICES, default_voice, find_voice, voices_for
from domain.production.narration import Delivery, speech_request
from domain.production.ports import ProviderBusy, ProviderRefused, SpeechRequest
from domain.studio.script import Sentence

TEXTS = {
    "en": "In December 1995, Hubble stared at one dark patch of sky for 10 days — nothing like it had been tried.",
    "pt-BR": "Em dezembro de 1995, o Hubble fez 342 exposições e gastou R$ 1.234,56 às 15h30!",
}


@pytest.fixture(scope="module")
def narrator():
    made = EspeakNarrator()
    yield made
    made.close()


def asked(text, language="en", voice="", **more):
    delivery = Delivery(voice or default_voice(language), **more)
    return speech_request(Sentence(id="s1.1", text=text), language=language, delivery=delivery)


def loudness(samples):
    return np.sqrt(np.mean(np.square(samples.astype(float)))) if len(samples) else 0.0


class TestSpeak:
    @pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES)
    async def test_words_lie_on_their_sound(self, narrator, voice):
        language = "pt-BR" if voice.language == "pt-BR" else "en"
        request = asked(TEXTS[language], language, voice.name)
        spoken = await narrator.speak(request)
        sound = np.frombuffer(spoken.pcm, dtype="<i2")
        assert [word.text for word in spoken.words] == list(request.words)
        times = [time for word in spoken.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert times[-1] <= len(sound)
        assert all(word.end - word.start >= 48 * 30 for word in spoken.words)
        inside = loudness(np.concatenate([sound[word.start : word.end] for word in spoken.words]))
        between = [sound[a.end : b.start] for a, b in zip(spoken.words, spoken.words[1:], strict=False)]
        gaps = np.concatenate([*between, np.zeros(1, dtype=np.int16)])
        assert loudness(gaps) < inside * 0.1
        assert sum(word.source == "synth" for word in spoken.words) >= 0.85 * len(spoken.words)

    async def test_sound_is_level_trimmed_and_without_clicks(self, narrator):
        levels = []
        for text in ("A star.", TEXTS["en"], "Is it dark?"):
            sound = np.frombuffer((await narrator.speak(asked(text))).pcm, dtype="<i2").astype(float) / 32768
            assert np.abs(sound).max() < 10 ** (-1.4 / 20)
            assert np.abs(np.diff(sound)).max() < 0.35
            for edge in (sound[: 48 * 20], sound[-48 * 20 :]):
                assert np.abs(edge).max() > 0.0005
            assert max(abs(sound[0]), abs(sound[-1])) < 0.02
            levels.append(20 * np.log10(loudness(sound[np.abs(sound) > 0.02])))
        assert max(levels) - min(levels) < 4

    async def test_the_same_request_gives_the_same_bytes_in_another_process(self, narrator):
        other = EspeakNarrator()
        try:
            assert await narrator.speak(asked(TEXTS["en"])) == await other.speak(asked(TEXTS["en"]))
        finally:
            other.close()

    async def test_rate_and_voice_are_heard(self, narrator):
        plain, slow = await narrator.speak(asked(TEXTS["en"])), await narrator.speak(asked(TEXTS["en"], rate=-25))
        high = await narrator.speak(asked(TEXTS["en"], voice="en-us-draft-high"))
        assert len(slow.pcm) > 1.15 * len(plain.pcm)
        assert high.pcm != plain.pcm

    async def test_several_sentences_in_one_lose_no_mark(self, narrator):
        spoken = await narrator.speak(asked("It paid $1.50. Then he left! Really? Yes: really; yes."))
        assert {word.source for word in spoken.words} == {"synth"}

    async def test_many_at_once_do_not_mix(self, narrator):
        requests = [asked(f"Number {n} of twelve.") for n in range(1, 13)]
        together = await asyncio.gather(*map(narrator.speak, requests))
        assert [await narrator.speak(request) for request in requests] == list(together)

    async def test_a_preview_is_spoken_with_the_languages_voice(self, narrator):
        spoken = await narrator.preview("Olá, mundo.", "pt-BR")
        assert (spoken.voice, spoken.draft, len(spoken.words)) == ("pt-br-draft", True, 2)


class TestRefusals:
    @pytest.mark.parametrize(
        ("request_", "words"),
        [
            (asked("Hello.", voice="en-us+nobody"), "unknown"),
            (asked("…"), "can be spoken"),
            (SpeechRequest("<speak><audio/></speak>", ("x",), "en-us-draft", "en"), "audio"),
            (SpeechRequest("no xml", ("x",), "en-us-draft", "en"), "well-formed"),
        ],
    )
    async def test_bad_requests_are_refused_for_good(self, narrator, request_, words):
        with pytest.raises(ProviderRefused, match=words):
            await narrator.speak(request_)
        assert (await narrator.speak(asked("Still here."))).words


class TestProcess:
    async def test_a_killed_child_is_replaced_unnoticed(self):
        narrator = EspeakNarrator()
        try:
            before = await narrator.speak(asked("One star."))
            child = narrator._child.process
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            assert await narrator.speak(asked("One star.")) == before
            assert narrator._child.process.pid != child.pid
        finally:
            narrator.close()

    async def test_a_child_that_keeps_dying_is_a_busy_provider(self, monkeypatch):
        narrator = EspeakNarrator()
        monkeypatch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(ProviderBusy, match="twice"):
            await narrator.speak(asked("One star."))
        narrator.close()

    def test_the_child_ends_with_its_parent(self):
        code = (
            "import asyncio, os\nfrom adapters.speech.espeak import EspeakNarrator\n"
            "n = EspeakNarrator()\nasyncio.run(n.preview('One star.', 'en'))\n"
            "print(n._child.process.pid, flush=True)\nos._exit(9)\n"
        )
        root = Path(__file__).parents[3]
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=root, check=False, timeout=60)
        psutil.wait_procs([p for p in psutil.process_iter() if p.pid == int(done.stdout)], timeout=5)
        assert not psutil.pid_exists(int(done.stdout))

    def test_a_folder_deeper_than_the_engine_can_remember(self, tmp_path):
        deep = tmp_path / ("a long name " * 8).strip() / ("and another " * 8).strip()
        deep.mkdir(parents=True)
        (deep / "espeakng_loader").symlink_to(Path(espeakng_loader.__file__).parent)
        order, _ = engine_order(asked("Hello there."))
        answer = subprocess.run(
            [sys.executable, "-m", "adapters.speech.espeak_process"],
            input=json.dumps(order).encode() + b"\n",
            capture_output=True,
            check=True,
            env={"PYTHONPATH": str(deep), "LC_ALL": "C.UTF-8"},
        )
        assert json.loads(answer.stdout.split(b"\n")[0])["bytes"] > 48_000, answer.stderr


class TestVoices:
    def test_engine_names_are_found_whatever_their_case(self):
        assert find_voice("en-us+michael").engine == "en-us+Michael"
        assert find_voice("PT-BR+Marcelo").engine == "pt-br+marcelo"
        assert find_voice("en-us; rm -rf") is None

    def test_every_language_has_a_default_and_labels_say_draft(self):
        assert [default_voice(tag) for tag in ("en", "en-GB", "pt-BR", "ja")] == [
            "en-us-draft", "en-gb-draft", "pt-br-draft", "",
        ]  # fmt: skip
        assert {voice.name for voice in voices_for("pt")} == {"pt-br-draft", "pt-br-draft-high"}
        assert all("draft voice" in voice.label for voice in VOICES.values())


class TestSound:
    def test_times_are_kept_to_the_sample(self):
        rate = 22_050
        dry = np.zeros(rate * 2, dtype="<i2")
        dry[rate : rate + 400] = 12_000
        wet = np.frombuffer(present(dry.tobytes(), rate, 0.0), dtype="<i2")
        assert len(wet) == 96_000
        first = int(np.flatnonzero(np.abs(wet.astype(int)) > 1_500)[0])
        assert abs(first - 48_000) < 48

    def test_fast_sizes(self):
        assert all(n <= fast_size(n) < n * 1.34 + 4 for n in range(2, 5_000, 7))

    def test_a_lost_mark_shares_its_neighbours_time_by_letters(self):
        starts, sources = word_starts({0: 0, 2: 3_000, 3: 6_000}, [4, 9, 3, 3], 0, 9_000, 22_050)
        assert starts == [0, 1_000, 3_000, 6_000]
        assert sources == ["synth", "interpolated", "synth", "synth"]

    def test_words_run_together_keep_the_later_mark(self):
        starts, sources = word_starts({0: 0, 1: 4_000, 2: 4_100}, [3, 3, 5], 0, 8_000, 22_050)
        assert starts == [0, 2_050, 4_100]
        assert sources == ["synth", "interpolated", "synth"]

    def test_a_word_ends_with_its_sound(self):
        sound = np.zeros(22_050, dtype="<i2")
        sound[1_000:3_000] = 9_000
        sound[10_000:12_000] = 9_000
        assert word_ends(sound.tobytes(), [1_000, 10_000], 22_050) == [3_220, 12_220]
