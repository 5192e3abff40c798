"""What messages say: thin bodies with ids, names and addresses; whoever wants more asks for it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

REASON_LIMIT = 500
_EVENTS = uuid.UUID("6f0a8f5e-51f3-4b8e-9d36-0f3b8a1f6f27")
"""Name space of message ids."""


@dataclass(frozen=True)
class JobFacts:
    """What messages say of a job."""

    id: UUID
    number: int
    title: str
    project: str
    project_name: str
    workspace: str


@dataclass(frozen=True)
class Happening:
    """An event to be told; `data` is that of the event, `approval` what is known of the question it is about."""

    kind: str
    at: datetime
    data: Mapping[str, Any]
    job: JobFacts
    approval: Mapping[str, Any] | None = None


def message_id(tenant_id: UUID, seq: int) -> str:
    """The id of the message about an event: the same whenever, wherever and however often it is sent."""
    return f"msg_{uuid.uuid5(_EVENTS, f'{tenant_id}:{seq}').hex}"


def write_body(happening: Happening, address: str) -> str:
    """The body of a message about an event; `address` is where this installation is reached."""
    job = happening.job
    page = f"{address}/w/{job.workspace}/p/{job.project}/jobs/{job.number}"
    data: dict[str, Any] = {
        "workspace": {"slug": job.workspace},
        "project": {"slug": job.project, "name": job.project_name},
        "job": {
            "id": str(job.id),
            "number": job.number,
            "title": job.title,
            "url": page,
            "api_url": f"{address}/api/v1/jobs/{job.id}",
        },
        **_more(happening, page),
    }
    return write(happening.kind, happening.at, data)


def write(kind: str, at: datetime, data: Mapping[str, Any]) -> str:
    """A whole body: type, time, data."""
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": kind, "timestamp": moment, "data": data}, ensure_ascii=False, separators=(",", ":"))


def _more(happening: Happening, page: str) -> dict[str, Any]:
    """What a kind says besides its job."""
    told = happening.data
    match happening.kind:
        case "job.failed":
            return {"error": _error(told)}
        case "job.paused":
            return {"by": str(told.get("by", "")), "reason": str(told.get("reason", ""))[:REASON_LIMIT]}
        case "step.failed":
            step = {
                "id": str(told.get("step_id", "")),
                "kind": str(told.get("step", "")),
                "part": told.get("shard", ""),
            }
            return {"step": step, "error": _error(told)}
        case "approval.waiting" | "approval.decided" | "approval.expired":
            return {"approval": {**(happening.approval or {}), "url": f"{page}#gates"}}
    return {}


def _error(told: Mapping[str, Any]) -> dict[str, str]:
    """An error in the words that people read on the job's page."""
    error: Mapping[str, Any] = told.get("error") or {}
    names = (("step", "step"), ("class", "class"), ("message", "sentence"), ("next", "next"))
    return {ours: str(error.get(theirs) or "")[:REASON_LIMIT] for ours, theirs in names}
