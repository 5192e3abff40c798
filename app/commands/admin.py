"""Things only the owner of the machine may do: people who are locked out, workspaces, sign-in links."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from adapters.embedded.stack import services
from adapters.settings import Settings
from app import demo
from app.commands import provider_tasks, sign_in_tasks
from app.console import DONE, WRONG, CommandError, Console

if TYPE_CHECKING:
    from adapters.wiring import Runtime
    from tenants.entrance import PersonCard

RESET_VALID = timedelta(hours=24)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One task each; all of TASKS."""
    tasks = parser.add_subparsers(dest="task", metavar="task", required=True)
    provider_tasks.add_arguments(tasks)
    sign_in_tasks.add_arguments(tasks)
    link = _task(tasks, "owner-link", "make a link that signs in the owner of a workspace once")
    link.add_argument("--workspace", default=demo.WORKSPACE, help=f"its short name (default: {demo.WORKSPACE})")
    _task(tasks, "people", "list people with their workspaces, roles and ways in")
    _of_person(tasks, "reset-link", "make a link with which a person sets a new password (24 hours)")
    address = _of_person(tasks, "set-address", "give a person the e-mail address they sign in with")
    address.add_argument("address", help="the new e-mail address")
    _of_person(tasks, "sign-out", "end every session of a person")
    _of_person(tasks, "remove-factors", "take all passkeys, the authenticator app and recovery codes from a person")
    _of_person(tasks, "lock", "lock a person out of everything, at once")
    _of_person(tasks, "unlock", "let a locked person back in")
    role = _of_person(tasks, "set-role", "give a person a role in a workspace, also one they are not in")
    role.add_argument("role", choices=("owner", "admin", "operator", "viewer"))
    role.add_argument("--workspace", default=demo.WORKSPACE, help=f"its short name (default: {demo.WORKSPACE})")
    operator = _task(tasks, "operator", "people who may steer what serves all workspaces, on the page /farm")
    operator.add_argument("do", choices=("list", "add", "remove"))
    operator.add_argument("person", nargs="?", default="", help="e-mail address or id (see `vfos admin people`)")
    new = _task(tasks, "new-workspace", "make a workspace; owner-link then signs in its owner")
    new.add_argument("slug", help="its short name, part of every address")
    new.add_argument("--name", default="", help="its name as people read it")


def _task(tasks: Any, name: str, help_text: str) -> argparse.ArgumentParser:
    part: argparse.ArgumentParser = tasks.add_parser(name, help=help_text)
    # Also after the task's name; SUPPRESS keeps what was said before it.
    part.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer as JSON")
    return part


