"""What terminals and pipes see."""

from __future__ import annotations

import io
import json

import pytest

from app.console import CommandError, Console, Pace, drawn_bar, money, size, span


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError("no such file")


class Ascii(io.StringIO):
    encoding = "ascii"


class TestPlaces:
    def test_a_pipe_gets_no_colour_and_no_bar(self) -> None:
        out = io.StringIO()
        console = Console(out=out)
        console.bar("50 %")
        console.prefixed("web", "hello", "blue")
        assert "\x1b" not in out.getvalue()
        assert "50 %" not in out.getvalue()
        assert out.getvalue().startswith("web     ")

    def test_a_terminal_gets_both(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        out = Terminal()
        console = Console(out=out)
        console.bar("50 %")
        console.prefixed("web", "hello", "blue")
        assert out.getvalue().count("50 %") == 2
        assert "\x1b[34mweb" in out.getvalue()

    def test_no_color_is_honoured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        out = Terminal()
        Console(out=out).prefixed("web", "hello", "blue")
        assert "\x1b[34m" not in out.getvalue()

    def test_a_narrow_character_set_loses_no_line(self) -> None:
        out = Ascii()
        console = Console(out=out)
        console.frame("Läuft", [("Open", "http://localhost")])
        assert "L?uft" in out.getvalue()
        assert "+---" in out.getvalue()


class TestFrame:
    def test_all_sides_are_straight(self) -> None:
        out = io.StringIO()
        Console(out=out).frame("Title", [("Open", "http://x"), ("", "a much longer row of words")])
        widths = {len(line) for line in out.getvalue().splitlines() if line}
        assert len(widths) == 1


class TestAnswers:
    def test_json_goes_to_standard_output_alone(self) -> None:
        out, data = io.StringIO(), io.StringIO()
        Console(out=out, data=data, json=True).result({"a": 1}, "a is 1")
        assert json.loads(data.getvalue()) == {"a": 1}
        assert out.getvalue() == ""

    def test_errors_go_to_people_and_with_json_also_to_machines(self) -> None:
        out, data = io.StringIO(), io.StringIO()
        Console(out=out, data=data, json=True).error(CommandError("One.", "Two.", code=2))
        assert out.getvalue() == "error: One.\nerror: Two.\n"
        assert json.loads(data.getvalue()) == {"error": ["One.", "Two."], "code": 2}


class TestWords:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(0, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (185, "3:05 min"), (59.7, "1:00 min"), (3723, "1:02:03 h")],
    )
    def test_span(self, seconds: float, text: str) -> None:
        assert span(seconds) == text

    @pytest.mark.parametrize(("amount", "text"), [(None, "unknown"), (0, "$0"), (1_500_000, "$1.5"), (1234, "$0.0012")])
    def test_money_that_is_unknown_is_not_nothing(self, amount: int | None, text: str) -> None:
        assert money(amount) == text

    @pytest.mark.parametrize(
        ("octets", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (3_200_000_000, "3.2 GB")]
    )
    def test_size(self, octets: int, text: str) -> None:
        assert size(octets) == text

    def test_bars_are_always_as_long(self) -> None:
        assert {len(drawn_bar(part)) for part in (-1, 0, 0.3, 1, 7)} == {24}


class TestPace:
    def test_says_nothing_before_it_can(self) -> None:
        assert Pace(begun=0).left(0.01, 100) is None
        assert Pace(begun=0).left(0.5, 0.5) is None

    def test_estimates_by_what_was_taken(self) -> None:
        assert Pace(begun=0).left(0.25, 30) == 90
