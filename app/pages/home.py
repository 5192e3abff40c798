"""A workspace's front door: its first project, or what to do when there is none."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.response import Redirect

from app.errors import Missing
from app.room import Room
from app.site import AnyRequest
from domain.production.queries.projects import projects_of


@get("/w/{tenant:str}")
async def show_workspace(request: AnyRequest) -> Response[Any]:
    """To the jobs of the first project."""
    room = await Room.enter(request)
    async with room.open() as unit:
        projects = await projects_of(unit)
    if projects:
        return Redirect(f"/w/{room.seat.slug}/p/{projects[0].slug}/jobs", status_code=303)
    may_make = room.principal.can("projects:manage")
    return room.page("home/empty.html", "content", shell=room.shell([], None, ""), base=room.base, may_make=may_make)


@get("/w/{tenant:str}/p/{project:str}")
async def show_project(request: AnyRequest) -> Response[Any]:
    """To the jobs of the project."""
    room = await Room.enter(request)
    async with room.open() as unit:
        projects = await projects_of(unit)
    if all(line.slug != room.project_slug for line in projects):
        raise Missing
    return Redirect(room.jobs_base, status_code=303)
