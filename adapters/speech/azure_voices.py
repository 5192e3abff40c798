"""The voices of a speech resource: read once in a while, and asked before anything is paid."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from adapters.prices.voices import price_kind
from adapters.speech.azure_line import Line, failure
from adapters.speech.azure_ssml import LABEL, NAME
from domain.catalog.words import same_language
from domain.production.ports import ProviderBusy, SpeechRequest
from domain.production.provider_errors import NoSuchVoice, PartialAnswer

FRESH_S = 6 * 3600.0
"""How long a list is believed; a voice that is not on it is looked for in a new list first."""
AGAIN_S = 60.0


@dataclass(frozen=True)
class AzureVoice:
    """A voice: its name, who it is, and the styles and roles it can take. `kind`: its line in the price file."""

    name: str
    label: str
    language: str
    gender: str
    styles: tuple[str, ...]
    roles: tuple[str, ...]
    kind: str
    status: str = "GA"


def read_voice(row: Mapping[str, Any]) -> AzureVoice | None:
    """A row of the service's list; None for one without a name."""
    name = row.get("ShortName")
    if not isinstance(name, str) or not name:
        return None
    return AzureVoice(
        name,
        str(row.get("LocalName") or row.get("DisplayName") or name),
        str(row.get("Locale") or ""),
        str(row.get("Gender") or ""),
        _texts(row.get("StyleList")),
        _texts(row.get("RolePlayList")),
        price_kind(name, str(row.get("VoiceType") or "")),
        str(row.get("Status") or "GA"),
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(text) for text in value) if isinstance(value, list) else ()


class Found(Protocol):
    """A list that was kept, and its age in seconds."""

    @property
    def value(self) -> Any: ...

    @property
    def age(self) -> float: ...


class Shelf(Protocol):
    """Where all processes keep lists (adapters/vendors/keeping.py)."""

    async def find(self, what: str) -> Found | None: ...

    async def keep(self, what: str, value: Any, seconds: float) -> None: ...


class Voices:
    """The list of one region, kept while it is fresh and, when the service is busy, for longer.

    `shelf`: where the other processes find it too.
    """

    def __init__(
        self, line: Line, url: str, now: Callable[[], float] = time.monotonic, shelf: Shelf | None = None
    ) -> None:
        self._line, self._url, self._now, self._shelf = line, url, now, shelf
        self._list: dict[str, AzureVoice] = {}
        self._read_at = float("-inf")

    async def all(self, younger_than: float = FRESH_S) -> Mapping[str, AzureVoice]:
        """Every voice by name. Raises the errors of domain/production/provider_errors.py when there is no list."""
        if self._now() - self._read_at > younger_than and not await self._find(younger_than):
            try:
                self._list = await self._read()
                self._read_at = self._now()
            except ProviderBusy:
                if not self._list:
                    raise
            else:
                await self._keep()
        return self._list

    async def _find(self, younger_than: float) -> bool:
        """Take a list that another process has read, if it is young enough."""
        found = await self._shelf.find(self._url) if self._shelf and younger_than else None
        if found is None or found.age > younger_than:
            return False
        self._list = {row["name"]: _kept_voice(row) for row in found.value}
        self._read_at = self._now() - found.age
        return bool(self._list)

    async def _keep(self) -> None:
        if self._shelf:
            await self._shelf.keep(self._url, [asdict(voice) for voice in self._list.values()], FRESH_S)

    async def _read(self) -> dict[str, AzureVoice]:
        answer = await self._line.call("GET", self._url)
        if answer.status != 200:
            raise failure(answer, "this list of voices")
        rows = answer.data if isinstance(answer.data, list) else []
        read = [read_voice(row) for row in rows if isinstance(row, dict)]
        found = {voice.name: voice for voice in read if voice is not None}
        if not found:
            fix = "Check region and address of the speech resource."
            raise PartialAnswer(NAME, f"{LABEL} answered no list of voices.", request_id=answer.request_id, fix=fix)
        return found

    async def require(self, requests: Iterable[SpeechRequest]) -> None:
        """Refuse voices, styles and roles that do not exist. Raises NoSuchVoice."""
        wanted = {(request.voice, request.style, request.role, request.language) for request in requests}
        for voice, style, role, language in sorted(wanted):
            known = await self.all()
            if voice not in known:
                known = await self.all(AGAIN_S)
            require_voice(known, voice, style, role, language)


def _kept_voice(row: Mapping[str, Any]) -> AzureVoice:
    return AzureVoice(**{**row, "styles": tuple(row["styles"]), "roles": tuple(row["roles"])})


def require_voice(known: Mapping[str, AzureVoice], name: str, style: str, role: str, language: str) -> AzureVoice:
    """The voice of this name, if it can speak as asked. Raises NoSuchVoice with what comes nearest."""
    voice = known.get(name)
    if voice is None:
        raise NoSuchVoice(
            NAME, f"{LABEL} has no voice “{name[:80]}” in this region.", fix=_try(nearest(known, name, language))
        )
    if style and style not in voice.styles:
        raise NoSuchVoice(NAME, f"The voice {name} has no style “{style[:80]}”.", fix=_styles(voice, style, known))
    if role and role not in voice.roles:
        fix = f"Use one of {', '.join(voice.roles)}, or none." if voice.roles else "Leave the role empty."
        raise NoSuchVoice(NAME, f"The voice {name} has no role “{role[:80]}”.", fix=fix)
    return voice


def nearest(known: Mapping[str, AzureVoice], name: str, language: str, count: int = 3) -> list[str]:
    """Names most like a wrong one, else voices of the language."""
    plain = {voice.casefold(): voice for voice in known}
    close = [plain[match] for match in get_close_matches(name.casefold(), plain, count, 0.75)]
    return close or [voice.name for voice in known.values() if same_language(voice.language, language)][:count]


def _styles(voice: AzureVoice, style: str, known: Mapping[str, AzureVoice]) -> str:
    if voice.styles:
        close = get_close_matches(style.casefold(), voice.styles, 3, 0.6)
        return f"{_try(close)} It has {', '.join(voice.styles)}." if close else f"Use one of {', '.join(voice.styles)}."
    others = [v.name for v in known.values() if style in v.styles and same_language(v.language, voice.language)]
    return f"Leave the style empty, or use {' or '.join(others[:3])}." if others else "Leave the style empty."


def _try(names: Sequence[str]) -> str:
    return f"Nearest: {', '.join(names)}." if names else "Choose a voice from the list."
