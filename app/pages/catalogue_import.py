"""Files that are brought into the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Response, post
from litestar.datastructures import UploadFile

from app.bodies.entries import Trouble
from app.catalogue_files import FILE_LIMIT, read_file
from app.catalogue_reading import kind_of
from app.forms import FormState, read_form
from app.pages.catalogue import EDIT, PATH, base_of
from app.pages.catalogue_edit import save
from app.room import Room
from app.site import AnyRequest
from app.views.catalogue import TITLES, item_href
from app.views.troubles import tell_troubles
from domain.catalog.items import slugs_of_kind


@post(PATH + "/import")
async def import_item(request: AnyRequest) -> Response[Any]:
    """Save what a file holds: a new version of the item of its short name, or a new item."""
    room = await Room.enter(request)
    kind = kind_of(room)
    room.principal.require(EDIT)
    await read_form(request)
    file = (await request.form()).get("file")
    if not isinstance(file, UploadFile):
        return await _refused(room, kind, [Trouble("file", "file")])
    data = await file.read(FILE_LIMIT + 1)
    if len(data) > FILE_LIMIT:
        return await _refused(room, kind, [Trouble("file", "file-large", {"high": FILE_LIMIT // 1000})])
    async with room.open() as unit:
        taken = await slugs_of_kind(unit, kind)
        read = await read_file(unit, kind, data, room.tongue.gettext("From a file"), taken)
        if not read.troubles:
            await save(unit, kind, read.given.slug, read.given, read.project_id, None)
    if read.troubles:
        return await _refused(room, kind, read.troubles)
    return room.go(f"{item_href(room.base, kind, read.given.slug)}?saved=1")


async def _refused(room: Room, kind: str, troubles: Sequence[Trouble]) -> Response[str]:
    return await room.workspace_page(
        "catalogue/refused.html",
        "catalogue",
        422,
        form=FormState({}, tell_troubles(room.tongue, troubles)),
        action=f"{base_of(room, kind)}/import",
        list_href=base_of(room, kind),
        list_title=room.tongue.gettext(TITLES[kind]),
    )


HANDLERS = (import_item,)
