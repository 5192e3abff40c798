"""What a step can make of an instruction: pure.

Every kind of step says so itself before anything runs: a writer understands any sentence, a voice only what changes
how it speaks, and a step that follows from others takes no instruction at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from domain.catalog.bodies import VideoPreset
from domain.catalog.words import plain
from domain.production.narration import Delivery, Pauses


@dataclass(frozen=True)
class Hearing:
    """How a kind of step takes an instruction.

    `takes`: any sentence, some (those that `understood` knows), or none. `varies`: without one, another run gives
    another result. `code` names the sentence that says so to people.
    """

    takes: Literal["any", "some", "none"]
    varies: bool
    code: str


EXACT = Hearing("none", False, "exact")


def hearing(kind: str, spec: Mapping[str, Any]) -> Hearing:
    """How a step of a kind in a job of this specification takes an instruction."""
    chosen = spec.get("providers") or {}
    if kind == "script":
        return Hearing("any", True, "script" if chosen.get("writer") else "script.offline")
    if kind == "illustrate":
        return Hearing("any", True, "illustrate" if chosen.get("images") else "illustrate.artboard")
    return {"narrate": Hearing("some", False, "narrate"), "compose": Hearing("some", False, "compose")}.get(kind, EXACT)


def understood(kind: str, text: str) -> tuple[str, ...]:
    """The codes of what a step that takes some instructions has understood of one; empty = nothing."""
    said = _plainly(text)
    if kind == "narrate":
        return tuple(code for code, words in (*_SPEECH, *_PAUSES) if _has(said, words))
    if kind == "compose":
        heard = [code for code, words, _changes in _FILM if _has(said, words)]
        named = (
            [code for code in heard if code.startswith(_TRANSITION)] if _has(said, ("transition", "transic")) else []
        )
        return (*(code for code in heard if not code.startswith(_TRANSITION)), *named[:1])
    return ()


def _plainly(text: str) -> str:
    """A text in small plain letters, with complaints turned into what they ask for."""
    said = f" {re.sub(r'[^a-z0-9%]+', ' ', plain(text))} "
    for complaint, wish in _COMPLAINTS:
        said = complaint.sub(f" {wish} ", said)
    return said


def _has(said: str, words: Sequence[str]) -> bool:
    return any(f" {word}" in said for word in words)


# ── The voice ─────────────────────────────────────────────────────────────────────────────────────────────
_SPEECH = (
    ("slower", ("slow", "devagar", "lent", "sem pressa")),
    ("faster", ("fast", "quick", "rapid", "depressa", "acelera")),
    ("lower", ("lower", "deeper", "mais grave", "voz grave")),
    ("higher", ("higher", "brighter voice", "mais agud", "voz aguda")),
)
_PAUSES = (
    ("longer-pauses", ("longer pause", "more pause", "pausas mais longas", "pausas maiores", "mais pausa")),
    ("shorter-pauses", ("shorter pause", "fewer pause", "pausas mais curtas", "pausas menores", "menos pausa")),
)
_COMPLAINTS = (
    (re.compile(r" (?:too|so|less) (?:fast|quick)\w* | (?:rapid\w*|depressa) demais | menos rapid\w* "), "slower"),
    (re.compile(r" (?:too|so|less) slow\w* | (?:lent\w*|devagar) demais | menos lent\w* "), "faster"),
)
_MUCH = ("much ", "a lot ", "very ", "muito ", "bem mais ")
_PERCENT = re.compile(r"(\d{1,2})\s*(?:%|percent|por cento)")
RATE, PITCH, MUCH = 10, 6, 2
"""Percent by which a voice changes when it is told how, and how many times as much when it is told "much"."""
LONGER, SHORTER = 160, 60
"""Percent of the preset's pauses."""


def wished_delivery(delivery: Delivery, text: str) -> Delivery:
    """How the voice speaks when it follows an instruction: rate and pitch in percent."""
    heard = understood("narrate", text)
    scale = MUCH if _has(_plainly(text), _MUCH) else 1
    given = int(found[1]) if (found := _PERCENT.search(text)) else RATE * scale
    rate = given * (("faster" in heard) - ("slower" in heard))
    pitch = PITCH * scale * (("higher" in heard) - ("lower" in heard))
    return replace(delivery, rate=_within(delivery.rate + rate), pitch=_within(delivery.pitch + pitch))


def wished_pauses(pauses: Pauses, text: str) -> Pauses:
    """The pauses (ms) between sentences and scenes when the voice follows an instruction."""
    heard = understood("narrate", text)
    percent = LONGER if "longer-pauses" in heard else SHORTER if "shorter-pauses" in heard else 100
    if percent == 100:
        return pauses
    sentence, paragraph, scene = (ms * percent // 100 for ms in (pauses.sentence, pauses.paragraph, pauses.scene))
    return replace(pauses, sentence=sentence, paragraph=paragraph, scene=scene)


def _within(percent: int) -> int:
    return max(-50, min(100, percent))


# ── The film ──────────────────────────────────────────────────────────────────────────────────────────────
_TRANSITION = "transition-"
_FILM: tuple[tuple[str, tuple[str, ...], Mapping[str, Any]], ...] = (
    ("no-captions", ("no caption", "without caption", "no subtitle", "sem legenda"), {"captions": "none"}),
    ("word-captions", ("word by word", "one word", "palavra por palavra"), {"captions": "word-pop"}),
    ("captions", ("with caption", "add caption", "com legenda"), {"captions": "highlight"}),
    ("no-music", ("no music", "without music", "sem musica"), {"music": False}),
    ("music", ("with music", "add music", "com musica"), {"music": True}),
    ("louder-music", ("louder music", "music louder", "musica mais alta"), {"music_gain_db": 6}),
    ("softer-music", ("softer music", "quieter music", "music softer", "music quieter", "musica mais baixa"),
     {"music_gain_db": -6}),
    ("no-title", ("no title", "without title", "without the title", "sem titulo"), {"title_seconds": "0"}),
    ("no-logo", ("no logo", "without logo", "without the logo", "sem logo"), {"logo": False}),
    ("no-motion", ("no motion", "without motion", "still picture", "sem movimento", "imagens paradas"),
     {"motion": False}),
    ("motion", ("with motion", "add motion", "com movimento"), {"motion": True}),
    *((f"transition-{name}", (name, *others), {"transition": name}) for name, others in (
        ("crossfade", ("cross fade", "fusao")), ("fade", ("esmaec",)), ("slide", ("desliz",)), ("wipe", ("cortina",)),
        ("push", ("empurr",)), ("iris", ()), ("blur", ("desfoque",)),
    )),
)  # fmt: skip


def wished_video(video: VideoPreset, text: str) -> VideoPreset:
    """The preset of the film when its timeline follows an instruction."""
    heard = understood("compose", text)
    changes: dict[str, Any] = {}
    for code, _words, wanted in _FILM:
        if code in heard:
            changes |= wanted
    if isinstance(gain := changes.get("music_gain_db"), int):
        changes["music_gain_db"] = str(float(video.music_gain_db) + gain)
    return video.model_copy(update=changes)
