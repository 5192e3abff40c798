"""Frames of a video file by their number or moment: upright, with square pixels, in our colours.

The file is indexed once from its packets (nothing is decoded for that). Going forward decodes on; jumping or
going backward seeks to the key frame before and keeps what is decoded on the way, within a bound of memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from adapters.media.errors import NotAVideo
from adapters.media.planes import Plane, Planes, Size
from adapters.media.probe import open_media

KEPT_BYTES = 96 << 20
BT709, MPEG_RANGE = 1, 1
HD_FROM = 720
"""Untagged video of this height or more is BT.709, smaller BT.601."""
_CLEAR = ("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya", "pal8")


class Footage:
    """One video file, read frame by frame; `close` when done. Raises NotAVideo, MissingAsset."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._times, self._keys = _indexed(path)
        self._open()
        code = self._stream.codec_context
        self.clear = str(code.pix_fmt).startswith(_CLEAR)
        self._number = {time: k for k, time in enumerate(self._times)}
        self._decoded: Iterator[Any] = iter(())
        self._position = -2
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._kept_room = max(2, KEPT_BYTES // max(1, code.width * code.height * 3 // 2))
        # Only who goes backward comes to need what was decoded on the way.
        self._room = 2
        self._turn = 0
        first = self._frame(0)
        self._turn = -int(getattr(first, "rotation", 0) or 0) % 360
        aspect = self._stream.sample_aspect_ratio or code.sample_aspect_ratio
        self._aspect = Fraction(aspect) if aspect else Fraction(1)
        self._coded = code.width, code.height

    def _open(self) -> None:
        self._box = open_media(self._path, NotAVideo)
        self._stream = self._box.streams.video[0]
        self._stream.codec_context.thread_count = 1

    def close(self) -> None:
        self._box.close()

    @property
    def frames(self) -> int:
        return len(self._times)

    @property
    def size(self) -> tuple[int, int]:
        """Upright size with square pixels."""
        w, h = self._coded
        wide = round(w * self._aspect)
        return (h, wide) if self._turn in (90, 270) else (wide, h)

    def number_at(self, seconds: Fraction) -> int:
        """The frame that shows at a moment counted from the first frame; the nearest one outside the file."""
        tick = self._times[0] + seconds / self._stream.time_base
        return min(max(bisect_right(self._times, tick) - 1, 0), len(self._times) - 1)

    def begins_at(self, number: int) -> Fraction:
        """When a frame begins to show, in seconds from the first one."""
        return Fraction((self._times[number] - self._times[0]) * self._stream.time_base)

    def planes(self, number: int, size: Size | None = None) -> Planes:
        """A frame as BT.709 limited planes, scaled to an upright even `size` as its colours are changed.

        Without a size its sides are cut to even ones, and pixels may not be square: see `size`.
        """
        frame = self._frame(number)
        width, height = frame.width + frame.width % 2, frame.height + frame.height % 2
        if size is not None:
            width, height = size[::-1] if self._turn in (90, 270) else size
        if (frame.width, frame.height) != (width, height) or not _is_ours(frame):
            frame = _converted(frame, "yuv420p", width, height)
        arrays = [_array(plane) for plane in frame.planes[:3]]
        if self._turn:
            arrays = [np.ascontiguousarray(np.rot90(plane, -self._turn // 90)) for plane in arrays]
        return Planes(*arrays)

    def picture(self, number: int) -> Plane:
        """A frame as straight RGB or RGBA (h, w, 3 | 4) with its own pixels."""
        frame = self._frame(number)
        kind = "rgba" if self.clear else "rgb24"
        image = np.asarray(_converted(frame, kind, frame.width, frame.height).to_ndarray())
        return np.ascontiguousarray(np.rot90(image, -self._turn // 90)) if self._turn else image

    def _frame(self, number: int) -> Any:
        if number not in self._kept:
            self._seek(number)
        return self._kept[number]

    def _seek(self, number: int) -> None:
        if number < self._position:
            self._room = self._kept_room
        place = max(bisect_right(self._keys, self._times[number]) - 1, 0)
        if not self._position < number or self._number[self._keys[place]] > self._position + 1:
            self._decoded = self._frames_from(place)
            self._position = -2
        try:
            for frame in self._decoded:
                at = self._number.get(frame.pts)
                if at is None:
                    continue
                self._keep(at, frame)
                if at >= number:
                    break
        except av.FFmpegError as fault:
            raise NotAVideo(
                f"The video {self._path.name} is damaged at frame {number}: {fault}.",
                fix="Save it again, or use a part before the damage.",
            ) from fault
        if number not in self._kept:
            # A frame that the decoder drops is shown as the nearest one before it.
            before = [k for k in self._kept if k <= number]
            if not before:
                raise NotAVideo(f"The video {self._path.name} has no picture that decodes at frame {number}.")
            self._kept[number] = self._kept[max(before)]

    def _frames_from(self, place: int) -> Iterator[Any]:
        """Decode from a key frame on. Some containers (MPEG-TS) land behind it: then from an earlier one."""
        for earlier in range(place, max(place - 3, -1), -1):
            self._box.seek(self._keys[earlier], stream=self._stream, backward=True, any_frame=False)
            frames = self._box.decode(self._stream)
            first = next(frames, None)
            if first is not None and first.pts is not None and first.pts <= self._keys[place]:
                yield first
                yield from frames
                return
        self._box.close()
        self._open()
        yield from self._box.decode(self._stream)

    def _keep(self, number: int, frame: Any) -> None:
        self._position = number
        self._kept[number] = frame
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)


def _indexed(path: Path) -> tuple[list[int], list[int]]:
    """Times of all frames in showing order, and those of key frames."""
    with open_media(path, NotAVideo) as box:
        if not box.streams.video:
            raise NotAVideo(f"The file {path.name} has no moving picture.")
        packets = [(p.pts, p.is_keyframe) for p in box.demux(box.streams.video[0]) if p.size and p.pts is not None]
    times = sorted({pts for pts, _ in packets})
    keys = sorted({pts for pts, key in packets if key})
    if not times or not keys:
        raise NotAVideo(f"The video {path.name} has no frames with times.", fix="Save it again as MP4.")
    return times, keys


def _is_ours(frame: Any) -> bool:
    untagged_hd = int(frame.colorspace) not in (4, 5, 6, 7, 9, 10) and frame.height >= HD_FROM
    bt709 = int(frame.colorspace) == BT709 or untagged_hd
    return bool(frame.format.name == "yuv420p" and bt709 and int(frame.color_range) != 2)


def _converted(frame: Any, kind: str, width: int, height: int) -> Any:
    source = int(frame.colorspace)
    if source not in (1, 4, 5, 6, 7, 9):
        source = BT709 if frame.height >= HD_FROM else 5
    return frame.reformat(
        width=width,
        height=height,
        format=kind,
        src_colorspace=source,
        dst_colorspace=BT709,
        dst_color_range=MPEG_RANGE if kind.startswith("yuv") else 2,
        interpolation="AREA" if width <= frame.width and height <= frame.height else "BICUBIC",
        threads=1,
    )


def rgb_of(frame: Any) -> Plane:
    """A decoded frame as RGB (h, w, 3)."""
    return np.asarray(_converted(frame, "rgb24", frame.width, frame.height).to_ndarray(), np.uint8)


def _array(plane: Any) -> Plane:
    rows = np.frombuffer(plane, np.uint8)
    return rows[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)[:, : plane.width]
