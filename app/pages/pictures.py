"""The project's picture library: look, add, describe, remove and bring back."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from adapters.images.intake import Incoming
from adapters.images.thumbnails import MEDIA_TYPE, WIDTHS
from app.errors import Missing
from app.forms import FormFault, FormState, read_form
from app.guards import FILE_POLICY
from app.i18n import Tongue
from app.intake import HARDEST, LIMITS, Desk, Taken, refuse
from app.pages.artifacts import served_type
from app.room import Room
from app.session import csrf_matches, token_of
from app.site import AnyRequest, Site
from app.uploads import Upload, receive
from app.views.pictures import (
    Outcome,
    field_names,
    form_values,
    make_card,
    make_library,
    picture_href,
    read_details,
    say_faults,
    say_refusal,
)
from domain.catalog.library import BadDetails, check_details, clean_details, edit_picture
from domain.production.library import (
    PictureInUse,
    PictureLine,
    list_pictures,
    read_picture,
    remove_picture,
    restore_picture,
)
from domain.production.queries.projects import ProjectLine

KEPT = "private, max-age=31536000, immutable"
"""A picture's address carries its id, and the file of an id never changes."""
SIZES = {f"{width}.webp": width for width in WIDTHS}
PATH = "/w/{tenant:str}/p/{project:str}/pictures"


# ── Looking ───────────────────────────────────────────────────────────────────────────────────────────────
@get(PATH)
async def show_pictures(request: AnyRequest) -> Response[str]:
    """A page of the library; search and page are in the address."""
    room = await Room.enter(request)
    query = request.query_params
    wanted = " ".join(query.get("q", "").replace("\x00", "").split())[:200]
    async with room.open() as unit:
        project, projects = await room.project(unit)
        found = await list_pictures(unit, project.id, wanted, _page_number(query.get("page", "")))
    view = make_library(
        room.tongue, found, project.languages, base_of(room), room.jobs_base, wanted, room.site.clock.now()
    )
    return room.page(
        "pictures/list.html",
        "content",
        view=view,
        shell=room.shell(projects, project, "pictures"),
        may_edit=room.principal.can("catalog:edit", project.id),
        removed=_id_or_none(query.get("removed", "")),
        restored=query.get("restored") == "1",
    )


@get(PATH + "/{picture:str}")
async def show_picture(request: AnyRequest) -> Response[str]:
    """One picture large, with its form."""
    room = await Room.enter(request)
    async with room.open() as unit:
        project, projects = await room.project(unit)
        line = await read_picture(unit, project.id, _picture_id(request))
    form = FormState(form_values(line, languages_of(project, line)))
    return _picture_page(room, project, projects, line, form)


@get(PATH + "/{picture:str}/file/{file:str}")
async def serve_picture(request: AnyRequest) -> Response[Any]:
    """The picture itself (`full`) or a small version (`320.webp`, `640.webp`)."""
    room = await Room.enter(request)
    file = str(request.path_params["file"])
    if file != "full" and file not in SIZES:
        raise Missing
    async with room.open() as unit:
        project, _ = await room.project(unit)
        line = await read_picture(unit, project.id, _picture_id(request))
    tenant_id = room.principal.tenant_id
    headers = {
        "ETag": f'"{line.sha256[:32]}-{file}"',
        "Cache-Control": KEPT,
        "Content-Disposition": "inline",
        "Content-Security-Policy": FILE_POLICY,
        "X-Content-Type-Options": "nosniff",
    }
    if headers["ETag"] in (part.strip() for part in request.headers.get("if-none-match", "").split(",")):
        return Response(b"", status_code=304, headers=headers)
    if file == "full":
        data = await room.site.store.get_bytes(tenant_id, line.sha256)
        return Response(data, media_type=served_type(line.media_type), headers=headers)
    small = await room.site.thumbnails.get(tenant_id, line.sha256, SIZES[file])
    return Response(small, media_type=MEDIA_TYPE, headers=headers)


