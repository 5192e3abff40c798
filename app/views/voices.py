"""Voices as shown: cards of presets, the form of one with what its provider offers, its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.forms import FormFault
from app.i18n import N_, Tongue
from app.views.marks import LANGUAGE_NAMES, said
from app.views.settings import Option
from app.voice_forms import DRAFT, TEXT_LIMIT
from domain.catalog.bodies import VoicePreset
from domain.catalog.provider_rows import Provider
from domain.catalog.vendors import NAME_LIMIT, VENDORS
from domain.catalog.voices import DEGREE, PITCH, RATE, Voice, VoiceLine
from domain.catalog.words import same_language
from domain.production.queries.projects import RecipeLine

FAULTS: Mapping[str, str] = {
    "name": N_("Give it a name of 1 to %(name_limit)s visible characters."),
    "text": N_("Listen to at most %(text_limit)s characters at once. Shorten the text."),
    "voice": N_("Choose a voice of the list."),
    "gone": N_("The provider has no voice of this name. Choose one of the list."),
    "language": N_("This voice speaks another language. Choose a voice of the list, or its language."),
    "style": N_("The voice does not have this style. Choose one of the list, or none."),
    "role": N_("The voice does not have this role. Choose one of the list, or none."),
    "degree": N_("Give a whole number from %(degree_low)s to %(degree_high)s."),
    "rate": N_("Give a whole number from %(rate_low)s to %(rate_high)s, like +8."),
    "pitch": N_("Give a whole number from %(pitch_low)s to %(pitch_high)s, like -4."),
    "field": N_("The form has a field that it should not have. Open it again."),
    "provider": N_("Choose a provider of the list."),
    "preset": N_("Choose voices of the list."),
}
SAMPLES: Mapping[str, str] = {
    "en": "The Moon is full tonight. Its light needs just over one second to reach us.",
    "pt": "A Lua está cheia esta noite. Sua luz leva pouco mais de um segundo até nós.",
}
"""What a voice says until somebody writes another text; said, so in the voice's own language."""
DRAFT_NAME = N_("Offline voice, espeak (draft)")


@dataclass(frozen=True)
class VoiceCard:
    """A preset in the list."""

    slug: str
    href: str
    name: str
    provider: str
    voice: str
    language: str
    manner: str
    version: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class VersionRow:
    """One version of a preset."""

    label: str
    href: str
    note: str
    voice: str
    at: datetime
    when: str
    current: bool


@dataclass(frozen=True)
class Choices:
    """What the form offers; `told` says why there is no list, `open` that names are written by hand then."""

    provider: tuple[Option, ...]
    language: tuple[Option, ...]
    voice: tuple[Option, ...]
    style: tuple[Option, ...]
    role: tuple[Option, ...]
    told: str = ""

    @property
    def open(self) -> bool:
        return bool(self.told)


@dataclass(frozen=True)
class Heard:
    """A preview that can be played. `price` as it was billed now; empty = it was spoken before."""

    href: str
    seconds: str
    price: str


@dataclass(frozen=True)
class VoiceSlot:
    """A recipe of a project, with the voices it may have."""

    field: str
    label: str
    options: tuple[Option, ...]
    value: str


def make_slots(
    tongue: Tongue, recipes: Sequence[RecipeLine], lines: Sequence[VoiceLine], bound: Mapping[str, str]
) -> list[VoiceSlot]:
    """What a project may choose for each recipe: the voices of its language."""
    return [
        VoiceSlot(
            f"voice_{recipe.slug}",
            recipe.name,
            voice_options(tongue, lines, recipe.language),
            bound.get(recipe.slug, ""),
        )
        for recipe in recipes
    ]


def voice_options(tongue: Tongue, lines: Sequence[VoiceLine], language: str = "") -> tuple[Option, ...]:
    """Voices to choose from, the recipe's own first; only those of a language, if one is given."""
    fitting = [line for line in lines if not language or same_language(line.body.language, language)]
    named = [Option(line.slug, f"{line.name} · {said(tongue, LANGUAGE_NAMES, line.body.language)}") for line in fitting]
    return (Option("", tongue.gettext("The recipe’s own")), *named)


