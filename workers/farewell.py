"""Ends workspaces whose time of grace is over: keys first, then files, then rows. Each step may be done twice."""

from __future__ import annotations

import asyncio
import shutil

import structlog
from sqlalchemy.exc import SQLAlchemyError

from adapters.wiring import Runtime
from tenants.workspaces import Doomed, WorkspaceRefused, delete_rows, doomed_workspaces, shred_keys

log = structlog.get_logger(__name__)


async def bid_farewell(runtime: Runtime) -> int:
    """End every doomed workspace; answer how many are gone. One that resists does not hold up the others."""
    gone = 0
    for doomed in await doomed_workspaces(runtime.units):
        try:
            gone += await _end(runtime, doomed)
        except (SQLAlchemyError, OSError):
            log.exception("workspace.not_deleted", tenant=str(doomed.id))
    return gone


async def _end(runtime: Runtime, doomed: Doomed) -> bool:
    try:
        keys = await shred_keys(runtime.units, doomed.id)
    except WorkspaceRefused:
        # Somebody brought it back in the last moment.
        return False
    await runtime.store.delete_all(doomed.id)
    folders = (runtime.settings.films / doomed.slug, runtime.settings.home / "thumbnails" / str(doomed.id))
    for folder in folders:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    gone = await delete_rows(runtime.units, doomed.id)
    log.info("workspace.deleted", tenant=str(doomed.id), keys=keys)
    return gone
