"""Care of the secrets' keys: count, check, and renew them. Values are never shown."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.embedded.stack import services
from adapters.settings import Settings
from app.console import DONE, FAILED, WRONG, CommandError, Console

if TYPE_CHECKING:
    from adapters.wiring import Runtime

Answer = tuple[int, Mapping[str, Any], str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One task each."""
    tasks = parser.add_subparsers(dest="task", metavar="task", required=True)
    words = {
        "status": "count keys and secrets",
        "verify": "open every secret and name those that do not open",
        "rotate-kek": "make a new key-encryption key and wrap every workspace's key with it",
        "rotate-dek": "give workspaces new data keys and seal their secrets again",
    }
    for name, text in words.items():
        part = tasks.add_parser(name, help=text)
        part.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer as JSON")
        if name == "rotate-dek":
            part.add_argument("--workspace", default="", help="only this one (its short name)")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Do the task and say what was done."""
    from tenants.keyring import KeyFault
    from tenants.vault import VaultError

    with services(settings, console.say) as ready:
        try:
            code, value, words = asyncio.run(_do(ready, arguments))
        except (KeyFault, VaultError) as fault:
            raise CommandError(str(fault), code=FAILED) from fault
    console.result(value, words)
    return code


async def _do(settings: Settings, arguments: argparse.Namespace) -> Answer:
    from adapters.wiring import build_runtime

    runtime = build_runtime(settings)
    try:
        if arguments.task == "rotate-dek":
            return await _rotate_dek(runtime, arguments.workspace)
        return await {"status": _status, "verify": _verify, "rotate-kek": _rotate_kek}[arguments.task](runtime)
    finally:
        await runtime.close()


async def _status(runtime: Runtime) -> Answer:
    found = await runtime.vault.status(runtime.units)
    personal = sum((await runtime.personal.count(runtime.units)).values())
    keys = {str(version): count for version, count in sorted(found.data_keys.items())}
    value = {"kek": found.current, "data_keys": keys, "secrets": found.secrets, "stale_secrets": found.stale_secrets}
    value["personal"] = personal
    by_version = ", ".join(f"{count} under version {version}" for version, count in keys.items()) or "none"
    words = (
        f"key version {found.current}; data keys: {by_version}; "
        f"secrets: {found.secrets} ({found.stale_secrets} stale); authenticator apps of people: {personal}"
    )
    return DONE, value, words


async def _verify(runtime: Runtime) -> Answer:
    from tenants.signin_providers import verify_house

    report = await runtime.vault.verify(runtime.units)
    of_house, shut = await verify_house(runtime.units, runtime.house)
    whole, lost = await runtime.personal.verify(runtime.units)
    opened = report.opened + of_house + whole
    broken = [{"workspace": str(tenant), "name": name} for tenant, name in report.broken]
    broken += [{"workspace": "", "name": f"sign-in {slug}"} for slug in shut]
    lines = [f"{opened} secrets open"]
    lines += [f"does not open: {_place(entry)}: set it again" for entry in broken]
    lines += [f"does not open: an authenticator app: run `vfos admin remove-factors {person}`" for person in lost]
    value = {"opened": opened, "broken": broken, "people": [str(person) for person in lost]}
    return (FAILED if broken or lost else DONE), value, "\n".join(lines)


def _place(entry: Mapping[str, str]) -> str:
    """Where a secret belongs: to a workspace, or to the installation itself."""
    return f"“{entry['name']}” of " + (f"workspace {entry['workspace']}" if entry["workspace"] else "the installation")


async def _rotate_kek(runtime: Runtime) -> Answer:
    from tenants.house_vault import HouseVault
    from tenants.keyring import load_ring, save_ring
    from tenants.personal import PersonalVault
    from tenants.signin_providers import renew_house
    from tenants.vault import Vault

    settings = runtime.settings
    if settings.secret_keys.strip():
        raise CommandError(
            "The keys come from VFOS_SECRET_KEYS: add a higher version there, restart every program, then run this "
            "again with the file, or keep both versions.",
            code=WRONG,
        )
    ring = load_ring(settings.secret_key_file).extended()
    # On disk first: what is wrapped with the new version must always find it.
    save_ring(settings.secret_key_file, ring)
    changed = await Vault(ring).rotate_kek(runtime.units)
    sealed = await PersonalVault(ring).renew(runtime.units)
    renewed = await renew_house(runtime.units, HouseVault(ring))
    words = (
        f"key version {ring.current} wraps {changed} data keys and seals {sealed} authenticator apps and {renewed} "
        "secrets of the installation; keep the whole key file, older backups need it"
    )
    return DONE, {"kek": ring.current, "wrapped": changed, "personal": sealed, "renewed": renewed}, words


async def _rotate_dek(runtime: Runtime, workspace: str) -> Answer:
    from tenants.directory import all_tenants

    tenants = {slug: key for key, slug in await all_tenants(runtime.units) if workspace in ("", slug)}
    if workspace and not tenants:
        raise CommandError(f"There is no workspace “{workspace}”.", code=WRONG)
    sealed = {slug: await runtime.vault.rotate_dek(runtime.units, key) for slug, key in sorted(tenants.items())}
    words = f"{len(sealed)} workspaces have new data keys; {sum(sealed.values())} secrets were sealed again"
    return DONE, {"sealed": sealed}, words
