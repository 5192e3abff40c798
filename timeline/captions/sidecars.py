"""Caption files beside the film: SubRip and WebVTT, from the same cues that are burnt in."""

from __future__ import annotations

import html
from collections.abc import Sequence

from timeline.plan import Cue, CueWord


def write_srt(cues: Sequence[Cue], sample_rate: int = 48_000) -> str:
    """Write cues as SubRip: numbered from 1, milliseconds after a comma."""
    blocks = [
        f"{number}\n{_clock(cue.start, sample_rate, ',')} --> {_clock(cue.end, sample_rate, ',')}\n"
        + "\n".join(_one_line(line) for line in cue.lines)
        for number, cue in enumerate(cues, start=1)
    ]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def write_vtt(cues: Sequence[Cue], sample_rate: int = 48_000) -> str:
    """Write cues as WebVTT with a time tag before each word that starts inside its cue."""
    blocks = ["WEBVTT"]
    for number, cue in enumerate(cues, start=1):
        times = f"{_clock(cue.start, sample_rate, '.')} --> {_clock(cue.end, sample_rate, '.')}"
        blocks.append(f"{number}\n{times}\n" + "\n".join(_timed_lines(cue, sample_rate)))
    return "\n\n".join(blocks) + "\n"


def _timed_lines(cue: Cue, rate: int) -> list[str]:
    """Put word times into lines; a line whose words do not match the cue's is written plainly."""
    words = list(cue.words)
    lines: list[str] = []
    last = _millis(cue.start, rate)
    for line in cue.lines:
        texts = line.split()
        own, rest = words[: len(texts)], words[len(texts) :]
        if [word.text for word in own] != texts:
            return [_vtt_text(line) for line in cue.lines]
        pieces, last = _timed_words(own, cue, rate, last)
        lines.append(" ".join(pieces))
        words = rest
    return lines


def _timed_words(words: Sequence[CueWord], cue: Cue, rate: int, last: int) -> tuple[list[str], int]:
    """Tags must increase and lie strictly inside the cue; words without such a time go untagged."""
    pieces: list[str] = []
    for word in words:
        at = _millis(word.start, rate)
        tag = ""
        if last < at < _millis(cue.end, rate):
            tag, last = f"<{_clock(word.start, rate, '.')}>", at
        pieces.append(f"{tag}<c>{_vtt_text(word.text)}</c>")
    return pieces, last


def _vtt_text(text: str) -> str:
    return html.escape(_one_line(text), quote=False)


def _one_line(text: str) -> str:
    """Keep a text from ending its block or looking like a time line."""
    return " ".join(text.split()).replace("-->", "→")


def _millis(sample: int, rate: int) -> int:
    return (max(sample, 0) * 1000 + rate // 2) // rate


def _clock(sample: int, rate: int, point: str) -> str:
    millis = _millis(sample, rate)
    seconds, millis = divmod(millis, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{millis:03d}"
