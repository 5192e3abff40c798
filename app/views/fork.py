"""The page that forks a job: the choices, and what the fork makes anew, takes over and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.i18n import Tongue
from app.views.marks import PROFILE_NAMES, kind_name, said
from app.views.money import QuoteView, make_quote_view
from app.views.outlook import say_hearing
from app.views.settings import Option
from domain.catalog.provider_rows import Provider
from domain.catalog.resolution import Chosen
from domain.catalog.vendors import VENDORS
from domain.production.commands.fork_choices import HERE, PORTS, PRESET_SLOTS
from domain.production.commands.fork_job import ForkOffer
from domain.production.commands.quote_new_job import Offer
from domain.production.queries.projects import RecipeLine
from domain.production.wishes import hearing
from domain.usage.caps import NOTHING


@dataclass(frozen=True)
class ForkView:
    """What a fork does: steps made anew, steps taken over, and the price of the former."""

    anew: str
    reused: str
    quote: QuoteView


def make_fork(tongue: Tongue, offer: ForkOffer) -> ForkView:
    """Say what a fork does."""
    names = [", ".join(kind_name(tongue, kind) for kind in kinds) for kinds in (offer.anew, offer.reused)]
    quote = make_quote_view(tongue, Offer(offer.quote, NOTHING, NOTHING))
    return ForkView(names[0], names[1] or tongue.gettext("nothing"), quote)


@dataclass(frozen=True)
class ForkChoices:
    """The lists of the form; the first entry of each leaves things as they are."""

    tongue: Tongue
    spec: Mapping[str, Any]
    recipe: tuple[Option, ...]
    profile: tuple[Option, ...]
    presets: Mapping[str, tuple[Option, ...]]
    providers: Mapping[str, tuple[Option, ...]]

    def step_name(self, kind: str) -> str:
        return kind_name(self.tongue, kind)

    def hears(self, kind: str) -> str:
        """How the step takes an instruction."""
        return say_hearing(self.tongue, hearing(kind, self.spec))

    def takes(self, kind: str) -> bool:
        return hearing(kind, self.spec).takes != "none"


def make_fork_choices(
    tongue: Tongue,
    spec: Mapping[str, Any],
    recipes: Sequence[RecipeLine],
    presets: Sequence[tuple[Chosen, str]],
    providers: Sequence[Provider],
) -> ForkChoices:
    """Build the lists from the catalogue and the earlier job's choices."""
    used = str(spec.get("recipe_ref", {}).get("slug", ""))
    mine = next((line.name for line in recipes if line.slug == used), used)
    others = [Option(line.slug, line.name) for line in recipes if line.slug != used]
    profile = str(spec.get("profile", ""))
    formats = [Option(name, tongue.gettext(label)) for name, label in PROFILE_NAMES.items() if name != profile]
    return ForkChoices(
        tongue,
        spec,
        (_stays(tongue, mine), *others),
        (_stays(tongue, said(tongue, PROFILE_NAMES, profile)), *formats),
        {slot: _presets(tongue, spec, slot, presets) for slot in PRESET_SLOTS},
        {port: _providers(tongue, spec, port, providers) for port in PORTS},
    )


def _stays(tongue: Tongue, name: str) -> Option:
    return Option("", tongue.gettext("As it is: %(name)s", name=name))


def _presets(
    tongue: Tongue, spec: Mapping[str, Any], slot: str, presets: Sequence[tuple[Chosen, str]]
) -> tuple[Option, ...]:
    ref = (spec.get(slot) or {}).get("ref", {})
    fitting = [(one, name) for one, name in presets if one.body.get("preset") == slot and _fits(spec, slot, one)]
    used = next((name for one, name in fitting if one.slug == ref.get("slug")), str(ref.get("slug", "–")))
    stays = f"{used} v{ref.get('number', '?')}"
    others = [
        Option(one.slug, f"{name} v{one.number}")
        for one, name in fitting
        if (one.slug, one.number) != (ref.get("slug"), ref.get("number"))
    ]
    return (_stays(tongue, stays), *others)


def _fits(spec: Mapping[str, Any], slot: str, one: Chosen) -> bool:
    """A voice must speak the film's language."""
    language = str(spec.get("language", "")).split("-")[0].lower()
    return slot != "voice" or str(one.body.get("language", "")).split("-")[0].lower() == language


def _providers(tongue: Tongue, spec: Mapping[str, Any], port: str, providers: Sequence[Provider]) -> tuple[Option, ...]:
    part = (spec.get("providers") or {}).get(port)
    parts = part if isinstance(part, list) else [part] if part else []
    here = tongue.gettext("This machine")
    used = ", ".join(str(one["name"]) for one in parts) or here
    slugs = [str(one["slug"]) for one in parts]
    others = [Option(row.slug, row.name) for row in providers if VENDORS[row.kind].port == port and [row.slug] != slugs]
    return (_stays(tongue, used), *([Option(HERE, here)] if parts else []), *others)
