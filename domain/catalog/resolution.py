"""Which catalogue versions a job uses: the recipe's choices under the project's bindings, loaded in few queries.

Order of choice: job > project > recipe > tenant default. Slots of a recipe that a project can bind: `prompt`,
`voice`, `video`, `ssml`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.bodies import KnowledgeBody, KnowledgeChoice, RecipeBody
from domain.catalog.model import Binding, CatalogItem, CatalogVersion, LibraryPicture, Project
from domain.catalog.usage import SLOTS


class Unresolved(Exception):
    """Raised when a recipe names something that is not there; `faults` holds one sentence per name."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Chosen:
    """One catalogue version in use, and why: `origin` is job, project or recipe."""

    kind: str
    slug: str
    number: int
    digest: str
    body: dict[str, Any]
    origin: str = "recipe"


@dataclass(frozen=True)
class Resolution:
    """Everything a recipe needs, resolved for one project and language."""

    recipe: Chosen
    recipe_body: RecipeBody
    slots: Mapping[str, Chosen]
    validators: Sequence[Chosen]
    knowledge: Sequence[Chosen]
    library: Sequence[LibraryPicture] = field(default=())


async def find_recipe(session: AsyncSession, slug: str, project_id: UUID | None) -> Chosen | None:
    """Load the current version of a recipe that the project may use."""
    found = await _load(session, [("recipe", slug)], project_id)
    return found.get(("recipe", slug))


async def find_presets(session: AsyncSession, project_id: UUID) -> list[tuple[Chosen, str]]:
    """The presets that a project may use, in their current versions, with their names."""
    rows = await session.execute(
        _versions()
        .add_columns(CatalogItem.name)
        .where(CatalogItem.kind == "preset", _visible(project_id))
        .order_by(CatalogItem.name, CatalogItem.slug)
    )
    return [(Chosen(*row[:5]), row[5]) for row in rows]


async def nearest_recipes(session: AsyncSession, slug: str) -> list[str]:
    """The slugs of recipes, the one most like `slug` first."""
    rows = await session.execute(
        select(CatalogItem.slug).where(CatalogItem.kind == "recipe", CatalogItem.archived_at.is_(None))
    )
    slugs = sorted(rows.scalars())
    close = difflib.get_close_matches(slug, slugs, n=1, cutoff=0.3)
    return close + [name for name in slugs if name not in close]


async def resolve(
    session: AsyncSession, project: Project, recipe: Chosen, language: str, *, voice: str = ""
) -> Resolution:
    """Resolve a recipe for a project. `voice`: a preset chosen for one job.

    Raises Unresolved naming everything that is missing.
    """
    body = RecipeBody.model_validate(recipe.body)
    bound = await _bindings(session, project.id, recipe.slug)
    origins = dict.fromkeys(bound, "project")
    if voice:
        bound, origins = {**bound, "voice": [voice]}, {**origins, "voice": "job"}
    wanted = {slot: bound.get(slot) or _localised(getattr(body, slot), language) for slot in SLOTS}
    pairs = [(SLOTS[slot], slug) for slot, names in wanted.items() for slug in names]
    pairs += [("validator", slug) for slug in body.validators]
    found = await _load(session, pairs, project.id)
    faults: list[str] = []
    slots = {
        slot: chosen
        for slot, names in wanted.items()
        if (chosen := _pick(found, SLOTS[slot], names, slot, origins.get(slot, "recipe"), faults)) is not None
    }
    validators = [
        chosen
        for slug in body.validators
        if (chosen := _pick(found, "validator", [slug], "validators", "recipe", faults)) is not None
    ]
    if faults:
        raise Unresolved(faults)
    return Resolution(
        recipe=recipe,
        recipe_body=body,
        slots=slots,
        validators=validators,
        knowledge=await knowledge_of(session, project.id, body.knowledge, language),
        library=await _library(session, project.id),
    )


def _localised(slug: str, language: str) -> list[str]:
    """A slot may have a twin for a language: `narrator-pt-br` beside `narrator`."""
    short = language.lower().split("-")[0]
    return [f"{slug}-{language.lower()}", f"{slug}-{short}", slug]


def _pick(
    found: Mapping[tuple[str, str], Chosen],
    kind: str,
    names: Sequence[str],
    slot: str,
    origin: str,
    faults: list[str],
) -> Chosen | None:
    for name in names:
        if (chosen := found.get((kind, name))) is not None:
            return replace(chosen, origin=origin)
    faults.append(f"The {origin}'s {slot} names {kind} “{names[-1][:80]}”, which does not exist or is archived.")
    return None


async def _bindings(session: AsyncSession, project_id: UUID, recipe_slug: str) -> dict[str, list[str]]:
    recipe = (
        select(CatalogItem.id).where(CatalogItem.kind == "recipe", CatalogItem.slug == recipe_slug).scalar_subquery()
    )
    rows = await session.execute(
        select(Binding.slot, CatalogItem.slug)
        .join(CatalogItem, CatalogItem.id == Binding.item_id)
        .where(Binding.project_id == project_id, Binding.recipe_id == recipe)
    )
    return {slot: [slug] for slot, slug in rows}


def _visible(project_id: UUID | None) -> Any:
    own = CatalogItem.project_id == project_id if project_id else true()
    return CatalogItem.project_id.is_(None) | own


async def _load(
    session: AsyncSession, pairs: Iterable[tuple[str, str]], project_id: UUID | None
) -> dict[tuple[str, str], Chosen]:
    wanted = set(pairs)
    rows = await session.execute(
        _versions().where(
            _visible(project_id),
            CatalogItem.kind.in_({kind for kind, _ in wanted}),
            CatalogItem.slug.in_({slug for _, slug in wanted}),
        )
    )
    return {(kind, slug): Chosen(kind, slug, number, digest, body) for kind, slug, number, digest, body in rows}


def _versions() -> Any:
    return (
        select(CatalogItem.kind, CatalogItem.slug, CatalogVersion.number, CatalogVersion.digest, CatalogVersion.body)
        .join(
            CatalogVersion,
            (CatalogVersion.tenant_id == CatalogItem.tenant_id)
            & (CatalogVersion.item_id == CatalogItem.id)
            & (CatalogVersion.number == CatalogItem.current),
        )
        .where(CatalogItem.archived_at.is_(None))
    )


async def knowledge_of(session: AsyncSession, project_id: UUID, choice: KnowledgeChoice, language: str) -> list[Chosen]:
    """Documents of the chosen tiers in the film's language; tier 2 only those named, if any are named."""
    rows = await session.execute(
        _versions().where(CatalogItem.kind == "knowledge", _visible(project_id)).order_by(CatalogItem.slug)
    )
    chosen = [Chosen(*row) for row in rows]
    return [item for item in chosen if _wanted(KnowledgeBody.model_validate(item.body), item.slug, choice, language)]


def _wanted(document: KnowledgeBody, slug: str, choice: KnowledgeChoice, language: str) -> bool:
    same_tongue = document.language.split("-")[0].lower() == language.split("-")[0].lower()
    named = document.tier != 2 or not choice.documents or slug in choice.documents
    return same_tongue and document.tier in choice.tiers and named


async def _library(session: AsyncSession, project_id: UUID) -> Sequence[LibraryPicture]:
    rows = await session.execute(
        select(LibraryPicture).where(LibraryPicture.project_id == project_id).order_by(LibraryPicture.id)
    )
    return rows.scalars().all()
