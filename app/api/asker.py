"""A program's request: who asks, where, and what it can reach; everything else is as if it did not exist."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from app.api.shapes import JobState
from app.api.shown_key import holder_of
from app.errors import Missing
from app.site import AnyRequest, Site, site_of
from domain.catalog.model import Project
from domain.production.model import Job
from domain.production.queries.program import reach_job, reach_project
from domain.production.states import Control
from domain.production.states import JobState as State
from tenants.api_keys import KeyHolder
from tenants.principal import Principal
from tenants.roles import Permission
from tenants.unit import Unit


@dataclass(frozen=True)
class Asker:
    """The program behind a request."""

    site: Site
    holder: KeyHolder

    @classmethod
    def of(cls, request: AnyRequest) -> Asker:
        return cls(site_of(request), holder_of(request))

    @property
    def principal(self) -> Principal:
        return self.holder.principal

    def open(self) -> AbstractAsyncContextManager[Unit]:
        """Open a unit of work as this program in its workspace."""
        return self.site.units.open(self.principal)

    async def project(self, unit: Unit, slug: str, needs: Permission) -> Project:
        """A project within reach. Raises Forbidden before Missing: without the right nothing is told."""
        self.principal.require(needs)
        found = await reach_project(unit, slug)
        if found is None:
            raise Missing
        return found

    async def job(self, unit: Unit, job_id: UUID, needs: Permission) -> tuple[Job, str]:
        """A job within reach, and its project's short name. Raises Forbidden, Missing."""
        self.principal.require(needs)
        found = await reach_job(unit, job_id)
        if found is None:
            raise Missing
        return found

    def page(self, project: str, number: int) -> str:
        """The address of a job's page."""
        return f"{self.site.settings.address}/w/{self.holder.slug}/p/{project}/jobs/{number}"

    def state(self, job: Job, project: str) -> JobState:
        """A job in short."""
        return JobState(
            id=job.id,
            project=project,
            number=job.number,
            state=cast(State, job.state),
            control=cast(Control, job.control),
            page=self.page(project, job.number),
        )
