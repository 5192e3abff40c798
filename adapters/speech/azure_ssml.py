"""A speech request in Azure's SSML: what is sent, what is said for each shown word, and how many characters it bills.

Marks stay here: Azure bills nearly all markup, and its word times are matched by what is said. Aliases go out as plain
text for the same reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import quoteattr

from adapters.speech.ssml import BadSsml, parse
from domain.catalog.words import primary
from domain.production.ports import SpeechRequest
from domain.production.provider_errors import BadRequest
from domain.production.speech import (
    Emphasis,
    Mark,
    Node,
    Prosody,
    Sub,
    Text,
    UnspeakableText,
    Voice,
    checked,
    element,
    node_ssml,
)

NAME, LABEL = "azure", "Azure Speech"
SPEECH, MSTTS = "http://www.w3.org/2001/10/synthesis", "http://www.w3.org/2001/mstts"
MAX_BYTES = 60_000
"""The service takes 64 kB of SSML at once; some room is left for its envelope."""
EMPHATIC = frozenset({"en-US-GuyNeural", "en-US-DavisNeural", "en-US-JaneNeural"})
"""The only voices that heed emphasis; for others it would be billed and ignored."""
RANGES = {"rate": (-50, 100), "pitch": (-50, 50), "volume": (-100, 100)}
_IDEOGRAPHS = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_FREE_TAGS = re.compile(r"</?(?:speak|voice)(?:\s[^>]*)?>")
_LOCALE = re.compile(r"^([a-z]{2,3}-(?:[A-Za-z]{4}-)?[A-Z]{2})(?:-|$)")


@dataclass(frozen=True)
class AzureText:
    """One request as Azure gets it. `spoken`: what is said for each shown word; `billed`: characters that cost."""

    ssml: str
    spoken: tuple[str, ...]
    billed: int


def azure_text(request: SpeechRequest) -> AzureText:
    """Write a request for Azure. Raises BadRequest for what cannot be said."""
    try:
        tree = parse(request.ssml)
        spoken = spoken_words(tree.children, len(request.words))
        inside = "".join(_node(node, request.voice) for node in _unvoiced(tree.children))
        ssml = _wrapped(request, inside)
    except (BadSsml, UnspeakableText) as fault:
        raise BadRequest(NAME, fault.sentence) from None
    shown = " ".join(request.words)
    shown = shown if len(shown) <= 80 else f"{shown[:79]}…"
    if not any(character.isalnum() for word in spoken for character in word):
        fix = "Write words that can be read aloud, or delete the sentence."
        raise BadRequest(NAME, f"Nothing of “{shown}” can be spoken.", fix=fix)
    if len(ssml.encode()) > MAX_BYTES:
        sentence = f"The sentence “{shown}” is longer than the {MAX_BYTES // 1000} kB that {LABEL} takes at once."
        raise BadRequest(NAME, sentence, fix="Split the sentence.")
    return AzureText(ssml, spoken, billed_characters(ssml))


def billed_characters(ssml: str) -> int:
    """Characters that cost: all but the speak and voice tags, CJK ideographs twice."""
    costly = _FREE_TAGS.sub("", ssml)
    return len(costly) + len(_IDEOGRAPHS.findall(costly))


def locale_of(voice: str) -> str:
    """The locale a voice's name begins with (`pt-BR` of `pt-BR-FranciscaNeural`); empty when there is none."""
    match = _LOCALE.match(voice)
    return match[1] if match else ""


def spoken_words(nodes: Sequence[Node], count: int) -> tuple[str, ...]:
    """What stands between the marks `0, 1, …` of a tree, as it is said."""
    spoken, at = [""] * count, -1
    for node in _leaves(nodes):
        if isinstance(node, Mark):
            at = int(node.name) if node.name.isdecimal() and int(node.name) < count else at
        elif count:
            said = node.alias if isinstance(node, Sub) else str(getattr(node, "text", ""))
            spoken[max(at, 0)] += said
    return tuple(" ".join(said.split()) for said in spoken)


def _leaves(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node, Voice | Prosody | Emphasis):
            yield from _leaves(node.children)
        else:
            yield node


def _unvoiced(nodes: Sequence[Node]) -> list[Node]:
    """The nodes without the voice around them; it is written from the request."""
    found: list[Node] = []
    for node in nodes:
        found += _unvoiced(node.children) if isinstance(node, Voice) else [node]
    return found


def _wrapped(request: SpeechRequest, inside: str) -> str:
    styled = {
        "style": request.style,
        "styledegree": "" if request.degree == 100 or not request.style else f"{request.degree / 100:g}",
        "role": request.role,
    }
    if request.style or request.role:
        inside = element("mstts:express-as", styled, inside)
    locale = locale_of(request.voice)
    language = locale if primary(locale) == primary(request.language) else request.language
    head = f'<speak version="1.0" xmlns="{SPEECH}" xmlns:mstts="{MSTTS}" xml:lang={quoteattr(checked(language))}>'
    return f"{head}{element('voice', {'name': request.voice}, inside)}</speak>"


def _node(node: Node, voice: str) -> str:
    match node:
        case Mark():
            return ""
        case Sub(alias, _):
            return node_ssml(Text(alias))
        case Prosody(children, rate, pitch, volume):
            _require_range(rate=rate, pitch=pitch, volume=volume)
            shell = node_ssml(replace(node, children=(Text("\ue000"),)))
            return shell.replace("\ue000", "".join(_node(child, voice) for child in children))
        case Emphasis(level, children):
            inside = "".join(_node(child, voice) for child in children)
            return element("emphasis", {"level": level}, inside) if voice in EMPHATIC else inside
        case _:
            return node_ssml(node)


def _require_range(**given: int) -> None:
    wrong = [f"{name} {value:+d}%" for name, value in given.items() if not _in_range(name, value)]
    if wrong:
        allowed = ", ".join(f"{name} {low:+d}% to {high:+d}%" for name, (low, high) in RANGES.items())
        raise BadRequest(NAME, f"{LABEL} cannot speak with {', '.join(wrong)}.", fix=f"Choose within {allowed}.")


def _in_range(name: str, value: int) -> bool:
    low, high = RANGES[name]
    return low <= value <= high
