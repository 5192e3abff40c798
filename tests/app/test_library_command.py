"""`vfos library add`: pictures from this machine's disk into a project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from adapters.settings import Settings
from app.console import DONE, FAILED, WRONG
from app.site import Site
from domain.catalog.model import LibraryPicture
from tests.app.test_cli import vfos
from tests.support.factories import Workspace, make_picture, seed_workspace


@pytest_asyncio.fixture(scope="module")
async def studio(site: Site) -> Workspace:
    return await seed_workspace(site.units, site.store, "studio", "Studio")


async def test_files_are_added_once_with_their_words(
    site: Site, studio: Workspace, database: Settings, tmp_path: Path
) -> None:
    (tmp_path / "ring nebula.jpg").write_bytes(make_picture(1))
    (tmp_path / "notes.jpg").write_bytes(b"text")
    files = [str(tmp_path / "ring nebula.jpg"), str(tmp_path / "notes.jpg")]
    words = ["--workspace", "studio", "--tags", "m57, sky", "--caption", "A dying star", "--credit", "Us"]
    done = vfos("library", "--json", "add", *files, *words, **database.environment())
    assert done.returncode == FAILED, done.stderr
    good, bad = json.loads(done.stdout)["files"]
    assert (good["state"], good["tags"]) == ("added", ["m57", "sky", "ring", "nebula"])
    assert (bad["state"], bad["why"]) == ("refused", "unreadable")
    async with site.units.open(studio.owner) as unit:
        row = (await unit.session.execute(select(LibraryPicture))).scalar_one()
    assert (row.captions, row.tags, row.credit) == ({"en": "A dying star"}, {"en": good["tags"]}, "Us")
    again = vfos("library", "add", files[0], "--workspace", "studio", **database.environment())
    assert (again.returncode, again.stdout) == (DONE, "ring nebula.jpg: was already there\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--project", "nowhere"],
            "There is no project “nowhere” in this workspace. There are: bedtime-atlas, deep-sky.",
        ),
        (["--language", "fr"], "the project speaks en, pt-BR, not fr"),
        (["--credit", "x" * 201], "--credit: This has 201 characters; at most 200 are allowed."),
        ([], "missing.jpg cannot be read (No such file or directory)"),
    ],
    ids=["project", "language", "credit", "file"],
)
async def test_what_cannot_be_done_is_said(
    studio: Workspace, database: Settings, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    missing = str(tmp_path / "missing.jpg")
    done = vfos("library", "add", missing, "--workspace", "studio", *arguments, **database.environment())
    assert done.returncode == WRONG
    assert sentence in done.stderr
