"""`vfos admin sign-in …`: providers everybody here may sign in with. Secrets come from standard input."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from adapters.egress_rules import Allowance
from adapters.embedded.stack import services
from adapters.settings import Settings
from app.console import DONE, FAILED, WRONG, CommandError, Console

if TYPE_CHECKING:
    from adapters.wiring import Runtime

Answer = dict[str, Any]


def add_arguments(tasks: Any) -> None:
    """sign-in add | list | test | enable | disable | remove."""
    parser = tasks.add_parser("sign-in", help="providers everybody may sign in with; secrets come from standard input")
    what = parser.add_subparsers(dest="what", metavar="what", required=True)
    add = what.add_parser("add", help="add one; its client secret is read from standard input")
    add.add_argument("--kind", required=True, choices=("google", "github", "microsoft", "oidc"))
    add.add_argument("--name", default="", help="stands on the button (default: the kind's name)")
    add.add_argument("--issuer", default="", help="issuer; of microsoft the directory id; of github an own server")
    add.add_argument("--client-id", required=True)
    add.add_argument("--newcomers", default="invited", choices=("invited", "domains", "everyone"),
                     help="who may come in without an invitation (default: nobody)")  # fmt: skip
    add.add_argument("--domains", default="", help="with commas; for --newcomers domains")
    add.add_argument("--workspace", default="", help="short name of the workspace that newcomers join")
    add.add_argument("--role", default="viewer", choices=("viewer", "operator"), help="their role there")
    what.add_parser("list", help="list them, each with the address to register at the provider")
    words = {
        "test": "ask what it says of itself",
        "enable": "let people in by it",
        "disable": "let nobody in by it",
        "remove": "forget it and its secret",
    }
    for name, text in words.items():
        what.add_parser(name, help=text).add_argument("slug")
    for one in what.choices.values():
        one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer as JSON")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do the task; a test that fails answers 1."""
    with services(settings, console.say) as ready:
        answer = asyncio.run(_do(ready, arguments))
    lines = answer.pop("lines")
    console.result(answer, *lines)
    return FAILED if answer.get("ok") is False else DONE


async def _do(settings: Settings, arguments: argparse.Namespace) -> Answer:
    from adapters.wiring import build_runtime
    from tenants.signin_providers import NoSuchWay

    runtime = build_runtime(settings)
    try:
        return await TASKS[arguments.what](runtime, arguments)
    except NoSuchWay as error:
        raise CommandError(f"There is no provider “{error}”: see `vfos admin sign-in list`.", code=WRONG) from error
    finally:
        await runtime.close()


async def _add(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from adapters.signin.kinds import KINDS
    from app.i18n import Tongue
    from app.sign_in_forms import read_way
    from app.views.sign_in import tell_faults
    from tenants.directory import find_tenant
    from tenants.signin_providers import TooManyWays, add_house, find_house

    if sys.stdin.isatty():
        raise CommandError("Give the secret on standard input: vfos admin sign-in add … < secret.txt", code=WRONG)
    values = {
        "kind": arguments.kind,
        "name": arguments.name or KINDS[arguments.kind].label,
        "place": arguments.issuer,
        "client_id": arguments.client_id,
        "newcomers": arguments.newcomers,
        "domains": arguments.domains,
        "role": arguments.role,
        "secret": await asyncio.to_thread(sys.stdin.read, 10_000),
    }
    read = read_way(values, Allowance.parse(runtime.settings.egress_allow), new=True)
    if read.faults:
        told = tell_faults(Tongue(), read.faults, read.words)
        raise CommandError("\n".join(f"{fault.field or 'form'}: {fault.text}" for fault in told), code=WRONG)
    joins = await find_tenant(runtime.units, arguments.workspace) if arguments.workspace else None
    if joins is None and (arguments.workspace or arguments.newcomers != "invited"):
        raise CommandError(
            f"There is no workspace “{arguments.workspace}”: name the one that newcomers join.", code=WRONG
        )
    try:
        slug = await add_house(runtime.units, runtime.house, read.form, read.secret, joins)
    except TooManyWays as error:
        raise CommandError("There are as many providers as there can be: remove one first.", code=WRONG) from error
    address = _address(runtime, await find_house(runtime.units, slug))
    lines = [f"Added {read.form.name} as {slug}.", f"Register this address there: {address}"]
    return {"provider": slug, "redirect_uri": address, "lines": lines}


def _address(runtime: Runtime, way: Any) -> str:
    from adapters.signin.doors import BACK, back_handle

    return f"{runtime.settings.address}{BACK}{back_handle(way)}"


async def _list(runtime: Runtime, _arguments: argparse.Namespace) -> Answer:
    from tenants.signin_providers import list_house

    found = await list_house(runtime.units)
    told = [
        {
            "provider": line.way.slug,
            "kind": line.way.kind,
            "name": line.way.name,
            "issuer": line.way.issuer,
            "client_id": line.way.client_id,
            "newcomers": line.way.newcomers,
            "domains": list(line.way.domains),
            "joins": line.joins,
            "role": line.way.role,
            "enabled": line.way.enabled,
            "tested": line.tested_ok,
            "redirect_uri": _address(runtime, line.way),
        }
        for line in found
    ]
    lines = [
        f"{line.way.slug:<16} {line.way.issuer:<44} {_state(line.way.enabled, line.tested_ok, line.tested_said)}\n"
        f"{'':<16} {_address(runtime, line.way)}"
        for line in found
    ]
    return {"providers": told, "lines": lines or ["No provider yet; people sign in with a password."]}


def _state(enabled: bool, ok: bool | None, said: str) -> str:
    if not enabled:
        return "switched off"
    return {True: "works", False: f"test failed: {said}", None: "not tested"}[ok]


async def _test(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.signin_providers import find_house, note_house_test

    ok, said = await runtime.doors.look(await find_house(runtime.units, arguments.slug), runtime.settings.address)
    await note_house_test(runtime.units, arguments.slug, ok, said)
    return {"provider": arguments.slug, "ok": ok, "said": said, "lines": [said]}


async def _switch(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.signin_providers import switch_house

    on = arguments.what == "enable"
    await switch_house(runtime.units, arguments.slug, on=on)
    line = f"{arguments.slug} is switched {'on' if on else 'off'}."
    return {"provider": arguments.slug, "enabled": on, "lines": [line]}


async def _remove(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.signin_providers import remove_house

    await remove_house(runtime.units, arguments.slug)
    return {"removed": arguments.slug, "lines": [f"Removed {arguments.slug} and its secret."]}


TASKS: Mapping[str, Callable[[Runtime, argparse.Namespace], Awaitable[Answer]]] = {
    "add": _add,
    "list": _list,
    "test": _test,
    "enable": _switch,
    "disable": _switch,
    "remove": _remove,
}
