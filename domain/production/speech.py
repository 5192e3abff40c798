"""Speech as a typed tree, and its canonical SSML (W3C SSML 1.1): the one form all narrators are asked in.

User text enters only as text nodes and attribute values of an XML writer. Adapters turn the canonical form into
their provider's dialect.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

MAX_PAUSE_MS = 20_000


class UnspeakableText(Exception):
    """Text holds characters that XML and speech cannot carry; `sentence` says which and where."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Text:
    """Plain words."""

    text: str


@dataclass(frozen=True)
class Mark:
    """A named point whose time is wanted back."""

    name: str


@dataclass(frozen=True)
class Pause:
    """Silence in milliseconds (0..20,000)."""

    ms: int


@dataclass(frozen=True)
class Sub:
    """Shown `text`, said as `alias`."""

    alias: str
    text: str


@dataclass(frozen=True)
class SayAs:
    """Text with its kind (date, characters, cardinal …), for engines that read by kind."""

    interpret: str
    text: str
    form: str = ""


@dataclass(frozen=True)
class Emphasis:
    """Stress: strong, moderate or reduced."""

    level: str
    children: Sequence[Node]


@dataclass(frozen=True)
class Prosody:
    """Changes in percent of the voice's own rate, pitch and volume (+8 = 8 % more)."""

    children: Sequence[Node]
    rate: int = 0
    pitch: int = 0
    volume: int = 0


@dataclass(frozen=True)
class Voice:
    """Who speaks; `name` is the provider's name of the voice."""

    name: str
    children: Sequence[Node]


Node = Text | Mark | Pause | Sub | SayAs | Emphasis | Prosody | Voice


@dataclass(frozen=True)
class Speak:
    """The root: what is said in one language."""

    language: str
    children: Sequence[Node]


def to_ssml(tree: Speak) -> str:
    """Write the canonical SSML of a tree. Raises UnspeakableText for control characters."""
    inside = "".join(map(node_ssml, tree.children))
    namespace = 'xmlns="http://www.w3.org/2001/10/synthesis"'
    return f'<speak version="1.1" {namespace} xml:lang={quoteattr(checked(tree.language))}>{inside}</speak>'


def node_ssml(node: Node) -> str:
    """Write one node and all below it."""
    match node:
        case Text(text):
            return escape(checked(text))
        case Mark(name):
            return element("mark", {"name": name}, "")
        case Pause(ms):
            return element("break", {"time": f"{min(max(ms, 0), MAX_PAUSE_MS)}ms"}, "")
        case Sub(alias, text):
            return element("sub", {"alias": alias}, escape(checked(text)))
        case SayAs(interpret, text, form):
            return element("say-as", {"interpret-as": interpret, "format": form}, escape(checked(text)))
        case Emphasis(level, children):
            return element("emphasis", {"level": level}, "".join(map(node_ssml, children)))
        case Prosody(children, rate, pitch, volume):
            given = {"rate": rate, "pitch": pitch, "volume": volume}
            changes = {name: f"{value:+d}%" for name, value in given.items() if value}
            inside = "".join(map(node_ssml, children))
            return element("prosody", changes, inside) if changes else inside
        case Voice(name, children):
            return element("voice", {"name": name}, "".join(map(node_ssml, children)))


def element(name: str, attributes: dict[str, str], inside: str) -> str:
    """One XML element; empty attributes are left out, `inside` is XML already."""
    given = "".join(f" {key}={quoteattr(checked(value))}" for key, value in attributes.items() if value)
    return f"<{name}{given}>{inside}</{name}>" if inside else f"<{name}{given}/>"


def checked(text: str) -> str:
    """Give back the text with every white space as a plain blank. Raises UnspeakableText."""
    calm = "".join(" " if character.isspace() else character for character in text)
    for place, character in enumerate(calm):
        if unicodedata.category(character) in ("Cc", "Cs") or character in "\ufffe\uffff":
            shown = f"U+{ord(character):04X}"
            raise UnspeakableText(f"The text holds the control character {shown} at position {place}; remove it.")
    return calm
