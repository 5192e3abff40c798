"""Forms with files: read as they arrive, straight to disk, within limits per file and per form.

A file over its limit is thrown away while it arrives instead of breaking the connection, so that the browser is
there to hear which file it was.
"""

from __future__ import annotations

import asyncio
import errno
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from litestar.exceptions import ClientException
from multipart import MultipartError, MultipartSegment, PushMultipartParser  # type: ignore[import-untyped]

from app.errors import Forged, TooLarge
from app.guards import CSRF_FIELD
from app.site import AnyRequest

FIELD_BYTES = 20_000
MOST_FIELDS = 60
NAME_LENGTH = 120
PIECE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a form may hold: bytes of one file, bytes of all files, number of files."""

    file: int
    total: int
    files: int


@dataclass
class Received:
    """A file of the form. `fault`: bytes, total, count, full, or empty when it is whole at `path`."""

    name: str
    path: Path
    size: int = 0
    fault: str = ""


@dataclass
class Upload:
    """The form: its fields, and its files in order."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[Received] = field(default_factory=list)


async def receive(request: AnyRequest, folder: Path, limits: Limits, trusted: Callable[[str], bool]) -> Upload:
    """Read a multipart form; its files lie in `folder`.

    `trusted` judges the session's token, which must come before the first file. Raises Forged, TooLarge,
    ClientException for what is no such form.
    """
    kind, options = request.content_type
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise ClientException("not a multipart form")
    reader = _Reader(folder, limits, trusted)
    try:
        with PushMultipartParser(options["boundary"], max_header_size=8192, max_segment_count=1000) as parser:
            async for chunk in request.stream():
                if not chunk or parser.closed:
                    continue
                for event in parser.parse(chunk):
                    await reader.take(event)
    except MultipartError as fault:
        raise ClientException("not a multipart form") from fault
    finally:
        reader.close()
    reader.prove(request.headers.get("x-csrf-token", ""))
    return reader.upload


class _Reader:
    """Puts the parser's events where they belong."""

    def __init__(self, folder: Path, limits: Limits, trusted: Callable[[str], bool]) -> None:
        self.upload = Upload()
        self._folder, self._limits, self._trusted = folder, limits, trusted
        self._segment: MultipartSegment | None = None
        self._text = bytearray()
        self._file: Received | None = None
        self._sink: IO[bytes] | None = None
        self._total = 0

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event:
            await self._more(bytes(event))
        else:
            self._end()

    def prove(self, header: str = "") -> None:
        """Raise Forged unless the session's token was given."""
        if not self._trusted(self.upload.fields.get(CSRF_FIELD, "") or header):
            raise Forged

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def _begin(self, segment: MultipartSegment) -> None:
        self._segment, self._text, self._file = segment, bytearray(), None
        if segment.filename is None:
            if len(self.upload.fields) >= MOST_FIELDS:
                raise TooLarge
            return
        self.prove()
        place = len(self.upload.files)
        self._file = Received(plain_name(segment.filename), self._folder / f"file-{place}")
        if place >= self._limits.files:
            self._file.fault = "count"

    async def _more(self, piece: bytes) -> None:
        if self._file is None:
            self._text += piece
            if len(self._text) > FIELD_BYTES:
                raise TooLarge
            return
        self._file.size += len(piece)
        self._total += len(piece)
        if self._file.fault:
            return
        if self._file.size > self._limits.file:
            self._drop("bytes")
        elif self._total > self._limits.total:
            self._drop("total")
        else:
            await self._write(self._file, piece)

    async def _write(self, file: Received, piece: bytes) -> None:
        try:
            if self._sink is None:
                self._sink = file.path.open("wb", buffering=PIECE)
            await asyncio.to_thread(self._sink.write, piece)
        except OSError as fault:
            if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._drop("full")

    def _drop(self, fault: str) -> None:
        assert self._file is not None
        self._file.fault = fault
        self._discard_sink()
        self._file.path.unlink(missing_ok=True)

    def _discard_sink(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            try:
                sink.close()
            except OSError:
                # What was still in memory did not fit either; the file goes anyway.
                return

    def _end(self) -> None:
        if self._segment is None:
            return
        if self._file is None:
            self.upload.fields[str(self._segment.name)] = self._text.decode("utf-8", "replace").replace("\r\n", "\n")
        else:
            self._finish(self._file)
        self._segment = None

    def _finish(self, file: Received) -> None:
        try:
            self.close()
        except OSError as fault:
            if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._sink = None
            self._drop("full")
        # Browsers send one nameless, empty file when nothing was chosen.
        if file.size or file.name:
            self.upload.files.append(file)
            if not file.size:
                file.path.touch()


def plain_name(given: str) -> str:
    """The last part of a file's name, fit to be shown."""
    leaf = given.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(sign for sign in unicodedata.normalize("NFC", leaf) if sign.isprintable())
    return shown.strip()[:NAME_LENGTH]
