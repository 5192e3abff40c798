"""Prompts: what a template may use, and the port that renders it.

Templates are written by tenants and are untrusted: a renderer bounds time, memory and output, knows no files
and no network, and gives the same text for the same inputs (the clock is an input).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.catalog.knowledge import Fact
from domain.catalog.words import words_for

MAX_TEMPLATE = 50_000
MAX_PROMPT = 200_000


class PromptFault(Exception):
    """A template cannot be rendered (syntax, unknown variable, a limit); `sentence` says what to change."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class TemplateFault:
    """One thing wrong with a template, in which line (from 1; 0 = all of it).

    `code`: variable, filter, tag (a name that does not exist; `near` is the most like one), syntax or limit (`said` is
    the renderer's sentence).
    """

    line: int
    code: str
    name: str = ""
    near: str = ""
    said: str = ""


@dataclass(frozen=True)
class PromptInputs:
    """All that a script prompt can speak of."""

    topic: str
    language: str
    seconds: int
    tone: str = ""
    audience: str = ""
    project: str = ""
    tagline: str = ""
    instruction: str = ""
    previous: str = ""
    facts: Sequence[Fact] = ()

    def variables(self) -> dict[str, Any]:
        """The template's variables, plain JSON values only."""
        return {
            "topic": self.topic,
            "language": self.language,
            "seconds": self.seconds,
            "words": round(words_for(self.seconds, self.language)),
            "tone": self.tone,
            "audience": self.audience,
            "project": {"name": self.project, "tagline": self.tagline},
            "instruction": self.instruction,
            "previous": self.previous,
            "facts": [
                {"id": fact.id, "text": fact.text, "source": fact.source, "theme": fact.theme} for fact in self.facts
            ],
        }


SAMPLE = PromptInputs(
    topic="A sample topic",
    language="en",
    seconds=60,
    tone="calm",
    audience="everybody",
    project="Sample",
    tagline="A sample",
    instruction="Shorter, please",
    previous="An earlier draft.",
    facts=[Fact("sample#1", "A fact.", "A source", "sample", theme="A theme")],
)
"""Inputs with something in every variable, to try a template with."""


class PromptRenderer(Protocol):
    """Renders a template; `now` is an ISO time that stands for every "now". Raises PromptFault."""

    async def __call__(self, template: str, variables: Mapping[str, Any], *, now: str) -> str: ...
