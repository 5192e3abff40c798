"""A million broken documents: each is read or refused with faults, none ends in anything else.

Good documents are damaged in their text (bytes cut, doubled, swapped) and in their parts (values replaced by others
from anywhere); what still reads is resolved and compiled. `python -m benchmarks fuzz`; `VFOS_FUZZ` sets the number.
"""

from __future__ import annotations

import json
import os
import random
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from multiprocessing import get_context
from typing import Any

INPUTS = 1_000_000
SEED = 20_240_501
CHUNK = 2_000
_ODD: list[Any] = [
    "", " ", "0", "-1", "1e999", "NaN", "1/0", "9" * 40, "1:99", "45f", "-45f", "1fr", "0fr", "fill", "media",
    "end-9", "#12345", "\u202e\u0000", "{{x}}", "é" * 300, 0, -1, 10**30, True, False, None, [], {}, [[]],
    {"": ""}, {"var": "x"}, {"until": {"ref": "voice#s9"}}, {"at": "5"}, {"anchor": {"ref": "a"}},
    ["#000", "#fff"], "voice", "reverse", "zoom-in",
]  # fmt: skip


def seeds() -> list[dict[str, Any]]:
    """Good documents that use as much of the language as possible."""
    picture = [
        {"id": "a", "asset": "still", "length": "3", "motion": "zoom-in", "effects": ["grain"]},
        {"transition": "wipe", "duration": "0.5", "params": {"direction": "left"}},
        {"id": "b", "asset": "film", "source": {"in": "1", "dur": "2"}, "speed": "1.5", "fit": "contain"},
        {"gap": "1"},
        {"gradient": ["#111", "#eee"], "length": "1fr", "place": {"at": "8"}},
    ]
    overlay = [
        {"text": "{{name}}", "length": "2", "animations": [{"preset": "rise"}], "rotation": "5"},
        {
            "qr": "x",
            "length": {"until": {"ref": "b", "edge": "end"}},
            "place": {"anchor": {"ref": "a", "offset": "2.5"}},
        },
    ]
    whole = {
        "schema": "timeline/1",
        "variables": {"name": {"type": "text", "default": "N"}},
        "assets": {"still": {"uri": "s"}, "film": {"uri": "f"}, "voice": {"uri": "v"}},
        "sequences": {"in": {"tracks": [{"role": "picture", "items": [{"color": "#123", "length": "1"}]}]}},
        "profiles": ["preview", {"id": "own", "base": "square", "canvas": [320, 320]}],
        "sequence": {
            "fps": "30000/1001",
            "duration": "12",
            "markers": [{"id": "m", "at": "1"}],
            "tracks": [
                {"role": "picture", "items": picture},
                {"role": "overlay", "items": [*overlay, {"sequence": "in", "size": ["0.3", None]}]},
                {"role": "caption", "from": "voice", "effect": "karaoke"},
                {"role": "narration", "items": [{"asset": "voice", "place": {"at": "15f"}}]},
                {"role": "music", "duck_by": "narration", "items": [{"tone": "440", "length": "5", "fade_in": "1"}]},
            ],
        },
    }
    flat = {
        "schema": "timeline/1",
        "sequence": {"tracks": [{"role": "picture", "items": [{"color": "#111", "length": 1}]}]},
    }
    return [whole, flat]


def damaged_text(text: str, chance: random.Random) -> str:
    """Cut, double or swap a few stretches of a text."""
    for _ in range(chance.randint(1, 4)):
        a = chance.randrange(len(text) + 1)
        b = min(len(text), a + chance.randint(0, 12))
        piece = chance.choice(
            ["", text[a:b] * 2, text[b : b + 5], chance.choice('{}[],:"\\\n\t-#&*!|>%@`'), "\ufeff", "1e9"]
        )
        text = text[:a] + piece + text[b:]
    return text


def damaged_parts(value: Any, chance: random.Random, strength: float) -> Any:
    """Replace a few values by odd ones, drop or rename fields."""
    if chance.random() < strength:
        return chance.choice(_ODD)
    if isinstance(value, dict):
        kept = {
            name: damaged_parts(each, chance, strength)
            for name, each in value.items()
            if chance.random() > strength / 3
        }
        if chance.random() < strength:
            kept[chance.choice(["length", "place", "asset", "lenght", "items", "effects", "source"])] = chance.choice(
                _ODD
            )
        return kept
    if isinstance(value, list):
        return [damaged_parts(each, chance, strength) for each in value]
    return value


def _media() -> dict[str, Any]:
    from timeline.media import Media, MediaWord

    words = (
        MediaWord("One", 4_800, 20_000, 1),
        MediaWord("two.", 24_000, 40_000, 1),
        MediaWord("三つ", 60_000, 90_000, 2),
    )
    return {
        "still": Media("a" * 64, "image", 1600, 900),
        "film": Media("b" * 64, "video", 1280, 720, Fraction(4), 48_000),
        "voice": Media("c" * 64, "audio", duration=Fraction(4), sample_rate=48_000, words=words),
    }


def attempt(number: int, bases: Sequence[dict[str, Any]], tools: tuple[Any, Any]) -> str:
    """Try one input; answers what became of it."""
    from timeline.compile import compile_plan
    from timeline.faults import TimelineError
    from timeline.loading import load, parse
    from timeline.resolve import resolve

    media, fonts = tools
    chance = random.Random(SEED + number)
    base = bases[0] if chance.random() < 0.5 else bases[1]
    try:
        if number % 2:
            document = load(damaged_text(json.dumps(base), chance), format=chance.choice(["json", "yaml", None]))
        else:
            document = parse(damaged_parts(base, chance, chance.choice([0.004, 0.02, 0.08])))
        resolved = resolve(document, media)
        compile_plan(resolved, resolved.profiles[0].id, fonts, "b")
    except TimelineError as error:
        return "refused" if error.faults else "refused without a fault"
    return "read"


def chunk(start: int) -> tuple[Counter[str], list[str]]:
    """Try a run of inputs; answers counts and what must not happen."""
    from timeline.metrics import FontMetrics

    letters = dict.fromkeys((*range(32, 384), *range(8208, 8240), *range(12352, 12448), 19977), 500)
    fonts = dict.fromkeys(
        ("regular", "medium", "bold", "extrabold", "black"), FontMetrics("T", 1000, 950, 250, 0, letters, 500)
    )
    counts: Counter[str] = Counter()
    broken: list[str] = []
    bases, tools = seeds(), (_media(), fonts)
    for number in range(start, start + CHUNK):
        try:
            counts[attempt(number, bases, tools)] += 1
        except Exception:
            counts["broken"] += 1
            broken.append(f"input {number}: {traceback.format_exc(limit=-4)}")
    return counts, broken


def main(arguments: Sequence[str]) -> int:
    """Run all inputs; answers 1 when any ends in something else than a plan or faults."""
    total = int(os.environ.get("VFOS_FUZZ", INPUTS))
    begun = time.monotonic()
    counts: Counter[str] = Counter()
    broken: list[str] = []
    with get_context("spawn").Pool(int(os.environ.get("VFOS_FUZZ_JOBS", os.cpu_count() or 1))) as pool:
        for done, (some, bad) in enumerate(pool.imap_unordered(chunk, range(0, total, CHUNK)), start=1):
            counts += some
            broken += bad
            if done % 10 == 0:
                print(f"  {sum(counts.values())}/{total} inputs, {dict(counts)}", flush=True)
    for line in broken[:20]:
        print(line)
    print(f"{sum(counts.values())} inputs in {time.monotonic() - begun:.0f} s: {dict(counts)}")
    return 1 if broken or counts["refused without a fault"] else 0
