"""A project's recipes: which there are, and what the project chooses in place of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post

from app.bodies.entries import Trouble
from app.forms import FormState, read_form
from app.room import Room
from app.site import AnyRequest
from app.views.project_recipes import field_of, make_recipe_rows, place_of
from app.views.troubles import tell_troubles
from domain.catalog.items import offered, read_usage
from domain.catalog.keeping import bind_slots, choices_by_recipe
from domain.production.queries.projects import recipes_of

PATH = "/w/{tenant:str}/p/{project:str}/recipes"


@get(PATH)
async def show_recipes(request: AnyRequest) -> Response[str]:
    """Every recipe that can be run here, with what fills its slots."""
    room = await Room.enter(request)
    async with room.open() as unit:
        project, _ = await room.project(unit)
        chosen = await choices_by_recipe(unit, project.id)
    return await _page(room, FormState({field_of(recipe, slot): slug for (recipe, slot), slug in chosen.items()}))


@post(PATH)
async def choose_slots(request: AnyRequest) -> Response[Any]:
    """Set the project's own prompt and presets; jobs that are started from now on use them."""
    room = await Room.enter(request)
    values = await read_form(request)
    chosen = {place: slug for name, slug in values.items() if (place := place_of(name))}
    async with room.open() as unit:
        project, _ = await room.project(unit)
        wrong = await bind_slots(unit, project.id, chosen)
    if wrong:
        troubles = [Trouble(field_of(*place), "choice", {"name": chosen[place][:60]}) for place in wrong]
        return await _page(room, FormState(values, tell_troubles(room.tongue, troubles)), 422)
    return room.go(f"{room.base}/p/{room.project_slug}/recipes?saved=1")


async def _page(room: Room, form: FormState, status: int = 200) -> Response[str]:
    async with room.open() as unit:
        project, projects = await room.project(unit)
        recipes, choices = await recipes_of(unit, project.id), await offered(unit, project.id)
        bodies: Mapping[str, Mapping[str, Any]] = {one.slug: one.body for one in (await read_usage(unit)).recipes}
        bound = await choices_by_recipe(unit, project.id)
    return room.page(
        "catalogue/project.html",
        "content",
        status,
        shell=room.shell(projects, project, "recipes"),
        form=form,
        rows=make_recipe_rows(room.tongue, room.base, recipes, bodies, choices, bound),
        here=room.request.scope["path"],
        catalogue=f"{room.base}/catalogue/recipes?project={project.slug}",
        voices_at=f"{room.base}/p/{project.slug}/providers#voices",
        may_choose=room.principal.can("projects:manage", project.id),
        saved=room.request.query_params.get("saved") == "1",
    )


HANDLERS = (show_recipes, choose_slots)
