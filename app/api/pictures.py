"""The pictures of a project's library."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from pydantic import Field

from app.api.asker import Asker
from app.api.job_shapes import ENGLISH
from app.api.problems import ApiProblem, invalid
from app.api.shapes import MOST, PAGE, ProblemFault, Shape, refusals
from app.intake import HARDEST, LIMITS, Desk, Taken
from app.pages.pictures import check_upload, take_all, workplace
from app.site import AnyRequest
from app.uploads import receive
from app.views.pictures import say_refusal
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


class TakenShape(Shape):
    """What became of a file."""

    name: str
    picture: UUID | None = Field(description="Its picture in the library; null when it was refused.")
    new: bool = Field(description="False when the project had this very picture already.")
    refused: str | None = Field(description="Why not, by a name that stays the same.")
    detail: str | None = Field(description="Why not, and what to do.")


class TakenList(Shape):
    """What became of each file, in their order."""

    items: list[TakenShape]


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


@post(
    "/projects/{project:str}/pictures",
    operation_id="addPictures",
    tags=["Pictures"],
    summary="Add pictures to a project",
    status_code=200,
    request_max_body_size=HARDEST,
    responses=refusals(404, 422, 507),
)
async def add_pictures(request: AnyRequest, project: FromPath[str]) -> Response[TakenList]:
    """A multipart form with `files` and words for all of them, as on the page; the same file twice is one picture.

    Answers what became of each file; 422 when none could be taken. Needs `catalog:edit`.
    """
    asker = Asker.of(request)
    async with asker.open() as unit:
        found = await asker.project(unit, project, "catalog:edit")
    async with workplace(asker.site) as folder:
        if folder is None:
            raise _disk_full()
        upload = await receive(request, folder, LIMITS, lambda _token: True)
        if faults := check_upload(ENGLISH, found.languages, upload):
            raise invalid([ProblemFault(detail=one.text, parameter=one.field or None) for one in faults])
        site = asker.site
        desk = Desk(site.units, site.store, site.intake, asker.principal, found.id)
        taken = await take_all(desk, found.languages, ENGLISH.language, upload, folder)
    items = [_taken(one) for one in taken]
    if not any(one.picture for one in items):
        if any(one.refused == "full" for one in taken):
            raise _disk_full()
        raise invalid([ProblemFault(detail=f"{one.name}: {one.detail}", parameter="files") for one in items])
    return Response(TakenList(items=items))


def _disk_full() -> ApiProblem:
    return ApiProblem(
        507, "disk-full", "The disk is full", "Make room where unfinished files are kept, then try again."
    )


def _taken(found: Taken) -> TakenShape:
    detail = say_refusal(ENGLISH, found.refused, found.facts) if found.refused else None
    return TakenShape(
        name=found.name, picture=found.picture, new=found.new, refused=found.refused or None, detail=detail
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
