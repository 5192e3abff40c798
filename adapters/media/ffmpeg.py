"""The ffmpeg program: which one, what it is told, how it is run and how it is ended.

Argument lists are pure functions. No text of users ever enters one: files bear names of our own inside a
folder of our own, which is also the working directory, so that no path needs escaping in a filter graph.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from adapters.media.errors import ToolFailed, ToolTimedOut

QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error")
LOCAL_ONLY = ("-protocol_whitelist", "file,pipe")
SAFE_CONTAINERS = "mov,matroska,webm,wav,mp3,flac,ogg,aac,avi,mpegts,aiff"
"""Demuxers that cannot refer to other files (so no concat, HLS or playlists)."""
AUDIO_CAP_S = 900.0
_TAIL = 600
_LOG = "ffmpeg.log"


@cache
def binary() -> str:
    """Path of the ffmpeg to use: `VFOS_FFMPEG` if set, else the one in the wheel. Raises ToolFailed."""
    chosen = os.environ.get("VFOS_FFMPEG", "")
    if not chosen:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    found = shutil.which(chosen)
    if found is None:
        raise ToolFailed(
            f"VFOS_FFMPEG names {chosen!r}, which is not a program.", fix="Unset it or name an ffmpeg binary."
        )
    return found


@cache
def version() -> str:
    """The version ffmpeg says of itself, such as 9.0.2-static."""
    done = subprocess.run([binary(), "-version"], capture_output=True, timeout=20, check=False)
    found = re.match(rb"ffmpeg version (\S+)", done.stdout)
    if found is None:
        raise ToolFailed("The ffmpeg program did not tell its version.", fix="Check VFOS_FFMPEG.")
    return found[1].decode()


# ── Argument lists ────────────────────────────────────────────────────────────────────────────────────────
def text_states_argv(
    script: str, fonts: str, width: int, height: int, states: int, *, doubled: bool = False
) -> list[str]:
    """Draw `states` text states, one a second, on black and below it on white, as raw RGB to stdout.

    A `doubled` script holds each text twice, the second time `height` rows lower, so one pass draws both.

    Two opaque canvases instead of one transparent: ffmpeg's own alpha is wrong for translucent colours
    (it comes out squared), while white minus black gives it exactly.
    """
    ass = f"ass=f={script}:fontsdir={fonts}"
    black, white = (f"color=c={colour}:s={width}x{height}:r=1:d={states},format=rgb24" for colour in ("black", "white"))
    if doubled:
        graph = f"{black}[k];{white}[w];[k][w]vstack,{ass}"
    else:
        graph = f"{black},{ass}[k];{white},{ass}[w];[k][w]vstack"
    return [
        *("-hide_banner", "-nostdin", "-loglevel", "error", "-filter_complex_threads", "1"),
        *("-filter_complex", graph, "-frames:v", str(states)),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"),
    ]


def decode_sound_argv(source: str, rate: int, *, beside_picture: bool = False) -> list[str]:
    """Decode the first audio stream of `source` to raw interleaved stereo float at `rate` on stdout.

    Sound `beside_picture` keeps its time against it: silence stands for what is missing before it.
    """
    late = ":async=1:first_pts=0" if beside_picture else ""
    return [
        *QUIET,
        *LOCAL_ONLY,
        *("-format_whitelist", SAFE_CONTAINERS, "-i", source, "-map", "0:a:0", "-vn", "-sn", "-dn"),
        *("-af", f"aresample={rate}:resampler=swr{late},aformat=channel_layouts=stereo:sample_fmts=flt"),
        *("-f", "f32le", "pipe:1"),
    ]


def measure_argv(source: str, raw_rate: int | None = None) -> list[str]:
    """Measure loudness and true peak of `source` (raw stereo float when `raw_rate` is given)."""
    raw = ("-f", "f32le", "-ar", str(raw_rate), "-ac", "2")
    form = raw if raw_rate else ("-format_whitelist", SAFE_CONTAINERS)
    return [
        *QUIET,
        *LOCAL_ONLY,
        *form,
        *("-i", source, "-map", "0:a:0"),
        *("-af", "ebur128=metadata=1:peak=true,ametadata=mode=print:file=-", "-f", "null", "-"),
    ]


# ── Running ───────────────────────────────────────────────────────────────────────────────────────────────
def said(stderr: bytes) -> str:
    """The last words of the tool, for an error sentence, with addresses of objects left out."""
    text = re.sub(r"\s*@ 0x[0-9a-f]+", "", stderr.decode("utf-8", "replace"))
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())[-_TAIL:]


def environment(folder: Path) -> dict[str, str]:
    """An environment in which ffmpeg sees no fonts and settings of the machine."""
    return {"PATH": os.defpath, "HOME": str(folder), "FONTCONFIG_FILE": os.devnull, "LC_ALL": "C.UTF-8"}


def run(argv: Sequence[str], folder: Path, *, cap_s: float = AUDIO_CAP_S, what: str) -> bytes:
    """Run ffmpeg in `folder` to its end and return stdout. Raises ToolFailed and ToolTimedOut.

    Called only inside node processes, whose guard ends the whole process group.
    """
    try:
        done = subprocess.run(
            [binary(), *argv],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=cap_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolTimedOut(f"ffmpeg took longer than {cap_s:.0f} s to {what}.") from error
    if done.returncode != 0:
        raise ToolFailed(f"ffmpeg could not {what}: {said(done.stderr)}")
    return done.stdout


def ended_early(folder: Path, what: str) -> ToolFailed:
    """The error for a pipe that gave less than it should."""
    return ToolFailed(f"ffmpeg could not {what}: {said((folder / _LOG).read_bytes())}")


@contextmanager
def piped(argv: Sequence[str], folder: Path, *, what: str) -> Iterator[IO[bytes]]:
    """Run ffmpeg with its stdout as a stream; an early end of the reader ends it too. Raises ToolFailed."""
    log = folder / _LOG
    with log.open("wb") as stderr:
        child = subprocess.Popen(
            [binary(), *argv],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    assert child.stdout is not None
    finished = False
    try:
        yield child.stdout
        finished = child.stdout.read(1) == b""
    finally:
        child.stdout.close()
        if not finished:
            child.kill()
        status = child.wait()
    if finished and status != 0:
        raise ToolFailed(f"ffmpeg could not {what}: {said(log.read_bytes())}")
