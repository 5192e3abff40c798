"""Encoders: which one writes a codec on this machine, found by encoding, and what each is told.

Software encoders are the default: they are everywhere and give the same bytes everywhere. With
`VFOS_ENCODERS=hardware` those of the graphics card are tried first; each is believed only after it has encoded.

The libraries are loaded where they are used: who only names an encoder's settings needs none of them.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from adapters.media.errors import PlanUnrenderable
from timeline.plan import Encoding

SETTING = "VFOS_ENCODERS"
SOFTWARE = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}
HARDWARE = {
    "h264": ("h264_nvenc", "h264_qsv", "h264_videotoolbox", "h264_amf"),
    "hevc": ("hevc_nvenc", "hevc_qsv", "hevc_videotoolbox", "hevc_amf"),
    "av1": ("av1_nvenc", "av1_qsv", "av1_amf"),
}
B_FRAMES = 2
REORDER = {"libx264": 2, "libx265": 1}
"""Frames that decoding runs ahead of showing; others are used without such frames."""
AV1_PRESETS = {"ultrafast": 12, "superfast": 11, "veryfast": 10, "faster": 9, "fast": 8, "medium": 6, "slow": 5}
_TRIAL = (256, 144)
AVX512F = 13
"""OpenCV's number of this processor feature."""


@dataclass(frozen=True)
class Choice:
    """The encoder taken for a codec. `refused`: those tried before it, each with what it said."""

    codec: str
    encoder: str
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def report(self) -> str:
        """One sentence about a fallback; empty when the first choice was taken."""
        if not self.refused:
            return ""
        tried = "; ".join(f"{name}: {why}" for name, why in self.refused)
        return f"{self.codec} is encoded by {self.encoder} because others do not work here ({tried})."


def chosen(codec: str) -> Choice:
    """The encoder to use for a codec. Raises PlanUnrenderable when none works."""
    return _chosen(codec, os.environ.get(SETTING, "software"))


def unusual() -> bool:
    """Whether other encoders than the usual ones are wanted; they give other bytes."""
    return os.environ.get(SETTING, "software") != "software"


@cache
def _chosen(codec: str, kind: str) -> Choice:
    import av

    if kind != "hardware" and SOFTWARE[codec] in av.codecs_available:
        return Choice(codec, SOFTWARE[codec])
    wanted = (*HARDWARE[codec], SOFTWARE[codec])
    refused: list[tuple[str, str]] = []
    for name in wanted:
        fault = trial(name, Encoding(codec=codec))
        if not fault:
            return Choice(codec, name, tuple(refused))
        refused.append((name, fault))
    said = "; ".join(f"{name}: {why}" for name, why in refused)
    raise PlanUnrenderable(f"No encoder for {codec} works on this machine ({said}).", fix="Choose another codec.")


def trial(name: str, encoding: Encoding) -> str:
    """Encode a few frames; answers what went wrong, or nothing."""
    import av
    import numpy as np

    try:
        code: Any = av.CodecContext.create(name, "w")
        configure(code, name, _TRIAL, Fraction(30), encoding)
        packets = 0
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(
                np.full((_TRIAL[1] * 3 // 2, _TRIAL[0]), 100, np.uint8), format="yuv420p"
            )
            frame.pts = number
            packets += len(code.encode(frame))
        packets += len(code.encode(None))
        return "" if packets else "it gave no picture"
    except (av.FFmpegError, ValueError) as fault:
        return str(fault)[:160] or type(fault).__name__


def reorder(encoding: Encoding) -> int:
    """Frames that decoding runs ahead of showing."""
    return REORDER.get(chosen(encoding.codec).encoder, 0)


def configure(code: Any, name: str, size: tuple[int, int], rate: Fraction, encoding: Encoding) -> None:
    """Set a codec context: size, times, closed groups, colours, and the encoder's own options."""
    code.width, code.height = size
    code.pix_fmt = encoding.pix_fmt
    code.time_base = 1 / rate
    code.framerate = rate
    code.thread_count = encoding.threads
    code.gop_size = encoding.gop
    code.max_b_frames = B_FRAMES if name in REORDER else 0
    code.color_range = code.color_primaries = code.color_trc = code.colorspace = 1
    code.options = options(name, encoding, size)


def options(name: str, encoding: Encoding, size: tuple[int, int]) -> dict[str, str]:
    """Private options of an encoder for segments that can be joined by copy."""
    gop, crf = encoding.gop, str(encoding.crf)
    if name == "libx264":
        rules = f"stitchable=1:keyint={gop}:open-gop=0:force-cfr=1:bframes={B_FRAMES}"
        return {
            "preset": encoding.preset,
            "crf": crf,
            "profile": "high",
            "x264-params": rules + (":asm=avx2" if _reads_beyond(size[0]) else ""),
            "flags": "+cgop+bitexact",
        }
    if name == "libx265":
        rules = f"keyint={gop}:open-gop=0:bframes={B_FRAMES}:b-pyramid=0:repeat-headers=0:info=0"
        return {
            "preset": encoding.preset,
            "crf": crf,
            "x265-params": f"{rules}:pools=none:frame-threads=1:log-level=error",
            "flags": "+cgop+bitexact",
        }
    if name == "libsvtav1":
        speed = str(AV1_PRESETS.get(encoding.preset, 10))
        return {"preset": speed, "crf": crf, "svtav1-params": f"keyint={gop}:lp=1:scd=0", "flags": "+bitexact"}
    if name.endswith("_nvenc"):
        return {"rc": "vbr", "cq": crf, "forced-idr": "1"}
    return {"global_quality": crf} if name.endswith("_qsv") else {}


def _reads_beyond(width: int) -> bool:
    """Whether x264 would weigh its macroblocks by memory nobody has written.

    Its AVX-512 routine of the macroblock tree takes eight at a time and goes past the end of a row whose count is no
    multiple of eight: the same frames then give other bytes from run to run. The AVX2 routine gives the true ones.
    """
    import cv2

    return math.ceil(width / 16) % 8 != 0 and bool(cv2.checkHardwareSupport(AVX512F))
