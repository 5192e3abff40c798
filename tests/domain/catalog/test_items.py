"""Commands of the catalogue: versions, conflicts, what uses what, taking out of use."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from domain.catalog.commands import StaleVersion, create_project, save_version
from domain.catalog.items import ItemFilter, NoSuchItem, find_item, list_items, read_usage, versions_of
from domain.catalog.keeping import InUse, archive_item, bind_slots, choices_by_recipe, restore_item
from domain.catalog.resolution import Unresolved, find_recipe, resolve
from domain.catalog.usage import BindingUse, RecipeUse, Usage
from tenants.model import AuditEntry
from tenants.principal import Forbidden, Principal
from tenants.unit import Units
from tests.support.line import Workspace


def body(text: str) -> dict[str, str]:
    return {"template": text}


class TestVersions:
    async def test_a_change_from_an_earlier_version_is_a_conflict(self, units: Units, workspace: Workspace) -> None:
        async with units.open(workspace.principal) as unit:
            await save_version(unit, "prompt", "story", "Story", body("one"), expected=0)
            await save_version(unit, "prompt", "story", "Story", body("two"), expected=1)
            with pytest.raises(StaleVersion) as caught:
                await save_version(unit, "prompt", "story", "Story", body("three"), expected=1)
            assert caught.value.current == 2
            same = await save_version(unit, "prompt", "story", "Story", body("two"), expected=1)
            assert same.number == 2, "the same text twice is no conflict"
            with pytest.raises(StaleVersion):
                await save_version(unit, "prompt", "story", "Story", body("two"), expected=0)

    async def test_another_name_needs_no_version(self, units: Units, workspace: Workspace) -> None:
        async with units.open(workspace.principal) as unit:
            await save_version(unit, "prompt", "tale", "Tale", body("one"))
            await save_version(unit, "prompt", "tale", "Fable", body("one"))
            line = await find_item(unit, "prompt", "tale")
            assert (line.name, line.number, len(await versions_of(unit, line))) == ("Fable", 1, 1)
        async with units.open(workspace.principal) as unit:
            actions = await unit.session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("prompt.%")))
            assert "prompt.renamed" in set(actions)

    async def test_the_project_of_the_item_decides_not_that_of_the_caller(
        self, units: Units, workspace: Workspace
    ) -> None:
        async with units.open(workspace.principal) as unit:
            here = await create_project(unit, "here", "Here", languages=["en"])
            there = await create_project(unit, "there", "There", languages=["en"])
            await save_version(unit, "prompt", "secret", "Secret", body("x"), project_id=there.id)
        narrow = Principal(
            tenant_id=workspace.principal.tenant_id, kind="person", role="operator", projects=frozenset([here.id])
        )
        async with units.open(narrow) as unit:
            with pytest.raises(Forbidden):
                await save_version(unit, "prompt", "secret", "Mine", body("y"), project_id=here.id)
            with pytest.raises(NoSuchItem):
                await find_item(unit, "prompt", "secret")
            with pytest.raises(NoSuchItem):
                await archive_item(unit, "prompt", "secret")
            assert (await list_items(unit, "prompt", ItemFilter("secret"))).total == 0


class TestArchiving:
    async def test_what_a_recipe_or_project_names_stays(self, units: Units, workspace: Workspace) -> None:
        async with units.open(workspace.principal) as unit:
            with pytest.raises(InUse) as caught:
                await archive_item(unit, "prompt", "plain")
            assert [(use.recipe, use.slot) for use in caught.value.uses] == [("tiny", "prompt")]
            project = await create_project(unit, "tides", "Tides", languages=["en"])
            await save_version(unit, "prompt", "spare", "Spare", body("spare"))
            assert await bind_slots(unit, project.id, {("tiny", "prompt"): "spare"}) == []
            with pytest.raises(InUse) as caught:
                await archive_item(unit, "prompt", "spare")
            assert [use.project for use in caught.value.uses] == ["tides"]

    async def test_out_of_use_it_cannot_be_chosen_until_it_is_back(self, units: Units, workspace: Workspace) -> None:
        async with units.open(workspace.principal) as unit:
            project = await create_project(unit, "ebb", "Ebb", languages=["en"])
            await save_version(unit, "prompt", "old", "Old", body("old"))
            await archive_item(unit, "prompt", "old")
            assert await bind_slots(unit, project.id, {("tiny", "prompt"): "old"}) == [("tiny", "prompt")]
            await restore_item(unit, "prompt", "old")
            assert await bind_slots(unit, project.id, {("tiny", "prompt"): "old"}) == []
            recipe = await find_recipe(unit.session, "tiny", project.id)
            assert recipe is not None
            found = await resolve(unit.session, project, recipe, "en")
            assert (found.slots["prompt"].slug, found.slots["prompt"].origin) == ("old", "project")
            assert await choices_by_recipe(unit, project.id) == {("tiny", "prompt"): "old"}
            await bind_slots(unit, project.id, {("tiny", "prompt"): ""})
            again = await resolve(unit.session, project, recipe, "en")
            assert (again.slots["prompt"].slug, again.slots["prompt"].origin) == ("plain", "recipe")

    async def test_a_recipe_that_would_miss_something_is_never_resolved_silently(
        self, units: Units, workspace: Workspace
    ) -> None:
        async with units.open(workspace.principal) as unit:
            project = await create_project(unit, "gap", "Gap", languages=["en"])
            recipe = await find_recipe(unit.session, "tiny", project.id)
            assert recipe is not None
            steps = recipe.body["steps"]
            await save_version(unit, "recipe", "broken", "Broken", {**recipe.body, "steps": steps, "prompt": "gone"})
            broken = await find_recipe(unit.session, "broken", project.id)
            assert broken is not None
            with pytest.raises(Unresolved, match="names prompt “gone”"):
                await resolve(unit.session, project, broken, "en")


RECIPE = {
    "prompt": "script", "voice": "narrator", "video": "wide", "ssml": "calm", "validators": ["length"],
    "language": "en", "knowledge": {"tiers": [1, 2], "documents": ["stars"]},
}  # fmt: skip
USAGE = Usage(
    [RecipeUse("doc", "Documentary", RECIPE)],
    [BindingUse("prompt", "prompt", "own", "doc", "Documentary", "sky", "Sky")],
    frozenset(["pt-BR"]),
)


class TestUsage:
    @pytest.mark.parametrize(
        ("kind", "slug", "item", "found"),
        [
            ("prompt", "script", {}, [("prompt", "", True)]),
            ("prompt", "script-pt-br", {}, [("prompt", "", False)]),
            ("prompt", "script-pt", {}, [("prompt", "", False)]),
            ("prompt", "script-de", {}, []),
            ("prompt", "own", {}, [("prompt", "sky", True)]),
            ("preset", "script", {}, []),
            ("preset", "calm", {}, [("ssml", "", True)]),
            ("validator", "length", {}, [("validators", "", True)]),
            ("knowledge", "stars", {"tier": 2, "language": "en"}, [("knowledge", "", True)]),
            ("knowledge", "moon", {"tier": 2, "language": "en"}, []),
            ("knowledge", "law", {"tier": 1, "language": "en"}, [("knowledge", "", False)]),
            ("knowledge", "law", {"tier": 1, "language": "pt-BR"}, []),
            ("knowledge", "far", {"tier": 3, "language": "en"}, []),
        ],
    )
    def test_who_uses_an_item(
        self, kind: str, slug: str, item: dict[str, object], found: list[tuple[str, str, bool]]
    ) -> None:
        assert [(use.slot, use.project, use.named) for use in USAGE.of(kind, slug, item)] == found

    async def test_it_is_read_for_those_who_may_see_it(self, units: Units, workspace: Workspace) -> None:
        async with units.open(workspace.principal) as unit:
            project = await create_project(unit, "hidden", "Hidden", languages=["en"])
            await save_version(unit, "prompt", "kept", "Kept", body("x"))
            await bind_slots(unit, project.id, {("tiny", "prompt"): "kept"})
        narrow = Principal(
            tenant_id=workspace.principal.tenant_id, kind="person", role="operator", projects=frozenset()
        )
        async with units.open(narrow) as unit:
            assert (await read_usage(unit)).of("prompt", "kept", {}) == []
            with pytest.raises(InUse):
                await archive_item(unit, "prompt", "kept")