# ── Adding ────────────────────────────────────────────────────────────────────────────────────────────────
@get(PATH + "/new")
async def show_upload(request: AnyRequest) -> Response[str]:
    """The form that adds pictures."""
    room = await Room.enter(request)
    async with room.open() as unit:
        project, projects = await room.project(unit)
        room.principal.require("catalog:edit", project.id)
    return _upload_page(room, project, projects, FormState({}))


@post(PATH, request_max_body_size=HARDEST, opt={"reads_token": True})
async def add_pictures(request: AnyRequest) -> Response[str]:
    """Take every file that can be taken, and say of each what became of it.

    Answered directly instead of by a move to another page: sending the form again adds nothing twice.
    """
    room = await Room.enter(request)
    async with room.open() as unit:
        project, projects = await room.project(unit)
        room.principal.require("catalog:edit", project.id)
    token = token_of(request)
    async with workplace(room.site) as folder:
        if folder is None:
            fault = FormFault("files", say_refusal(room.tongue, "full", {}))
            return _upload_page(room, project, projects, FormState({}, [fault]), 507)
        upload = await receive(request, folder, LIMITS, lambda given: csrf_matches(token, given))
        faults = check_upload(room.tongue, project.languages, upload)
        if faults:
            return _upload_page(room, project, projects, FormState(upload.fields, faults), 422)
        site = room.site
        desk = Desk(site.units, site.store, site.intake, room.principal, project.id)
        taken = await take_all(desk, project.languages, room.tongue.language, upload, folder)
    return _upload_page(room, project, projects, FormState({}), _status(taken), taken)


@asynccontextmanager
async def workplace(site: Site) -> AsyncIterator[Path | None]:
    """A folder for the files of one upload, gone afterwards; None when the disk is full."""
    try:
        held = tempfile.TemporaryDirectory(prefix="upload-", dir=site.settings.staging, ignore_cleanup_errors=True)
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        yield None
        return
    with held as folder:
        yield Path(folder)


def check_upload(tongue: Tongue, languages: Sequence[str], upload: Upload) -> list[FormFault]:
    """What is wrong with the form as a whole; faults of single files are told beside the file."""
    allowed = {*field_names(languages), "csrf"}
    faults = [
        FormFault("", tongue.gettext("The form has no field “%(name)s”.", name=name[:60]))
        for name in upload.fields
        if name not in allowed
    ]
    if not upload.files:
        faults.append(FormFault("files", tongue.gettext("No file was chosen. Choose one or more pictures.")))
    details = clean_details(read_details(upload.fields, languages))
    return faults + say_faults(tongue, check_details(details))


async def take_all(desk: Desk, languages: Sequence[str], spoken: str, upload: Upload, folder: Path) -> list[Taken]:
    """Take the files that arrived whole, and put all answers in the order of the form."""
    details = read_details(upload.fields, languages)
    language = spoken if spoken in languages else languages[0]
    whole = [Incoming(file.path, file.name) for file in upload.files if not file.fault]
    answers = [taken async for taken in desk.take(whole, folder, details, language)]
    answers.reverse()
    return [refuse(file.name, file.fault, {}) if file.fault else answers.pop() for file in upload.files]


def _status(taken: Sequence[Taken]) -> int:
    """200 when anything is in the library now, else what kept it out."""
    if any(one.picture for one in taken):
        return 200
    return 507 if any(one.refused == "full" for one in taken) else 422


# ── Changing ──────────────────────────────────────────────────────────────────────────────────────────────
@post(PATH + "/{picture:str}")
async def save_picture(request: AnyRequest) -> Response[Any]:
    """Save words and focus, all or nothing."""
    room = await Room.enter(request)
    values = await read_form(request)
    async with room.open() as unit:
        project, projects = await room.project(unit)
        line = await read_picture(unit, project.id, _picture_id(request))
        room.principal.require("catalog:edit", project.id)
        languages = languages_of(project, line)
        try:
            await edit_picture(unit, project.id, line.id, read_details(values, languages, line))
        except BadDetails as error:
            # Raised before anything is written.
            faults = say_faults(room.tongue, error.faults)
            kept = {name: values.get(name, "")[:2000] for name in field_names(languages)}
            return _picture_page(room, project, projects, line, FormState(kept, faults), 422)
    return room.go(f"{base_of(room)}/{line.id}?saved=1")


