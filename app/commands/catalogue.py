"""Read and change the catalogue: `vfos catalogue list prompt`, `… export prompt SLUG --out FILE`, `… save FILE`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.embedded.stack import services
from adapters.settings import Settings
from app import demo
from app.commands.common import migrate_and_check
from app.console import DONE, FAILED, WRONG, CommandError, Console

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.catalog.items import ItemLine
    from tenants.unit import Unit

KINDS = ("recipe", "prompt", "preset", "validator", "knowledge")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One task each: list, show, export, save."""
    tasks = parser.add_subparsers(dest="task", metavar="task", required=True)
    listed = tasks.add_parser("list", help="the items of a kind with their versions")
    listed.add_argument("kind", choices=KINDS)
    listed.add_argument("--archived", action="store_true", help="those out of use instead")
    for name, said in (("show", "one item as YAML"), ("export", "write one item to a file")):
        one = tasks.add_parser(name, help=said)
        one.add_argument("kind", choices=KINDS)
        one.add_argument("slug", help="its short name")
        one.add_argument("--version", type=int, help="an earlier version (default: the one in use)")
        if name == "export":
            one.add_argument("--out", type=Path, required=True, help="file to write, .json or .yaml")
    save = tasks.add_parser("save", help="save a file: a new version of the item it names, or a new item")
    save.add_argument("file", type=Path, metavar="FILE")
    save.add_argument("--note", default="", help="what has changed")
    for task in tasks.choices.values():
        task.add_argument("--workspace", default=demo.WORKSPACE, help=f"workspace (default: {demo.WORKSPACE})")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do one task; 1 when a file was refused."""
    with services(settings, console.say) as ready:
        migrate_and_check(ready)
        return asyncio.run(TASKS[arguments.task](arguments, ready, console))


@asynccontextmanager
async def unit_of(settings: Settings, workspace: str) -> AsyncIterator[Unit]:
    """A unit of work as this machine's owner. Raises CommandError."""
    from adapters.wiring import build_runtime
    from tenants.directory import find_tenant

    runtime = build_runtime(settings, "command")
    try:
        tenant_id = await find_tenant(runtime.units, workspace)
        if tenant_id is None:
            raise CommandError(f"There is no workspace “{workspace}”.", code=WRONG)
        async with runtime.units.open(demo.machine_owner(tenant_id)) as unit:
            yield unit
    finally:
        await runtime.close()


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────
async def list_kind(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Every item of a kind, one a line."""
    from domain.catalog.items import PAGE, ItemFilter, list_items

    lines: list[ItemLine] = []
    async with unit_of(settings, arguments.workspace) as unit:
        page = await list_items(unit, arguments.kind, ItemFilter(archived=arguments.archived))
        lines += page.lines
        for number in range(2, -(-page.total // PAGE) + 1):
            wanted = ItemFilter(archived=arguments.archived, page=number)
            lines += (await list_items(unit, arguments.kind, wanted)).lines
    said = [
        f"{line.slug}  v{line.number}  {line.name}{f'  ({line.project})' if line.project else ''}" for line in lines
    ]
    console.result({"items": [as_json(line) for line in lines]}, *said)
    return DONE


def _line(line: ItemLine) -> str:
    scope = f"  ({line.project})" if line.project else ""
    return f"{line.slug}  v{line.number}  {line.name}{scope}"


def as_json(line: ItemLine) -> dict[str, Any]:
    fields = ("kind", "slug", "name", "number", "note", "at", "project")
    return {name: getattr(line, name) for name in fields}


async def show_one(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """One item, as its file would be."""
    from app.catalogue_files import write_file

    line = await find(arguments, settings)
    body = {**as_json(line), "body": line.body}
    console.result(body, write_file(line, "yaml").decode().rstrip("\n"))
    return DONE


async def export_one(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Write one item to a file. Raises CommandError."""
    from app.catalogue_files import write_file

    form = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}.get(arguments.out.suffix.lower())
    if form is None:
        raise CommandError("--out: name a file that ends in .json or .yaml.", code=WRONG)
    line = await find(arguments, settings)
    try:
        arguments.out.write_bytes(write_file(line, form))
    except OSError as error:
        raise CommandError(f"{arguments.out} cannot be written ({error.strerror}).", code=WRONG) from error
    console.result({**as_json(line), "file": str(arguments.out)}, f"{arguments.out}: {line.slug} v{line.number}")
    return DONE


async def find(arguments: argparse.Namespace, settings: Settings) -> ItemLine:
    from domain.catalog.items import NoSuchItem, find_item

    async with unit_of(settings, arguments.workspace) as unit:
        try:
            return await find_item(unit, arguments.kind, arguments.slug, arguments.version)
        except NoSuchItem:
            which = f" in version {arguments.version}" if arguments.version is not None else ""
            raise CommandError(f"There is no {arguments.kind} “{arguments.slug[:80]}”{which}.", code=WRONG) from None


# ── Saving ────────────────────────────────────────────────────────────────────────────────────────────────
async def save_file(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Save what a file holds; every fault is said, and nothing is saved then."""
    from app.bodies.entries import Trouble
    from app.catalogue_files import read_document, read_file
    from app.i18n import Tongue
    from app.views.troubles import tell_troubles
    from domain.catalog.commands import save_version
    from domain.catalog.items import slugs_of_kind

    data = read_bytes(arguments.file)
    whole, troubles = read_document(data)
    kind = str(whole.get("kind", ""))
    if not troubles and kind not in KINDS:
        troubles = [Trouble("file", "file-form")]
    async with unit_of(settings, arguments.workspace) as unit:
        if not troubles:
            read = await read_file(unit, kind, data, "From a file", await slugs_of_kind(unit, kind))
            troubles = read.troubles
        if troubles:
            raise CommandError(
                *[_told(fault.field, fault.text) for fault in tell_troubles(Tongue(), troubles)], code=FAILED
            )
        given = read.given
        note = " ".join(arguments.note.split()) or given.note
        version = await save_version(
            unit, kind, given.slug, given.name, given.body, note=note[:200], project_id=read.project_id
        )
        unit.emit("catalogue.saved", project_id=read.project_id, kind=kind, slug=given.slug)
        answer = {"kind": kind, "slug": given.slug, "version": version.number}
    console.result(answer, f"{kind} {given.slug}: v{answer['version']}")
    return DONE


def _told(field: str, text: str) -> str:
    return text if field in ("", "file") else f"{field}: {text}"


def read_bytes(path: Path) -> bytes:
    """The bytes of a file of this machine. Raises CommandError."""
    from app.catalogue_files import FILE_LIMIT

    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read ({error.strerror}): check the path.", code=WRONG) from error
    if len(data) > FILE_LIMIT:
        raise CommandError(f"{path} is larger than {FILE_LIMIT // 1000} kB.", code=WRONG)
    return data


TASKS: Mapping[str, Callable[[argparse.Namespace, Settings, Console], Coroutine[Any, Any, int]]] = {
    "list": list_kind,
    "show": show_one,
    "export": export_one,
    "save": save_file,
}
