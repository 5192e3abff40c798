"""The stream of pages that have none of their own: it brings the counts of the navigation."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from adapters.queue.names import events_channel
from app.live_page import PageStream, still_reads
from app.room import Room
from app.side import Side
from app.site import AnyRequest


@get("/w/{tenant:str}/events")
async def stream_side(request: AnyRequest) -> Response[Any]:
    """Open the stream of a page that has none of its own."""
    room = await Room.enter(request)
    room.principal.require("jobs:read")

    async def nothing() -> dict[str, Any]:
        return {}

    channels = (events_channel(room.principal.tenant_id),)
    side = Side(room, request.query_params.get("side", "")[:80])
    return PageStream(
        room.site, room.tongue, "ui/side.html", {}, channels, nothing, lambda: still_reads(room), side
    ).response()
