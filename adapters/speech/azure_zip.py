"""The result of a batch job: a ZIP read in memory, within bounds, and nothing of it ever written by its own names."""

from __future__ import annotations

import io
import json
import re
import wave
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.production.ports import SAMPLE_RATE

MAX_ENTRY = 72 * 1024 * 1024
"""Twelve minutes of sound; the longest sentence takes two."""
MAX_TOTAL = 320 * 1024 * 1024
MAX_JSON = 4 * 1024 * 1024
_ENTRY = re.compile(r"(\d{4})\.(wav|word\.json|sentence\.json)|summary\.json")


class BadResult(Exception):
    """Raised when a result cannot be used; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Heard:
    """A word as the service tells it, with samples from the beginning of its sound."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Result:
    """One input's sound (mono 16-bit 48 kHz PCM) and words; without sound, `fault` says why. No words: None."""

    pcm: bytes
    words: tuple[Heard, ...] | None
    fault: str = ""


def read_results(data: bytes, count: int) -> list[Result]:
    """What each of `count` inputs became. Raises BadResult."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _entries(archive, count)
            faults = _faults(archive, entries)
            return [_result(archive, entries, f"{number:04d}", faults) for number in range(1, count + 1)]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise BadResult(f"The result is no readable ZIP file ({type(error).__name__}).") from error


def _entries(archive: zipfile.ZipFile, count: int) -> dict[str, zipfile.ZipInfo]:
    """The entries by name; whoever sends paths, doubles, secrets or bombs sends nothing that is used."""
    found: dict[str, zipfile.ZipInfo] = {}
    listed = archive.infolist()
    if len(listed) > 4 * count + 16:
        raise BadResult(f"The result holds {len(listed)} files, too many for its {count} sounds.")
    for info in listed:
        if _dangerous(info):
            raise BadResult(f"The result holds a file that leads outside its folder: “{info.filename[:80]}”.")
        if not _ENTRY.fullmatch(info.filename):
            continue
        if info.filename in found:
            raise BadResult(f"The result holds the file {info.filename} twice.")
        if info.flag_bits & 0x1:
            raise BadResult("The result is encrypted.")
        found[info.filename] = info
    total = sum(info.file_size for info in found.values())
    if total > MAX_TOTAL:
        raise BadResult(f"The result unfolds to {total // 2**20} MB; at most {MAX_TOTAL // 2**20} are read.")
    return found


def _dangerous(info: zipfile.ZipInfo) -> bool:
    name = info.filename
    symlink = (info.external_attr >> 16) & 0o170000 == 0o120000
    return symlink or name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name or "\0" in name


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    # The size in the directory is the sender's word; what really unfolds is counted.
    with archive.open(info) as file:
        content: bytes = file.read(limit + 1)
    if len(content) > limit:
        raise BadResult(f"The file {info.filename} of the result unfolds to more than {limit // 2**20} MB.")
    return content


def _json(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Any:
    try:
        return json.loads(_read(archive, info, MAX_JSON))
    except (ValueError, RecursionError) as error:
        raise BadResult(f"The file {info.filename} of the result is not JSON.") from error


def _faults(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo]) -> Mapping[int, str]:
    """The inputs (from 1) that the summary calls failed, with its words."""
    if "summary.json" not in entries:
        return {}
    summary = _json(archive, entries["summary.json"])
    rows = summary.get("results") if isinstance(summary, dict) else None
    failed: dict[int, str] = {}
    for number, row in enumerate(rows if isinstance(rows, list) else [], 1):
        if isinstance(row, dict) and str(row.get("status", "Succeeded")) != "Succeeded":
            told = row.get("error")
            words = told.get("message") if isinstance(told, dict) else told
            failed[number] = str(words or "The service gave no reason.")[:300]
    return failed


def _result(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], name: str, faults: Mapping[int, str]
) -> Result:
    if fault := faults.get(int(name)):
        return Result(b"", None, fault)
    sound = entries.get(f"{name}.wav")
    if sound is None:
        return Result(b"", None, "The result holds no sound for it.")
    try:
        pcm = wave_pcm(_read(archive, sound, MAX_ENTRY))
    except (wave.Error, EOFError) as error:
        return Result(b"", None, f"Its sound cannot be read: {error}")
    words = entries.get(f"{name}.word.json")
    return Result(pcm, heard(_json(archive, words)) if words else None)


def wave_pcm(data: bytes) -> bytes:
    """The samples of a WAV file. Raises wave.Error for anything but mono 16-bit 48 kHz with sound in it."""
    with wave.open(io.BytesIO(data)) as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if shape != (1, 2, SAMPLE_RATE):
            raise wave.Error(f"it is {shape[0]} × {8 * shape[1]} bit at {shape[2]} Hz, not mono 16 bit at 48 kHz")
        pcm: bytes = file.readframes(file.getnframes())
    if len(pcm) < 2:
        raise wave.Error("it is empty")
    return pcm[: len(pcm) // 2 * 2]


def heard(rows: Any) -> tuple[Heard, ...] | None:
    """The rows of a word.json (milliseconds); None when it is not what it should be, as if it were absent."""
    try:
        return tuple(_heard(row["Text"], row["AudioOffset"], row["Duration"]) for row in _rows(rows)) or None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _rows(rows: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(rows, list):
        raise TypeError("not a list")
    return rows


def _heard(text: Any, offset: Any, length: Any) -> Heard:
    start, lasts = float(offset), float(length)
    samples = SAMPLE_RATE // 1000
    return Heard(str(text), round(start * samples), round((start + lasts) * samples))
