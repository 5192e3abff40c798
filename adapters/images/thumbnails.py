"""Small versions of stored pictures for pages, made once and kept on this machine's disk.

They are a cache: losing them costs only time, and a full disk costs only the keeping.
"""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from uuid import UUID, uuid4

from domain.production.ports import ObjectStore

WIDTHS = (320, 640)
"""Widths in pixels: once and twice the width of a card."""
MEDIA_TYPE = "image/webp"
QUALITY = 78
AT_ONCE = 2


def scale(data: bytes, width: int) -> bytes:
    """A picture scaled to a width (never enlarged), as WebP without metadata."""
    # Loaded on first use: a server that shows no pictures needs no decoder.
    from PIL import Image

    image = Image.open(io.BytesIO(data))
    # JPEGs are decoded at a fraction of their size right away, which is several times quicker.
    image.draft("RGB", (width, width))
    image.load()
    clean = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if clean.width > width:
        clean = clean.resize((width, max(1, round(clean.height * width / clean.width))), Image.Resampling.LANCZOS)
    made = io.BytesIO()
    clean.save(made, "WEBP", quality=QUALITY, method=4)
    return made.getvalue()


class Thumbnails:
    """Scaled pictures by tenant, content and width, under `folder`."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def get(self, tenant_id: UUID, sha256: str, width: int) -> bytes:
        """Answer a small version; raises FileNotFoundError when the picture is not in the store."""
        path = self._path(tenant_id, sha256, width)
        if (kept := await asyncio.to_thread(read_kept, path)) is not None:
            return kept
        async with self._gate:
            data = await self._store.get_bytes(tenant_id, sha256)
            return await asyncio.to_thread(self._make, data, path, width)

    def _make(self, data: bytes, path: Path, width: int) -> bytes:
        small = scale(data, width)
        keep_beside(small, path)
        return small

    def _path(self, tenant_id: UUID, sha256: str, width: int) -> Path:
        return self._folder / str(tenant_id) / sha256[:2] / f"{sha256}-{width}.webp"


def read_kept(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def keep_beside(data: bytes, path: Path) -> None:
    """Write beside, then rename, so that nobody reads half a picture."""
    beside = path.with_name(f".{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
