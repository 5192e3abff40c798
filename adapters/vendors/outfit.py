"""The tools of a job: what this machine makes, and in its place the providers that the job's project has chosen."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from adapters.images.chain import ImageChain
from adapters.vendors.desk import Desk
from adapters.vendors.stand_ins import VendorImages, VendorNarrator, VendorWriter
from domain.production.pipeline.base import Tools, Work
from domain.production.ports import ImageMaker
from domain.production.spec import ProviderPart, ProvidersPart


async def outfit(desk: Desk, board: ImageMaker, tools: Tools, work: Work) -> Tools:
    """Answer the tools of a job; `board` ends every chain of picture makers."""
    chosen = ProvidersPart.model_validate(work.job.spec.get("providers") or {})
    parts = [part for part in (chosen.writer, chosen.narrator, *chosen.images) if part is not None]
    if not parts:
        return tools
    rows = await desk.rows(work.tenant_id, [UUID(part.id) for part in parts])

    def hire(kind: type[VendorWriter] | type[VendorNarrator] | type[VendorImages], part: ProviderPart):  # type: ignore[no-untyped-def]
        return kind(desk, work.tenant_id, part, rows.get(UUID(part.id)))

    writer = hire(VendorWriter, chosen.writer) if chosen.writer else tools.writer
    narrator = hire(VendorNarrator, chosen.narrator) if chosen.narrator else tools.narrator
    images = ImageChain([*(hire(VendorImages, part) for part in chosen.images), board])
    build = " ".join((tools.renderer.build, writer.build, narrator.build, images.build))
    return replace(tools, writer=writer, narrator=narrator, images=images, build=build)
