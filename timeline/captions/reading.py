"""Caption files read: SubRip and WebVTT become words with times, so that they caption any narration."""

from __future__ import annotations

import html
import re

from timeline.faults import Fault, TimelineError
from timeline.media import WORD_RATE, MediaWord

MAX_BYTES = 8 * 1024 * 1024
_TIMES = re.compile(
    r"\s*((?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3})\s*-->\s*((?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3})(?:\s.*)?", re.ASCII
)
_WORD_TIME = re.compile(r"<((?:\d{1,3}:)?\d{1,2}:\d{2}\.\d{3})>", re.ASCII)
_TAG = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}")


def read_captions(text: str) -> list[MediaWord]:
    """Answer the words of a caption file; each cue is a sentence. Raises TimelineError with every bad block.

    Words without times of their own share their cue by their length.
    """
    if len(text) > MAX_BYTES:
        raise TimelineError([Fault(code="E_SYNTAX", message="The caption file is too large.")])
    faults: list[Fault] = []
    words: list[MediaWord] = []
    cues, last = 0, 0
    for number, line, block in _blocks(text):
        times = next((place for place, each in enumerate(block) if "-->" in each), None)
        if times is None:
            if not _is_note(block):
                faults.append(_fault(line, f"block {number} has no times"))
            continue
        found = _TIMES.fullmatch(block[times])
        start, end = (_samples(found[1]), _samples(found[2])) if found else (0, 0)
        if found is None or end <= start or start < last:
            what = "is not written as 00:00:01,000 --> 00:00:02,000" if found is None else "does not run forward"
            faults.append(_fault(line + times, f"the time of block {number} {what}"))
            continue
        cues, last = cues + 1, start
        words += _words(" ".join(block[times + 1 :]), start, end, cues)
    if not cues and not faults:
        faults.append(Fault(code="E_SYNTAX", message="There is no caption in the file."))
    if faults:
        raise TimelineError(faults[:200])
    return words


def _blocks(text: str) -> list[tuple[int, int, list[str]]]:
    """Answer (number, first line, lines) of the blocks between empty lines."""
    blocks: list[tuple[int, int, list[str]]] = []
    current: list[str] = []
    for number, line in enumerate([*text.removeprefix("\\ufeff").splitlines(), ""], start=1):
        if line.strip():
            current.append(line)
        elif current:
            blocks.append((len(blocks) + 1, number - len(current), current))
            current = []
    return blocks


def _is_note(block: list[str]) -> bool:
    return block[0].startswith(("WEBVTT", "NOTE", "STYLE", "REGION"))


def _fault(line: int, what: str) -> Fault:
    return Fault(code="E_SYNTAX", message=f"In line {line} {what}.", at=f"line {line}", fix="Correct or remove it.")


def _samples(clock: str) -> int:
    *hours, minutes, seconds = clock.replace(",", ".").split(":")
    whole, _, part = seconds.partition(".")
    millis = int(part.ljust(3, "0"))
    total = (int(hours[0]) if hours else 0) * 3600 + int(minutes) * 60 + int(whole)
    return (total * 1000 + millis) * WORD_RATE // 1000


def _words(text: str, start: int, end: int, sentence: int) -> list[MediaWord]:
    pieces = _WORD_TIME.split(text)
    edges = [start, *(min(max(_samples(clock), start), end) for clock in pieces[1::2]), end]
    words: list[MediaWord] = []
    for place, piece in enumerate(pieces[::2]):
        begin, stop = edges[place], max(edges[place + 1], edges[place])
        words += _shared(html.unescape(_TAG.sub("", piece)).split(), begin, stop, sentence)
    return words


def _shared(texts: list[str], start: int, end: int, sentence: int) -> list[MediaWord]:
    total, done, words = sum(len(text) for text in texts) or 1, 0, []
    for text in texts:
        begin = start + (end - start) * done // total
        done += len(text)
        stop = start + (end - start) * done // total
        words.append(MediaWord(text, begin, stop, sentence, "interpolated"))
    return words
