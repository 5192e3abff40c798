"""The quality gate: measures what a finished film really is and has it judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from adapters.media import loudness
from adapters.media.captions_seen import Mark, found
from adapters.media.errors import MediaError, NotAVideo
from adapters.media.pcm import mapped
from adapters.media.pictures_seen import Seen, joined
from adapters.media.probe import FilmFacts, open_media, probe_film
from adapters.media.sound_heard import HEARD, SURE, clipped, envelope, silences, speech_lag, speech_of
from adapters.media.verdict import BT709, Film, judged
from adapters.media.watch import Coded, Watched, read, shortest, watch
from adapters.media.watch_key import watch_key
from domain.production.ports import Finding, Inspection
from timeline.plan import RenderPlan

LONGEST_SILENCE_S = 2.5


def inspect_film(
    path: Path, plan: RenderPlan | None, folder: Path, report: Callable[[int, int], None], seen: Sequence[Path] = ()
) -> Inspection:
    """Measure a film and judge it, by its plan if there is one. Progress counts frames.

    `seen`: for each segment of the plan the file that `watch` wrote; where they fit the film it is not decoded again.
    """
    try:
        film = measured(path, plan, folder, report, seen)
    except NotAVideo as error:
        return Inspection({"size": path.stat().st_size}, [Finding("not_a_video", "error", error.sentence)])
    return Inspection(facts_of(film), [*judged(film, plan), *(found(film.marks, plan) if plan else ())])


def measured(
    path: Path, plan: RenderPlan | None, folder: Path, report: Callable[[int, int], None], seen: Sequence[Path]
) -> Film:
    """Read, look at and listen to the whole film. Raises NotAVideo, MissingAsset."""
    facts = probe_film(path)
    frames, gaps, runs = _packets(path, facts, plan)
    pieces = _remembered(plan, runs, seen) if plan else None
    if pieces is None:
        pieces = [watch(path, plan, folder, report)]
    pictures, marks = _together(pieces, shortest(facts.rate or Fraction(30)))
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
            pictures.damage = pictures.damage or error.sentence
    size = path.stat().st_size
    return Film(facts, frames, gaps, is_faststart(path), pictures, marks, heard, quiet, over, lag, size)


def _remembered(plan: RenderPlan, runs: Sequence[str], seen: Sequence[Path]) -> list[Watched] | None:
    """What was seen of each segment, if all of them were seen whole and have the coded pictures of the film."""
    if not len(runs) == len(seen) == len(plan.segments):
        return None
    pieces: list[Watched] = []
    for segment, run, path in zip(plan.segments, runs, seen, strict=True):
        piece = read(path, watch_key(plan, segment))
        if piece is None or piece.packets != run or piece.damage or piece.glimpse.frames != segment.frames:
            return None
        pieces.append(piece)
    return pieces


def _together(pieces: Sequence[Watched], least: int) -> tuple[Seen, list[Mark]]:
    """One film from its pieces."""
    pictures = joined((piece.glimpse for piece in pieces), least)
    pictures.damage = next((piece.damage for piece in pieces if piece.damage), "")
    marks, start = list[Mark](), 0
    for piece in pieces:
        marks += [replace(mark, frame=mark.frame + start) for mark in piece.marks]
        start += piece.glimpse.frames
    return pictures, marks


def _packets(path: Path, facts: FilmFacts, plan: RenderPlan | None) -> tuple[int, str, list[str]]:
    """Count picture packets, say what is wrong with their times, and digest each segment's run of them."""
    ends = set(accumulate(segment.frames for segment in plan.segments)) if plan else set[int]()
    times: list[tuple[int | None, int | None]] = []
    runs: list[str] = []
    with open_media(path, NotAVideo) as box:
        stream = box.streams.video[0]
        coded = Coded(stream)
        for packet in box.demux(stream):
            if packet.size:
                coded.add(packet)
                times.append((packet.dts, packet.pts))
                if len(times) in ends:
                    runs.append(coded.digest())
        tick = 1 / (facts.rate * stream.time_base) if facts.rate else Fraction(0)
    whole = runs if plan and len(times) == plan.frames else []
    return len(times), _gaps(times, tick), whole


def _gaps(times: Sequence[tuple[int | None, int | None]], tick: Fraction) -> str:
    known = [(dts, pts) for dts, pts in times if dts is not None and pts is not None]
    if len(known) < len(times):
        return "some pictures have no time"
    if any(b[0] <= a[0] for a, b in pairwise(known)):
        return "decoding times do not rise"
    shown = sorted(pts for _, pts in known)
    uneven = sum(abs((b - a) - tick) >= 1 for a, b in pairwise(shown))
    return f"{uneven} gaps between pictures are not one frame" if uneven else ""


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
