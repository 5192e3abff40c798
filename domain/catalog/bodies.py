"""The form of each kind of catalogue item: what a version's `body` must look like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.catalog.model import ITEM_KINDS


class Body(BaseModel):
    """Base of all bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class RecipeStep(Body):
    """A node of a recipe's graph; `gate` stops the job for a person's decision after this step.

    `gate_on_fallback` does so only when the result is less than what was asked for: another maker stood in.
    `pool`: the class of workers that should run it (empty = the kind's own), `fallback` the one that will do after
    `fallback_after` seconds of waiting.
    `optional`: a person may skip the step when it has failed; only a step whose result no other needs can be.
    """

    kind: str
    needs: list[str] = Field(default_factory=list)
    gate: bool = False
    gate_on_fallback: bool = False
    pool: str = ""
    fallback: str = ""
    fallback_after: int = 60
    optional: bool = False


class KnowledgeChoice(Body):
    """Which knowledge a recipe uses: whole tiers, and documents of tier 2 by slug (empty = all of them)."""

    tiers: list[int] = Field(default_factory=lambda: [1, 2])
    documents: list[str] = Field(default_factory=list)


class RecipeBody(Body):
    """How a topic becomes a film."""

    steps: list[RecipeStep] = Field(min_length=1)
    profile: str = "longform-16x9"
    language: str = "en"
    seconds: int = Field(default=60, ge=10, le=3600)
    tone: str = "calm, curious and exact"
    prompt: str
    voice: str
    video: str
    ssml: str
    validators: list[str] = Field(default_factory=list)
    knowledge: KnowledgeChoice = Field(default_factory=KnowledgeChoice)
    writer: str = "offline"
    narrator: str = "espeak"
    pictures: list[str] = Field(default_factory=lambda: ["library", "artboard"])
    description: str = ""


class PromptBody(Body):
    """A prompt in the Liquid language: `system` stays the same for all jobs, `template` is filled per job."""

    system: str = ""
    template: str
    language: str = "en"


class VoicePreset(Body):
    """Who speaks, and how. Style and role are names of the voice's provider; `degree`: percent of the style."""

    preset: Literal["voice"] = "voice"
    provider: str = "espeak"
    voice: str
    language: str
    rate: str = "0%"
    pitch: str = "0%"
    style: str = ""
    degree: int = Field(default=100, ge=1, le=200)
    role: str = ""


class SsmlPreset(Body):
    """Pauses in ms, the lexicon (written form → spoken form) and other ways of saying."""

    preset: Literal["ssml"] = "ssml"
    pauses: dict[str, int] = Field(default_factory=lambda: {"sentence": 350, "paragraph": 700, "scene": 700})
    lexicon: dict[str, str] = Field(default_factory=dict)
    say_as: bool = True


class VideoPreset(Body):
    """How the film looks and sounds: motion, transitions, captions, titles, logo, music."""

    preset: Literal["video"] = "video"
    quality: Literal["draft", "standard", "high"] = "standard"
    fps: str = "30"
    transition: str = "crossfade"
    transition_seconds: str = "0.6"
    motion: bool = True
    zoom: str = "0.10"
    captions: Literal["none", "highlight", "word-pop"] = "highlight"
    title_seconds: str = "3.2"
    logo: bool = True
    music: bool = True
    music_gain_db: str = "-19"
    duck_db: str = "-8"
    loudness_lufs: str = "-14"


class EffectsPreset(Body):
    """Extra looks of pictures."""

    preset: Literal["effects"] = "effects"
    grain: bool = True


PresetBody = Annotated[
    VoicePreset | SsmlPreset | VideoPreset | EffectsPreset,
    Field(discriminator="preset"),
]


class ValidatorBody(Body):
    """A check on scripts: its kind (domain/catalog/validators.py) and that kind's settings."""

    validator: str
    severity: Literal["error", "warning"] = "error"
    settings: dict[str, Any] = Field(default_factory=dict)


class KnowledgeBody(Body):
    """A knowledge document in Markdown; tier 1 is always used, 2 by recipe, 3 by retrieval."""

    title: str
    language: str
    tier: Literal[1, 2, 3] = 2
    tags: list[str] = Field(default_factory=list)
    text: str


class ProviderBody(Body):
    """A provider of a port; the credential lies in the vault under `secret`, never here."""

    port: Literal["text", "speech", "images"]
    adapter: str
    model: str = ""
    base_url: str = ""
    secret: str = ""


class PresetHolder(BaseModel):
    """Lets the union of presets be checked like any other body."""

    body: PresetBody


BODIES: Mapping[str, type[BaseModel]] = {
    "recipe": RecipeBody,
    "prompt": PromptBody,
    "preset": PresetHolder,
    "validator": ValidatorBody,
    "knowledge": KnowledgeBody,
    "provider": ProviderBody,
}
assert set(BODIES) == set(ITEM_KINDS)


def check_body(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Check a body against its kind and answer it with every default filled in; raises pydantic.ValidationError."""
    if kind == "preset":
        return PresetHolder.model_validate({"body": body}).body.model_dump(mode="json")
    return BODIES[kind].model_validate(body).model_dump(mode="json")


def digest_body(body: Mapping[str, Any]) -> str:
    """Answer the SHA-256 of a body's canonical JSON."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
