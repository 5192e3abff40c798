"""Who am I: the workspace that a key opens, and what it may do there."""

from __future__ import annotations

from litestar import Response, get
from pydantic import Field

from app.api.shapes import Shape, refusals
from app.api.shown_key import holder_of
from app.i18n import utc_iso
from app.site import AnyRequest, site_of
from domain.production.queries.projects import slugs_of


class WorkspaceShape(Shape):
    """The workspace that the key opens."""

    slug: str
    name: str


class KeyShape(Shape):
    """The key itself; its secret is told nowhere."""

    id: str = Field(description="Its first 8 signs, as in lists and logs.", examples=["k3JxT9aB"])
    name: str
    expires_at: str | None
    networks: list[str] = Field(description="Where it may come from; empty is anywhere.")


class MeShape(Shape):
    """Who asks."""

    workspace: WorkspaceShape
    key: KeyShape
    scopes: list[str] = Field(description="The rights it has at this moment.", examples=[["jobs:read", "jobs:run"]])
    projects: list[str] | None = Field(description="Short names of the projects within reach; null is all of them.")


@get("/me", operation_id="getMe", tags=["Key"], summary="Who am I", responses=refusals())
async def show_me(request: AnyRequest) -> Response[MeShape]:
    """Workspace, key, and the rights it has now."""
    holder = holder_of(request)
    projects = None
    if holder.principal.projects is not None:
        async with site_of(request).units.open(holder.principal) as unit:
            projects = await slugs_of(unit, holder.principal.projects)
    return Response(
        MeShape(
            workspace=WorkspaceShape(slug=holder.slug, name=holder.workspace),
            key=KeyShape(
                id=holder.public_id,
                name=holder.name,
                expires_at=utc_iso(holder.expires_at) if holder.expires_at else None,
                networks=list(holder.networks),
            ),
            scopes=list(holder.scopes),
            projects=projects,
        )
    )
