"""Letters about endpoints to those who care for them; the letters themselves are handed in by the web server."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select

from domain.outreach.endpoints import NEEDS
from domain.outreach.model import WebhookEndpoint
from tenants.letters import mail_holders
from tenants.model import Tenant
from tenants.principal import worker_principal
from tenants.unit import Units


async def tell_switched_off(units: Units, tenant_id: UUID, endpoint_id: UUID) -> int:
    """Queue letters about an endpoint that was switched off; answer how many. None when it is on again or gone."""
    async with units.open(worker_principal(tenant_id)) as unit:
        row = await unit.session.get(WebhookEndpoint, (tenant_id, endpoint_id))
        slug = await unit.session.scalar(select(Tenant.slug))
    if row is None or row.state != "disabled" or row.state_at is None:
        return 0
    data = {
        # The rest of an address may hold what only the receiver should know.
        "host": urlsplit(row.url).hostname or "",
        "description": row.description,
        "reason": row.reason,
        "path": f"/w/{slug}/webhooks/{row.id}",
    }
    about = f"webhook:{row.id}:{row.state_at.isoformat()}"
    return await mail_holders(units, tenant_id, NEEDS, "webhook", about, data)
