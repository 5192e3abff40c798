"""Names of channels and queues on Redis; composed here and nowhere else."""

from __future__ import annotations

from uuid import UUID

PREFIX = "vfos"


def events_channel(tenant_id: UUID) -> str:
    """Where a tenant's newest event number is hinted."""
    return f"{PREFIX}:events:{tenant_id}"


def all_events_channels() -> str:
    """The pattern of all tenants' event hints, for the pump."""
    return f"{PREFIX}:events:*"


def progress_channel(tenant_id: UUID) -> str:
    """Where a tenant's running steps hint that their progress has moved."""
    return f"{PREFIX}:progress:{tenant_id}"


def control_channel() -> str:
    """Where workers hear that a job's control flag has changed."""
    return f"{PREFIX}:control"


def work_channel() -> str:
    """Where the pump hears that a pool may have work."""
    return f"{PREFIX}:work"


def pool_queue(pool: str) -> str:
    """The Dramatiq queue of a pool's tickets; Dramatiq allows no @ or : in names."""
    return "pool." + "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in pool)
