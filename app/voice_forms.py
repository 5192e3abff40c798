"""Reading what people say of a voice preset: every fault at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.catalog.bodies import VoicePreset
from domain.catalog.vendors import NAME_LIMIT
from domain.catalog.voices import DEGREE, Voice, faults_of
from tenants.names import is_name

FIELDS = ("name", "provider", "language", "voice", "style", "degree", "role", "rate", "pitch", "note", "text")
ACTS = ("refresh", "listen")
"""Buttons of the form that save nothing."""
DRAFT = "espeak"
TEXT_LIMIT, NOTE_LIMIT = 300, 200
PERCENT = re.compile(r"[+-]?\d{1,3}%?")


@dataclass(frozen=True)
class Read:
    """A form as it was read; `faults` are (field, code)."""

    name: str
    note: str
    text: str
    body: VoicePreset
    faults: Sequence[tuple[str, str]]


def read_voice(values: Mapping[str, str], kind: str, known: Sequence[Voice]) -> Read:
    """Read and check a preset. `kind`: of its provider; `known`: that provider's voices, none when it tells none."""
    faults = [("", "field") for name in values if name not in (*FIELDS, *ACTS)]
    name, note, text = (" ".join(values.get(key, "").split()) for key in ("name", "note", "text"))
    if not is_name(name, NAME_LIMIT):
        faults.append(("name", "name"))
    if len(text) > TEXT_LIMIT:
        faults.append(("text", "text"))
    body = VoicePreset(
        provider=kind,
        voice=values.get("voice", "").strip()[:120],
        language=values.get("language", "").strip()[:20],
        rate=_percent(values, "rate", faults),
        pitch=_percent(values, "pitch", faults),
        style=values.get("style", "").strip()[:60],
        degree=_degree(values, faults),
        role=values.get("role", "").strip()[:60],
    )
    faults += [fault for fault in faults_of(body, known) if fault not in faults]
    return Read(name, note[:NOTE_LIMIT], text, body, faults)


def _percent(values: Mapping[str, str], name: str, faults: list[tuple[str, str]]) -> str:
    given = values.get(name, "").strip().replace("−", "-") or "0"
    if not PERCENT.fullmatch(given):
        faults.append((name, name))
        return "0%"
    number = int(given.rstrip("%"))
    return f"{number:+d}%" if number else "0%"


def _degree(values: Mapping[str, str], faults: list[tuple[str, str]]) -> int:
    given = values.get("degree", "").strip().rstrip("%") or "100"
    low, high = DEGREE
    if not (given.isascii() and given.isdigit() and low <= int(given[:6]) <= high):
        faults.append(("degree", "degree"))
        return 100
    return int(given)
