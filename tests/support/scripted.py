"""A demo workspace with a job that is really written, spoken and planned; only its segments are not rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from adapters.settings import Settings
from adapters.wiring import build_tools
from app.demo import sound_seconds
from domain.catalog.commands import save_version
from domain.catalog.demo.content import demo_workspace
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.demo import seed_demo
from domain.production.engine import Engine
from domain.production.model import Job
from domain.production.pipeline import STEP_KINDS
from domain.production.ports import ObjectStore
from domain.production.queries.job import job_detail
from domain.studio.script import Script
from tenants.directory import create_tenant
from tenants.principal import Principal
from tenants.unit import Units

TOPIC = "How Hubble saw ten thousand galaxies in an empty patch of sky"


@dataclass
class Scripted:
    """A workspace whose jobs can be written, spoken and planned."""

    units: Units
    store: ObjectStore
    engine: Engine
    owner: Principal
    slug: str

    @property
    def tenant_id(self) -> UUID:
        return self.owner.tenant_id

    @property
    def base(self) -> str:
        return f"/w/{self.slug}/p/deep-sky/jobs"

    async def plan(self, topic: str = TOPIC, seconds: int | None = None) -> Job:
        """Make a job and work off everything before its rendering."""
        async with self.units.open(self.owner) as unit:
            job = await create_job(unit, NewJob("deep-sky", "quick", topic, seconds=seconds))
        await self.work()
        return job

    async def work(self) -> None:
        """Run the steps that need no rendering."""
        while await self.engine.run_next("io"):
            pass

    async def render(self) -> None:
        """Run everything to the end."""
        while any([await self.engine.run_next(pool) for pool in ("io", "cpu")]):
            pass

    async def count(self, kind: type[Any]) -> int:
        """Rows of a kind."""
        async with self.units.open(self.owner) as unit:
            return await unit.session.scalar(select(func.count()).select_from(kind)) or 0

    async def job(self, number: int) -> Job:
        async with self.units.open(self.owner) as unit:
            return (await unit.session.execute(select(Job).where(Job.number == number))).scalar_one()

    async def script(self, job: Job) -> Script:
        async with self.units.open(self.owner) as unit:
            detail = await job_detail(unit, job)
        sha256 = next(output.sha256 for output in detail.outputs if output.name == "script.json")
        return Script.model_validate_json(await self.store.get_bytes(self.tenant_id, sha256))


async def open_scripted(settings: Settings, units: Units, store: ObjectStore, slug: str) -> Scripted:
    """Make a workspace with the demo's catalogue and library."""
    tenant_id = await create_tenant(units, slug, slug.title())
    demo = demo_workspace()
    await seed_demo(units, store, tenant_id, demo, sound_seconds)
    owner = Principal(tenant_id=tenant_id, kind="person", role="owner", name="Marina Rocha")
    body = next(item.body for item in demo.of_kind("recipe") if item.slug == "documentary")
    async with units.open(owner) as unit:
        await save_version(
            unit, "recipe", "quick", "Quick", {**body, "profile": "preview", "seconds": 48, "validators": []}
        )
    return Scripted(units, store, Engine(units, build_tools(settings, store), STEP_KINDS, settings.home), owner, slug)
