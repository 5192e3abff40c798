"""Draft voices: which espeak-ng voice stands behind each name, and how it is set."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import espeakng_loader

from domain.catalog.words import primary


@dataclass(frozen=True)
class DraftVoice:
    """An espeak-ng voice with its settings: rate in words per minute, pitch and range 0..100, gain in decibels."""

    name: str
    label: str
    language: str
    engine: str
    rate: int
    pitch: int
    range: int
    gain: float


_ALL = (
    DraftVoice("en-us-draft", "American, low (draft voice)", "en-US", "en-us+Michael", 155, 46, 62, 5.0),
    DraftVoice("en-us-draft-high", "American, high (draft voice)", "en-US", "en-us+Annie", 155, 40, 60, 6.0),
    DraftVoice("en-gb-draft", "British, low (draft voice)", "en-GB", "en+Michael", 155, 46, 62, 5.0),
    DraftVoice("pt-br-draft", "Brazilian, low (draft voice)", "pt-BR", "pt-br+marcelo", 155, 48, 64, 5.0),
    DraftVoice("pt-br-draft-high", "Brazilian, high (draft voice)", "pt-BR", "pt-br+f3", 155, 42, 60, 6.0),
)
VOICES: dict[str, DraftVoice] = {voice.name: voice for voice in _ALL}

_ENGINE_NAME = re.compile(r"^(en-us|en-gb|en|pt-br|pt)(?:\+([A-Za-z0-9]{1,20}))?$", re.IGNORECASE)
_ENGINE_LANGUAGES = {"en-gb": "en"}
_DEFAULTS = {"en": "en-us-draft", "en-gb": "en-gb-draft", "pt": "pt-br-draft"}


def default_voice(language: str) -> str:
    """The draft voice for a language tag; empty when there is none."""
    tag = language.casefold().replace("_", "-")
    return _DEFAULTS.get(tag) or _DEFAULTS.get(primary(language), "")


def voices_for(language: str) -> list[DraftVoice]:
    """All draft voices that speak a language."""
    return [voice for voice in VOICES.values() if primary(voice.language) == primary(language)]


def find_voice(name: str) -> DraftVoice | None:
    """A draft voice by our name or by the engine's (`pt-br+marcelo`, upper and lower case alike); None = unknown."""
    if name in VOICES:
        return VOICES[name]
    match = _ENGINE_NAME.match(name)
    if not match:
        return None
    language = match[1].casefold()
    engine = _ENGINE_LANGUAGES.get(language, language)
    variant = variants().get((match[2] or "").casefold())
    if match[2] and variant is None:
        return None
    like = VOICES[default_voice(language)]
    settled = next((voice for voice in VOICES.values() if voice.engine == f"{engine}+{variant}"), like)
    return replace(settled, name=name, engine=f"{engine}+{variant}" if variant else engine)


@lru_cache(maxsize=1)
def variants() -> dict[str, str]:
    """The engine's voice variants: lower-case name → name as its data spells it."""
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    return {entry.name.casefold(): entry.name for entry in sorted(folder.iterdir())}