@post(PATH + "/{picture:str}/remove")
async def take_out(request: AnyRequest) -> Response[Any]:
    """Remove a picture; the list then offers to undo it."""
    room = await Room.enter(request)
    async with room.open() as unit:
        project, projects = await room.project(unit)
        line = await read_picture(unit, project.id, _picture_id(request))
        try:
            await remove_picture(unit, project.id, line.id)
        except PictureInUse as error:
            numbers = ", ".join(f"#{number}" for number in error.jobs)
            text = room.tongue.gettext(
                "The picture cannot be removed while %(jobs)s may use it. Wait until that is done, or cancel it.",
                jobs=numbers,
            )
            form = FormState(form_values(line, languages_of(project, line)), [FormFault("", text)])
            return _picture_page(room, project, projects, line, form, 409)
    return room.go(f"{base_of(room)}?removed={line.id}")


@post(PATH + "/{picture:str}/restore")
async def bring_back(request: AnyRequest) -> Response[Any]:
    """Undo a removal."""
    room = await Room.enter(request)
    async with room.open() as unit:
        project, _ = await room.project(unit)
        await restore_picture(unit, project.id, _picture_id(request))
    return room.go(f"{base_of(room)}?restored=1")


# ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────────
def base_of(room: Room) -> str:
    return f"/w/{room.seat.slug}/p/{room.project_slug}/pictures"


def languages_of(project: ProjectLine, line: PictureLine) -> list[str]:
    """The languages a picture's form shows: the project's, and others it has words in."""
    return list(dict.fromkeys([*project.languages, *line.captions, *line.tags]))


def _picture_id(request: AnyRequest) -> UUID:
    found = _id_or_none(str(request.path_params["picture"]))
    if found is None:
        raise Missing
    return UUID(found)


def _id_or_none(text: str) -> str | None:
    try:
        found = str(UUID(text))
    except ValueError:
        return None
    return found if found == text else None


def _page_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _picture_page(
    room: Room, project: ProjectLine, projects: list[ProjectLine], line: PictureLine, form: FormState, status: int = 200
) -> Response[str]:
    languages = languages_of(project, line)
    return room.page(
        "pictures/picture.html",
        "content",
        status,
        card=make_card(room.tongue, line, languages, base_of(room), room.jobs_base, room.site.clock.now()),
        full=picture_href(base_of(room), line.id, "full"),
        form=form,
        languages_shown=languages,
        base=base_of(room),
        shell=room.shell(projects, project, "pictures"),
        may_edit=room.principal.can("catalog:edit", project.id),
        saved=room.request.query_params.get("saved") == "1" and not form.faults,
    )


def _upload_page(
    room: Room,
    project: ProjectLine,
    projects: list[ProjectLine],
    form: FormState,
    status: int = 200,
    taken: Sequence[Taken] = (),
) -> Response[str]:
    return room.page(
        "pictures/new.html",
        "results",
        status,
        form=form,
        outcomes=[_outcome(room, one) for one in taken],
        languages_shown=list(project.languages),
        base=base_of(room),
        limits=LIMITS,
        shell=room.shell(projects, project, "pictures"),
    )


def _outcome(room: Room, taken: Taken) -> Outcome:
    tongue = room.tongue
    if taken.picture is None:
        return Outcome(taken.name, "refused", say_refusal(tongue, taken.refused, taken.facts))
    href = f"{base_of(room)}/{taken.picture}"
    small = picture_href(base_of(room), taken.picture, "320.webp")
    if not taken.new:
        return Outcome(taken.name, "known", tongue.gettext("This picture was already there."), href, small)
    return Outcome(taken.name, "added", tongue.gettext("Added."), href, small, taken.tags)
