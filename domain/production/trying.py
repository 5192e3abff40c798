"""What a prompt would say for a film: the same facts and words a writer is given, with nothing written or asked."""

from __future__ import annotations

from uuid import UUID

from domain.catalog.bodies import KnowledgeChoice, PromptBody, RecipeBody
from domain.catalog.knowledge import KnowledgeDocument, select_facts
from domain.catalog.model import Project
from domain.catalog.prompting import PromptInputs, PromptRenderer
from domain.catalog.resolution import find_recipe, knowledge_of
from domain.production.asking import NOW, facts_wanted
from domain.production.ports import ScriptRequest
from tenants.unit import Unit

SECONDS, TONE = 60, "calm, curious and exact"
"""What a film is where no recipe says so."""
EVERYTHING = KnowledgeChoice(tiers=[1, 2, 3])


async def sample_inputs(unit: Unit, project: Project, recipe: str, language: str, topic: str) -> PromptInputs:
    """What a prompt can speak of in a film of a project; an unknown recipe leaves length and tone as usual.

    Raises Forbidden.
    """
    unit.principal.require("catalog:read", project.id)
    found = await find_recipe(unit.session, recipe, project.id) if recipe else None
    body = RecipeBody.model_validate(found.body) if found else None
    seconds = body.seconds if body else SECONDS
    documents = await _documents(unit, project.id, body.knowledge if body else EVERYTHING, language)
    return PromptInputs(
        topic=topic,
        language=language,
        seconds=seconds,
        tone=body.tone if body else TONE,
        project=project.name,
        facts=select_facts(topic, documents, facts_wanted(seconds), language),
    )


async def _documents(unit: Unit, project_id: UUID, choice: KnowledgeChoice, language: str) -> list[KnowledgeDocument]:
    chosen = await knowledge_of(unit.session, project_id, choice, language)
    fields = ("title", "text", "language", "tier")
    return [
        KnowledgeDocument(slug=one.slug, tags=tuple(one.body["tags"]), **{name: one.body[name] for name in fields})
        for one in chosen
    ]


async def fill_prompt(body: PromptBody, inputs: PromptInputs, render: PromptRenderer) -> ScriptRequest:
    """The words a writer would be sent. Raises PromptFault."""
    return ScriptRequest(
        topic=inputs.topic,
        language=inputs.language,
        seconds=inputs.seconds,
        tone=inputs.tone,
        system=await render(body.system, inputs.variables(), now=NOW),
        prompt=await render(body.template, inputs.variables(), now=NOW),
        facts=inputs.facts,
        seed="",
    )