def _of_person(tasks: Any, name: str, help_text: str) -> argparse.ArgumentParser:
    part = _task(tasks, name, help_text)
    part.add_argument("person", help="e-mail address or id (see `vfos admin people`)")
    return part


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do the task and say what was done."""
    if arguments.task == "provider":
        return provider_tasks.run(arguments, settings, console)
    if arguments.task == "sign-in":
        return sign_in_tasks.run(arguments, settings, console)
    with services(settings, console.say) as ready:
        value, words = asyncio.run(_do(ready, arguments))
    console.result(value, words)
    return DONE


Answer = tuple[Mapping[str, Any], str]


async def _do(settings: Settings, arguments: argparse.Namespace) -> Answer:
    from adapters.wiring import build_runtime

    runtime = build_runtime(settings)
    try:
        return await TASKS[arguments.task](runtime, arguments)
    finally:
        await runtime.close()


async def _owner_link(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    path = await demo.new_owner_link(runtime, arguments.workspace)
    if path is None:
        raise CommandError(f"There is no workspace “{arguments.workspace}”.", code=WRONG)
    link = runtime.settings.address + path
    return {"link": link}, link


async def _people(runtime: Runtime, _arguments: argparse.Namespace) -> Answer:
    from tenants.entrance import list_people

    cards = await list_people(runtime.units)
    listed = [
        {
            "id": str(card.id),
            "name": card.name,
            "email": card.email,
            "locked": card.disabled,
            "password": card.has_password,
            "app": card.has_app,
            "passkeys": card.passkeys,
            "workspaces": dict(card.workspaces),
        }
        for card in cards
    ]
    lines = [
        f"{card.id}  {card.name} <{card.email or 'no address'}>"
        f"{'  LOCKED' if card.disabled else ''}{'' if card.has_password else '  no password'}{_second_factors(card)}"
        f"  {', '.join(f'{slug}: {role}' for slug, role in card.workspaces) or 'no workspace'}"
        for card in cards
    ]
    return {"people": listed}, "\n".join(lines) or "There is nobody yet."


def _second_factors(card: PersonCard) -> str:
    passkeys = f"{card.passkeys} passkey{'' if card.passkeys == 1 else 's'}" if card.passkeys else ""
    found = [words for words in ("authenticator app" if card.has_app else "", passkeys) if words]
    return f"  second factor: {', '.join(found)}" if found else ""


async def _person(runtime: Runtime, arguments: argparse.Namespace) -> UUID:
    from tenants.entrance import find_person

    found = await find_person(runtime.units, arguments.person)
    if found is None:
        raise CommandError(f"There is no person “{arguments.person}”: see `vfos admin people`.", code=WRONG)
    return found


async def _reset_link(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.entrance import issue_reset

    token = await issue_reset(runtime.units, await _person(runtime, arguments), RESET_VALID)
    link = f"{runtime.settings.address}/reset/{token}"
    return {"link": link}, link


async def _set_address(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.entrance import set_address
    from tenants.people import clean_email

    email = clean_email(arguments.address)
    if email is None:
        raise CommandError(f"“{arguments.address[:80]}” is not an e-mail address.", code=WRONG)
    if not await set_address(runtime.units, await _person(runtime, arguments), email):
        raise CommandError(f"Somebody else has the address {email}.", code=WRONG)
    return {"email": email}, f"They sign in as {email} now."


async def _sign_out(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.entrance import sign_out_everywhere

    await sign_out_everywhere(runtime.units, await _person(runtime, arguments))
    return {"signed_out": True}, "Every session has ended."


async def _remove_factors(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.factors import remove_every_factor
    from tenants.letters import tell_person

    person = await _person(runtime, arguments)
    count = await remove_every_factor(runtime.units, person)
    await tell_person(runtime.units, person, "factors-removed")
    words = f"Removed: {count}. Their password alone lets them in now; they are told by e-mail where there is one."
    return {"removed": count}, words


async def _lock(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.entrance import lock_out

    locked = arguments.task == "lock"
    await lock_out(runtime.units, await _person(runtime, arguments), locked)
    return {"locked": locked}, "They are locked out; every session has ended." if locked else "They can sign in again."


async def _set_role(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.directory import find_tenant
    from tenants.members import seat_person

    tenant_id = await find_tenant(runtime.units, arguments.workspace)
    if tenant_id is None:
        raise CommandError(f"There is no workspace “{arguments.workspace}”.", code=WRONG)
    person = await _person(runtime, arguments)
    await seat_person(runtime.units, demo.machine_owner(tenant_id), person, arguments.role)
    return {"role": arguments.role}, f"They are {arguments.role} of {arguments.workspace} now."


async def _operator(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.operators import appoint, operators

    if arguments.do != "list":
        if not arguments.person:
            raise CommandError("Name the person: an e-mail address or an id (see `vfos admin people`).", code=WRONG)
        adds = arguments.do == "add"
        changed = await appoint(runtime.units, await _person(runtime, arguments), adds)
        words = "They operate the farm now." if adds else "They no longer operate the farm."
        return {"operates_farm": adds, "changed": changed}, words
    found = await operators(runtime.units)
    listed = [{"id": str(person), "name": name, "email": email} for person, name, email in found]
    lines = [f"{person}  {name} <{email or 'no address'}>" for person, name, email in found]
    return {"operators": listed}, "\n".join(lines) or "Nobody operates the farm: `vfos admin operator add WHO`."


async def _new_workspace(runtime: Runtime, arguments: argparse.Namespace) -> Answer:
    from tenants.directory import create_tenant
    from tenants.people import SlugRefused

    try:
        made = await create_tenant(runtime.units, arguments.slug, arguments.name or arguments.slug)
    except SlugRefused as refusal:
        raise CommandError(str(refusal), code=WRONG) from refusal
    link = f"`vfos admin owner-link --workspace {arguments.slug}`"
    words = f"Workspace {arguments.slug} is made. {link} signs in its owner."
    return {"id": str(made), "slug": arguments.slug}, words


TASKS: Mapping[str, Callable[[Runtime, argparse.Namespace], Awaitable[Answer]]] = {
    "owner-link": _owner_link,
    "people": _people,
    "reset-link": _reset_link,
    "set-address": _set_address,
    "sign-out": _sign_out,
    "remove-factors": _remove_factors,
    "lock": _lock,
    "unlock": _lock,
    "set-role": _set_role,
    "operator": _operator,
    "new-workspace": _new_workspace,
}
"""Task → what does it."""
