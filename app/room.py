"""A request inside a workspace: who asks, as whom, in which language; and how its pages are answered."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from litestar import Response
from litestar.response import Redirect

from app.errors import Archived, Missing, NeedsFactor, SignedOut
from app.i18n import Tongue
from app.recent import require_recent
from app.session import browser_of, csrf_of, find_visitor, token_of, tongue_of, trace_of
from app.site import AnyRequest, Site, site_of
from app.views.shell import Shell, look_of, make_shell
from domain.catalog.projects import note_project
from domain.production.queries.projects import ProjectLine, projects_of
from tenants.directory import note_visit
from tenants.people import Seat, Visitor
from tenants.principal import Principal
from tenants.unit import Unit

HTML = "text/html"


@dataclass
class Room:
    """One request of a signed-in person in a workspace."""

    request: AnyRequest
    site: Site
    visitor: Visitor
    seat: Seat
    principal: Principal
    tongue: Tongue

    @classmethod
    async def enter(cls, request: AnyRequest) -> Room:
        """Find the workspace of the address among the person's own. Raises SignedOut, Missing, NeedsFactor."""
        visitor = await find_visitor(request)
        if visitor is None:
            raise SignedOut
        # No row can hold this sign, so no address with it leads anywhere.
        if "\x00" in request.scope["path"]:
            raise Missing
        slug = str(request.path_params["tenant"])
        seat, principal = visitor.seat(slug), visitor.principal(slug, trace_of(request), browser_of(request).address)
        if seat is not None and visitor.barred(seat):
            raise NeedsFactor
        if seat is None or principal is None:
            raise Missing
        if seat.archived_at is not None and request.method == "POST" and not request.route_handler.opt.get("archived"):
            raise Archived
        if (back := request.route_handler.opt.get("recent")) is not None:
            require_recent(request, visitor, f"/w/{slug}{back}")
        if visitor.seats[0].tenant_id != seat.tenant_id and seat.archived_at is None and request.method == "GET":
            await note_visit(site_of(request).units, visitor.person.id, seat.tenant_id)
        return cls(request, site_of(request), visitor, seat, principal, tongue_of(request, visitor))

    def open(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit of work as this person in this workspace."""
        return self.site.units.open(self.principal)

    @property
    def project_slug(self) -> str:
        return str(self.request.path_params["project"])

    @property
    def jobs_base(self) -> str:
        return f"/w/{self.seat.slug}/p/{self.project_slug}/jobs"

    @property
    def number(self) -> int:
        """The job number of the address. Raises Missing."""
        text = str(self.request.path_params["number"])
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise Missing
        return int(text)

    @property
    def job_base(self) -> str:
        return f"{self.jobs_base}/{self.number}"

    async def project(self, unit: Unit) -> tuple[ProjectLine, list[ProjectLine]]:
        """The project of the address and all projects, the recent ones first. Raises Missing."""
        lines = await projects_of(unit)
        current = next((line for line in lines if line.slug == self.project_slug), None)
        if current is None:
            raise Missing
        if len(lines) > 1 and lines[0] is not current and not is_partial(self.request):
            await note_project(unit, current.id)
            lines = [current, *(line for line in lines if line is not current)]
        return current, lines

    @property
    def base(self) -> str:
        return f"/w/{self.seat.slug}"

    async def projects(self) -> list[ProjectLine]:
        """All projects of the workspace, for pages that belong to none."""
        async with self.open() as unit:
            return await projects_of(unit)

    async def workspace_page(
        self,
        template: str,
        section: str,
        status: int = 200,
        *,
        projects: list[ProjectLine] | None = None,
        **values: Any,
    ) -> Response[str]:
        """Answer a page of the workspace as a whole."""
        lines = await self.projects() if projects is None else projects
        return self.page(template, "content", status, shell=self.shell(lines, None, section), **values)

    def shell(self, projects: list[ProjectLine], project: ProjectLine | None, section: str) -> Shell:
        return make_shell(
            self.tongue, self.visitor.seats, self.seat, projects, project.id if project else None, section
        )

    def values(self, **values: Any) -> dict[str, Any]:
        """The names every template may use."""
        return {
            "me": self.visitor.person,
            "look": look_of(self.visitor.person),
            "csrf": csrf_of(token_of(self.request)),
            "here": self.request.scope["path"],
            **values,
        }

    def page(self, template: str, block: str, status: int = 200, **values: Any) -> Response[str]:
        """Answer the whole page, or just `block` when htmx asks for a part of it."""
        return answer(self.request, self.tongue, template, block, self.values(**values), status)

    def go(self, path: str) -> Response[Any]:
        """Answer a post: 303 for a plain form, a client-side move for htmx."""
        return go(self.request, path)


def is_partial(request: AnyRequest) -> bool:
    return request.headers.get("hx-request-type") == "partial"


def answer(
    request: AnyRequest, tongue: Tongue, template: str, block: str, values: Mapping[str, Any], status: int = 200
) -> Response[str]:
    """Render a page or one block of it."""
    templates = site_of(request).templates
    if block and is_partial(request):
        body = templates.block(template, block, tongue, values)
    else:
        body = templates.page(template, tongue, values)
    return Response(body, status_code=status, media_type=HTML, headers={"Vary": "HX-Request-Type"})


def go(request: AnyRequest, path: str) -> Response[Any]:
    """Send the browser to a path of ours."""
    if request.headers.get("hx-request"):
        return Response("", headers={"HX-Redirect": path}, media_type=HTML)
    return Redirect(path, status_code=303)


def local_path(text: str, otherwise: str) -> str:
    """A path of our own that may be redirected to, else `otherwise`."""
    parts = urlsplit(text)
    ours = not parts.scheme and not parts.netloc and text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if ours and text.isprintable() else otherwise
