"""From the words a service says it spoke to the times of the words that are shown. All times are samples at 48 kHz."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise

import numpy as np

from adapters.speech.azure_zip import Heard
from adapters.speech.sound import voiced_bounds
from domain.production.ports import SAMPLE_RATE, SpokenWord

SLACK = SAMPLE_RATE * 50 // 1000
"""How far the last word may reach past the sound."""
LEAST_MATCHED = 0.6
"""Below this part of the letters, what was heard is not what was asked for."""


@dataclass(frozen=True)
class Trimmed:
    """Sound without silence at its ends, and how many samples were taken off its beginning."""

    pcm: bytes
    cut: int


def trimmed(pcm: bytes) -> Trimmed:
    """Take the silence off both ends; sound that is silent throughout becomes empty."""
    first, last = voiced_bounds(pcm, SAMPLE_RATE)
    return Trimmed(pcm[first * 2 : last * 2], first)


def faults_of_times(heard: Sequence[Heard], length: int) -> str:
    """Why times cannot be those of a sound of `length` samples; empty when they can."""
    if not heard:
        return "there are no words"
    if any(word.start < 0 or word.end < word.start for word in heard):
        return "a word ends before it begins"
    if any(before.start > after.start for before, after in pairwise(heard)):
        return "the words are not in order"
    past = max(word.end for word in heard) - length
    return f"the last word ends {past * 1000 // SAMPLE_RATE} ms after the sound" if past > SLACK else ""


def place_words(
    shown: Sequence[str], spoken: Sequence[str], heard: Sequence[Heard], length: int
) -> tuple[SpokenWord, ...] | None:
    """Times of all shown words, or None when what was heard is not what they say.

    Both sides are compared letter by letter, so it does not matter how the service cuts words. A word whose first
    letter was heard has the service's time; the others share the time between their neighbours by their letters.
    """
    letters, owners = _letters(spoken)
    told, sources = _letters([word.text for word in heard])
    pairs = _pairs(letters, told)
    if not letters or len(pairs) < LEAST_MATCHED * len(letters):
        return None
    heard_at = dict(pairs)
    starts: dict[int, tuple[int, str]] = {}
    ends: dict[int, int] = {}
    for number in range(len(shown)):
        first, after = bisect_left(owners, number), bisect_right(owners, number)
        if first < after and first in heard_at:
            starts[number] = _start_of(heard, sources, heard_at[first])
            if after - 1 in heard_at:
                ends[number] = _end_of(heard, sources, heard_at[after - 1])
    return _filled(shown, spoken, starts, ends, length)


def shared_out(shown: Sequence[str], spoken: Sequence[str], length: int) -> tuple[SpokenWord, ...]:
    """The words over the whole sound by their letters, where nothing is known of their times."""
    return _filled(shown, spoken, {}, {}, length)


def _letters(words: Sequence[str]) -> tuple[str, list[int]]:
    """All letters of words in one line, for comparison, and the word each belongs to."""
    line: list[str] = []
    owners: list[int] = []
    for number, word in enumerate(words):
        plain = [c for c in unicodedata.normalize("NFKD", word.casefold()) if c.isalnum()]
        line += plain
        owners += [number] * len(plain)
    return "".join(line), owners


def _pairs(ours: str, theirs: str) -> list[tuple[int, int]]:
    """Which letter of ours is which of theirs."""
    if ours == theirs:
        return [(at, at) for at in range(len(ours))]
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [(block.a + step, block.b + step) for block in blocks for step in range(block.size)]


def _start_of(heard: Sequence[Heard], sources: Sequence[int], at: int) -> tuple[int, str]:
    """When a letter is said: its word's start, or its share of the word when it stands inside."""
    word = heard[sources[at]]
    first, after = bisect_left(sources, sources[at]), bisect_right(sources, sources[at])
    share = (word.end - word.start) * (at - first) // (after - first)
    return word.start + share, "interpolated" if at > first else "synth"


def _end_of(heard: Sequence[Heard], sources: Sequence[int], at: int) -> int:
    """When a letter has been said."""
    word = heard[sources[at]]
    first, after = bisect_left(sources, sources[at]), bisect_right(sources, sources[at])
    return word.start + (word.end - word.start) * (at + 1 - first) // (after - first)


def _filled(
    shown: Sequence[str],
    spoken: Sequence[str],
    starts: Mapping[int, tuple[int, str]],
    ends: Mapping[int, int],
    length: int,
) -> tuple[SpokenWord, ...]:
    """Every shown word, in order and inside the sound; those without a time share the gap they stand in."""
    anchors = [(-1, 0), *((number, min(max(at, 0), length)) for number, (at, _) in sorted(starts.items()))]
    anchors.append((len(shown), length))
    times: list[int] = []
    for (before, begin), (after, end) in pairwise(anchors):
        if before >= 0:
            times.append(begin)
        # The word before a gap takes part in sharing it, by its letters.
        weights = [len(spoken[number]) + 1 for number in range(max(before, 0), after)]
        shares = list(accumulate(weights, initial=0))
        times += [begin + (end - begin) * share // shares[-1] for share in shares[(1 if before >= 0 else 0) : -1]]
    times = np.maximum.accumulate(np.asarray(times, dtype=np.int64)).tolist() if times else []
    words: list[SpokenWord] = []
    for number, (text, start) in enumerate(zip(shown, times, strict=True)):
        limit = times[number + 1] if number + 1 < len(times) else length
        end = min(ends.get(number, limit), limit)
        words.append(SpokenWord(text, start, max(start, end), starts.get(number, (0, "interpolated"))[1]))
    return tuple(words)
