"""`vfos admin provider …`: providers without a browser. Keys are read from standard input, never from arguments."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from adapters.egress_rules import Allowance
from adapters.embedded.stack import services
from adapters.settings import Settings
from app import demo
from app.console import DONE, FAILED, WRONG, CommandError, Console
from app.i18n import Tongue
from app.provider_forms import OPTION, read_provider
from app.views.providers import tell_faults
from domain.catalog.model import Project
from domain.catalog.providers import (
    Choice,
    InvalidProvider,
    NoSuchProvider,
    Test,
    add_provider,
    choose_providers,
    find_provider,
    list_providers,
    record_test,
    remove_provider,
)
from domain.catalog.vendors import VENDORS
from tenants.directory import find_tenant
from tenants.unit import Unit

if TYPE_CHECKING:
    from adapters.wiring import Runtime

Task = Callable[["Runtime", Unit, argparse.Namespace], Awaitable[dict[str, Any]]]


def add_arguments(tasks: Any) -> None:
    """provider add | list | test | choose | remove."""
    parser = tasks.add_parser("provider", help="add, test, choose and remove providers; keys come from standard input")
    what = parser.add_subparsers(dest="what", metavar="what", required=True)
    add = what.add_parser("add", help="add one; its key is read from standard input")
    add.add_argument("--kind", required=True, choices=sorted(VENDORS))
    add.add_argument("--name", default="", help="how people call it (default: the vendor's name)")
    add.add_argument("--model", default="")
    add.add_argument("--base-url", default="")
    add.add_argument("--per-minute", default="", metavar="CALLS")
    add.add_argument("--concurrent", default="", metavar="CALLS")
    add.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="such as region=brazilsouth")
    choose = what.add_parser("choose", help="choose who works for a project")
    choose.add_argument("--project", required=True)
    choose.add_argument("--writer", default="")
    choose.add_argument("--narrator", default="")
    choose.add_argument("--images", default="", help="in order, with commas; the art board comes last by itself")
    for name, text in (("test", "test the connection of one"), ("remove", "forget one and its key")):
        what.add_parser(name, help=text).add_argument("slug")
    what.add_parser("list", help="list them")
    for one in what.choices.values():
        one.add_argument("--workspace", default=demo.WORKSPACE, help=f"its short name (default: {demo.WORKSPACE})")
        one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer as JSON")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do the task; a test that fails answers 1."""
    with services(settings, console.say) as ready:
        answer = asyncio.run(_in_workspace(ready, arguments))
    lines = answer.pop("lines")
    console.result(answer, *lines)
    return FAILED if answer.get("ok") is False else DONE


async def _in_workspace(settings: Settings, arguments: argparse.Namespace) -> dict[str, Any]:
    from adapters.wiring import build_runtime

    runtime = build_runtime(settings)
    try:
        tenant_id = await find_tenant(runtime.units, arguments.workspace)
        if tenant_id is None:
            raise CommandError(f"There is no workspace “{arguments.workspace}”.", code=WRONG)
        async with runtime.units.open(demo.machine_owner(tenant_id)) as unit:
            return await TASKS[arguments.what](runtime, unit, arguments)
    except InvalidProvider as error:
        raise _told(error.faults) from error
    except NoSuchProvider as error:
        raise CommandError(f"The workspace has no provider “{error}”.", code=WRONG) from error
    finally:
        await runtime.close()


def _told(faults: list[tuple[str, str]], words: Mapping[str, str] | None = None) -> CommandError:
    told = tell_faults(Tongue(), faults, words)
    return CommandError("\n".join(f"{fault.field or 'form'}: {fault.text}" for fault in told), code=WRONG)


async def _add(runtime: Runtime, unit: Unit, arguments: argparse.Namespace) -> dict[str, Any]:
    vendor = VENDORS[arguments.kind]
    options = dict(pair.partition("=")[::2] for pair in arguments.option)
    if sys.stdin.isatty():
        raise CommandError(
            "Give the key on standard input, for example: vfos admin provider add … < key.txt", code=WRONG
        )
    values = {
        "kind": arguments.kind,
        "name": arguments.name or vendor.label,
        "model": arguments.model,
        "base_url": arguments.base_url,
        "per_minute": arguments.per_minute,
        "concurrent": arguments.concurrent,
        "key": await asyncio.to_thread(sys.stdin.read, 10_000),
        **{f"{OPTION}{name}": value for name, value in options.items()},
    }
    read = read_provider(values, Allowance.parse(runtime.settings.egress_allow))
    if read.faults:
        raise _told(read.faults, read.words)
    row = await add_provider(unit, runtime.vault, read.form, read.key)
    return {
        "provider": row.slug,
        "lines": [f"Added {row.name} as {row.slug}; test it with `provider test {row.slug}`."],
    }


async def _list(runtime: Runtime, unit: Unit, arguments: argparse.Namespace) -> dict[str, Any]:
    rows = await list_providers(unit)
    told = [
        {
            "provider": row.slug,
            "kind": row.kind,
            "name": row.name,
            "model": row.model,
            "enabled": row.enabled,
            "tested": row.tested_ok,
            "error": row.error_said,
        }
        for row in rows
    ]
    lines = [f"{row.slug:<20} {row.kind:<10} {row.model:<26} {_state(row)}" for row in rows]
    return {"providers": told, "lines": lines or ["No provider yet; everything is made on this machine, as drafts."]}


def _state(row: Any) -> str:
    if not row.enabled:
        return "switched off"
    if row.error_said:
        return f"failing: {row.error_said}"
    return {True: "works", False: f"test failed: {row.tested_said}", None: "not tested"}[row.tested_ok]


async def _test(runtime: Runtime, unit: Unit, arguments: argparse.Namespace) -> dict[str, Any]:
    row = await find_provider(unit, arguments.slug)
    test = await test_connection(runtime, unit, row)
    lines = [test.said, *([f"request {test.request_id}"] if test.request_id else [])]
    return {"provider": row.slug, "ok": test.ok, "said": test.said, "request_id": test.request_id, "lines": lines}


async def test_connection(runtime: Runtime, unit: Unit, row: Any) -> Test:
    """Ask a provider something that costs nothing, and keep its answer."""
    desk = runtime.open_desk()
    try:
        test = await desk.test(row.tenant_id, row.id)
    finally:
        await desk.close()
    await record_test(unit, row.id, test)
    return test


async def _choose(runtime: Runtime, unit: Unit, arguments: argparse.Namespace) -> dict[str, Any]:
    from sqlalchemy import select

    project = await unit.session.scalar(select(Project).where(Project.slug == arguments.project))
    if project is None:
        raise CommandError(f"There is no project “{arguments.project}”.", code=WRONG)
    images = tuple(filter(None, (name.strip() for name in arguments.images.split(","))))
    choice = Choice(arguments.writer, arguments.narrator, images)
    await choose_providers(unit, project.id, choice)
    shown = [choice.writer or "offline", choice.narrator or "espeak", " → ".join([*images, "artboard"])]
    return {"project": project.slug, **choice.by_port(), "lines": [f"{project.slug}: {', '.join(shown)}"]}


async def _remove(runtime: Runtime, unit: Unit, arguments: argparse.Namespace) -> dict[str, Any]:
    await remove_provider(unit, runtime.vault, arguments.slug)
    return {"removed": arguments.slug, "lines": [f"Removed {arguments.slug} and its key."]}


TASKS: Mapping[str, Task] = {"add": _add, "list": _list, "test": _test, "choose": _choose, "remove": _remove}
