"""`vfos check` and `vfos render` on plain files, without a database."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adapters.media.probe import FilmFacts, probe
from app.commands.render import part
from app.console import FAILED, WRONG, CommandError
from app.documents import open_file
from tests.app.test_cli import vfos
from timeline.faults import TimelineError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture and a sound in a folder whose name has a space."""
    place = tmp_path / "my film"
    place.mkdir()
    noise = np.random.default_rng(7).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    Image.fromarray(noise).save(place / "noise.png")
    tone = (np.sin(np.arange(96_000) * 0.06) * 9000).astype("<i2")
    with wave.open(str(place / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(tone.tobytes())
    return place


def write(folder: Path, **changes: Any) -> Path:
    document = {
        "schema": "timeline/1",
        "title": "Noise",
        "profiles": ["preview"],
        "assets": {"noise": {"uri": "noise.png"}, "tone": {"uri": "tone.wav"}},
        "sequence": {
            "fps": "30",
            "tracks": [
                {"role": "picture", "items": [{"asset": "noise", "length": "2"}]},
                {"role": "narration", "items": [{"asset": "tone"}]},
            ],
        },
        **changes,
    }
    path = folder / "film.json"
    path.write_text(json.dumps(document))
    return path


class TestCheck:
    def test_says_what_a_document_becomes(self, folder: Path) -> None:
        done = vfos("check", str(write(folder)), "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["profile"], found["frames"], found["seconds"]) == ("preview", 60, 2.0)
        assert found["segments"] >= 1

    def test_reports_every_bad_file_at_once(self, folder: Path) -> None:
        assets = {
            "noise": {"uri": "missing.png"},
            "tone": {"uri": "https://example.org/tone.wav"},
            "text": {"uri": "film.json"},
        }
        done = vfos("check", str(write(folder, assets=assets)), "--json")
        assert done.returncode == FAILED
        places = [fault["path"] for fault in json.loads(done.stdout)["faults"]]
        assert places == ["/assets/noise", "/assets/tone", "/assets/text"]
        assert "Traceback" not in done.stderr

    def test_faults_of_form_do_not_hide_faults_of_time(self, folder: Path) -> None:
        document = json.loads(write(folder).read_text())
        document["sequence"]["tracks"][0]["items"][0]["fit"] = "covr"
        text = {"text": "Hello", "length": "1", "style": "titel", "place": {"anchor": {"ref": "nobody"}}}
        document["sequence"]["tracks"].append({"role": "overlay", "items": [text]})
        (folder / "film.json").write_text(json.dumps(document))
        done = vfos("check", str(folder / "film.json"), "--json")
        codes = [fault["code"] for fault in json.loads(done.stdout)["faults"]]
        assert codes == ["E_UNKNOWN_WORD", "E_UNKNOWN_REF", "E_UNKNOWN_STYLE"]

    def test_every_profile_is_checked(self, folder: Path) -> None:
        path = write(folder, profiles=["preview", {"id": "part", "base": "square", "range": {"start": 50}}])
        opened = open_file(path)
        assert opened.compile().plan.output.profile == "preview"
        (other,) = opened.others()
        with pytest.raises(TimelineError, match="E_RANGE"):
            other.compile()

    @pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"schema": "timeline/9"}', "\x00\x01"])
    def test_what_is_no_document_is_said(self, folder: Path, text: str) -> None:
        path = folder / "broken.json"
        path.write_text(text)
        done = vfos("check", str(path))
        assert done.returncode == FAILED
        assert "error: " in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_missing_document_is_named(self, folder: Path) -> None:
        done = vfos("check", str(folder / "nowhere.json"))
        assert done.returncode == FAILED
        assert "nowhere.json cannot be read" in done.stderr


class TestRender:
    def test_writes_the_film_and_nothing_else(self, folder: Path) -> None:
        out = folder / "out film.mp4"
        done = vfos("render", str(write(folder)), "-o", str(out), "--jobs", "2", "--json")
        found = json.loads(done.stdout)
        assert found["film"] == str(out), done.stderr
        facts = probe(out)
        assert isinstance(facts, FilmFacts)
        assert facts.frames == 60
        assert facts.sound is not None
        assert sorted(path.name for path in folder.iterdir()) == ["film.json", "noise.png", "out film.mp4", "tone.wav"]

    def test_a_part_of_the_film(self, folder: Path) -> None:
        opened = open_file(write(folder))
        assert part(opened, "", "") is None
        assert part(opened, "0.5", "00:00:01.500") == (15, 45)
        assert part(opened, "45f", "99") == (45, 60)
        assert opened.compile((15, 45)).plan.frames == 30
        for begin, end in (("5", ""), ("1", "1"), ("x", ""), ("-1", "")):
            with pytest.raises(CommandError):
                part(opened, begin, end)

    def test_a_target_that_is_no_film_is_refused_before_any_work(self, folder: Path) -> None:
        for out in ("film.avi", "missing/film.mp4"):
            done = vfos("render", str(write(folder)), "-o", str(folder / out))
            assert done.returncode == WRONG
            assert "--out: " in done.stderr