def tell_faults(tongue: Tongue, faults: Sequence[tuple[str, str]]) -> list[FormFault]:
    """Say what is wrong in the person's language."""
    bounds = {"degree": DEGREE, "rate": RATE, "pitch": PITCH}
    numbers = {f"{name}_low": low for name, (low, _) in bounds.items()}
    numbers |= {f"{name}_high": high for name, (_, high) in bounds.items()}
    numbers |= {"name_limit": NAME_LIMIT, "text_limit": TEXT_LIMIT}
    return [FormFault(name, tongue.gettext(FAULTS[code], **numbers)) for name, code in faults]


def make_card(tongue: Tongue, line: VoiceLine, base: str, uses: Sequence[str]) -> VoiceCard:
    body = line.body
    return VoiceCard(
        slug=line.slug,
        href=f"{base}/{line.slug}",
        name=line.name,
        provider=VENDORS[body.provider].label if body.provider in VENDORS else tongue.gettext(DRAFT_NAME),
        voice=body.voice,
        language=said(tongue, LANGUAGE_NAMES, body.language),
        manner=manner_of(tongue, body),
        version=f"v{line.number}",
        uses=tuple(uses),
    )


def manner_of(tongue: Tongue, body: VoicePreset) -> str:
    """How a preset speaks, in few words."""
    parts = [body.style + (f" {body.degree} %" if body.style and body.degree != 100 else ""), body.role]
    parts += [tongue.gettext("pace %(change)s", change=body.rate)] * (body.rate not in ("0%", ""))
    parts += [tongue.gettext("pitch %(change)s", change=body.pitch)] * (body.pitch not in ("0%", ""))
    return " · ".join(filter(None, parts)) or tongue.gettext("as it is")


def make_versions(tongue: Tongue, lines: Sequence[VoiceLine], base: str, now: datetime) -> list[VersionRow]:
    return [
        VersionRow(
            label=f"v{line.number}",
            href=f"{base}/{line.slug}?version={line.number}",
            note=line.note,
            voice=f"{line.body.voice} · {manner_of(tongue, line.body)}",
            at=line.at,
            when=tongue.moment(line.at, now),
            current=number == 0,
        )
        for number, line in enumerate(lines)
    ]


def values_of(line: VoiceLine, provider: str) -> dict[str, str]:
    """The form's values of a preset; `provider`: the short name of the one that offers its voice."""
    body = line.body
    return {
        "name": line.name,
        "provider": provider,
        "language": body.language,
        "voice": body.voice,
        "style": body.style,
        "degree": str(body.degree),
        "role": body.role,
        "rate": body.rate.rstrip("%"),
        "pitch": body.pitch.rstrip("%"),
        "text": sample_of(body.language),
    }


def sample_of(language: str) -> str:
    """A text to listen to in a language; empty where there is none of ours."""
    return SAMPLES.get(language.split("-")[0].lower(), "")


def make_choices(
    tongue: Tongue, rows: Sequence[Provider], known: Sequence[Voice], values: Mapping[str, str], told: str
) -> Choices:
    """What can be chosen now: voices of the language, styles and roles of the voice."""
    languages = sorted({voice.language for voice in known})
    wanted = values.get("language", "")
    fitting = [voice for voice in known if same_language(voice.language, wanted)]
    voice = next((one for one in fitting if one.name == values.get("voice")), None)
    none = Option("", tongue.gettext("none"))
    return Choices(
        provider=(Option(DRAFT, tongue.gettext(DRAFT_NAME)), *(Option(row.slug, row.name) for row in rows)),
        language=tuple(Option(tag, said(tongue, LANGUAGE_NAMES, tag)) for tag in _with(languages, wanted)),
        voice=tuple(Option(one.name, _named(one)) for one in fitting),
        style=(none, *(Option(style, style) for style in (voice.styles if voice else ()))),
        role=(none, *(Option(role, role) for role in (voice.roles if voice else ()))),
        told=told,
    )


def _with(languages: Sequence[str], wanted: str) -> list[str]:
    return [*languages, wanted] if wanted and wanted not in languages else list(languages)


def _named(voice: Voice) -> str:
    return " · ".join(filter(None, (voice.label, voice.name if voice.name != voice.label else "", voice.gender)))
