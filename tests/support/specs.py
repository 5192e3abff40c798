"""A complete job specification for tests of steps."""

from __future__ import annotations

from typing import Any

from domain.catalog.bodies import (
    KnowledgeBody,
    PromptBody,
    RecipeBody,
    SsmlPreset,
    ValidatorBody,
    VideoPreset,
    VoicePreset,
)
from domain.production.pipeline.base import JobInfo, StepInfo, Work
from domain.production.spec import (
    JobSpec,
    KnowledgePart,
    LibraryItem,
    ProjectPart,
    PromptPart,
    Ref,
    SsmlPart,
    ValidatorPart,
    VideoPart,
    VoicePart,
)
from tenants.records import uuid7

LINE = ("script", "narrate", "illustrate", "compose", "render", "mux", "check", "package")


def ref(kind: str, slug: str, digest: str = "") -> Ref:
    return Ref(kind=kind, slug=slug, number=1, digest=digest or slug * 4)


def make_spec(**changes: Any) -> JobSpec:
    """A spec of a short English film; `changes` replace whole fields."""
    steps = [{"kind": kind, "needs": [LINE[index - 1]] if index else []} for index, kind in enumerate(LINE)]
    recipe = RecipeBody.model_validate({"steps": steps, "prompt": "p", "voice": "v", "video": "w", "ssml": "s"})
    values: dict[str, Any] = {
        "topic": "How Hubble saw ten thousand galaxies",
        "language": "en",
        "seconds": 30,
        "profile": "longform-16x9",
        "project": ProjectPart(id=str(uuid7()), slug="deep-sky", name="Deep Sky", palette="deep-sky"),
        "recipe_ref": ref("recipe", "documentary"),
        "recipe": recipe,
        "prompt": PromptPart(ref=ref("prompt", "p"), body=PromptBody(template="Write about {{ topic }}.")),
        "voice": VoicePart(ref=ref("preset", "v"), body=VoicePreset(voice="en-us", language="en")),
        "ssml": SsmlPart(ref=ref("preset", "s"), body=SsmlPreset()),
        "video": VideoPart(ref=ref("preset", "w"), body=VideoPreset()),
        "validators": [
            ValidatorPart(ref=ref("validator", "length"), body=ValidatorBody(validator="length", settings={}))
        ],
        "knowledge": [
            KnowledgePart(
                ref=ref("knowledge", "hubble"),
                body=KnowledgeBody(title="Hubble", language="en", tier=2, text="- Hubble was launched in 1990."),
            )
        ],
        "library": [
            LibraryItem(id="1", role="picture", sha256="e" * 64, media_type="image/jpeg", width=1920, height=1080),
            LibraryItem(
                id="2", role="music", sha256="f" * 64, media_type="audio/flac", width=0, height=0, seconds="60"
            ),
        ],
    }
    return JobSpec(**{**values, **changes})


def make_work(kind: str, spec: JobSpec | None = None, *, step: dict[str, Any] | None = None, **changes: Any) -> Work:
    """Work of a step of `kind` on a job with `spec`, resting on made-up outputs of the steps before it."""
    job = JobInfo(
        id=uuid7(),
        number=1,
        title="Deep sky",
        project_id=uuid7(),
        project_slug="deep-sky",
        spec=(spec or make_spec()).model_dump(mode="json"),
    )
    info = StepInfo(id=uuid7(), kind=kind, **(step or {}))
    inputs: dict[str, Any] = {
        "script": {"script": "1" * 64, "title": "Deep sky", "sources": ["NASA, 2004"]},
        "narrate": {"wav": "2" * 64, "narration": "3" * 64},
        "illustrate": {"pictures": [{"scene": "s1", "sha256": "4" * 64, "origin": "artboard"}]},
        "compose": {
            "plan": "5" * 64,
            "output": {"width": 1920, "height": 1080, "rate": {"num": 30, "den": 1}},
            "music": True,
        },
        "mux": {"film": "6" * 64, "frames": 900},
    }
    shards = {"render": {"000": {"sha256": "7" * 64}, "001": {"sha256": "8" * 64}, "sound": {"sha256": "9" * 64}}}
    return Work(
        tenant_id=uuid7(), job=job, step=info, inputs={**inputs, **changes}, shards={"render": shards["render"]}
    )
