"""`vfos catalogue`: items listed, written to files and saved from files, as a script would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest_asyncio

from adapters.settings import Settings
from app.console import DONE, FAILED, WRONG
from app.site import Site
from domain.catalog.commands import save_version
from tests.app.test_cli import vfos
from tests.support.factories import Workspace, seed_workspace


@pytest_asyncio.fixture(scope="module")
async def studio(site: Site) -> Workspace:
    made = await seed_workspace(site.units, site.store, "studio", "Studio")
    async with site.units.open(made.owner) as unit:
        await save_version(unit, "prompt", "tale", "Tale", {"template": "Tell {{ topic }}."}, note="First")
    return made


async def test_out_changed_and_in_again(studio: Workspace, database: Settings, tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        done = vfos("catalogue", *words, "--workspace", "studio", **database.environment())
        return done.returncode, done.stdout, done.stderr

    file = tmp_path / "tale.yaml"
    assert run("export", "prompt", "tale", "--out", str(file))[0] == DONE
    file.write_text(file.read_text().replace("Tell", "Sing of"))
    assert run("save", str(file), "--note", "Sung")[:2] == (DONE, "prompt tale: v2\n")
    assert run("list", "prompt")[1] == "tale  v2  Tale\n"
    file.write_text(file.read_text().replace("topic", "topci"))
    code, _, said = run("save", str(file))
    assert (code, "Line 1: there is no variable “topci”. Did you mean “topic”?" in said) == (FAILED, True)
    done = vfos("catalogue", "--json", "show", "prompt", "tale", "--workspace", "studio", **database.environment())
    shown = json.loads(done.stdout)
    assert (shown["number"], shown["note"], shown["body"]["template"]) == (2, "Sung", "Sing of {{ topic }}.")
    assert run("show", "prompt", "tale", "--version", "9")[0] == WRONG
