"""Single frames of films that are being edited: drawn as the film would be, kept on this machine's disk.

They are a cache by what the frame shows; losing them costs only time.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from adapters.images.thumbnails import keep_beside, read_kept
from domain.production.ports import Assets, ObjectStore
from domain.production.pressing import plan_of
from domain.production.spec import JobSpec
from timeline.editing.draft import Draft
from timeline.plan import RenderPlan

if TYPE_CHECKING:
    from adapters.media.renderer import FfmpegRenderer

MEDIA_TYPE = "image/jpeg"
WIDTH = 640
AT_ONCE = 2


class Frames:
    """Frames by tenant and content, under `folder`. The renderer is loaded with the first one."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._renderer: FfmpegRenderer | None = None

    @property
    def renderer(self) -> FfmpegRenderer:
        if self._renderer is None:
            from adapters.media.renderer import FfmpegRenderer

            self._renderer = FfmpegRenderer()
        return self._renderer

    def plan(self, draft: Draft, spec: JobSpec, span: tuple[int, int] | None = None) -> RenderPlan:
        """Compile a draft, or a part of it. Raises TimelineError."""
        from adapters.wiring import film_fonts

        return plan_of(draft, spec, film_fonts(), self.renderer.build, span=span)

    async def get(self, tenant_id: UUID, draft: Draft, spec: JobSpec, frame: int) -> bytes:
        """Draw a frame as JPEG, or find it. Raises TimelineError; FileNotFoundError where a picture is gone."""
        plan = await asyncio.to_thread(self.plan, draft, spec, (frame, frame + 1))
        path = self._folder / str(tenant_id) / plan.segments[0].key[:2] / f"{plan.segments[0].key}.jpg"
        if (kept := await asyncio.to_thread(read_kept, path)) is not None:
            return kept
        async with self._gate:
            return await self._draw(tenant_id, plan, path)

    async def _draw(self, tenant_id: UUID, plan: RenderPlan, path: Path) -> bytes:
        paths = {name: await self._store.local_path(tenant_id, name) for name in plan.assets if _seen(plan, name)}
        staging = Path(tempfile.mkdtemp(prefix="vfos-frame-"))
        try:
            piece, out = staging / "frame.mp4", staging / "frame.jpg"
            segment = plan.segments[0]
            await self.renderer.render_segment(plan, segment, Assets(paths), piece, _quiet, _never)
            await self.renderer.still(piece, 0, out, *fitted(plan))
            data = out.read_bytes()
            await asyncio.to_thread(keep_beside, data, path)
            return data
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def close(self) -> None:
        """End the renderer's helpers."""
        if self._renderer is not None:
            self._renderer.close()


def fitted(plan: RenderPlan) -> tuple[int, int]:
    """The size of a frame on a page: of the film's shape, its longer side as wide as the page shows it."""
    width, height = plan.output.width, plan.output.height
    scale = min(1.0, WIDTH / max(width, height))
    return round(width * scale / 2) * 2, round(height * scale / 2) * 2


def _seen(plan: RenderPlan, name: str) -> bool:
    """Whether an asset is one that can be looked at; sounds need not be fetched."""
    return not plan.assets[name].startswith("audio/")


def _quiet(_done: int, _total: int) -> None:
    return None


def _never() -> bool:
    return False
