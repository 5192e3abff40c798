"""Voices of a workspace: presets with their versions, what providers offer, previews; a project's choice by recipe."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, get, post

from app.errors import Missing
from app.forms import FormState, read_form
from app.guards import FILE_POLICY
from app.pages.money import TARIFFS
from app.room import Room
from app.site import AnyRequest
from app.views.voices import (
    Choices,
    Heard,
    make_card,
    make_choices,
    make_versions,
    sample_of,
    tell_faults,
    values_of,
)
from app.voice_forms import ACTS, DRAFT, Read, read_voice
from domain.catalog.commands import save_version
from domain.catalog.provider_rows import Provider
from domain.catalog.providers import list_providers
from domain.catalog.vendors import VENDORS, make_slug
from domain.catalog.voices import (
    NoSuchPreset,
    Voice,
    VoiceLine,
    bind_voices,
    list_voices,
    preset_slugs,
    recipes_by_voice,
    voice_versions,
)
from domain.production.commands.preview_voice import MEDIA_TYPE, Wish, find_preview, preview_voice
from domain.production.ports import ProviderError
from tenants.keyring import KeyFault
from tenants.roles import Permission

EDIT: Permission = "catalog:edit"
MARKUP = 150
"""Characters of markup that may be billed with a preview."""
KEPT = "private, max-age=3600"


def base_of(room: Room) -> str:
    return f"{room.base}/voices"


# ── Looking ───────────────────────────────────────────────────────────────────────────────────────────────
@get("/w/{tenant:str}/voices")
async def show_voices(request: AnyRequest) -> Response[str]:
    """All voice presets, and which recipes they speak for."""
    room = await Room.enter(request)
    async with room.open() as unit:
        lines, uses = await list_voices(unit), await recipes_by_voice(unit)
    return await room.workspace_page(
        "voices/list.html",
        "voices",
        cards=[make_card(room.tongue, line, base_of(room), uses.get(line.slug, ())) for line in lines],
        base=base_of(room),
        may_edit=room.principal.can(EDIT),
    )


@get("/w/{tenant:str}/voices/new")
async def show_new_voice(request: AnyRequest) -> Response[str]:
    """The empty form: a draft voice to begin with."""
    room = await Room.enter(request)
    room.principal.require(EDIT)
    rows = await _narrators(room)
    usual = {"provider": rows[0].slug if rows else DRAFT, "language": "en", "degree": "100", "rate": "0", "pitch": "0"}
    return await _form_page(room, FormState({**usual, "text": sample_of("en")}), rows, [])


@get("/w/{tenant:str}/voices/{slug:str}")
async def show_voice(request: AnyRequest) -> Response[str]:
    """One preset: its form, what its provider offers, its versions (`version` shows an earlier one)."""
    room = await Room.enter(request)
    rows, lines = await _narrators(room), await _versions(room)
    wanted = request.query_params.get("version", "")
    line = next((one for one in lines if str(one.number) == wanted), lines[0])
    return await _form_page(room, FormState(values_of(line, _offering(rows, line.body.provider))), rows, lines)


@get("/w/{tenant:str}/voices/heard/{key:str}")
async def serve_preview(request: AnyRequest) -> Response[Any]:
    """The sound of a preview."""
    room = await Room.enter(request)
    found = await find_preview(room.site.units, room.principal, str(request.path_params["key"]))
    if found is None:
        raise Missing
    data = await room.site.store.get_bytes(room.principal.tenant_id, found["sha256"])
    headers = {"Cache-Control": KEPT, "Content-Security-Policy": FILE_POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type=MEDIA_TYPE, headers={**headers, "Content-Disposition": "inline"})


async def _narrators(room: Room) -> list[Provider]:
    async with room.open() as unit:
        return [row for row in await list_providers(unit) if VENDORS[row.kind].port == "narrator" and row.enabled]


async def _versions(room: Room) -> list[VoiceLine]:
    async with room.open() as unit:
        try:
            return await voice_versions(unit, str(room.request.path_params["slug"]))
        except NoSuchPreset as error:
            raise Missing from error


def _offering(rows: Sequence[Provider], kind: str) -> str:
    """The short name of the first provider of a kind; the draft voice where there is none."""
    return next((row.slug for row in rows if row.kind == kind), DRAFT)


# ── Saving and listening ──────────────────────────────────────────────────────────────────────────────────
@post("/w/{tenant:str}/voices")
async def add_voice(request: AnyRequest) -> Response[Any]:
    """Save a new preset, or listen to it first."""
    room = await Room.enter(request)
    room.principal.require(EDIT)
    return await _take(room, [])


@post("/w/{tenant:str}/voices/{slug:str}")
async def save_voice(request: AnyRequest) -> Response[Any]:
    """Save a new version of a preset, or listen to it first."""
    room = await Room.enter(request)
    room.principal.require(EDIT)
    return await _take(room, await _versions(room))


async def _take(room: Room, lines: list[VoiceLine]) -> Response[Any]:
    values = await read_form(room.request)
    act = next((name for name in ACTS if name in values), "")
    rows = await _narrators(room)
    known, _ = await _known(room, rows, values.get("provider", ""))
    if act == "refresh":
        return await _form_page(room, FormState(_settled(values, known)), rows, lines)
    row = next((one for one in rows if one.slug == values.get("provider")), None)
    read = read_voice(values, row.kind if row else DRAFT, known)
    faults = [fault for fault in read.faults if act != "listen" or fault[0] not in ("name", "note")]
    if row is None and values.get("provider", DRAFT) != DRAFT:
        faults.append(("provider", "provider"))
    if faults:
        return await _form_page(room, FormState(values, tell_faults(room.tongue, faults)), rows, lines, 422)
    if act == "listen":
        return await _listen(room, values, rows, row, read, lines)
    return await _save(room, read, lines)


def _settled(values: Mapping[str, str], known: Sequence[Voice]) -> dict[str, str]:
    """Values after another provider, language or voice was chosen: what no longer fits is left out."""
    language = values.get("language", "")
    fitting = [voice for voice in known if voice.language.split("-")[0] == language.split("-")[0]]
    voice = next((one for one in fitting if one.name == values.get("voice")), fitting[0] if fitting else None)
    kept = {name: text[:400] for name, text in values.items() if name not in ACTS}
    if voice is None:
        return kept
    texts = {"style": voice.styles, "role": voice.roles}
    fits = {name: kept.get(name, "") if kept.get(name, "") in own else "" for name, own in texts.items()}
    return {**kept, **fits, "voice": voice.name, "text": kept.get("text", "") or sample_of(language)}


async def _save(room: Room, read: Read, lines: Sequence[VoiceLine]) -> Response[Any]:
    body = read.body.model_dump(mode="json")
    async with room.open() as unit:
        if lines:
            slug, project_id = lines[0].slug, lines[0].project_id
        else:
            slug, project_id = make_slug(f"voice {read.name}", await preset_slugs(unit)), None
        await save_version(unit, "preset", slug, read.name, body, note=read.note, project_id=project_id)
    return room.go(f"{base_of(room)}/{slug}?saved=1")


async def _listen(
    room: Room,
    values: Mapping[str, str],
    rows: Sequence[Provider],
    row: Provider | None,
    read: Read,
    lines: list[VoiceLine],
) -> Response[Any]:
    text = read.text or sample_of(read.body.language)
    speak = functools.partial(room.site.casting.speak, room.principal.tenant_id, row)
    account = f"{row.slug}" if row else DRAFT
    shown = {**values, "text": text}
    try:
        made = await preview_voice(
            room.site.units, room.principal, room.site.store, speak, Wish(read.body, text, account, _likely(read, text))
        )
    except (ProviderError, KeyFault, TimeoutError) as error:
        return await _form_page(room, FormState(shown), rows, lines, 422, failed=_told(error))
    price = room.tongue.money(made.micro_dollars) if made.fresh and row is not None else ""
    heard = Heard(f"{base_of(room)}/heard/{made.key}", room.tongue.number(made.seconds, 1), price)
    return await _form_page(room, FormState(shown), rows, lines, heard=heard)


def _likely(read: Read, text: str) -> int | None:
    """What a preview should cost, in micro-dollars; its billed markup is as good as its text."""
    rate = (TARIFFS.rates(read.body.provider, read.body.voice) or {}).get("characters")
    return None if rate is None else math.ceil(rate * (len(text) + MARKUP))


def _told(error: Exception) -> str:
    if isinstance(error, ProviderError):
        return f"{error.sentence} {error.fix}".strip()
    return "The provider cannot be asked now. Try again later."


async def _known(room: Room, rows: Sequence[Provider], provider: str) -> tuple[Sequence[Voice], str]:
    """What a provider offers, and what it says where it offers nothing."""
    row = next((one for one in rows if one.slug == provider), None)
    try:
        return await room.site.casting.voices(room.principal.tenant_id, row), ""
    except (ProviderError, KeyFault) as error:
        return [], _told(error)


async def _form_page(
    room: Room,
    form: FormState,
    rows: Sequence[Provider],
    lines: Sequence[VoiceLine],
    status: int = 200,
    *,
    heard: Heard | None = None,
    failed: str = "",
) -> Response[str]:
    known, told = await _known(room, rows, form.value("provider"))
    choices: Choices = make_choices(room.tongue, rows, known, form.values, told)
    projects = await room.projects()
    return room.page(
        "voices/form.html",
        "form",
        status,
        shell=room.shell(projects, None, "voices"),
        form=form,
        choices=choices,
        heard=heard,
        failed=failed,
        line=lines[0] if lines else None,
        versions=make_versions(room.tongue, lines, base_of(room), room.site.clock.now()),
        base=base_of(room),
        may_edit=room.principal.can(EDIT),
        saved=room.request.query_params.get("saved") == "1",
        earlier=room.request.query_params.get("version", ""),
    )


# ── A project's choice ────────────────────────────────────────────────────────────────────────────────────
@post("/w/{tenant:str}/p/{project:str}/voices")
async def choose_voices(request: AnyRequest) -> Response[Any]:
    """Set which preset speaks for each recipe of a project; jobs that are started from now on use it."""
    room = await Room.enter(request)
    values = await read_form(request)
    async with room.open() as unit:
        project, _ = await room.project(unit)
        wrong = await bind_voices(unit, project.id, _by_recipe(values))
    told = "wrong=1" if wrong else "saved=1"
    return room.go(f"{room.base}/p/{room.project_slug}/providers?{told}")


def _by_recipe(values: Mapping[str, str]) -> dict[str, str]:
    prefix = "voice_"
    return {name.removeprefix(prefix): slug for name, slug in values.items() if name.startswith(prefix)}
