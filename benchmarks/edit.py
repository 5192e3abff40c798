"""A film of a hundred sentences and ten minutes, rendered; then sentence 57 is said anew, and it is rendered again.

    python -m benchmarks edit                          ten minutes at 640 × 360
    python -m benchmarks edit --profile longform-16x9  in full HD

Every sentence has a photograph with a camera path, a crossfade to the next, and captions. What is shown: how many
segments are made again, which share of the CPU time all of it takes, and that the files of the others stay as they are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.films import PHOTOGRAPHS, run

SENTENCES, EDITED, WORDS = 100, 57, 13
FRAME, RATE = 1_600, 48_000
"""Samples of a frame at 30 per second, and of a second."""
WORD = 20_000
MOST, SHARE = 3, 0.10


def words_of(edited: bool) -> list[dict[str, Any]]:
    """Words of the narration; each sentence ends on a whole frame, as narrations are padded. Samples at 48 kHz."""
    words: list[dict[str, Any]] = []
    at = 0
    for number in range(1, SENTENCES + 1):
        anew = edited and number == EDITED
        for place in range(WORDS + (3 if anew else 0)):
            text = f"{'other' if anew else 'word'}{place}" if place else f"Sentence {number}".replace(" ", "-")
            words.append({"text": text, "start": at, "end": at + WORD - 2_000, "sentence": number})
            at += WORD
        at += 40_000 + -(at + 40_000) % FRAME
    return words


def document(photos: Sequence[str], profile: str) -> dict[str, Any]:
    """The same document for both films: everything hangs on sentences."""
    items: list[dict[str, Any]] = []
    for number in range(1, SENTENCES + 1):
        until = {"until": {"ref": f"voice#s{number + 1}"}} if number < SENTENCES else "fill"
        items.append({"asset": f"p{number % len(photos)}", "length": until, "motion": "zoom-in"})
        if number < SENTENCES:
            items.append({"transition": "crossfade", "duration": "15f"})
    return {
        "schema": "timeline/1",
        "profiles": [profile],
        "assets": {
            "voice": {"uri": "voice.wav", "words": "words.json"},
            **{f"p{number}": {"uri": path} for number, path in enumerate(photos)},
        },
        "sequence": {
            "fps": "30",
            "tracks": [
                {"role": "picture", "items": items},
                {"role": "caption", "from": "voice", "effect": "highlight"},
                {"role": "narration", "items": [{"asset": "voice"}]},
            ],
        },
    }


def write_film(folder: Path, profile: str, edited: bool) -> Path:
    """Put a document with its narration into a folder."""
    folder.mkdir()
    words = words_of(edited)
    samples = words[-1]["end"] + 40_000 + -(words[-1]["end"] + 40_000) % FRAME
    beat = np.zeros(samples, "<i2")
    for word in words:
        beat[word["start"] : word["end"]] = (np.sin(np.arange(word["end"] - word["start"]) * 0.03) * 6_000).astype(
            "<i2"
        )
    with wave.open(str(folder / "voice.wav"), "wb") as file:
        file.setparams((1, 2, RATE, samples, "NONE", ""))
        file.writeframes(beat.tobytes())
    (folder / "words.json").write_text(json.dumps(words))
    photos = [str(path) for path in sorted(PHOTOGRAPHS.glob("*.jpg"))[:6]]
    (folder / "film.json").write_text(json.dumps(document(photos, profile)))
    return folder / "film.json"


def render(film: Path, keep: Path) -> tuple[float, dict[str, Any]]:
    """CPU seconds of `vfos render` and what it answers."""
    argv = [sys.executable, "-m", "app", "render", str(film), "-o", str(film.with_suffix(".mp4")), "--keep", str(keep)]
    cost = run([*argv, "--json"])
    return cost.cpu, dict(cost.more)


def digests(keep: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in keep.glob("*.mp4")}


def main(argv: Sequence[str]) -> int:
    """Print the figures; answers 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--profile", default="preview")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="vfos-edit-") as name:
        folder, keep = Path(name), Path(name) / "keep"
        whole, before = render(write_film(folder / "before", given.profile, False), keep)
        first = digests(keep)
        part, after = render(write_film(folder / "after", given.profile, True), keep)
        second = digests(keep)
    remade = int(after["segments"]) - int(after["reused_segments"])
    same = all(second[name] == digest for name, digest in first.items())
    print(f"film: {before['seconds']:.0f} s, {before['segments']} segments, {whole:.1f} CPU s")
    print(f"sentence {EDITED} said anew: {remade} segments made again (at most {MOST}), {part:.1f} CPU s in all,")
    print(f"{part / whole:.3f} of the whole (at most {SHARE}); others {'as they were' if same else 'CHANGED'}")
    return int(remade > MOST or part / whole > SHARE or not same)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
