"""Which recipes and projects use an item of the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SLOTS: Mapping[str, str] = {"prompt": "prompt", "voice": "preset", "video": "preset", "ssml": "preset"}
"""Slot of a recipe → kind of item that fills it."""


@dataclass(frozen=True)
class RecipeUse:
    """A recipe in use with its current body."""

    slug: str
    name: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class BindingUse:
    """A project's own choice for a slot of a recipe."""

    slot: str
    kind: str
    slug: str
    recipe: str
    recipe_name: str
    project: str
    project_name: str


@dataclass(frozen=True)
class Use:
    """One thing that uses an item: a recipe, or a project for a recipe. `named`: it would miss the item."""

    recipe: str
    recipe_name: str
    slot: str
    project: str = ""
    project_name: str = ""
    named: bool = True


@dataclass(frozen=True)
class Usage:
    """All choices of a workspace; `languages` of its projects."""

    recipes: Sequence[RecipeUse]
    bindings: Sequence[BindingUse]
    languages: frozenset[str] = frozenset()

    def of(self, kind: str, slug: str, body: Mapping[str, Any]) -> list[Use]:
        """What uses an item, recipes first."""
        found = [use for recipe in self.recipes for use in self._by_recipe(recipe, kind, slug, body)]
        found += [
            Use(one.recipe, one.recipe_name, one.slot, one.project, one.project_name)
            for one in self.bindings
            if (one.kind, one.slug) == (kind, slug)
        ]
        return found

    def of_recipe(self, slug: str) -> list[Use]:
        """The projects that have chosen something else for a slot of a recipe."""
        return [
            Use(one.recipe, one.recipe_name, one.slot, one.project, one.project_name)
            for one in self.bindings
            if one.recipe == slug
        ]

    def _by_recipe(self, recipe: RecipeUse, kind: str, slug: str, body: Mapping[str, Any]) -> list[Use]:
        if kind == "knowledge":
            return _by_knowledge(recipe, slug, body)
        if kind == "validator":
            named = slug in recipe.body.get("validators", ())
            return [Use(recipe.slug, recipe.name, "validators")] if named else []
        names = {slot: str(recipe.body.get(slot, "")) for slot, filler in SLOTS.items() if filler == kind}
        exact = [Use(recipe.slug, recipe.name, slot) for slot, name in names.items() if name == slug]
        twins = [
            Use(recipe.slug, recipe.name, slot, named=False)
            for slot, name in names.items()
            if name and slug in twin_slugs(name, self.languages)
        ]
        return exact + twins


def twin_slugs(slug: str, languages: Sequence[str] | frozenset[str]) -> set[str]:
    """Short names that stand in for `slug` in films of these languages: `narrator-pt-br` and `narrator-pt`."""
    tags = {tag for language in languages for tag in (language.lower(), language.lower().split("-")[0])}
    return {f"{slug}-{tag}" for tag in tags}


def _by_knowledge(recipe: RecipeUse, slug: str, body: Mapping[str, Any]) -> list[Use]:
    """A recipe reads the documents of its tiers in its language; a document of tier 2 only if it names it, or none."""
    choice = recipe.body.get("knowledge", {})
    tiers, documents = choice.get("tiers", [1, 2]), choice.get("documents", [])
    spoken = [str(text.get("language", "")).split("-")[0].lower() for text in (recipe.body, body)]
    tier = body.get("tier", 2)
    reads = spoken[0] == spoken[1] and tier in tiers and (tier != 2 or not documents or slug in documents)
    return [Use(recipe.slug, recipe.name, "knowledge", named=slug in documents)] if reads or slug in documents else []
