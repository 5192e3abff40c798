"""Tiny video files with known frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from adapters.media.planes import from_rgb


def write_clip(
    path: Path,
    frames: list[NDArray[np.uint8]],
    *,
    rate: int = 25,
    gop: int = 8,
    aspect: Fraction | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> Path:
    """RGB frames (h, w, 3) with even sides as a nearly lossless BT.709 file."""
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream(codec, rate=rate, options=options or {"qp": "4", "preset": "ultrafast", "bf": "2"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        code = stream.codec_context
        code.gop_size, code.thread_count = gop, 1
        code.color_range = code.color_primaries = code.color_trc = code.colorspace = 1
        if aspect:
            code.sample_aspect_ratio = aspect
        for number, rgb in enumerate(frames):
            frame = av.VideoFrame(stream.width, stream.height, "yuv420p")
            frame.color_range = frame.colorspace = 1
            for plane, values in zip(frame.planes, from_rgb(rgb).each, strict=True):
                rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
                rows[: plane.height, : plane.width] = values
            frame.pts = number
            frame.time_base = Fraction(1, rate)
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    return path


def counting(count: int, size: tuple[int, int] = (64, 36)) -> list[NDArray[np.uint8]]:
    """Frame k is grey of level 8·k + 10; its top left quarter is red."""
    out = []
    for k in range(count):
        image = np.full((size[1], size[0], 3), 8 * k + 10, np.uint8)
        image[: size[1] // 2, : size[0] // 2] = (255, 0, 0)
        out.append(image)
    return out
