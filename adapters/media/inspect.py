"""The quality gate: measures what a finished film really is and has it judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from adapters.media import loudness
from adapters.media.captions_seen import safely
from adapters.media.errors import MediaError, NotAVideo
from adapters.media.pcm import mapped
from adapters.media.pictures_seen import Seen, look, thumbs_of
from adapters.media.probe import FilmFacts, open_media, probe_film
from adapters.media.sound_heard import HEARD, SURE, clipped, envelope, silences, speech_lag, speech_of
from adapters.media.verdict import BT709, LONGEST_BLACK_S, LONGEST_FROZEN_S, Film, judged
from domain.production.ports import Finding, Inspection
from timeline.plan import RenderPlan

LONGEST_SILENCE_S = 2.5


def inspect_film(path: Path, plan: RenderPlan | None, folder: Path, report: Callable[[int, int], None]) -> Inspection:
    """Measure a film and judge it, by its plan if there is one. Progress counts frames."""
    try:
        film = measured(path, plan, folder, report)
    except NotAVideo as error:
        return Inspection({"size": path.stat().st_size}, [Finding("not_a_video", "error", error.sentence)])
    return Inspection(facts_of(film), [*judged(film, plan), *safely(path, plan, folder)])


def measured(path: Path, plan: RenderPlan | None, folder: Path, report: Callable[[int, int], None]) -> Film:
    """Read, decode and listen to the whole film. Raises NotAVideo, MissingAsset."""
    facts = probe_film(path)
    frames, gaps = _times(path, facts)
    seen = _watched(path, facts, report, plan.frames if plan else frames)
    heard, lag = None, None
    quiet, over = list[tuple[float, float]](), list[tuple[float, float]]()
    if facts.sound is not None:
        try:
            heard = loudness.measure(f"file:{path.resolve()}", folder)
            levels = envelope(path, folder)
            quiet = silences(levels, LONGEST_SILENCE_S)
            over = clipped(mapped(folder / HEARD))
            lag = speech_lag(levels, speech_of(plan)) if plan else None
        except MediaError as error:
            seen.damage = seen.damage or error.sentence
    return Film(facts, frames, gaps, is_faststart(path), seen, heard, quiet, over, lag, path.stat().st_size)


def _watched(path: Path, facts: FilmFacts, report: Callable[[int, int], None], total: int) -> Seen:
    faults: list[str] = []
    rate = facts.rate or Fraction(30)
    with open_media(path, NotAVideo) as box:

        def counted() -> Iterator[Any]:
            for number, small in enumerate(thumbs_of(box, box.streams.video[0], faults)):
                report(min(number + 1, total), total)
                yield small

        seen = look(counted(), math.ceil(min(LONGEST_BLACK_S, LONGEST_FROZEN_S) * rate))
    seen.damage = faults[0] if faults else ""
    return seen


def _times(path: Path, facts: FilmFacts) -> tuple[int, str]:
    """Count picture packets and say what is wrong with their times, if anything."""
    with open_media(path, NotAVideo) as box:
        stream = box.streams.video[0]
        packets = [(p.dts, p.pts) for p in box.demux(stream) if p.size]
        tick = 1 / (facts.rate * stream.time_base) if facts.rate else Fraction(0)
    if any(dts is None or pts is None for dts, pts in packets):
        return len(packets), "some pictures have no time"
    if any(b[0] <= a[0] for a, b in pairwise(packets)):
        return len(packets), "decoding times do not rise"
    shown = sorted(pts for _, pts in packets)
    uneven = sum(abs((b - a) - tick) >= 1 for a, b in pairwise(shown))
    return len(packets), f"{uneven} gaps between pictures are not one frame" if uneven else ""


def is_faststart(path: Path) -> bool:
    """Whether an MP4's index comes before its data; true for files that are no MP4."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind in (b"moov", b"mdat"):
                return kind == b"moov"
            skip = int.from_bytes(file.read(8), "big") - 16 if size == 1 else size - 8
            if skip < 0 or not kind.isalnum():
                return True
            file.seek(skip, 1)
    return True


def facts_of(film: Film) -> dict[str, Any]:
    """The measurements as plain values for manifests and pages."""
    facts, sound, heard = film.facts, film.facts.sound, film.heard
    return {
        "size": film.size,
        "width": facts.width,
        "height": facts.height,
        "rate": str(facts.rate),
        "frames": film.frames,
        "duration": round(float(facts.duration), 6),
        "codec": facts.codec,
        "pix_fmt": facts.pix_fmt,
        "bt709": facts.colour == BT709 and facts.limited,
        "faststart": film.faststart,
        "repeated_frames": film.seen.repeated,
        "black_frames": sum(run.end - run.first for run in film.seen.black),
        "audio_codec": sound.codec if sound else None,
        "audio_rate": sound.rate if sound else None,
        "audio_channels": sound.channels if sound else None,
        "audio_duration": round(float(sound.duration), 6) if sound else None,
        "loudness_lufs": _finite(heard.integrated) if heard else None,
        "loudness_range_lu": _finite(heard.range) if heard else None,
        "true_peak_dbtp": _finite(heard.true_peak) if heard else None,
        "speech_lag_s": film.lag.seconds if film.lag and film.lag.surety >= SURE else None,
    }


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None
