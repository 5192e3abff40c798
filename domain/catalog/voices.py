"""Voices a person can choose: presets with their versions, and which preset speaks for a project's recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from domain.catalog.bodies import VoicePreset
from domain.catalog.model import Binding, CatalogItem, CatalogVersion
from domain.catalog.words import same_language
from tenants.unit import Unit

SLOT = "voice"
RATE, PITCH, DEGREE = (-50, 100), (-50, 50), (1, 200)
"""Percent: of the voice's own pace and pitch, and of a style's strength."""


@dataclass(frozen=True)
class Voice:
    """A voice that a provider offers, with the styles and roles it can take."""

    name: str
    label: str
    language: str
    gender: str = ""
    styles: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    status: str = ""


@dataclass(frozen=True)
class VoiceLine:
    """A voice preset at one of its versions."""

    slug: str
    name: str
    number: int
    body: VoicePreset
    note: str
    at: datetime
    project_id: UUID | None = None


class NoSuchPreset(LookupError):
    """Raised for a short name that no voice preset of the workspace has."""


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────
async def list_voices(unit: Unit, project_id: UUID | None = None) -> list[VoiceLine]:
    """Every voice preset at its current version, by name; of a project: those it may use. Raises Forbidden."""
    unit.principal.require("catalog:read", project_id)
    rows = await unit.session.execute(
        _versions().where(CatalogVersion.number == CatalogItem.current).order_by(CatalogItem.name, CatalogItem.id)
    )
    lines = [_line(item, version) for item, version in rows if version.body.get("preset") == SLOT]
    return [line for line in lines if project_id is None or line.project_id in (None, project_id)]


async def voice_versions(unit: Unit, slug: str) -> list[VoiceLine]:
    """All versions of a preset, the newest first. Raises Forbidden, NoSuchPreset."""
    unit.principal.require("catalog:read")
    rows = await unit.session.execute(
        _versions().where(CatalogItem.slug == slug).order_by(CatalogVersion.number.desc())
    )
    lines = [_line(item, version) for item, version in rows if version.body.get("preset") == SLOT]
    if not lines:
        raise NoSuchPreset(slug)
    return lines


async def recipes_by_voice(unit: Unit) -> dict[str, list[str]]:
    """Names of the recipes that name each preset, by its short name. Raises Forbidden."""
    unit.principal.require("catalog:read")
    rows = await unit.session.execute(
        select(CatalogItem.name, CatalogVersion.body["voice"].astext)
        .join(
            CatalogVersion,
            (CatalogVersion.tenant_id == CatalogItem.tenant_id)
            & (CatalogVersion.item_id == CatalogItem.id)
            & (CatalogVersion.number == CatalogItem.current),
        )
        .where(CatalogItem.kind == "recipe", CatalogItem.archived_at.is_(None))
        .order_by(CatalogItem.name)
    )
    found: dict[str, list[str]] = {}
    for name, voice in rows:
        found.setdefault(str(voice), []).append(str(name))
    return found


async def preset_slugs(unit: Unit) -> set[str]:
    """The short names of all presets, which no new one may have."""
    return set(await unit.session.scalars(select(CatalogItem.slug).where(CatalogItem.kind == "preset")))


def _versions() -> Any:
    return (
        select(CatalogItem, CatalogVersion)
        .join(
            CatalogVersion,
            (CatalogVersion.tenant_id == CatalogItem.tenant_id) & (CatalogVersion.item_id == CatalogItem.id),
        )
        .where(CatalogItem.kind == "preset", CatalogItem.archived_at.is_(None))
    )


def _line(item: CatalogItem, version: CatalogVersion) -> VoiceLine:
    body = VoicePreset.model_validate(version.body)
    return VoiceLine(item.slug, item.name, version.number, body, version.note, version.created_at, item.project_id)


# ── What cannot be ────────────────────────────────────────────────────────────────────────────────────────
def faults_of(body: VoicePreset, known: Sequence[Voice]) -> list[tuple[str, str]]:
    """Everything wrong with a preset, as (field, code). `known`: the provider's voices; none = they are not known."""
    faults = [
        (name, name)
        for name, (low, high) in (("rate", RATE), ("pitch", PITCH))
        if not low <= int(getattr(body, name).rstrip("%") or 0) <= high
    ]
    voice = next((one for one in known if one.name == body.voice), None)
    if not body.voice:
        faults.append(("voice", "voice"))
    elif known and voice is None:
        faults.append(("voice", "gone"))
    elif voice is not None:
        faults += [("language", "language")] * (not same_language(voice.language, body.language))
        faults += [("style", "style")] * (bool(body.style) and body.style not in voice.styles)
        faults += [("role", "role")] * (bool(body.role) and body.role not in voice.roles)
    return faults


# ── Choosing ──────────────────────────────────────────────────────────────────────────────────────────────
async def bound_voices(unit: Unit, project_id: UUID) -> dict[str, str]:
    """A project's own choice by recipe: short name → short name of the preset. Raises Forbidden."""
    unit.principal.require("catalog:read", project_id)
    recipe, preset = _items("recipe"), _items("preset")
    rows = await unit.session.execute(
        select(recipe.c.slug, preset.c.slug)
        .select_from(Binding)
        .join(recipe, recipe.c.id == Binding.recipe_id)
        .join(preset, preset.c.id == Binding.item_id)
        .where(Binding.project_id == project_id, Binding.slot == SLOT)
    )
    return {str(one): str(other) for one, other in rows}


def _items(kind: str) -> Any:
    chosen = select(CatalogItem.id, CatalogItem.slug).where(CatalogItem.kind == kind, CatalogItem.archived_at.is_(None))
    return chosen.subquery(f"{kind}s")


async def bind_voices(unit: Unit, project_id: UUID, chosen: Mapping[str, str]) -> list[str]:
    """Set which preset speaks for each recipe; an empty one leaves it to the recipe.

    Answers the recipes whose preset does not exist; nothing is written then. Raises Forbidden.
    """
    unit.principal.require("projects:manage", project_id)
    presets = {line.slug for line in await list_voices(unit, project_id)}
    ids = {(item.kind, item.slug): item.id for item in await _named(unit, project_id)}
    wanted = {recipe: slug for recipe, slug in chosen.items() if slug}
    if wrong := [r for r, slug in wanted.items() if slug not in presets or ("recipe", r) not in ids]:
        return wrong
    before = await bound_voices(unit, project_id)
    await unit.session.execute(delete(Binding).where(Binding.project_id == project_id, Binding.slot == SLOT))
    for recipe, slug in wanted.items():
        binding = {"recipe_id": ids["recipe", recipe], "item_id": ids["preset", slug]}
        unit.session.add(Binding(project_id=project_id, slot=SLOT, **binding))
    await unit.session.flush()
    if before != wanted:
        unit.audit("project.voices", "project", project_id, before=before, after=wanted)
    return []


async def _named(unit: Unit, project_id: UUID) -> list[CatalogItem]:
    own = CatalogItem.project_id.is_(None) | (CatalogItem.project_id == project_id)
    statement = select(CatalogItem).where(CatalogItem.kind.in_(("recipe", "preset")), own)
    return list(await unit.session.scalars(statement.where(CatalogItem.archived_at.is_(None))))
