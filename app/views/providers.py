"""Providers as shown: cards with their health, the form of one, and a project's choice among them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.forms import FormFault
from app.i18n import N_, Tongue
from app.views.marks import Mark
from app.views.settings import Option
from domain.catalog.provider_rows import Provider
from domain.catalog.vendors import CONCURRENT, NAME_LIMIT, PER_MINUTE, VENDORS, Vendor
from tenants.vault import SecretCard

FAULTS: Mapping[str, str] = {
    "kind": N_("Choose one of the kinds of the list."),
    "kind_fixed": N_("The kind of a provider cannot be changed. Add another provider."),
    "name": N_("Give it a name of 1 to %(name_limit)s visible characters."),
    "model": N_("A model’s name has letters, digits and . : / @ - only. Copy it from the provider’s list."),
    "url": N_("This is no address. Write it like https://api.example.com, or leave it empty."),
    "url_parts": N_("The address may hold no user, password, query or fragment. Leave those out."),
    "url_plain": N_("A key is not sent over plain http. Use https, or have the operator allow this address."),
    "url_refused": N_(
        "%(words)s is not a public address. Give one, or have the operator allow it in VFOS_EGRESS_ALLOW."
    ),
    "url_port": N_(
        "Requests go to ports 80 and 443 only. Use one, or have the operator allow it in VFOS_EGRESS_ALLOW."
    ),
    "option": N_("This value is not possible. Choose one of the list, or leave it empty."),
    "per_minute": N_("Give a whole number from %(per_low)s to %(per_high)s, or leave it empty."),
    "concurrent": N_("Give a whole number from %(con_low)s to %(con_high)s, or leave it empty."),
    "prices": N_("This is no price file: %(words)s"),
    "key": N_("Paste the key of your account at the provider."),
    "key_form": N_("The key holds blanks or characters that no key has. Copy it again."),
    "many": N_("The workspace has as many providers as it can have. Remove one first."),
    "field": N_("The form has a field that it should not have. Open it again."),
    "unknown": N_("Choose providers of the list."),
    "twice": N_("Each provider can stand in the order once."),
}
PORT_NAMES: Mapping[str, str] = {"writer": N_("Script"), "narrator": N_("Voice"), "images": N_("Pictures")}
PORT_ICONS: Mapping[str, str] = {"writer": "scroll-text", "narrator": "audio-lines", "images": "image"}
KIND_NOTES: Mapping[str, str] = {
    "anthropic": N_("Claude writes the script."),
    "azure": N_("Azure Speech speaks the narration and tells when each word is heard."),
    "openai": N_("GPT Image makes pictures of scenes that no library picture fits."),
    "gemini": N_("Gemini makes pictures of scenes that no library picture fits."),
}
OPTION_NAMES: Mapping[str, str] = {
    "effort": N_("Effort"),
    "cache": N_("Prompt cache"),
    "region": N_("Region"),
    "voice_en": N_("Voice for English"),
    "voice_pt": N_("Voice for Portuguese"),
    "quality": N_("Quality"),
    "size": N_("Picture size"),
    "version": N_("API version"),
}
OPTION_HELP: Mapping[str, str] = {
    "region": N_("As Azure writes it, such as brazilsouth; not needed with an address of its own."),
    "voice_en": N_("Used where the recipe’s voice preset names no voice of this provider."),
    "voice_pt": N_("Used where the recipe’s voice preset names no voice of this provider."),
}
USUAL = N_("as usual")


@dataclass(frozen=True)
class Card:
    """A provider in the list. `hint`: the last characters of its key, for those who may change it."""

    slug: str
    href: str
    name: str
    vendor: str
    kind: str
    port: str
    icon: str
    model: str
    address: str
    mark: Mark
    health: str
    health_ref: str
    health_at: datetime | None
    health_when: str
    limits: str
    projects: tuple[str, ...]
    enabled: bool
    hint: str = ""
    key_at: datetime | None = None
    key_when: str = ""


@dataclass(frozen=True)
class Field:
    """An option of a kind: a list of choices, or a text."""

    name: str
    label: str
    help: str
    choices: tuple[Option, ...]


@dataclass(frozen=True)
class Kind:
    """A kind of provider that can be added."""

    kind: str
    label: str
    note: str
    port: str
    icon: str
    key_page: str
    base_url: str
    models: tuple[str, ...]
    fields: tuple[Field, ...]


def tell_faults(
    tongue: Tongue, faults: Sequence[tuple[str, str]], words: Mapping[str, str] | None = None
) -> list[FormFault]:
    """Say what is wrong in the person's language."""
    numbers = {
        "name_limit": NAME_LIMIT,
        "per_low": PER_MINUTE[0],
        "per_high": PER_MINUTE[1],
        "con_low": CONCURRENT[0],
        "con_high": CONCURRENT[1],
    }
    return [
        FormFault(name, tongue.gettext(FAULTS[code], **numbers, words=(words or {}).get(name, "")))
        for name, code in faults
    ]


