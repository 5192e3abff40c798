"""Providers of a workspace: add and change them, keep their keys, choose among them per project.

Keys go into the vault and never come back: pages and commands learn their last 4 characters at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.model import Project
from domain.catalog.provider_rows import Provider, ProviderChoice
from domain.catalog.vendors import PORTS, VENDORS, ProviderForm, find_faults, make_slug
from tenants.principal import worker_principal
from tenants.records import uuid7
from tenants.secret import Secret
from tenants.unit import Unit, Units

SAID_LIMIT = 500
MOST_PROVIDERS = 100


class InvalidProvider(Exception):
    """Raised before anything is written; `faults` holds (field, code), see vendors.find_faults."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__(", ".join(f"{name}: {code}" for name, code in faults))
        self.faults = list(faults)


class NoSuchProvider(Exception):
    """Raised for a short name that no provider of the workspace has."""


class Keys(Protocol):
    """What is needed of the vault (tenants/vault.py)."""

    async def put(self, unit: Unit, name: str, value: Secret) -> Any: ...

    async def remove(self, unit: Unit, name: str) -> None: ...


@dataclass(frozen=True)
class Test:
    """What became of a test of the connection."""

    ok: bool
    said: str
    request_id: str = ""


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────
async def list_providers(unit: Unit) -> list[Provider]:
    """All providers of the workspace, by name. Raises Forbidden."""
    unit.principal.require("catalog:read")
    return list(await unit.session.scalars(select(Provider).order_by(func.lower(Provider.name), Provider.slug)))


async def find_provider(unit: Unit, slug: str, *, lock: bool = False) -> Provider:
    """One provider. Raises Forbidden, NoSuchProvider."""
    unit.principal.require("catalog:read")
    statement = select(Provider).where(Provider.slug == slug)
    found = await unit.session.scalar(statement.with_for_update() if lock else statement)
    if found is None:
        raise NoSuchProvider(slug)
    return found


async def uses_of(unit: Unit) -> dict[UUID, list[str]]:
    """Which projects (by name) work with each provider."""
    rows = await unit.session.execute(
        select(ProviderChoice.provider_id, Project.name)
        .join(Project, (Project.tenant_id == ProviderChoice.tenant_id) & (Project.id == ProviderChoice.project_id))
        .where(Project.archived_at.is_(None))
        .order_by(Project.name)
    )
    uses: dict[UUID, list[str]] = {}
    for provider_id, name in rows:
        uses.setdefault(provider_id, []).append(name)
    return uses


# ── Changing ──────────────────────────────────────────────────────────────────────────────────────────────
async def add_provider(unit: Unit, keys: Keys, form: ProviderForm, key: Secret) -> Provider:
    """Add a provider with its key. Raises Forbidden, InvalidProvider, and what the vault raises."""
    unit.principal.require("credentials:manage")
    taken = {row.slug for row in await list_providers(unit)}
    faults = find_faults(form)
    if not key:
        faults.append(("key", "key"))
    if len(taken) >= MOST_PROVIDERS:
        faults.append(("", "many"))
    if faults:
        raise InvalidProvider(faults)
    row = Provider(id=uuid7(), slug=make_slug(form.name, taken), kind=form.kind, revision=0)
    _write(row, form)
    unit.session.add(row)
    await unit.session.flush()
    await keys.put(unit, row.secret_name, key)
    unit.audit("provider.added", "provider", row.id, after=_shown(row))
    return row


async def save_provider(unit: Unit, keys: Keys, slug: str, form: ProviderForm, key: Secret) -> Provider:
    """Change a provider; an empty key keeps the one that is set. Raises as `add_provider`, and NoSuchProvider."""
    unit.principal.require("credentials:manage")
    row = await find_provider(unit, slug, lock=True)
    if faults := find_faults(form) + ([("kind", "kind_fixed")] if form.kind != row.kind else []):
        raise InvalidProvider(faults)
    before = _shown(row)
    if key:
        await keys.put(unit, row.secret_name, key)
    _write(row, form)
    await unit.session.flush()
    unit.audit("provider.saved", "provider", row.id, before=before, after=_shown(row) | {"key": "new"[: 3 * bool(key)]})
    return row


async def switch_provider(unit: Unit, slug: str, *, on: bool) -> Provider:
    """Let jobs use a provider, or not. Raises Forbidden, NoSuchProvider."""
    unit.principal.require("credentials:manage")
    row = await find_provider(unit, slug, lock=True)
    if row.enabled != on:
        row.enabled = on
        unit.audit("provider.enabled" if on else "provider.disabled", "provider", row.id, after={"slug": slug})
    return row


async def remove_provider(unit: Unit, keys: Keys, slug: str) -> None:
    """Forget a provider, its key, and every choice of it. Raises Forbidden, NoSuchProvider."""
    unit.principal.require("credentials:manage")
    row = await find_provider(unit, slug, lock=True)
    await keys.remove(unit, row.secret_name)
    await unit.session.delete(row)
    unit.audit("provider.removed", "provider", row.id, before=_shown(row))


def _write(row: Provider, form: ProviderForm) -> None:
    vendor = VENDORS[form.kind]
    row.name, row.model = form.name.strip(), form.model or vendor.model
    row.base_url = form.base_url.rstrip("/")
    row.options = vendor.settle(dict(form.options or {}))
    row.per_minute, row.concurrent = form.per_minute, form.concurrent
    row.prices = dict(form.prices) if form.prices is not None else None
    row.revision += 1


def _shown(row: Provider) -> dict[str, Any]:
    """What the audit trail tells of a provider."""
    fields = ("slug", "kind", "name", "model", "base_url", "options", "per_minute", "concurrent", "enabled")
    return {name: getattr(row, name) for name in fields} | {"own_prices": row.prices is not None}


