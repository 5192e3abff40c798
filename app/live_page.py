"""Live pages that are made of whole blocks: the stream sends a block again whenever it looks different.

There is nothing to replay: whoever comes back gets the blocks as they are. A page is read at most once a second.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from litestar.response import Stream

from app.i18n import Tongue
from app.live import COMMENT, HEARTBEAT_S, LIFETIME_S, RIGHTS_S, guarded, message
from app.room import Room
from app.session import token_of
from app.side import Side
from app.site import Site
from app.templating import partial
from tenants.directory import load_visitor

LOOK_S = 1.0


async def still_reads(room: Room) -> bool:
    """Read session and membership again: rights may have ended, or changed, while a stream was open."""
    visitor = await load_visitor(room.site.units, token_of(room.request))
    principal = visitor.principal(room.seat.slug) if visitor else None
    if visitor is None or principal is None or not principal.can("jobs:read"):
        return False
    room.visitor, room.principal = visitor, principal
    return True


@dataclass
class PageStream:
    """One open page: `blocks` maps elements to blocks of the template, `read` answers the template's values.

    `may` says whether the reader's rights still hold; it is asked every half minute. `side`: the navigation's counts.
    """

    site: Site
    tongue: Tongue
    template: str
    blocks: Mapping[str, str]
    channels: tuple[str, ...]
    read: Callable[[], Awaitable[dict[str, Any]]]
    may: Callable[[], Awaitable[bool]]
    side: Side | None = None
    _sent: dict[str, str] = field(default_factory=dict)

    def response(self) -> Stream:
        """The stream as an answer."""
        return Stream(
            guarded(self.messages),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def messages(self) -> AsyncIterator[str]:
        """Yield messages until the reader's rights end or the stream has lived long enough."""
        born = checked = beat = time.monotonic()
        looked = 0.0
        yield COMMENT
        async with aclosing(self.site.feed.listen(*self.channels)) as hints:  # type: ignore[type-var]
            async for hint in hints:
                now = time.monotonic()
                if self.side is not None:
                    self.side.hear(hint)
                if self.site.closing or now - born > LIFETIME_S:
                    return
                if now - checked > RIGHTS_S:
                    checked = now
                    if not await self.may():
                        yield message("", event="end")
                        return
                if hint is not None and now - looked < LOOK_S:
                    # The poll after the last hint looks once more.
                    continue
                looked = now
                counted = await self.side.news() if self.side is not None else []
                if parts := await self.changed() + counted:
                    beat = now
                    yield message("".join(parts))
                elif now - beat > HEARTBEAT_S:
                    beat = now
                    yield COMMENT

    async def changed(self) -> list[str]:
        """The blocks that look different from what this page was sent last."""
        values, parts = await self.read(), []
        for target, block in self.blocks.items():
            body = self.site.templates.block(self.template, block, self.tongue, values)
            digest = hashlib.sha256(body.encode()).hexdigest()
            if self._sent.get(target) != digest:
                self._sent[target] = digest
                parts.append(partial(target, body))
        return parts
