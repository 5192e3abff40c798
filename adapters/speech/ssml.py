"""SSML at the border: foreign or canonical SSML into the typed tree, and the tree into each engine's dialect."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from domain.production.speech import (
    Emphasis,
    Mark,
    Node,
    Pause,
    Prosody,
    SayAs,
    Speak,
    Sub,
    Text,
    Voice,
    checked,
    element,
    node_ssml,
    to_ssml,
)

__all__ = ["BadSsml", "for_azure", "for_espeak", "parse", "to_ssml"]

MAX_SSML = 64_000
MAX_DEPTH = 16
_STOP = re.compile(r"[.!?…]+(?=[\"”'’»)\s]*$)")
_STRENGTHS = {"none": 0, "x-weak": 250, "weak": 500, "medium": 750, "strong": 1000, "x-strong": 1250}
_PROSODY_WORDS = {
    "x-slow": -50, "slow": -20, "medium": 0, "default": 0, "fast": 25, "x-fast": 60,
    "x-low": -30, "low": -15, "high": 15, "x-high": 30, "silent": -100, "x-soft": -60, "soft": -30, "loud": 30,
    "x-loud": 60,
}  # fmt: skip


class BadSsml(Exception):
    """SSML cannot be used (not XML, a DTD, an unknown element, too large); `sentence` says what and where."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class _Frame:
    """An open element with what it holds so far."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self.attributes, self.children = name, attributes, list[Node]()


def parse(ssml: str) -> Speak:
    """Read SSML into the tree; DTDs and entities are refused, foreign namespaces' elements too. Raises BadSsml."""
    if len(ssml) > MAX_SSML:
        raise BadSsml(f"The SSML has {len(ssml)} characters; at most {MAX_SSML} are allowed.")
    reader = _Reader()
    try:
        reader.parser.Parse(ssml.encode(), True)
    except expat.ExpatError as fault:
        raise BadSsml(f"The SSML is not well-formed XML: {fault}.") from None
    except UnicodeEncodeError:
        raise BadSsml("The SSML holds half of a surrogate pair; remove it.") from None
    assert reader.root is not None
    return reader.root


class _Reader:
    def __init__(self) -> None:
        self.parser: Any = expat.ParserCreate("utf-8", namespace_separator="\n")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse("a document type (DTD)")
        self.parser.EntityDeclHandler = self._refuse("an entity declaration")
        self.parser.ProcessingInstructionHandler = self._refuse("a processing instruction")
        self.parser.StartElementHandler = self._open
        self.parser.EndElementHandler = self._close
        self.parser.CharacterDataHandler = self._text
        self.frames: list[_Frame] = []
        self.root: Speak | None = None

    def _line(self) -> int:
        return int(self.parser.CurrentLineNumber)

    def _refuse(self, what: str) -> Callable[..., None]:
        def refuse(*_: object) -> None:
            raise BadSsml(f"The SSML holds {what} (line {self._line()}); remove it.")

        return refuse

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition("\n")[2]
        if not self.frames and local != "speak":
            raise BadSsml("The SSML must begin with <speak>.")
        if self.frames and local not in _MAKERS:
            known = ", ".join(_MAKERS)
            raise BadSsml(f"The SSML element <{local}> (line {self._line()}) is not supported; use {known}.")
        if len(self.frames) >= MAX_DEPTH:
            raise BadSsml(f"The SSML is nested deeper than {MAX_DEPTH} elements (line {self._line()}).")
        self.frames.append(_Frame(local, {key.rpartition("\n")[2]: value for key, value in attributes.items()}))

    def _text(self, data: str) -> None:
        self.frames[-1].children.append(Text(re.sub(r"\s+", " ", data)))

    def _close(self, _: str) -> None:
        frame = self.frames.pop()
        if not self.frames:
            self.root = Speak(frame.attributes.get("lang", "en"), tuple(frame.children))
            return
        try:
            self.frames[-1].children.extend(_MAKERS[frame.name](frame.attributes, tuple(frame.children)))
        except ValueError as fault:
            raise BadSsml(f"The SSML element <{frame.name}> (line {self._line()}): {fault}.") from None


def _break(attributes: dict[str, str], _: Sequence[Node]) -> list[Node]:
    time = attributes.get("time")
    if time is None:
        return [Pause(_STRENGTHS.get(attributes.get("strength", "medium"), 750))]
    match = re.fullmatch(r"(\d{1,5}(?:\.\d{1,3})?)(ms|s)", time.strip())
    if not match:
        raise ValueError(f"“{time[:40]}” is no time; write 400ms or 0.4s")
    return [Pause(min(round(float(match[1]) * (1000 if match[2] == "s" else 1)), 20_000))]


def _prosody(attributes: dict[str, str], children: Sequence[Node]) -> list[Node]:
    values = {name: _percent(name, attributes[name]) for name in ("rate", "pitch", "volume") if name in attributes}
    return [Prosody(children, **values)]


