"""The contact sheet as shown: pictures in the order of the film, who made each, and every step down on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.i18n import N_, Tongue
from domain.catalog.vendors import VENDORS
from domain.production.queries.job import Output

HOME_NAMES: Mapping[str, str] = {"library": N_("Library"), "artboard": N_("Art board (draft)")}


@dataclass(frozen=True)
class Fall:
    """A maker that failed: who, who stood in, why, the provider's own id of the call, and what it cost."""

    provider: str
    then: str
    sentence: str
    request_id: str
    price: str


@dataclass(frozen=True)
class Shot:
    """One scene's picture."""

    scene: str
    href: str
    show: str
    maker: str
    credit: str
    softened: str
    falls: tuple[Fall, ...]


def make_sheet(tongue: Tongue, outputs: Sequence[Output], base: str) -> tuple[Shot, ...]:
    pictures = sorted((o for o in outputs if o.role == "picture"), key=lambda output: (output.position, output.name))
    return tuple(_shot(tongue, output, base) for output in pictures)


def _shot(tongue: Tongue, output: Output, base: str) -> Shot:
    facts = output.facts
    return Shot(
        scene=str(facts.get("scene", "")),
        href=f"{base}/artifacts/{quote(output.name)}",
        show=f"{base}/artifacts?show={quote(output.name, safe='')}#show",
        maker=maker_name(tongue, str(facts.get("origin", ""))),
        credit=str(facts.get("credit", "")),
        softened=str(facts.get("softened", "")),
        falls=tuple(_fall(tongue, step) for step in facts.get("fallbacks", ()) if isinstance(step, Mapping)),
    )


def maker_name(tongue: Tongue, kind: str) -> str:
    """Who made a picture, as people call them."""
    if kind in VENDORS:
        return VENDORS[kind].label
    return tongue.gettext(HOME_NAMES[kind]) if kind in HOME_NAMES else kind


def _fall(tongue: Tongue, step: Mapping[str, Any]) -> Fall:
    spent = step.get("micro_dollars")
    return Fall(
        provider=maker_name(tongue, str(step.get("provider", ""))),
        then=maker_name(tongue, str(step.get("then", ""))),
        sentence=str(step.get("sentence", "")),
        request_id=str(step.get("request_id", "")),
        price=tongue.money(spent if isinstance(spent, int) else None),
    )
