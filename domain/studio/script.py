"""The script: what is said, scene by scene, and what is seen meanwhile.

A script is plain data (JSON), addressable down to the sentence. Ids are stable: an edit keeps the ids of all
that it does not touch, so that everything made from the rest stays valid.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ScriptPart(BaseModel):
    """Base of all parts: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Sentence(ScriptPart):
    """One sentence as people read it; `say` is its spoken form where that differs (numbers, acronyms)."""

    id: str
    text: str = Field(min_length=1, max_length=1000)
    say: str | None = Field(default=None, max_length=1000)


class Visual(ScriptPart):
    """What is seen during a scene: a prompt for makers, words to match pictures by, and board typography.

    `figure` is a big number or short phrase worth setting large ("13.8 billion years"); may be empty.
    """

    prompt: str = Field(default="", max_length=2000)
    keywords: list[str] = Field(default_factory=list, max_length=24)
    headline: str = Field(default="", max_length=120)
    figure: str = Field(default="", max_length=40)
    picture: str | None = None
    """Id of a library picture chosen by a person; overrides matching."""


class Scene(ScriptPart):
    """A scene: its sentences in order, what is seen, and the ids of the facts it rests on."""

    id: str
    title: str = Field(default="", max_length=120)
    sentences: list[Sentence] = Field(min_length=1, max_length=60)
    visual: Visual = Field(default_factory=Visual)
    facts: list[str] = Field(default_factory=list)


class Script(ScriptPart):
    """A whole script. `language` is a BCP 47 tag such as en or pt-BR."""

    title: str = Field(min_length=1, max_length=200)
    language: str
    scenes: list[Scene] = Field(min_length=1, max_length=400)
    description: str = Field(default="", max_length=5000)

    def sentences(self) -> list[Sentence]:
        return [sentence for scene in self.scenes for sentence in scene.sentences]

    def words(self) -> int:
        return sum(len(sentence.text.split()) for sentence in self.sentences())
