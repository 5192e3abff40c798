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


class PromptRenderer(Protocol):
    """Renders a template; `now` is an ISO time that stands for every "now". Raises PromptFault."""

    async def __call__(self, template: str, variables: Mapping[str, Any], *, now: str) -> str: ...
