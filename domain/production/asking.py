"""What a writer is asked for a film: the facts it may use, the prompt of its recipe."""

from __future__ import annotations

from collections.abc import Sequence

from domain.catalog.knowledge import Fact, KnowledgeDocument, select_facts
from domain.catalog.prompting import PromptInputs, PromptRenderer
from domain.production.ports import ScriptRequest
from domain.production.spec import JobSpec

NOW = "2026-01-01T00:00:00Z"
"""What `now` means inside prompts: fixed, because a key must not change by itself overnight."""


async def script_request(
    spec: JobSpec, facts: Sequence[Fact], render: PromptRenderer, seed: str = "", instruction: str = ""
) -> ScriptRequest:
    """What the writer is asked for a film. Raises PromptFault where the recipe's template cannot be filled in."""
    inputs = PromptInputs(
        topic=spec.topic,
        language=spec.language,
        seconds=spec.seconds,
        tone=spec.recipe.tone,
        project=spec.project.name,
        instruction=instruction,
        facts=facts,
    )
    return ScriptRequest(
        topic=spec.topic,
        language=spec.language,
        seconds=spec.seconds,
        tone=spec.recipe.tone,
        system=await render(spec.prompt.body.system, inputs.variables(), now=NOW),
        prompt=await render(spec.prompt.body.template, inputs.variables(), now=NOW),
        facts=facts,
        seed=seed,
        instruction=instruction,
    )


def choose_facts(spec: JobSpec, instruction: str = "") -> list[Fact]:
    """Choose the facts a script of this length can use, by the recipe's tiers and documents.

    An instruction ("focus on the mirror") takes part in the choice.
    """
    choice = spec.recipe.knowledge
    documents = [
        KnowledgeDocument(
            slug=part.ref.slug,
            title=part.body.title,
            text=part.body.text,
            language=part.body.language,
            tier=part.body.tier,
            tags=tuple(part.body.tags),
        )
        for part in spec.knowledge
        if part.body.tier in choice.tiers
        and (part.body.tier != 2 or not choice.documents or part.ref.slug in choice.documents)
    ]
    return select_facts(f"{spec.topic} {instruction}".strip(), documents, facts_wanted(spec.seconds), spec.language)


def facts_wanted(seconds: int) -> int:
    """About two facts for every nine seconds: the writer chooses, and has something to choose from."""
    return max(6, round(seconds / 9 * 2))