def make_kind(tongue: Tongue, vendor: Vendor) -> Kind:
    return Kind(
        kind=vendor.kind,
        label=vendor.label,
        note=tongue.gettext(KIND_NOTES[vendor.kind]),
        port=tongue.gettext(PORT_NAMES[vendor.port]),
        icon=PORT_ICONS[vendor.port],
        key_page=vendor.key_page,
        base_url=vendor.base_url,
        models=vendor.models,
        fields=tuple(
            Field(
                name=f"option_{option.name}",
                label=tongue.gettext(OPTION_NAMES[option.name]),
                help=tongue.gettext(OPTION_HELP[option.name]) if option.name in OPTION_HELP else "",
                choices=tuple(Option(choice, choice or tongue.gettext(USUAL)) for choice in option.choices),
            )
            for option in vendor.options
        ),
    )


def make_card(
    tongue: Tongue,
    row: Provider,
    base: str,
    now: datetime,
    uses: Mapping[UUID, Sequence[str]],
    keys: Mapping[str, SecretCard],
) -> Card:
    vendor, key = VENDORS[row.kind], keys.get(row.secret_name)
    at, said, ref = _health(row)
    return Card(
        slug=row.slug,
        href=f"{base}/{row.slug}",
        name=row.name,
        vendor=vendor.label,
        kind=row.kind,
        port=tongue.gettext(PORT_NAMES[vendor.port]),
        icon=PORT_ICONS[vendor.port],
        model=row.model,
        address=row.base_url,
        mark=mark_of(tongue, row),
        health=said,
        health_ref=ref,
        health_at=at,
        health_when=tongue.moment(at, now) if at else "",
        limits=_limits(tongue, row),
        projects=tuple(uses.get(row.id, ())),
        enabled=row.enabled,
        hint=key.hint if key else "",
        key_at=key.set_at if key else None,
        key_when=tongue.moment(key.set_at, now) if key else "",
    )


def mark_of(tongue: Tongue, row: Provider) -> Mark:
    """How a provider is: off, failing, refused by its test, working, or never tried."""
    if not row.enabled:
        return Mark("idle", "ban", tongue.gettext("Switched off"))
    if row.error_kind in ("auth", "quota", "gone", "bad_request"):
        return Mark("bad", "circle-x", tongue.gettext("Failing"))
    if row.error_kind:
        return Mark("wait", "triangle-alert", tongue.gettext("Failed lately"))
    if row.tested_ok is False:
        return Mark("bad", "circle-x", tongue.gettext("Test failed"))
    if row.tested_ok:
        return Mark("ok", "circle-check", tongue.gettext("Working"))
    return Mark("idle", "circle-dashed", tongue.gettext("Not tested"))


def _health(row: Provider) -> tuple[datetime | None, str, str]:
    """The newest of the last test and the last failure: when, what was said, and the provider's own id of it."""
    failed = row.error_at and (row.tested_at is None or row.error_at >= row.tested_at)
    if failed:
        return row.error_at, row.error_said, row.error_ref
    return row.tested_at, row.tested_said, row.tested_ref


def _limits(tongue: Tongue, row: Provider) -> str:
    told = []
    if row.per_minute:
        told.append(tongue.gettext("%(count)s a minute", count=tongue.number(row.per_minute)))
    if row.concurrent:
        told.append(tongue.gettext("%(count)s at once", count=tongue.number(row.concurrent)))
    return ", ".join(told) or tongue.gettext("no limits of ours")


def values_of(row: Provider) -> dict[str, str]:
    """A provider as its form shows it; there is no key in it."""
    options = {f"option_{name}": str(value) for name, value in row.options.items()}
    return {
        "kind": row.kind,
        "name": row.name,
        "model": row.model,
        "base_url": row.base_url,
        "per_minute": str(row.per_minute or ""),
        "concurrent": str(row.concurrent or ""),
        "prices": json.dumps(row.prices, indent=1, ensure_ascii=False) if row.prices is not None else "",
        **options,
    }


# ── A project's choice ────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Slot:
    """One place of a project's choice: the field of the form and what can stand there."""

    name: str
    label: str
    options: tuple[Option, ...]


def make_slots(tongue: Tongue, rows: Sequence[Provider], links: int) -> dict[str, tuple[Slot, ...]]:
    """The fields of a project's choice, by port; pictures have as many as there are makers to put in order."""
    at_home = {
        "writer": tongue.gettext("Offline writer (draft)"),
        "narrator": tongue.gettext("Offline voice, espeak (draft)"),
    }
    slots: dict[str, tuple[Slot, ...]] = {
        port: (Slot(port, tongue.gettext(PORT_NAMES[port]), _options(tongue, rows, port, home)),)
        for port, home in at_home.items()
    }
    nothing = tongue.gettext("Nobody")
    slots["images"] = tuple(
        Slot(
            f"images_{number}",
            tongue.gettext("Asked first") if number == 1 else tongue.gettext("Then, number %(number)s", number=number),
            _options(tongue, rows, "images", nothing),
        )
        for number in range(1, links + 1)
    )
    return slots


def _options(tongue: Tongue, rows: Sequence[Provider], port: str, home: str) -> tuple[Option, ...]:
    off = tongue.gettext("switched off")
    mine = [row for row in rows if VENDORS[row.kind].port == port]
    shown = [(row.slug, f"{row.name} · {row.model or VENDORS[row.kind].label}", row.enabled) for row in mine]
    return (
        Option("", home),
        *(Option(slug, text if enabled else f"{text} ({off})") for slug, text, enabled in shown),
    )
