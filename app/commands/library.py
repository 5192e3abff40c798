"""Add pictures to a project's library: `vfos library add FILE… --project deep-sky --tags "moon, craters"`."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.embedded.stack import services
from adapters.images.intake import Incoming, Intake
from adapters.settings import Settings
from app import demo
from app.commands.common import migrate_and_check
from app.console import DONE, FAILED, WRONG, CommandError, Console
from app.i18n import Tongue
from app.intake import LIMITS, Desk, Taken, refuse
from app.uploads import plain_name
from app.views.pictures import say_faults, say_refusal
from domain.catalog.library import PictureDetails, check_details, clean_details

if TYPE_CHECKING:
    from uuid import UUID

    from adapters.wiring import Runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """add FILE… with the words that all of them get."""
    tasks = parser.add_subparsers(dest="task", metavar="task", required=True)
    add = tasks.add_parser("add", help="add picture files; what is there already stays as it is")
    add.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add.add_argument("--project", default="deep-sky", help="project they belong to (default: deep-sky)")
    add.add_argument("--workspace", default=demo.WORKSPACE, help=f"workspace (default: {demo.WORKSPACE})")
    add.add_argument("--tags", default="", help="tags, separated by commas; words of the file's name join them")
    add.add_argument("--caption", default="", help="what the pictures show")
    add.add_argument("--language", default="", help="language of tags and caption (default: the project's first)")
    add.add_argument("--licence", default="", help='for example "CC0"')
    add.add_argument("--credit", default="", help="who made them; named in the film's credits")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Add the files; 1 when any of them was refused."""
    with services(settings, console.say) as ready:
        migrate_and_check(ready)
        taken = asyncio.run(add_files(arguments, ready, console))
    console.result({"files": [as_json(one) for one in taken]}, *[f"{one.name}: {said(one)}" for one in taken])
    return FAILED if any(one.refused for one in taken) else DONE


async def add_files(arguments: argparse.Namespace, settings: Settings, console: Console) -> list[Taken]:
    """Find the project, then take every file. Raises CommandError."""
    from adapters.wiring import build_runtime

    runtime = build_runtime(settings, "command")
    try:
        desk, languages = await open_desk(runtime, arguments.workspace, arguments.project)
        language = arguments.language or languages[0]
        if language not in languages:
            raise CommandError(
                f"--language: the project speaks {', '.join(languages)}, not {language[:20]}.", code=WRONG
            )
        return await take(desk, arguments, language, settings.staging, console)
    finally:
        await runtime.close()


async def open_desk(runtime: Runtime, workspace: str, project: str) -> tuple[Desk, Sequence[str]]:
    """The desk of a project and the project's languages. Raises CommandError."""
    from domain.production.queries.projects import projects_of
    from tenants.directory import find_tenant

    tenant_id: UUID | None = await find_tenant(runtime.units, workspace)
    if tenant_id is None:
        raise CommandError(f"There is no workspace “{workspace}”.", code=WRONG)
    owner = demo.machine_owner(tenant_id)
    async with runtime.units.open(owner) as unit:
        lines = await projects_of(unit)
    found = next((line for line in lines if line.slug == project), None)
    if found is None:
        known = ", ".join(line.slug for line in lines) or "none"
        raise CommandError(f"There is no project “{project}” in this workspace. There are: {known}.", code=WRONG)
    return Desk(runtime.units, runtime.store, Intake(), owner, found.id), found.languages


async def take(
    desk: Desk, arguments: argparse.Namespace, language: str, staging: Path, console: Console
) -> list[Taken]:
    """Take the files one after the other, with progress; a file that cannot be read is refused."""
    details = PictureDetails(
        captions={language: arguments.caption},
        tags={language: arguments.tags.split(",")},
        licence=arguments.licence,
        credit=arguments.credit,
    )
    if faults := check_details(clean_details(details)):
        sentences = say_faults(Tongue(), faults)
        raise CommandError(*[f"--{fault.field.partition(':')[0]}: {fault.text}" for fault in sentences], code=WRONG)
    done: list[Taken] = []
    staging.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="upload-", dir=staging) as folder:
        for number, path in enumerate(arguments.files, start=1):
            console.bar(f"{number} of {len(arguments.files)}  {path.name}")
            done.append(await take_one(desk, path, Path(folder), details, language))
    return done


async def take_one(desk: Desk, path: Path, folder: Path, details: PictureDetails, language: str) -> Taken:
    """Take one file of this machine."""
    name = plain_name(path.name)
    try:
        if path.stat().st_size > LIMITS.file:
            return refuse(name, "bytes", {})
        path.open("rb").close()
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}): check the path.", code=WRONG) from error
    answers = [one async for one in desk.take([Incoming(path.absolute(), name)], folder, details, language)]
    return answers[0]


def said(taken: Taken) -> str:
    """What became of a file, for people."""
    if taken.refused:
        return f"refused. {say_refusal(Tongue(), taken.refused, taken.facts)}"
    return f"added with the tags {', '.join(taken.tags)}" if taken.new else "was already there"


def as_json(taken: Taken) -> dict[str, object]:
    """What became of a file, for machines."""
    state = "refused" if taken.refused else "added" if taken.new else "known"
    made: dict[str, object] = {"file": taken.name, "state": state, "picture": taken.picture, "tags": list(taken.tags)}
    if taken.refused:
        made["why"] = taken.refused
    return made
