"""Every operation of the API."""

from __future__ import annotations

from typing import Any

from app.api import approvals, artifacts, events, job_acts, jobs, me, pictures, projects, script

API_HANDLERS: tuple[Any, ...] = (
    me.show_me,
    projects.list_projects,
    projects.show_project,
    projects.list_recipes,
    projects.show_recipe,
    projects.list_project_voices,
    pictures.list_project_pictures,
    pictures.add_pictures,
    jobs.list_jobs,
    jobs.estimate_job,
    jobs.start_job,
    jobs.show_job,
    job_acts.cancel,
    job_acts.pause,
    job_acts.resume,
    job_acts.retry,
    job_acts.set_level,
    job_acts.set_limit,
    job_acts.redo,
    job_acts.skip,
    job_acts.decide,
    script.show_script,
    script.change_script,
    artifacts.list_artifacts,
    artifacts.download,
    artifacts.show_manifest,
    approvals.list_approvals,
    approvals.decide,
    events.list_events,
)
"""What programs ask for with a key; no cookie is read there."""