# ── Health ────────────────────────────────────────────────────────────────────────────────────────────────
async def record_test(unit: Unit, provider_id: UUID, test: Test) -> None:
    """Keep what a test of the connection brought; one that went well ends the last failure."""
    values: dict[str, Any] = {
        "tested_at": func.clock_timestamp(),
        "tested_ok": test.ok,
        "tested_said": test.said[:SAID_LIMIT],
        "tested_ref": test.request_id[:200],
    }
    if test.ok:
        values |= {"error_at": None, "error_kind": "", "error_said": "", "error_ref": ""}
    await unit.session.execute(update(Provider).where(Provider.id == provider_id).values(**values))


async def record_failure(
    units: Units, tenant_id: UUID, provider_id: UUID, *, kind: str, said: str, request_id: str
) -> None:
    """Keep the last failure of a provider in a job; an empty kind ends it."""
    at = func.clock_timestamp() if kind else None
    values = {"error_at": at, "error_kind": kind, "error_said": said[:SAID_LIMIT], "error_ref": request_id[:200]}
    async with units.open(worker_principal(tenant_id)) as unit:
        await unit.session.execute(update(Provider).where(Provider.id == provider_id).values(**values))


# ── Choosing ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Choice:
    """The providers a project works with, by short name; empty = what is made on this machine."""

    writer: str = ""
    narrator: str = ""
    images: tuple[str, ...] = ()

    def by_port(self) -> dict[str, tuple[str, ...]]:
        return {
            "writer": (self.writer,) if self.writer else (),
            "narrator": (self.narrator,) if self.narrator else (),
            "images": self.images,
        }


async def choices_of(session: AsyncSession, project_id: UUID) -> dict[str, list[Provider]]:
    """A project's providers by port, in order."""
    rows = await session.execute(
        select(ProviderChoice.port, Provider)
        .join(Provider, (Provider.tenant_id == ProviderChoice.tenant_id) & (Provider.id == ProviderChoice.provider_id))
        .where(ProviderChoice.project_id == project_id)
        .order_by(ProviderChoice.port, ProviderChoice.position)
    )
    chosen: dict[str, list[Provider]] = {port: [] for port in PORTS}
    for port, provider in rows:
        chosen[port].append(provider)
    return chosen


async def choose_providers(unit: Unit, project_id: UUID, choice: Choice) -> None:
    """Set what a project works with. Raises Forbidden, InvalidProvider (unknown, twice, or for something else)."""
    unit.principal.require("projects:manage", project_id)
    rows = {row.slug: row for row in await list_providers(unit)}
    faults = []
    for port, slugs in choice.by_port().items():
        wrong = [slug for slug in slugs if slug not in rows or VENDORS[rows[slug].kind].port != port]
        faults += [(port, "unknown")] * bool(wrong) + [(port, "twice")] * (len(set(slugs)) < len(slugs))
    if faults:
        raise InvalidProvider(faults)
    before = {
        port: [row.slug for row in chosen] for port, chosen in (await choices_of(unit.session, project_id)).items()
    }
    await unit.session.execute(delete(ProviderChoice).where(ProviderChoice.project_id == project_id))
    for port, slugs in choice.by_port().items():
        for position, slug in enumerate(slugs):
            unit.session.add(
                ProviderChoice(project_id=project_id, port=port, position=position, provider_id=rows[slug].id)
            )
    await unit.session.flush()
    after = {port: list(slugs) for port, slugs in choice.by_port().items()}
    if after != before:
        unit.audit("project.providers", "project", project_id, before=before, after=after)


# ── For a new job ─────────────────────────────────────────────────────────────────────────────────────────
BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "writer": ("offline",),
    "narrator": ("espeak",),
    "images": ("library", "artboard"),
}
"""What needs no provider, by port."""


@dataclass(frozen=True)
class Given:
    """The providers of a new job by port, in order, and a sentence with its fix for each that cannot be had."""

    chosen: Mapping[str, Sequence[Provider]]
    faults: Sequence[tuple[str, str]]


async def providers_for(session: AsyncSession, project_id: UUID, recipe: Mapping[str, Sequence[str]]) -> Given:
    """The project's own choice, else what the recipe names. `recipe`: names by port."""
    chosen = await choices_of(session, project_id)
    named = {slug for port in PORTS for slug in recipe[port] if slug not in BUILT_IN[port]}
    known = {row.slug: row for row in await session.scalars(select(Provider).where(Provider.slug.in_(named)))}
    given: dict[str, list[Provider]] = {}
    faults: list[tuple[str, str]] = []
    for port in PORTS:
        wanted = [slug for slug in recipe[port] if slug not in BUILT_IN[port]] if not chosen[port] else []
        missing = [slug for slug in wanted if slug not in known or VENDORS[known[slug].kind].port != port]
        faults += [_unknown(slug) for slug in missing]
        given[port] = chosen[port] or [known[slug] for slug in wanted if slug not in missing]
        if port != "images":
            faults += [_switched_off(row) for row in given[port] if not row.enabled]
    # A chain goes on without a link that somebody has switched off; a writer or a narrator cannot.
    given["images"] = [row for row in given["images"] if row.enabled]
    return Given(given, faults)


def _unknown(slug: str) -> tuple[str, str]:
    return (
        f"The recipe names the provider “{slug[:80]}”, which this workspace does not have.",
        "Add it under Providers, or choose another one for the project.",
    )


def _switched_off(row: Provider) -> tuple[str, str]:
    return f"The provider “{row.name}” is switched off.", "Switch it on under Providers, or choose another one."


def failing_since(row: Provider) -> datetime | None:
    """When a provider began to fail in a way that a person must mend; None while it works."""
    return row.error_at if row.error_kind in ("auth", "quota", "gone") else None
