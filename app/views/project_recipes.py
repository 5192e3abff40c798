"""A project's recipes as shown: what fills each slot, and what else could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.i18n import Tongue
from app.views.catalogue import SLOTS
from app.views.marks import LANGUAGE_NAMES, PROFILE_NAMES, said
from app.views.settings import Option
from domain.catalog.items import Choice
from domain.catalog.keeping import BOUND
from domain.catalog.usage import SLOTS as FILLERS
from domain.production.queries.projects import RecipeLine


@dataclass(frozen=True)
class Slot:
    """One choice of a project for a recipe; an empty value leaves it to the recipe."""

    field: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class RecipeRow:
    """A recipe that can be run in the project."""

    name: str
    href: str
    version: str
    note: str
    description: str
    slots: tuple[Slot, ...]
    voice: str
    own_voice: bool


def field_of(recipe: str, slot: str) -> str:
    """The form's field of a choice."""
    return f"{slot}.{recipe}"


def place_of(field: str) -> tuple[str, str] | None:
    """The recipe and slot of a form's field; None for fields of other kinds."""
    slot, dot, recipe = field.partition(".")
    return (recipe, slot) if dot else None


def make_recipe_rows(
    tongue: Tongue,
    base: str,
    recipes: Sequence[RecipeLine],
    bodies: Mapping[str, Mapping[str, Any]],
    choices: Sequence[Choice],
    bound: Mapping[tuple[str, str], str],
) -> list[RecipeRow]:
    """Build the rows; `base` is the workspace's address."""
    return [_row(tongue, base, line, bodies.get(line.slug, {}), choices, bound) for line in recipes]


def _row(
    tongue: Tongue,
    base: str,
    line: RecipeLine,
    body: Mapping[str, Any],
    choices: Sequence[Choice],
    bound: Mapping[tuple[str, str], str],
) -> RecipeRow:
    names = {(one.kind, one.slug): one.name for one in choices}
    own = bound.get((line.slug, "voice"), "")
    voice = own or str(body.get("voice", ""))
    note = [said(tongue, LANGUAGE_NAMES, line.language), said(tongue, PROFILE_NAMES, line.profile)]
    return RecipeRow(
        name=line.name,
        href=f"{base}/catalogue/recipes/{line.slug}",
        version=f"v{line.number}",
        note=" · ".join([*note, tongue.duration(line.seconds)]),
        description=line.description,
        slots=tuple(_slot(tongue, line, slot, body, choices, names) for slot in BOUND),
        voice=names.get(("preset", voice), voice),
        own_voice=bool(own),
    )


def _slot(
    tongue: Tongue,
    line: RecipeLine,
    slot: str,
    body: Mapping[str, Any],
    choices: Sequence[Choice],
    names: Mapping[tuple[str, str], str],
) -> Slot:
    kind, own = FILLERS[slot], str(body.get(slot, ""))
    first = Option("", tongue.gettext("The recipe’s own: %(name)s", name=names.get((kind, own), own)))
    fitting = [one for one in choices if one.kind == kind and one.sort in ("", slot)]
    return Slot(
        field_of(line.slug, slot),
        tongue.gettext(SLOTS[slot]),
        (first, *(Option(one.slug, one.name) for one in fitting)),
    )
