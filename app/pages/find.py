"""The command palette's answers; without script a page of its own."""

from __future__ import annotations

from litestar import Response, get

from app.room import Room
from app.site import AnyRequest
from app.views.find import LIMIT, MOST, make_found
from domain.catalog.items import find_items
from domain.production.queries.find import find_jobs
from domain.production.queries.projects import projects_of
from domain.production.queries.saved_views import find_views


@get("/w/{tenant:str}/find")
async def show_found(request: AnyRequest) -> Response[str]:
    """Jobs, actions, pages and projects that hold the text; without one the newest jobs and every page."""
    room = await Room.enter(request)
    text = " ".join(str(request.query_params.get("q", "")).split())[:LIMIT]
    async with room.open() as unit:
        projects = await projects_of(unit)
        jobs, views = await find_jobs(unit, text), await find_views(unit)
        # Without a text the list is of places to go, not of everything there is.
        items = await find_items(unit, text, MOST) if text else []
    view = make_found(room.tongue, text, room.seat, room.visitor.seats, projects, jobs, views, items)
    return room.page("find/found.html", "found", view=view, shell=room.shell(projects, None, "find"))
