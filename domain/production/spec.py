"""The job's specification: the snapshot of every choice, taken when the job is created.

What a job is made from never changes under its feet: versions are immutable and their bodies are copied here.
Steps read the parts they depend on and nothing else, so that a step's key changes exactly when its inputs do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.catalog.bodies import (
    KnowledgeBody,
    PromptBody,
    RecipeBody,
    SsmlPreset,
    ValidatorBody,
    VideoPreset,
    VoicePreset,
)


class SpecPart(BaseModel):
    """Base of all parts: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Ref(SpecPart):
    """Which catalogue version a part comes from, and why it was chosen (job, project, recipe or default)."""

    kind: str
    slug: str
    number: int
    digest: str
    origin: str = "recipe"


class PromptPart(SpecPart):
    ref: Ref
    body: PromptBody


class VoicePart(SpecPart):
    ref: Ref
    body: VoicePreset


class SsmlPart(SpecPart):
    ref: Ref
    body: SsmlPreset


class VideoPart(SpecPart):
    ref: Ref
    body: VideoPreset


class ValidatorPart(SpecPart):
    ref: Ref
    body: ValidatorBody


class KnowledgePart(SpecPart):
    ref: Ref
    body: KnowledgeBody


class LibraryItem(SpecPart):
    """A picture, logo or sound of the project's library; captions and tags by language, `seconds` exact ("n/d")."""

    id: str
    role: str
    sha256: str
    media_type: str
    width: int
    height: int
    captions: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, list[str]] = Field(default_factory=dict)
    focus: list[str] = Field(default_factory=lambda: ["0.5", "0.5"])
    seconds: str = ""
    licence: str = ""
    credit: str = ""


class ProjectPart(SpecPart):
    """The project as it was: `palette` seeds art boards, `name` is what titles and credits show."""

    id: str
    slug: str
    name: str
    palette: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)


class ProviderPart(SpecPart):
    """A provider as it was chosen. Its address, model, limits and prices are those of the moment it is asked."""

    id: str
    slug: str
    kind: str
    name: str
    model: str = ""
    base_url: str = ""
    options: dict[str, str] = Field(default_factory=dict)


class ProvidersPart(SpecPart):
    """Who writes, speaks and draws; none = what is made on this machine. Pictures end in the art board in any case."""

    writer: ProviderPart | None = None
    narrator: ProviderPart | None = None
    images: list[ProviderPart] = Field(default_factory=list)


class SceneEdit(SpecPart):
    """A person's change to one scene: its new sentences replace the old ones."""

    sentences: list[str] = Field(min_length=1, max_length=60)
    note: str = ""


class TimelineChange(SpecPart):
    """A person's change to the composed timeline (timeline/editing/operations.py): what, who, and when (ISO)."""

    operation: dict[str, Any]
    by: str = ""
    at: str = ""


class JobSpec(SpecPart):
    """Everything a job is made from. Stored ones are read with `read`."""

    topic: str
    language: str
    seconds: int
    profile: str
    project: ProjectPart
    recipe_ref: Ref
    recipe: RecipeBody
    prompt: PromptPart
    voice: VoicePart
    ssml: SsmlPart
    video: VideoPart
    validators: list[ValidatorPart] = Field(default_factory=list)
    knowledge: list[KnowledgePart] = Field(default_factory=list)
    library: list[LibraryItem] = Field(default_factory=list)
    providers: ProvidersPart = Field(default_factory=ProvidersPart)
    script_edits: dict[str, SceneEdit] = Field(default_factory=dict)
    """Edits by scene id, applied to the script step's result."""
    timeline_edits: list[TimelineChange] = Field(default_factory=list)
    """Edits in their order, made on what the compose step places on the tracks."""
    salt: str = ""
    """Set by "regenerate": makes the keys of random-looking choices new."""
    edited_from: int | None = None
    """Number of the job whose script a person changed to make this one."""

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> JobSpec:
        """A stored specification: fields that a newer program has added are left out, so that both run side by side."""
        return cls.model_validate(stored, extra="ignore")

    @property
    def writer(self) -> str:
        """The kind of writer at work."""
        return self.providers.writer.kind if self.providers.writer else "offline"

    @property
    def narrator(self) -> str:
        """The kind of narrator at work."""
        return self.providers.narrator.kind if self.providers.narrator else "espeak"

    @property
    def makers(self) -> list[str]:
        """The kinds of picture makers, in the order they are asked."""
        return [*(part.kind for part in self.providers.images), "artboard"]
