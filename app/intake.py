"""From files on disk to pictures of a project: the same way for the page and for the command line."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.images.intake import CleanPicture, Incoming, Intake
from adapters.images.limits import MAX_BYTES, MAX_SIDE, MEGAPIXELS, MIN_SIDE
from app.uploads import Limits
from domain.catalog.library import MOST_TAGS, PictureDetails, clean_details, suggest_tags
from domain.production.library import PictureFile, keep_picture
from domain.production.ports import ObjectStore
from tenants.principal import Principal
from tenants.unit import Units

LIMITS = Limits(file=MAX_BYTES, total=400 << 20, files=50)
HARDEST = 1 << 30
"""Bytes of a form after which we stop listening."""
FACTS: Mapping[str, int] = {
    "megabytes": MAX_BYTES >> 20,
    "total": LIMITS.total >> 20,
    "files": LIMITS.files,
    "megapixels": MEGAPIXELS,
    "side": MAX_SIDE,
    "least": MIN_SIDE,
}
"""The numbers that sentences of refusals need."""


@dataclass(frozen=True)
class Taken:
    """What became of a file: its picture, or the code and numbers of a refusal."""

    name: str
    picture: UUID | None = None
    new: bool = False
    tags: tuple[str, ...] = ()
    refused: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Desk:
    """Where pictures are taken in, for one project."""

    units: Units
    store: ObjectStore
    intake: Intake
    principal: Principal
    project_id: UUID

    async def take(
        self, files: Sequence[Incoming], folder: Path, details: PictureDetails, language: str
    ) -> AsyncIterator[Taken]:
        """Clean, store and enter each file; words of its name join the tags of `language`. Raises Forbidden."""
        self.principal.require("catalog:edit", self.project_id)
        place = 0
        async for looked in self.intake.look(files, folder):
            name, place = files[place].name, place + 1
            if isinstance(looked, CleanPicture):
                yield await self._keep(name, looked, with_suggested(details, name, language))
            else:
                yield refuse(name, looked.code, looked.facts)

    async def _keep(self, name: str, picture: CleanPicture, details: PictureDetails) -> Taken:
        file = PictureFile(picture.path, picture.media_type, picture.width, picture.height)
        try:
            kept = await keep_picture(self.units, self.store, self.principal, self.project_id, file, details)
        except OSError as fault:
            if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return refuse(name, "full", {})
        tags = tuple(tag for tags in clean_details(details).tags.values() for tag in tags)
        return Taken(name, kept.id, kept.new, tags)


def refuse(name: str, code: str, facts: Mapping[str, Any]) -> Taken:
    return Taken(name, refused=code, facts={**FACTS, **facts})


def with_suggested(details: PictureDetails, name: str, language: str) -> PictureDetails:
    """What a person said comes first: the first tags count most when a scene looks for its picture."""
    given = list(details.tags.get(language, ()))
    present = {tag.strip().casefold() for tags in details.tags.values() for tag in tags}
    more = [tag for tag in suggest_tags(name) if tag not in present]
    room = max(0, MOST_TAGS - len(given))
    return replace(details, tags={**details.tags, language: [*given, *more[:room]]})
