"""What a job has made: the list, the files, the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import MediaType, Response, get
from litestar.params import FromPath
from pydantic import Field

from app.api.asker import Asker
from app.api.problems import ApiProblem, not_yet
from app.api.shapes import ETAG, RANGE, Shape, refusals
from app.errors import Missing
from app.pages.artifacts import answer_file
from app.site import AnyRequest
from domain.production.model import Job
from domain.production.queries.job import Output, find_output, outputs_of


class ArtifactShape(Shape):
    """A file of a job. The same bytes have the same `sha256`."""

    name: str = Field(examples=["film.mp4", "pictures/s3.jpg"])
    role: str = Field(examples=["film", "captions", "thumbnail", "script", "manifest"])
    sha256: str
    size: int = Field(description="Bytes.")
    media_type: str = Field(examples=["video/mp4"])
    facts: dict[str, Any] = Field(description="What is known of the content, such as `seconds`, `width`, `height`.")
    created_at: datetime
    href: str = Field(description="Where to download it, with the same key.")


class ArtifactList(Shape):
    """All files of a job, in the order of its steps."""

    items: list[ArtifactShape]


@get(
    "/jobs/{job:uuid}/artifacts",
    operation_id="listArtifacts",
    tags=["Artifacts"],
    summary="List a job's files",
    responses=refusals(404),
)
async def list_artifacts(request: AnyRequest, job: FromPath[UUID]) -> Response[ArtifactList]:
    """All that it has made so far. Needs `artifacts:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found, _ = await asker.job(unit, job, "artifacts:read")
        outputs = await outputs_of(unit, found.id)
    return Response(ArtifactList(items=[_shown(found, output) for output in outputs]))


@get(
    "/jobs/{job:uuid}/artifacts/{name:path}",
    operation_id="downloadArtifact",
    tags=["Artifacts"],
    summary="Download a file",
    response_headers=[ETAG, RANGE],
    media_type="application/octet-stream",
    response_description="The file, with its own media type; 206 with a part of it where `Range` asks for one.",
    responses=refusals(404, 416),
)
async def download(request: AnyRequest, job: FromPath[UUID], name: FromPath[str]) -> Response[bytes]:
    """The file or, with `Range`, a part of it; `ETag` is its SHA-256. Needs `artifacts:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found, _ = await asker.job(unit, job, "artifacts:read")
        output = await find_output(unit, found, name.lstrip("/"))
    if output is None:
        raise Missing
    answer = answer_file(asker.site, asker.principal.tenant_id, request, output)
    if answer.status_code == 416:
        detail = f"The file has {output.size} bytes."
        headers = {"Content-Range": f"bytes */{output.size}"}
        raise ApiProblem(416, "range", "Outside the file", detail, headers)
    return answer


@get(
    "/jobs/{job:uuid}/manifest",
    operation_id="getManifest",
    tags=["Artifacts"],
    summary="Read a job's manifest",
    response_headers=[ETAG],
    responses=refusals(404, 409),
)
async def show_manifest(request: AnyRequest, job: FromPath[UUID]) -> Response[dict[str, Any]]:
    """The receipt: every input, version, provider's answer id, cost and hash. Needs `artifacts:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found, _ = await asker.job(unit, job, "artifacts:read")
        outputs = await outputs_of(unit, found.id)
    manifest = next((output for output in outputs if output.role == "manifest"), None)
    if manifest is None:
        raise not_yet("manifest")
    body = await asker.site.store.get_bytes(asker.principal.tenant_id, manifest.sha256)
    headers: Mapping[str, str] = {"ETag": f'"{manifest.sha256}"'}
    return Response(body, media_type=MediaType.JSON, headers=dict(headers))  # type: ignore[arg-type]


def _shown(job: Job, output: Output) -> ArtifactShape:
    return ArtifactShape(
        name=output.name,
        role=output.role,
        sha256=output.sha256,
        size=output.size,
        media_type=output.media_type,
        facts=dict(output.facts),
        created_at=output.created_at,
        href=f"/api/v1/jobs/{job.id}/artifacts/{quote(output.name)}",
    )
