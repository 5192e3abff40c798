"""Why a job waits and where it stands, in words."""

from __future__ import annotations

from app.i18n import Tongue
from domain.production.model import Job


def say_waiting(tongue: Tongue, job: Job) -> str:
    """One or two short sentences for a job that has not started yet; nothing when no reason is known."""
    if job.state != "queued" or not job.waiting:
        return ""
    sentence = _reason(tongue, job)
    if job.waiting.get("code") == "line" and job.ahead is not None:
        ahead = tongue.ngettext("%(num)s step is served before.", "%(num)s steps are served before.", job.ahead)
        sentence = f"{sentence} {ahead}"
    return sentence


def _reason(tongue: Tongue, job: Job) -> str:
    found = job.waiting or {}
    reason, pool = str(found.get("reason", "")), str(found.get("pool", ""))
    numbers = {"running": found.get("running", 0), "limit": found.get("limit", 0)}
    match found.get("code"):
        case "workspace_paused":
            return tongue.gettext("The workspace is paused: %(reason)s", reason=reason)
        case "project_paused":
            return tongue.gettext("The project is paused: %(reason)s", reason=reason)
        case "pool_paused":
            return tongue.gettext("Workers of “%(pool)s” are paused: %(reason)s", pool=pool, reason=reason)
        case "no_worker":
            return tongue.gettext("Waiting for a worker of “%(pool)s”.", pool=pool)
        case "workspace_limit":
            return tongue.gettext("Your workspace runs %(running)s of %(limit)s steps.", **numbers)
        case "project_limit":
            return tongue.gettext("The project runs %(running)s of %(limit)s steps.", **numbers)
    return tongue.gettext("Place %(place)s in your workspace.", place=tongue.number(job.position or 1))
