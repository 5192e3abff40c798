"""What can be found out about a film before it is ordered; no transaction is open meanwhile."""

from __future__ import annotations

from app.site import Site
from domain.production.commands.new_job import NewJob
from domain.production.commands.quote_new_job import draft_new_job
from domain.production.errors import InvalidInput, NotFound
from domain.production.foresight import NO_FORESIGHT, Foreseen
from tenants.principal import Forbidden, Principal


async def foresee_job(site: Site, principal: Principal, new: NewJob) -> Foreseen:
    """Count its prompt and sketch it; nothing is foreseen of a job that cannot be ordered."""
    try:
        async with site.units.open(principal) as unit:
            spec = await draft_new_job(unit, new)
    except (Forbidden, InvalidInput, NotFound):
        return NO_FORESIGHT
    return await site.counter.foresee(principal.tenant_id, spec)
