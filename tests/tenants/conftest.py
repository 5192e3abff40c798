"""Two workspaces on a fresh, migrated database, seen as the app role sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from adapters.database import Engines, make_engines
from adapters.settings import Settings
from tenants.directory import create_tenant
from tenants.principal import Principal
from tenants.unit import Units


def owner_of(tenant_id: UUID) -> Principal:
    return Principal(tenant_id=tenant_id, kind="person", role="owner", name="Ada")


@pytest.fixture(scope="module")
async def engines(database: Settings) -> AsyncIterator[Engines]:
    made = make_engines(database, "web")
    yield made
    await made.dispose()


@pytest.fixture(scope="module")
async def units(engines: Engines) -> Units:
    return engines.units()


@pytest.fixture(scope="module")
async def alpha(units: Units) -> Principal:
    return owner_of(await create_tenant(units, "alpha", "Alpha"))


@pytest.fixture(scope="module")
async def beta(units: Units) -> Principal:
    return owner_of(await create_tenant(units, "beta", "Beta"))
