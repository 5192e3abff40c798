"""The snapshot of every choice that a job works by, so that later changes in the catalogue do not reach it."""

from __future__ import annotations

from typing import Any

from domain.catalog.bodies import RecipeBody
from domain.catalog.model import Project
from domain.catalog.provider_rows import Provider
from domain.catalog.providers import Given
from domain.catalog.resolution import Chosen, Resolution
from domain.production.commands.new_job import GATES, NewJob
from domain.production.graph import with_gates
from domain.production.spec import JobSpec


def write_spec(project: Project, found: Resolution, new: NewJob, given: Given) -> JobSpec:
    """Copy every choice into the job's specification."""
    body = found.recipe_body
    language = new.language or body.language
    return JobSpec.model_validate(
        {
            "topic": new.topic.strip(),
            "language": language,
            "seconds": new.seconds or body.seconds,
            "profile": new.profile or body.profile,
            "project": {
                "id": str(project.id),
                "slug": project.slug,
                "name": project.name,
                "palette": project.palette,
                "settings": project.settings,
            },
            "recipe_ref": _ref(found.recipe),
            "recipe": _gated(body, new).model_dump(mode="json"),
            **{slot: part_of(chosen) for slot, chosen in found.slots.items()},
            "voice": voice_part(found.slots["voice"], given, language),
            "validators": [part_of(chosen) for chosen in found.validators],
            "knowledge": [part_of(chosen) for chosen in found.knowledge],
            "library": [_library_item(item) for item in found.library],
            "providers": _providers(given),
            "script_edits": dict(new.script_edits),
            "salt": new.salt,
        }
    )


def _gated(body: RecipeBody, new: NewJob) -> RecipeBody:
    """The recipe with the gates that this job stops at; without the wizard they stay as they are, and stop nobody."""
    if new.mode != "wizard" or (new.gates is None and any(step.gate for step in body.steps)):
        return body
    return body.model_copy(update={"steps": with_gates(body.steps, GATES if new.gates is None else new.gates)})


def _ref(chosen: Chosen) -> dict[str, Any]:
    return {
        "kind": chosen.kind,
        "slug": chosen.slug,
        "number": chosen.number,
        "digest": chosen.digest,
        "origin": chosen.origin,
    }


def part_of(chosen: Chosen) -> dict[str, Any]:
    return {"ref": _ref(chosen), "body": chosen.body}


def _providers(given: Given) -> dict[str, Any]:
    parts = {port: [provider_part(row) for row in rows] for port, rows in given.chosen.items()}
    return {
        "writer": next(iter(parts.get("writer", ())), None),
        "narrator": next(iter(parts.get("narrator", ())), None),
        "images": parts.get("images", []),
    }


def provider_part(row: Provider) -> dict[str, Any]:
    shared = {name: getattr(row, name) for name in ("slug", "kind", "name", "model", "base_url")}
    return {"id": str(row.id), **shared, "options": {name: str(value) for name, value in row.options.items()}}


def voice_part(chosen: Chosen, given: Given, language: str) -> dict[str, Any]:
    """The preset's voice; a provider that has no voice of that name speaks with its own for the language."""
    part = part_of(chosen)
    narrator = next(iter(given.chosen.get("narrator", ())), None)
    if narrator is None or chosen.body.get("provider") == narrator.kind:
        return part
    own = str(narrator.options.get(f"voice_{language[:2].lower()}", ""))
    return {**part, "body": {**chosen.body, "provider": narrator.kind, "voice": own}} if own else part


def _library_item(item: Any) -> dict[str, Any]:
    fields = (
        "role",
        "sha256",
        "media_type",
        "width",
        "height",
        "captions",
        "tags",
        "focus",
        "seconds",
        "licence",
        "credit",
    )
    return {"id": str(item.id), **{name: getattr(item, name) for name in fields}}
