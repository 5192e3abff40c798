"""What a fork changes: the earlier job's choices with some of them replaced, and which steps that touches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from domain.catalog.model import Project
from domain.catalog.provider_rows import Provider
from domain.catalog.providers import Given
from domain.catalog.resolution import Chosen, find_presets
from domain.catalog.vendors import VENDORS
from domain.production.commands.create_job import draft_spec
from domain.production.commands.new_job import NewJob, check_fields
from domain.production.commands.snapshot import part_of, provider_part, voice_part
from domain.production.errors import Fault, InvalidInput
from domain.production.graph import make_nodes
from domain.production.model import Job
from domain.production.pipeline.base import StepKind
from domain.production.spec import JobSpec
from tenants.unit import Unit

HERE = "here"
"""In place of a provider: what is made on this machine."""
PRESET_SLOTS = ("voice", "ssml", "video")
PORTS = ("writer", "narrator", "images")


@dataclass(frozen=True)
class Changes:
    """What is to be different; empty = as in the earlier job. `presets` by slot, `providers` by port."""

    topic: str = ""
    seconds: int | None = None
    profile: str = ""
    recipe: str = ""
    presets: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, str] = field(default_factory=dict)


async def changed_spec(
    unit: Unit, project: Project, earlier: Job, changes: Changes, kinds: Mapping[str, StepKind]
) -> JobSpec:
    """The specification of the fork; nothing is written. Raises InvalidInput (every fault at once)."""
    spec = JobSpec.read(earlier.spec)
    new = NewJob(
        project.slug,
        changes.recipe or earlier.recipe_slug,
        changes.topic.strip() or spec.topic,
        spec.language,
        changes.seconds or spec.seconds,
        changes.profile or spec.profile,
        earlier.mode,
    )
    faults = check_fields(new)
    if changes.recipe and changes.recipe != earlier.recipe_slug:
        edits = spec.timeline_edits
        spec = (await draft_spec(unit, project, new, kinds)).model_copy(update={"timeline_edits": edits})
    else:
        told = {"topic": new.topic.strip(), "seconds": new.seconds, "profile": new.profile}
        spec = spec.model_copy(update=told)
    body = spec.model_dump(mode="json")
    faults += await _choose_providers(unit, body, changes.providers)
    faults += await _choose_presets(unit, project, body, changes.presets)
    if faults:
        raise InvalidInput(faults)
    return JobSpec.model_validate(body)


async def _choose_presets(unit: Unit, project: Project, body: dict[str, Any], wanted: Mapping[str, str]) -> list[Fault]:
    known = {(chosen.body["preset"], chosen.slug): chosen for chosen, _ in await find_presets(unit.session, project.id)}
    faults = []
    for slot, slug in wanted.items():
        if not slug:
            continue
        chosen = known.get((slot, slug))
        if slot not in PRESET_SLOTS or chosen is None:
            faults.append(Fault(slot, f"There is no preset “{slug[:80]}” for this.", "Choose one of the list."))
        elif slot == "voice":
            faults += await _choose_voice(unit, body, chosen)
        else:
            body[slot] = part_of(_by_hand(chosen))
    return faults


async def _choose_voice(unit: Unit, body: dict[str, Any], chosen: Chosen) -> list[Fault]:
    speaks, language = str(chosen.body.get("language", "")), str(body["language"])
    if speaks.split("-")[0].lower() != language.split("-")[0].lower():
        message = f"The voice “{chosen.slug}” speaks {speaks}, not {language}."
        return [Fault("voice", message, "Choose a voice for the film's language.")]
    part = body["providers"]["narrator"]
    rows = await unit.session.scalars(select(Provider).where(Provider.slug == (part or {}).get("slug", "")))
    body["voice"] = voice_part(_by_hand(chosen), Given({"narrator": list(rows)}, ()), language)
    return []


def _by_hand(chosen: Chosen) -> Chosen:
    return Chosen(**{**vars(chosen), "origin": "job"})


async def _choose_providers(unit: Unit, body: dict[str, Any], wanted: Mapping[str, str]) -> list[Fault]:
    rows = {row.slug: row for row in await unit.session.scalars(select(Provider).where(Provider.enabled))}
    faults = []
    for port, slug in wanted.items():
        row = rows.get(slug)
        if not slug:
            continue
        if port not in PORTS or (slug != HERE and (row is None or VENDORS[row.kind].port != port)):
            faults.append(Fault(port, f"There is no provider “{slug[:80]}” for this.", "Choose one of the list."))
            continue
        part = provider_part(row) if row is not None else None
        body["providers"][port] = ([part] if part else []) if port == "images" else part
        if port == "narrator":
            body["voice"] = _voice_for(body, row)
    return faults


def _voice_for(body: Mapping[str, Any], row: Provider | None) -> Any:
    """The present voice as another narrator speaks it; its own for the language where it does not have that one."""
    part, language = body["voice"], str(body["language"])
    if row is None or part["body"].get("provider") == row.kind:
        return part
    own = str(row.options.get(f"voice_{language[:2].lower()}", ""))
    return {**part, "body": {**part["body"], "provider": row.kind, "voice": own}} if own else part


# ── What is made anew ─────────────────────────────────────────────────────────────────────────────────────
_READS: Mapping[str, Sequence[str]] = {
    "script": ("topic", "language", "seconds", "prompt", "validators", "knowledge"),
    "narrate": ("voice", "ssml"),
    "illustrate": ("profile", "library"),
    "compose": ("video", "profile"),
}
_ASKS = {"script": "writer", "narrate": "narrator", "illustrate": "images"}


def made_anew(before: JobSpec, after: JobSpec, start: str, kinds: Mapping[str, StepKind]) -> list[str]:
    """The kinds of steps that a fork at `start` makes itself, in their order; all others are found made before."""
    fan_out = {kind: module.FAN_OUT for kind, module in kinds.items()}
    nodes = make_nodes(after.recipe.steps, fan_out, False)
    anew = {start, *(kind for kind in _READS if _differs(before, after, kind))}
    for node in nodes:
        if anew & set(node.needs):
            anew.add(node.kind)
    planners = {need for step in after.recipe.steps if fan_out.get(step.kind) for need in step.needs}
    return [
        step.kind for step in after.recipe.steps if step.kind in anew or (fan_out.get(step.kind) and anew & planners)
    ]


def _differs(before: JobSpec, after: JobSpec, kind: str) -> bool:
    old, new = (
        spec.model_dump(mode="json", include={*_READS[kind], "providers", "recipe"}) for spec in (before, after)
    )
    port = _ASKS.get(kind)
    reads: Collection[str] = _READS[kind]
    return (
        any(_body(old[name]) != _body(new[name]) for name in reads)
        or (port is not None and old["providers"][port] != new["providers"][port])
        or (kind == "illustrate" and old["recipe"]["pictures"] != new["recipe"]["pictures"])
    )


def _body(value: Any) -> Any:
    """What a step reads of a part: its content, not why it was chosen."""
    return value["body"] if isinstance(value, Mapping) and "body" in value else value
