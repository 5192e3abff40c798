"""Who am I: the workspace that a key opens, and what it may do there."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from app.api.shown_key import holder_of
from app.i18n import utc_iso
from app.site import AnyRequest, site_of
from domain.production.queries.projects import slugs_of


@get("/me")
async def show_me(request: AnyRequest) -> Response[dict[str, Any]]:
    """Workspace, key, and the rights it has now; `projects` null means all of them."""
    holder = holder_of(request)
    projects = None
    if holder.principal.projects is not None:
        async with site_of(request).units.open(holder.principal) as unit:
            projects = await slugs_of(unit, holder.principal.projects)
    return Response(
        {
            "workspace": {"slug": holder.slug, "name": holder.workspace},
            "key": {
                "id": holder.public_id,
                "name": holder.name,
                "expires_at": utc_iso(holder.expires_at) if holder.expires_at else None,
                "networks": list(holder.networks),
            },
            "scopes": holder.scopes,
            "projects": projects,
        }
    )
