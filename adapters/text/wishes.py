"""What a person's instruction and the validators' faults ask of the offline writer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.catalog.words import plain, reading_seconds
from domain.production.ports import ScriptRequest

_SECONDS = re.compile(r"(\d{1,4})\s*(?:s\b|sec|seg)", re.I)
_MINUTES = re.compile(r"(\d{1,2})\s*min", re.I)
_SHORTER = ("shorter", "cut", "trim", "brief", "less text", "mais curto", "encurt", "reduz", "menos texto", "resum")
_LONGER = ("longer", "more detail", "expand", "extend", "mais longo", "mais detalhe", "aument", "along", "amplie")
_SIMPLER = ("simpl", "easier", "plain", "children", "kids", "facil", "crianc")
_FOCUS = re.compile(
    r"(?:focus(?: more)? on|more about|emphasi[sz]e|stress|foco em|foque em|foque n[oa]s?|fale mais (?:de|do|da|sobre)|"
    r"mais sobre|destaque)\s+(.+?)(?:[.;,]|$)",
    re.I,
)
_WITHOUT = re.compile(
    r"(?:without|remove|leave out|drop|no mention of|sem|retire|remova|tire)\s+(.+?)(?:[.;,]|$)", re.I
)
_FAULT = re.compile(r"^\[(\w+)\]\s+(\S+):\s+(.*)$", re.S)
_SCENES = re.compile(r"(\d+) to (\d+) are allowed")
_BOUND = re.compile(r"(\d+(?:\.\d+)?) (?:s|words); at (?:most|least) (\d+(?:\.\d+)?)")
_UNUSABLE = ("banned_word", "pattern_forbidden", "invented_number", "long_sentence", "silent", "control")


@dataclass
class Wishes:
    """How the next draft differs: its length, what to stress or leave out, texts that must not come back."""

    seconds: float
    simpler: bool = False
    focus: str = ""
    without: str = ""
    refused: set[str] = field(default_factory=set)
    repairing: bool = False
    more: bool = False
    scenes: tuple[int, int] | None = None


def read_wishes(request: ScriptRequest) -> Wishes:
    """Put instruction and faults together; without either, the request's own length."""
    wishes = Wishes(seconds=float(request.seconds))
    if request.instruction:
        read_instruction(request.instruction, wishes)
    if request.faults:
        read_faults(request.faults, request.previous or {}, request.language, wishes)
    return wishes


def read_instruction(instruction: str, wishes: Wishes) -> None:
    """Understand the common wishes: shorter, longer, a length, simpler, focus on …, without …"""
    text = plain(instruction)
    if found := _SECONDS.search(text):
        wishes.seconds = max(10.0, float(found[1]))
    elif found := _MINUTES.search(text):
        wishes.seconds = float(found[1]) * 60
    elif any(word in text for word in _SHORTER):
        wishes.seconds *= 0.72
    elif any(word in text for word in _LONGER):
        wishes.seconds *= 1.35
    wishes.simpler = any(word in text for word in _SIMPLER)
    wishes.focus = match[1].strip() if (match := _FOCUS.search(instruction)) else ""
    wishes.without = match[1].strip() if (match := _WITHOUT.search(instruction)) else ""


def read_faults(faults: Sequence[str], previous: Mapping[str, Any], language: str, wishes: Wishes) -> None:
    """Understand the validators' faults: sentences that cannot stay, too long, too short, number of scenes."""
    wishes.repairing = True
    sentences = {s["id"]: s["text"] for scene in previous.get("scenes", ()) for s in scene.get("sentences", ())}
    spoken = sum(reading_seconds(text, language) for text in sentences.values()) or wishes.seconds
    for fault in faults:
        match = _FAULT.match(fault)
        if not match:
            continue
        code, place, message = match.groups()
        if code in _UNUSABLE and place in sentences:
            wishes.refused.add(sentences[place])
        elif code == "too_long":
            wishes.seconds = min(wishes.seconds, spoken * min(0.85, _share(message) * 0.92))
        elif code == "too_short":
            wishes.seconds, wishes.more = (
                max(wishes.seconds * 1.15, spoken * max(1.25, _share(message) * 1.1) + 3),
                True,
            )
        elif code == "scenes" and (bounds := _SCENES.search(message)):
            wishes.scenes = (int(bounds[1]), int(bounds[2]))
            wishes.more = wishes.more or len(previous.get("scenes", ())) < wishes.scenes[0]


def _share(message: str) -> float:
    """The bound that a fault names as a share of what was found; 1 when it names none."""
    found = _BOUND.search(message)
    return float(found[2]) / max(1.0, float(found[1])) if found else 1.0
