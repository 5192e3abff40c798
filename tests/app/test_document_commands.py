"""`vfos plan, export, import, still, contact-sheet` on plain files, in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.cli import main
from app.console import DONE, FAILED, WRONG

TRACKS = [
    {
        "role": "picture",
        "items": [
            {"id": "a", "color": "#336699", "length": "1"},
            {"id": "x", "transition": "crossfade", "duration": "10f"},
            {"id": "b", "color": "#993333", "length": "1"},
        ],
    },
    {"role": "overlay", "items": [{"id": "t", "text": "Hello", "length": "0.5"}]},
]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write(tmp_path / "my film.json", TRACKS)


def write(path: Path, tracks: Any) -> Path:
    path.write_text(
        json.dumps({"schema": "timeline/1", "title": "T", "profiles": ["preview"], "sequence": {"tracks": tracks}})
    )
    return path


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


class TestPlan:
    def test_says_what_a_change_makes_again_and_why(self, film, capsys):
        other = write(film.with_name("new.json"), json.loads(json.dumps(TRACKS).replace("#993333", "#339933")))
        assert answer(capsys, "plan", str(film), "-o", str(film.with_name("plan.json")))[0] == DONE
        code, found = answer(capsys, "plan", str(other), "--against", str(film.with_name("plan.json")))
        assert code == DONE
        whys = [(segment["kept"], segment["why"]) for segment in found["segments"]]
        assert whys == [(True, ""), (False, "its picture changed"), (False, "its picture changed")]
        assert (found["remade_frames"], found["sound"]) == (35, "kept")

    def test_faults_are_data(self, film, capsys):
        write(film, [{"role": "picture", "items": [{"colour": "#111", "length": "1"}]}])
        code, found = answer(capsys, "plan", str(film))
        assert code == FAILED
        fault = next(fault for fault in found["faults"] if fault["code"] == "E_UNKNOWN_FIELD")
        assert (fault["nearest"], fault["patch"][0]["op"]) == ("color", "move")


class TestExchange:
    def test_out_and_in_again(self, film, capsys):
        out = film.with_name("film.otio")
        assert answer(capsys, "export", str(film), "--to", "otio", "-o", str(out))[0] == DONE
        code, found = answer(capsys, "import", str(out), "-o", str(film.with_name("back.json")))
        assert (code, found["kept"], found["changed"]) == (DONE, ["a", "x", "b", "t"], [])
        assert answer(capsys, "plan", str(film.with_name("back.json")), "--against", str(film))[1]["remade_frames"] == 0

    def test_losses_of_an_edit_list_are_told(self, film, capsys):
        _, found = answer(capsys, "export", str(film), "--to", "edl")
        assert "Track track-2 (overlay) is left out." in found["losses"]
        assert Path(found["file"]).read_text().startswith("TITLE: T")

    def test_captions_become_words(self, film, capsys):
        path = film.with_name("said.srt")
        path.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello there\n")
        _, found = answer(capsys, "import", str(path))
        assert [word["text"] for word in json.loads(Path(found["file"]).read_text())] == ["Hello", "there"]

    def test_what_cannot_be_read_is_said(self, film, capsys):
        path = film.with_name("broken.otio")
        path.write_text("{")
        code, found = answer(capsys, "import", str(path))
        assert (code, found["faults"][0]["code"]) == (FAILED, "E_OTIO")

    def test_a_film_without_captions_has_no_caption_file(self, film, capsys):
        assert main(["export", str(film), "--to", "srt"]) == FAILED
        assert "no captions" in capsys.readouterr().err


class TestPictures:
    def test_a_still_shows_its_moment(self, film, capsys):
        out = film.with_name("still.jpg")
        code, found = answer(capsys, "still", str(film), "--at", "45f", "-o", str(out), "--width", "160")
        assert (code, found["frame"]) == (DONE, 45)
        with Image.open(out) as picture:
            assert picture.size == (160, 90)
            red, green, blue = picture.convert("RGB").getpixel((80, 45))
            assert red > 140 > 80 > max(green, blue) - 10

    def test_a_moment_outside_is_refused(self, film, capsys):
        assert main(["still", str(film), "--at", "60f", "-o", str(film.with_name("s.jpg"))]) == WRONG
        assert "has 60" in capsys.readouterr().err

    def test_a_contact_sheet_holds_all_pictures(self, film, capsys):
        out = film.with_name("sheet.jpg")
        _, found = answer(
            capsys, "contact-sheet", str(film), "-o", str(out), "--columns", "2", "--rows", "1", "--width", "64"
        )
        assert found["frames"] == [15, 45]
        with Image.open(out) as sheet:
            assert sheet.size == (2 * 64 + 18, 36 + 12)
