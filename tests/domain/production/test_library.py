"""The library where it meets jobs: what is kept, who may, and how a new picture reaches a film."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import select, update

from adapters.store.objects import LocalObjects
from domain.catalog.library import BadDetails, NoSuchPicture, PictureDetails, edit_picture
from domain.catalog.model import LibraryPicture
from domain.dispatch.model import Step
from domain.production.errors import NotFound
from domain.production.library import (
    Kept,
    PictureFile,
    PictureInUse,
    keep_picture,
    list_pictures,
    remove_picture,
    restore_picture,
)
from domain.production.matching import match_pictures
from domain.production.model import Artifact
from domain.production.spec import JobSpec
from domain.studio.script import Scene, Sentence, Visual
from tenants.audit import verify_chain
from tenants.principal import Forbidden
from tests.support.line import Workspace

Make = Callable[[], Awaitable[Workspace]]
EUROPA = PictureDetails({"en": "Cracked ice"}, {"en": ["europa", "ice", "jupiter"]}, "CC0", "NASA", ("0.25", "0.5"))


@pytest.fixture
def store(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "objects", tmp_path / "staging")


async def keep(
    space: Workspace, store: Any, folder: Path, body: bytes = b"ice", details: PictureDetails = EUROPA
) -> Kept:
    path = folder / f"clean-{len(list(folder.iterdir()))}"
    path.write_bytes(body)
    file = PictureFile(path, "image/jpeg", 800, 600)
    return await keep_picture(space.units, store, space.principal, space.project.id, file, details)


async def pictures(space: Workspace) -> list[LibraryPicture]:
    async with space.units.open(space.principal) as unit:
        return list((await unit.session.execute(select(LibraryPicture))).scalars())


class TestKeeping:
    async def test_the_object_is_there_before_its_row(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path
    ) -> None:
        kept = await keep(workspace, store, tmp_path)
        assert await store.get_bytes(workspace.principal.tenant_id, kept.sha256) == b"ice"
        assert [(row.id, row.role) for row in await pictures(workspace)] == [(kept.id, "picture")]

    async def test_when_the_store_is_full_there_is_no_row(self, workspace: Workspace, tmp_path: Path) -> None:
        class Full:
            async def put_file(self, _tenant: UUID, _path: Path) -> None:
                raise OSError(errno.ENOSPC, "full")

        with pytest.raises(OSError, match="full"):
            await keep(workspace, Full(), tmp_path)
        assert await pictures(workspace) == []
        async with workspace.units.open(workspace.principal) as unit:
            assert (await unit.session.execute(select(Artifact))).all() == []

    async def test_the_same_file_twice_at_once_is_one_picture(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path
    ) -> None:
        folders = [tmp_path / name for name in "abcd"]
        for folder in folders:
            folder.mkdir()
        made = await asyncio.gather(*(keep(workspace, store, folder) for folder in folders))
        assert len({kept.id for kept in made}) == 1
        assert sorted(kept.new for kept in made) == [False, False, False, True]

    async def test_bad_words_are_refused_before_the_file_moves(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path
    ) -> None:
        with pytest.raises(BadDetails):
            await keep(workspace, store, tmp_path, details=PictureDetails(credit="x" * 300))
        assert (tmp_path / "clean-2").exists()

    async def test_a_viewer_keeps_edits_removes_and_restores_nothing(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path
    ) -> None:
        kept = await keep(workspace, store, tmp_path)
        viewer = dataclasses.replace(workspace, principal=dataclasses.replace(workspace.principal, role="viewer"))
        with pytest.raises(Forbidden):
            await keep(viewer, store, tmp_path)
        for command in (remove_picture, restore_picture):
            async with viewer.units.open(viewer.principal) as unit:
                with pytest.raises(Forbidden):
                    await command(unit, viewer.project.id, kept.id)
        async with viewer.units.open(viewer.principal) as unit:
            with pytest.raises(Forbidden):
                await edit_picture(unit, viewer.project.id, kept.id, EUROPA)
            assert (await list_pictures(unit, viewer.project.id, "")).total == 1


class TestForeign:
    async def test_a_picture_of_another_workspace_is_missing(
        self, make_workspace: Make, store: LocalObjects, tmp_path: Path
    ) -> None:
        mine, theirs = await make_workspace(), await make_workspace()
        kept = await keep(theirs, store, tmp_path)
        async with theirs.units.open(theirs.principal) as unit:
            await remove_picture(unit, theirs.project.id, kept.id)
        async with mine.units.open(mine.principal) as unit:
            with pytest.raises(NotFound):
                await restore_picture(unit, mine.project.id, kept.id)
            with pytest.raises(NoSuchPicture):
                await remove_picture(unit, mine.project.id, kept.id)
            with pytest.raises(NoSuchPicture):
                await edit_picture(unit, theirs.project.id, kept.id, EUROPA)
            assert (await list_pictures(unit, theirs.project.id, "")).total == 0


class TestJobs:
    async def test_a_new_job_shows_the_picture_where_its_tags_fit(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path, alone: None
    ) -> None:
        await workspace.order("Before the upload")
        kept = await keep(workspace, store, tmp_path)
        spec = JobSpec.model_validate((await workspace.order("The ice of Europa")).spec)
        item = next(entry for entry in spec.library if entry.id == str(kept.id))
        assert (item.sha256, item.tags, item.focus) == (
            kept.sha256,
            {"en": ["europa", "ice", "jupiter"]},
            ["0.25", "0.5"],
        )
        assert (item.licence, item.credit, item.role) == ("CC0", "NASA", "picture")
        scenes = [_scene("s1", "Europa is a moon of Jupiter under ice."), _scene("s2", "Bread needs flour and water.")]
        matches = match_pictures(scenes, spec.library)
        assert (matches["s1"].picture, matches["s2"].picture) == (str(kept.id), None)

    async def test_an_edit_reaches_the_next_job_and_not_the_last(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path, alone: None
    ) -> None:
        kept = await keep(workspace, store, tmp_path)
        before = await workspace.order("Before the edit")
        async with workspace.units.open(workspace.principal) as unit:
            await edit_picture(unit, workspace.project.id, kept.id, PictureDetails({}, {"en": ["bread"]}))
        after = await workspace.order("After the edit")
        tags = [cast("list[Any]", job.spec["library"])[0]["tags"] for job in (before, after)]
        assert tags == [{"en": ["europa", "ice", "jupiter"]}, {"en": ["bread"]}]

    async def test_a_job_that_has_not_chosen_holds_the_picture(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path
    ) -> None:
        kept = await keep(workspace, store, tmp_path)
        job = await workspace.order("Undecided")
        async with workspace.units.open(workspace.principal) as unit:
            with pytest.raises(PictureInUse) as refused:
                await remove_picture(unit, workspace.project.id, kept.id)
        assert refused.value.jobs == [job.number]
        async with workspace.units.open(workspace.principal) as unit:
            step = (await unit.session.execute(select(Step).where(Step.job_id == job.id).limit(1))).scalar_one()
            chosen = update(Step).where(Step.id == step.id).values(kind="illustrate", state="succeeded")
            await unit.session.execute(chosen)
        # It has chosen, and not this picture.
        async with workspace.units.open(workspace.principal) as unit:
            await remove_picture(unit, workspace.project.id, kept.id)
        assert await pictures(workspace) == []
        assert await store.exists(workspace.principal.tenant_id, kept.sha256)
        assert (await workspace.order("After the removal")).spec["library"] == []


class TestUndo:
    async def test_a_removed_picture_comes_back_under_its_id(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path
    ) -> None:
        kept = await keep(workspace, store, tmp_path)
        async with workspace.units.open(workspace.principal) as unit:
            await remove_picture(unit, workspace.project.id, kept.id)
        for _ in range(2):
            async with workspace.units.open(workspace.principal) as unit:
                back = await restore_picture(unit, workspace.project.id, kept.id)
                assert (back.id, back.tags, back.focus) == (kept.id, EUROPA.tags, ["0.25", "0.5"])
        assert len(await pictures(workspace)) == 1
        async with workspace.units.open(workspace.principal) as unit:
            assert (await verify_chain(unit.session, unit.tenant_id)).intact

    async def test_uploaded_again_meanwhile_it_stays_one(
        self, workspace: Workspace, store: LocalObjects, tmp_path: Path
    ) -> None:
        kept = await keep(workspace, store, tmp_path)
        async with workspace.units.open(workspace.principal) as unit:
            await remove_picture(unit, workspace.project.id, kept.id)
        again = await keep(workspace, store, tmp_path)
        async with workspace.units.open(workspace.principal) as unit:
            assert (await restore_picture(unit, workspace.project.id, kept.id)).id == again.id


def _scene(scene_id: str, sentence: str) -> Scene:
    words = sentence.rstrip(".").split()
    return Scene(
        id=scene_id, sentences=[Sentence(id=f"{scene_id}.1", text=sentence)], visual=Visual(keywords=words[:1])
    )
