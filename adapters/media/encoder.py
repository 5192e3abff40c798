"""A segment's picture through PyAV in a thread of its own, fed from a small pool of frames.

Every segment is made by its own encoder with the same settings, so segments can be joined by copy: closed
groups of pictures, the same parameter sets (`stitchable`), BT.709 tags, no times or tool names in the file.
"""

from __future__ import annotations

import errno
import queue
import threading
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from adapters.media import codecs
from adapters.media.errors import DiskFull, MediaError, ToolFailed
from adapters.media.planes import Plane, Planes, Size
from timeline.plan import Encoding, Rate

POOL = 4
BT709 = 1
LIMITED = 1


class PooledFrame:
    """An encoder frame and its planes as arrays over the same memory."""

    def __init__(self, size: Size) -> None:
        self.frame = av.VideoFrame(size[0], size[1], "yuv420p")
        self.frame.color_range = LIMITED
        self.frame.colorspace = BT709
        self.planes = Planes(*(_array(plane) for plane in self.frame.planes))


def _array(plane: Any) -> Plane:
    rows: Plane = np.frombuffer(plane, np.uint8)
    return rows[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)[:, : plane.width]


class SegmentEncoder:
    """Write frames to a silent MP4: `take()` an empty frame, fill it, `give()` it back, in order.

    Leaving the block without an error finishes the file. Raises DiskFull and ToolFailed.
    """

    def __init__(self, path: Path, size: Size, rate: Rate, encoding: Encoding) -> None:
        self._rate = Fraction(rate.num, rate.den)
        self._free: queue.SimpleQueue[PooledFrame | None] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[PooledFrame | None] = queue.SimpleQueue()
        self._fault: BaseException | None = None
        for _ in range(POOL):
            self._free.put(PooledFrame(size))
        self._box = av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"})
        self._stream = self._open_stream(size, encoding)
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)

    def _open_stream(self, size: Size, encoding: Encoding) -> Any:
        name = codecs.chosen(encoding.codec).encoder
        stream: Any = self._box.add_stream(name, rate=self._rate, options=codecs.options(name, encoding, size))
        codecs.configure(stream.codec_context, name, size, self._rate, encoding)
        stream.time_base = 1 / self._rate
        return stream

    def __enter__(self) -> SegmentEncoder:
        self._thread.start()
        return self

    def take(self) -> PooledFrame:
        """A frame to fill; waits until the encoder is done with one."""
        frame = self._free.get()
        if frame is None:
            self._raise_fault()
            raise ToolFailed("The encoder stopped early.")
        return frame

    def give(self, frame: PooledFrame) -> None:
        """Hand a filled frame over for encoding."""
        self._ready.put(frame)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ready.put(None)
        self._thread.join()
        self._box.close() if error is None and self._fault is None else self._abandon()
        if error is None:
            self._raise_fault()

    def _abandon(self) -> None:
        try:
            self._box.close()
        except (av.FFmpegError, OSError, ValueError):
            return

    def _work(self) -> None:
        count = 0
        try:
            while (pooled := self._ready.get()) is not None:
                pooled.frame.pts = count
                pooled.frame.time_base = 1 / self._rate
                count += 1
                self._box.mux(self._stream.encode(pooled.frame))
                self._free.put(pooled)
            self._box.mux(self._stream.encode(None))
        except BaseException as fault:
            self._fault = fault
            self._free.put(None)

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise file_fault(self._fault, "write the picture") from self._fault


def file_fault(fault: BaseException, doing: str) -> MediaError:
    """The media error for what a library or the file system said."""
    if isinstance(fault, MediaError):
        return fault
    if isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(
            f"There was no room on the disk to {doing}; nothing half-written was kept.",
            fix="Free some space, then retry.",
        )
    return ToolFailed(f"The encoder could not {doing}: {fault}.")
