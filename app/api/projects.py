"""Projects, and what a film in them can be made with: recipes in the versions in use, and voices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from pydantic import Field

from app.api.asker import Asker
from app.api.shapes import Shape, refusals
from app.errors import Missing
from app.site import AnyRequest
from domain.catalog.bodies import RecipeBody
from domain.catalog.resolution import Chosen, Unresolved, find_recipe, resolve
from domain.catalog.voices import list_voices
from domain.production.queries.projects import ProjectLine, RecipeLine, projects_of, recipes_of


class ProjectShape(Shape):
    """A channel or brand."""

    slug: str = Field(description="Short name, used in addresses.", examples=["deep-sky"])
    name: str
    tagline: str
    languages: list[str] = Field(description="Languages its films can speak.", examples=[["en", "pt-BR"]])
    open_jobs: int = Field(description="Jobs that have not ended.")
    questions: int = Field(description="Jobs that wait for a decision.")
    paused: str | None = Field(description="Why it is paused; null when it is not.")


class ProjectList(Shape):
    """All projects within reach of the key."""

    items: list[ProjectShape]


class RecipeShape(Shape):
    """A recipe that can be run in a project, with the values of its current version."""

    slug: str = Field(examples=["documentary"])
    name: str
    version: int = Field(description="The version in use; saving makes a new one.")
    description: str
    language: str
    seconds: int = Field(description="Length of its films unless a job says otherwise.")
    profile: str = Field(description="Form of its films.", examples=["longform-16x9", "shorts-9x16"])


class RecipeList(Shape):
    """All recipes that a project can run."""

    items: list[RecipeShape]


class RecipeStepShape(Shape):
    """A step of a recipe."""

    kind: str = Field(examples=["script"])
    needs: list[str] = Field(description="Steps whose results it works with.")
    gate: bool = Field(description="Whether a job in wizard mode stops after it.")
    optional: bool = Field(description="Whether it may be skipped when it has failed.")


class PartShape(Shape):
    """A part of the catalogue in the version that a new job would use."""

    slot: str = Field(examples=["voice"])
    slug: str = Field(examples=["narrator"])
    version: int
    origin: str = Field(description="Who chose it: job, project or recipe.")


class RecipeDetail(RecipeShape):
    """A recipe with its steps, and the versions a job of it would be made with now."""

    steps: list[RecipeStepShape]
    uses: list[PartShape]
    missing: list[str] = Field(description="What it names and the catalogue lacks; while there is any, no job starts.")


class VoiceShape(Shape):
    """A voice that a job can choose by its `slug`."""

    slug: str = Field(examples=["narrator"])
    name: str
    version: int
    language: str
    provider: str = Field(examples=["espeak"])
    voice: str = Field(description="The voice's name at its provider.")


class VoiceList(Shape):
    """All voices of a project."""

    items: list[VoiceShape]


@get("/projects", operation_id="listProjects", tags=["Projects"], summary="List projects", responses=refusals())
async def list_projects(request: AnyRequest) -> Response[ProjectList]:
    """All projects within reach of the key. Needs `jobs:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        lines = await projects_of(unit)
    return Response(ProjectList(items=[_project(line) for line in lines]))


@get(
    "/projects/{project:str}",
    operation_id="getProject",
    tags=["Projects"],
    summary="Read a project",
    responses=refusals(404),
)
async def show_project(request: AnyRequest, project: FromPath[str]) -> Response[ProjectShape]:
    """One project by its short name. Needs `jobs:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        line = next((line for line in await projects_of(unit) if line.slug == project), None)
    if line is None:
        raise Missing
    return Response(_project(line))


def _project(line: ProjectLine) -> ProjectShape:
    return ProjectShape(
        slug=line.slug,
        name=line.name,
        tagline=line.tagline,
        languages=list(line.languages),
        open_jobs=line.open_jobs,
        questions=line.questions,
        paused=line.paused_reason,
    )


# ── Recipes ───────────────────────────────────────────────────────────────────────────────────────────────
@get(
    "/projects/{project:str}/recipes",
    operation_id="listRecipes",
    tags=["Projects"],
    summary="List the recipes of a project",
    responses=refusals(404),
)
async def list_recipes(request: AnyRequest, project: FromPath[str]) -> Response[RecipeList]:
    """The workspace's recipes and the project's own, each in the version in use. Needs `catalog:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found = await asker.project(unit, project, "catalog:read")
        lines = await recipes_of(unit, found.id)
    return Response(RecipeList(items=[RecipeShape(**_recipe(line)) for line in lines]))


@get(
    "/projects/{project:str}/recipes/{recipe:str}",
    operation_id="getRecipe",
    tags=["Projects"],
    summary="Read a recipe",
    responses=refusals(404),
)
async def show_recipe(request: AnyRequest, project: FromPath[str], recipe: FromPath[str]) -> Response[RecipeDetail]:
    """Its steps, and the versions of prompt, presets, validators and knowledge in use. Needs `catalog:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found = await asker.project(unit, project, "catalog:read")
        line = next((line for line in await recipes_of(unit, found.id) if line.slug == recipe), None)
        chosen = await find_recipe(unit.session, recipe, found.id)
        if line is None or chosen is None:
            raise Missing
        body = RecipeBody.model_validate(chosen.body)
        uses, missing = [], []
        try:
            made_of = await resolve(unit.session, found, chosen, body.language)
            uses = [*(_part(slot, one) for slot, one in made_of.slots.items())]
            uses += [*_parts("validator", made_of.validators), *_parts("knowledge", made_of.knowledge)]
        except Unresolved as unresolved:
            missing = unresolved.faults
    steps = [
        RecipeStepShape(kind=step.kind, needs=step.needs, gate=step.gate, optional=step.optional) for step in body.steps
    ]
    return Response(RecipeDetail(**_recipe(line), steps=steps, uses=uses, missing=missing))


def _recipe(line: RecipeLine) -> dict[str, Any]:
    return {
        "slug": line.slug,
        "name": line.name,
        "version": line.number,
        "description": line.description,
        "language": line.language,
        "seconds": line.seconds,
        "profile": line.profile,
    }


def _part(slot: str, chosen: Chosen) -> PartShape:
    return PartShape(slot=slot, slug=chosen.slug, version=chosen.number, origin=chosen.origin)


def _parts(slot: str, chosen: Iterable[Chosen]) -> list[PartShape]:
    return [_part(slot, one) for one in chosen]


# ── Voices ────────────────────────────────────────────────────────────────────────────────────────────────
@get(
    "/projects/{project:str}/voices",
    operation_id="listVoices",
    tags=["Projects"],
    summary="List the voices of a project",
    responses=refusals(404),
)
async def list_project_voices(request: AnyRequest, project: FromPath[str]) -> Response[VoiceList]:
    """Voices that a job of this project can choose. Needs `catalog:read`."""
    asker = Asker.of(request)
    async with asker.open() as unit:
        found = await asker.project(unit, project, "catalog:read")
        lines = await list_voices(unit, found.id)
    items = [
        VoiceShape(
            slug=line.slug,
            name=line.name,
            version=line.number,
            language=line.body.language,
            provider=line.body.provider,
            voice=line.body.voice,
        )
        for line in lines
    ]
    return Response(VoiceList(items=items))
