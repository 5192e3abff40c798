"""What commands write to a terminal: prefixed lines, frames, progress bars, JSON, and errors in sentences."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

DONE, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: done; tried and failed; wrong arguments, settings or unreachable service; stopped by Ctrl-C."""

COLOURS = {
    "blue": "34",
    "green": "32",
    "yellow": "33",
    "red": "31",
    "cyan": "36",
    "magenta": "35",
    "dim": "2",
    "bold": "1",
}


class CommandError(Exception):
    """Raised when a command cannot go on: clear sentences for people and the exit code."""

    def __init__(self, *sentences: str, code: int = FAILED) -> None:
        super().__init__("\n".join(sentences))
        self.sentences, self.code = sentences, code


@dataclass
class Console:
    """Writes for people on `out`; colour and redrawing only on a terminal, and never with NO_COLOR."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    data: TextIO = field(default_factory=lambda: sys.stdout)
    json: bool = False
    _bar: str = ""

    @property
    def terminal(self) -> bool:
        return self.out.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def coloured(self) -> bool:
        return self.terminal and not os.environ.get("NO_COLOR")

    @property
    def unicode(self) -> bool:
        return (self.out.encoding or "").lower().replace("-", "") == "utf8"

    def paint(self, text: str, *names: str) -> str:
        """Colour a text when colours are wanted."""
        if not self.coloured or not names:
            return text
        return f"\x1b[{';'.join(COLOURS[name] for name in names)}m{text}\x1b[0m"

    def say(self, line: str = "") -> None:
        """Write a line for people; a progress bar below it is redrawn."""
        bar, self._bar = self._bar, ""
        if bar:
            self.out.write("\r\x1b[2K")
        self._write(line + "\n")
        if bar:
            self.bar(bar)

    def prefixed(self, name: str, line: str, colour: str = "dim") -> None:
        """Write a line that says who speaks."""
        self.say(f"{self.paint(f'{name:<8}', colour)}{self.paint('│' if self.unicode else '|', 'dim')} {line}")

    def bar(self, line: str) -> None:
        """Show a line that the next one replaces; without a terminal nothing is shown."""
        if self.terminal:
            width = self._width()
            self._bar = line
            self._write("\r\x1b[2K" + line[: max(width - 1, 20)])

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self.out.fileno()).columns or 80
        except OSError:
            return 80

    def end_bar(self) -> None:
        """Remove the replaceable line."""
        if self._bar:
            self._bar = ""
            self._write("\r\x1b[2K")

    def frame(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Write rows in a box that is not overlooked between log lines."""
        tl, tr, bl, br, h, v = "╭╮╰╯─│" if self.unicode else "++++-|"
        label = max((len(name) for name, _ in rows), default=0)
        lines = [title, "", *(f"{name:<{label}}  {text}" for name, text in rows)]
        width = max(len(line) for line in lines) + 2
        self.say()
        self.say(self.paint(tl + h * (width + 2) + tr, "cyan"))
        for number, line in enumerate(lines):
            body = self.paint(f" {line:<{width}} ", "bold") if number == 0 else f" {line:<{width}} "
            self.say(f"{self.paint(v, 'cyan')}{body}{self.paint(v, 'cyan')}")
        self.say(self.paint(bl + h * (width + 2) + br, "cyan"))
        self.say()

    def result(self, value: Mapping[str, Any], *lines: str) -> None:
        """Give the command's answer: as JSON with --json, else as lines on standard output."""
        self.end_bar()
        if self.json:
            self.data.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
        else:
            self.data.writelines(line + "\n" for line in lines)
        self.data.flush()

    def error(self, error: CommandError) -> None:
        """Report why a command ended: sentences for people, and with --json also for machines."""
        self.end_bar()
        for sentence in error.sentences:
            self.say(self.paint("error: ", "red", "bold") + sentence)
        if self.json:
            self.data.write(json.dumps({"error": list(error.sentences), "code": error.code}, ensure_ascii=False) + "\n")
            self.data.flush()

    def _write(self, text: str) -> None:
        if not self.unicode:
            text = text.encode(self.out.encoding or "ascii", "replace").decode(self.out.encoding or "ascii")
        self.out.write(text)
        self.out.flush()


def span(seconds: float) -> str:
    """A length of time for people: 0.4 s, 12 s, 3:05 min, 1:02:03 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02} h"


def money(micro_dollars: int | None) -> str:
    """An amount for people; unknown is never shown as nothing."""
    return "unknown" if micro_dollars is None else f"${micro_dollars / 1_000_000:.4f}".rstrip("0").rstrip(".")


def size(octets: int) -> str:
    """An amount of bytes for people."""
    value = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


@dataclass
class Pace:
    """How fast a fraction grows, and what is left; `now` in seconds of any steady clock."""

    begun: float = field(default_factory=time.monotonic)
    fraction: float = 0.0

    def left(self, fraction: float, now: float) -> float | None:
        """Estimated seconds left; None until something can be said."""
        self.fraction = max(self.fraction, fraction)
        spent = now - self.begun
        if self.fraction < 0.02 or spent < 1:
            return None
        return spent * (1 - self.fraction) / self.fraction


def drawn_bar(fraction: float, width: int = 24, *, plain: bool = False) -> str:
    """A bar of `width` characters."""
    full = round(max(0.0, min(1.0, fraction)) * width)
    return ("#" * full + "-" * (width - full)) if plain else ("█" * full + "░" * (width - full))
