"""One frame of a film as a JPEG, for thumbnails and posters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from adapters.media.errors import NotAVideo, PlanUnrenderable
from adapters.media.planes import crop_to_aspect, resize
from adapters.media.probe import open_media

QUALITY = 90


def make_still(film: Path, frame: int, out: Path, width: int, height: int) -> None:
    """Write frame number `frame` (the last one if there are fewer), cropped to the asked size."""
    from PIL import Image

    if frame < 0 or not 16 <= width <= 8192 or not 16 <= height <= 8192:
        raise PlanUnrenderable(f"A still of frame {frame} at {width} × {height} cannot be made.")
    with open_media(film, NotAVideo) as box:
        picture = _frame(box, frame)
        if picture is None:
            raise NotAVideo(f"The film {film.name} has no picture that decodes.")
        rgb = picture.to_ndarray(format="rgb24")
    size = (width, height)
    image = Image.fromarray(resize(crop_to_aspect(rgb, size, (0.5, 0.5)), size))
    image.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)


def _frame(box: Any, number: int) -> Any:
    """Seek to the group of pictures that holds the frame and decode up to it."""
    stream = box.streams.video[0]
    found = None
    try:
        tick = 1 / (stream.average_rate * stream.time_base)
        wanted = int(number * tick) + (stream.start_time or 0)
        box.seek(wanted, stream=stream, backward=True)
        for found in box.decode(stream):
            if found.pts is not None and found.pts + tick / 2 > wanted:
                return found
    except (av.FFmpegError, ZeroDivisionError, TypeError):
        return found
    return found
