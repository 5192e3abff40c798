"""The newest film that was composed in a running stack, for benchmarks of real films."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from adapters import settings
from adapters.embedded.stack import Home, joined
from adapters.wiring import build_runtime
from app import demo
from domain.production.model import ArtifactRef
from domain.production.ports import Assets
from tenants.directory import find_tenant
from tenants.principal import worker_principal
from timeline.plan import RenderPlan


async def newest_film(home: Path) -> tuple[RenderPlan, Assets]:
    """The plan of the demo workspace's newest composed film, and its assets where the store of `home` keeps them."""
    own = settings.load({"VFOS_HOME": str(home)})
    running = Home(own).announced()
    if running is None:
        raise SystemExit(f"Nothing runs in {home}: start `vfos up` there first.")
    runtime = build_runtime(joined(own, running), "command")
    try:
        tenant_id = await find_tenant(runtime.units, demo.WORKSPACE)
        if tenant_id is None:
            raise SystemExit(f"There is no demo workspace in {home}.")
        async with runtime.units.open(worker_principal(tenant_id)) as unit:
            plans = select(ArtifactRef.sha256).where(ArtifactRef.name == "plan.json")
            newest = await unit.session.scalar(plans.order_by(ArtifactRef.created_at.desc()).limit(1))
        if newest is None:
            raise SystemExit(f"No film has been composed in {home} yet.")
        plan = RenderPlan.model_validate_json(await runtime.store.get_bytes(tenant_id, newest))
        paths = {name: await runtime.store.local_path(tenant_id, name) for name in plan.assets}
        return plan, Assets(paths)
    finally:
        await runtime.close()
