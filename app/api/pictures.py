"""The pictures of a project's library."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, QueryParameter
from pydantic import Field

from app.api.asker import Asker
from app.api.shapes import MOST, PAGE, Shape, refusals
from app.site import AnyRequest
from domain.production.library import PictureLine, list_pictures


class PictureShape(Shape):
    """A picture that films of the project can show."""

    id: UUID
    sha256: str
    media_type: str
    width: int
    height: int
    captions: dict[str, str] = Field(description="What is seen, by language.")
    tags: dict[str, list[str]] = Field(description="Words it is found by, by language.")
    licence: str
    credit: str
    uploaded_at: datetime
    last_job: int | None = Field(description="Number of the newest job that shows it.")


class PictureList(Shape):
    """A page of pictures, the newest first."""

    items: list[PictureShape]
    page: int
    pages: int
    total: int


@get(
    "/projects/{project:str}/pictures",
    operation_id="listPictures",
    tags=["Pictures"],
    summary="List the pictures of a project",
    responses=refusals(404),
)
async def list_project_pictures(
    request: AnyRequest,
    project: FromPath[str],
    q: Annotated[str, QueryParameter(description="Words that a picture's words must all hold.", max_length=200)] = "",
    page: Annotated[int, QueryParameter(ge=1, le=100_000)] = 1,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST, description="Entries of one page.")] = PAGE,
) -> Response[PictureList]:
    """The library, searched as on its page. Needs `catalog:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found = await asker.project(unit, project, "catalog:read")
        pictures = await list_pictures(unit, found.id, " ".join(q.split()), page, limit)
    return Response(
        PictureList(
            items=[_shown(line) for line in pictures.lines],
            page=pictures.page,
            pages=pictures.pages,
            total=pictures.total,
        )
    )


def _shown(line: PictureLine) -> PictureShape:
    return PictureShape(
        id=line.id,
        sha256=line.sha256,
        media_type=line.media_type,
        width=line.width,
        height=line.height,
        captions=dict(line.captions),
        tags={language: list(words) for language, words in line.tags.items()},
        licence=line.licence,
        credit=line.credit,
        uploaded_at=line.uploaded_at,
        last_job=line.last_job,
    )
