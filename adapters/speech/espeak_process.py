"""The process that holds espeak-ng: requests as JSON lines on standard input, answers as a JSON line and PCM.

The library is a singleton, not thread-safe, and under its own licence, so it lives in a process of its own that
ends when its input ends. One sentence per request; all times are samples of the answer's 48 kHz PCM.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import espeakng_loader

from adapters.speech.sound import TARGET_RATE, present, voiced_bounds, word_ends
from adapters.warm_child import answers_line, serve

SYNCHRONOUS, NO_EXIT = 2, 0x8000
UTF8, SSML = 1, 0x10
RATE, PITCH, RANGE, WORD_GAP = 1, 3, 4, 7
MARK = 3
SHORTEST_MS = 40


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("uid", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Engine:
    """espeak-ng, loaded once."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self.library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        data = Path(espeakng_loader.get_data_path())
        os.chdir(data.parent)  # the engine keeps 160 bytes for its path, and a folder may lie deeper than that
        self.rate: int = self.library.espeak_Initialize(SYNCHRONOUS, 0, data.name.encode(), NO_EXIT)
        if self.rate <= 0:
            raise RuntimeError("espeak-ng could not be initialised")
        self.pieces: list[bytes] = []
        self.marks: dict[int, int] = {}
        self.callback = _Callback(self._on_audio)  # kept: a collected callback crashes the process
        self.library.espeak_SetSynthCallback(self.callback)

    def _on_audio(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self.pieces.append(ctypes.string_at(samples, count * 2))
        index = 0
        while events[index].type != 0:
            if events[index].type == MARK:
                self.marks.setdefault(int(events[index].id.name), events[index].sample)
            index += 1
        return 0

    def synthesise(self, request: dict[str, Any]) -> tuple[bytes, dict[int, int]]:
        """PCM at the engine's rate and the samples of its marks. Raises ValueError for an unknown voice."""
        if self.library.espeak_SetVoiceByName(request["voice"].encode()) != 0:
            raise ValueError(f"the voice {request['voice']!r} is unknown")
        for parameter, name in ((RATE, "rate"), (PITCH, "pitch"), (RANGE, "range"), (WORD_GAP, "gap")):
            self.library.espeak_SetParameter(parameter, int(request.get(name, 0)), 0)
        self.pieces.clear()
        self.marks.clear()
        text = request["ssml"].encode()
        if self.library.espeak_Synth(text, len(text) + 1, 0, 1, 0, UTF8 | SSML, None, None) != 0:
            raise ValueError("espeak-ng did not take the text")
        self.library.espeak_Synchronize()
        return b"".join(self.pieces), dict(self.marks)


def speak(engine: Engine, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer one request: trimmed, presentable PCM and the words' samples in it."""
    raw, marks = engine.synthesise(request)
    first, last = voiced_bounds(raw, engine.rate)
    pcm = raw[first * 2 : last * 2]
    starts, sources = word_starts(marks, request["letters"], first, last - first, engine.rate)
    ends = word_ends(pcm, starts, engine.rate) if pcm else starts
    sound = present(pcm, engine.rate, float(request.get("gain", 0)))
    length = len(sound) // 2
    scaled = [[min(length, value * TARGET_RATE // engine.rate) for value in column] for column in (starts, ends)]
    return {"starts": scaled[0], "ends": scaled[1], "sources": sources}, sound


def word_starts(
    marks: dict[int, int], letters: Sequence[int], offset: int, length: int, rate: int
) -> tuple[list[int], list[str]]:
    """Starts of all words, and how each is known.

    Words whose mark was lost, or that the engine ran together with their neighbour (it then marks both where the
    second begins), share the time around them by their letters and are called interpolated.
    """
    count, least = len(letters), rate * SHORTEST_MS // 1000
    starts: dict[int, int] = {}
    earliest = length
    for number in sorted((number for number in marks if number < count), reverse=True):
        start = max(0, marks[number] - offset)
        if start <= earliest - least:
            starts[number] = earliest = start
    edges = [*sorted({**starts, 0: 0}.items()), (count, length)]
    placed: list[int] = []
    for (first, begin), (after, end) in pairwise(edges):
        weights = [letters[number] + 1 for number in range(first, after)]
        placed += [begin + (end - begin) * sum(weights[:index]) // sum(weights) for index in range(len(weights))]
    return placed, ["synth" if number in starts else "interpolated" for number in range(count)]


def main() -> None:
    """Speak each sentence in a fork.

    The engine carries state from one sentence to the next (phase, noise); a fork always begins as the engine was
    when it was loaded, so the same request gives the same bytes.
    """
    answers = answers_line()
    engine = Engine()
    serve(sys.stdin.buffer, answers, lambda request: speak(engine, request), fork=True)


if __name__ == "__main__":
    main()