def _percent(name: str, value: str) -> int:
    text = value.strip()
    if text in _PROSODY_WORDS:
        return _PROSODY_WORDS[text]
    if match := re.fullmatch(r"([+-]?)(\d{1,3})(?:\.\d+)?%", text):
        amount = int(match[2])
        change = amount if match[1] != "-" else -amount
        return max(-90, min(200, change if match[1] or name == "volume" else amount - 100))
    if match := re.fullmatch(r"(\d(?:\.\d{1,2})?)", text):
        return max(-90, min(200, round(float(match[1]) * 100) - 100))
    raise ValueError(f"“{text[:40]}” is no {name}; write a change in percent such as +8%")


def _voice(attributes: dict[str, str], children: Sequence[Node]) -> list[Node]:
    if not attributes.get("name"):
        raise ValueError("name is missing")
    return [Voice(attributes["name"], children)]


def _mark(attributes: dict[str, str], _: Sequence[Node]) -> list[Node]:
    name = attributes.get("name") or attributes.get("mark")
    if not name:
        raise ValueError("name is missing")
    return [Mark(name)]


def _inner(children: Sequence[Node]) -> str:
    return " ".join("".join(child.text for child in children if isinstance(child, Text)).split())


_MAKERS: dict[str, Callable[[dict[str, str], Sequence[Node]], list[Node]]] = {
    "voice": _voice,
    "prosody": _prosody,
    "break": _break,
    "mark": _mark,
    "bookmark": _mark,
    "sub": lambda attributes, children: [Sub(attributes.get("alias", ""), _inner(children))],
    "say-as": lambda attributes, children: [
        SayAs(attributes.get("interpret-as", ""), _inner(children), attributes.get("format", ""))
    ],
    "emphasis": lambda attributes, children: [Emphasis(attributes.get("level", "moderate"), children)],
    "p": lambda _, children: [*children, Pause(700)],
    "s": lambda _, children: [*children, Pause(350)],
}


# ── Dialects ──────────────────────────────────────────────────────────────────────────────────────────────
def for_azure(tree: Speak) -> str:
    """Azure's SSML: version 1.0, both name spaces, bookmarks for marks. Raises UnspeakableText."""
    spaces = 'xmlns="http://www.w3.org/2001/10/synthesis" xmlns:mstts="https://www.w3.org/2001/mstts"'
    inside = "".join(map(_azure, tree.children))
    return f'<speak version="1.0" {spaces} xml:lang={quoteattr(checked(tree.language))}>{inside}</speak>'


def _azure(node: Node) -> str:
    if isinstance(node, Mark):
        return element("bookmark", {"mark": node.name}, "")
    if isinstance(node, Voice):
        return element("voice", {"name": node.name}, "".join(map(_azure, node.children)))
    if isinstance(node, Prosody):
        shell = node_ssml(replace(node, children=(Text("\ue000"),)))
        return shell.replace("\ue000", "".join(map(_azure, node.children)))
    if isinstance(node, Emphasis):
        return element("emphasis", {"level": node.level}, "".join(map(_azure, node.children)))
    return node_ssml(node)


def for_espeak(nodes: Sequence[Node]) -> str:
    """espeak-ng's SSML without voice (set by the caller): aliases as plain text, prosody in percent of normal."""
    return f"<speak>{''.join(map(_espeak, _one_sentence(nodes)))}</speak>"


def _one_sentence(nodes: Sequence[Node], last: bool = True) -> list[Node]:
    """Full stops before the end become commas: the engine loses the mark that follows one."""
    kept: list[Node] = []
    for node in reversed(nodes):
        match node:
            case Text(text):
                kept.append(node if last else Text(_STOP.sub(",", text)))
                last = last and not text.strip()
            case Sub(alias, text):
                kept.append(node if last else Sub(_STOP.sub(",", alias), text))
                last = False
            case SayAs():
                kept.append(node)
                last = False
            case Voice(_, children) | Emphasis(_, children) | Prosody(children, _, _, _):
                kept.append(replace(node, children=tuple(_one_sentence(children, last))))
                last = False
            case _:
                kept.append(node)
    return kept[::-1]


def _espeak(node: Node) -> str:
    match node:
        case Sub(alias, _):
            return node_ssml(Text(alias))
        case SayAs("characters" | "spell-out" | "digits", text, _):
            return node_ssml(Text(" ".join(text.replace(" ", ""))))
        case SayAs(_, text, _):
            return node_ssml(Text(text))
        case Voice(_, children) | Emphasis(_, children):
            return "".join(map(_espeak, children))
        case Prosody(children, rate, pitch, volume):
            given = {"rate": rate, "pitch": pitch, "volume": volume}
            changes = {name: f"{100 + value}%" for name, value in given.items() if value}
            inside = "".join(map(_espeak, children))
            return element("prosody", changes, inside) if changes else inside
        case _:
            return node_ssml(node)
