"""What Claude is asked: system, prompt, repairs and the schema of the answer. Pure; the same request, the same bytes.

The stable parts come first and are marked for the provider's prompt cache: house rules and the recipe's system text,
then the rendered prompt with its facts. Repair rounds extend that prefix and read it from the cache.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from anthropic import transform_schema

from domain.catalog.knowledge import Fact
from domain.catalog.words import words_for
from domain.production.ports import ScriptRequest
from domain.studio.script import Script

TOKENS_PER_WORD = 1.9
"""Generous for English, close for Portuguese; used for limits, never for billing."""
SECONDS_PER_SCENE = 7.5
TOKENS_PER_SCENE = 190
"""Ids, titles, picture descriptions and keywords of one scene."""
THINKING_ROOM = 8_000

RULES = """\
You write scripts for narrated films and answer with one JSON object of the given form.
- scenes: in the order they are seen; ids s1, s2, …; one idea each; title of at most seven words.
- sentences: what the narrator says, in speaking order; ids s1.1, s1.2, …; one sentence per entry, as people read it.
- say: the sentence as it is spoken where that differs (numbers, symbols, acronyms written out); else null.
- visual.prompt: what a picture for this scene shows, in one or two sentences, without lettering, logos or captions.
- visual.keywords: up to eight words to find a fitting picture by.
- visual.headline: at most seven words to be set large; visual.figure: one number or short phrase worth showing, or "".
- facts: the ids of the given facts that the scene rests on; state nothing the facts do not say.
- title and description: for the audience, in the language of the script; description names the sources used.
- language: exactly the language tag you are given."""


@dataclass(frozen=True)
class Style:
    """How a model is used: its id, effort (low … max; empty = the model's own), and cache life (5m | 1h | off)."""

    model: str
    effort: str = ""
    cache: str = "5m"
    max_output: int = 64_000


def make_body(request: ScriptRequest, style: Style) -> dict[str, Any]:
    """The body of a Messages call, without `stream`."""
    config: dict[str, Any] = {"format": {"type": "json_schema", "schema": answer_schema()}}
    if style.effort:
        config["effort"] = style.effort
    return {
        "model": style.model,
        "max_tokens": room_for(request, style.max_output),
        "system": system_blocks(request, style.cache),
        "messages": messages(request, style.cache),
        "output_config": config,
    }


def count_body(request: ScriptRequest, style: Style) -> dict[str, Any]:
    """The body of a token count for the same call."""
    return {name: value for name, value in make_body(request, style).items() if name != "max_tokens"}


@cache
def answer_schema() -> dict[str, Any]:
    """The Script's JSON schema in the service's dialect; every field is required, a person's choices are left out."""
    schema = Script.model_json_schema()
    schema["$defs"]["Visual"]["properties"].pop("picture")
    for part in (schema, *schema["$defs"].values()):
        part["required"] = list(part["properties"])
        for field in part["properties"].values():
            field.pop("default", None)
    return dict(transform_schema(schema))


def system_blocks(request: ScriptRequest, cache_life: str) -> list[dict[str, Any]]:
    """House rules, the recipe's system text, and facts that the prompt does not carry already."""
    texts = [RULES, request.system.strip(), knowledge_text(unsaid_facts(request))]
    blocks = [{"type": "text", "text": text} for text in texts if text]
    blocks[-1] |= cache_mark(cache_life)
    return blocks


def unsaid_facts(request: ScriptRequest) -> list[Fact]:
    """Facts whose text the rendered prompt does not hold."""
    return [fact for fact in request.facts if fact.text not in request.prompt]


def knowledge_text(facts: Sequence[Fact]) -> str:
    if not facts:
        return ""
    lines = [f"- [{fact.id}] {fact.text}" + (f" (source: {fact.source})" if fact.source else "") for fact in facts]
    return "\n".join(["Facts to rest on, with their ids:", *lines])


def messages(request: ScriptRequest, cache_life: str) -> list[dict[str, Any]]:
    """The prompt with its frame and, for repairs, the previous draft and what was found wrong with it."""
    prompt: dict[str, Any] = {"type": "text", "text": request.prompt or request.topic}
    content = [prompt | cache_mark(cache_life), {"type": "text", "text": frame(request)}]
    turns: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if request.previous is not None:
        turns.append({"role": "assistant", "content": canonical(request.previous)})
        turns.append({"role": "user", "content": repair(request)})
    return turns


def frame(request: ScriptRequest) -> str:
    """What must hold whatever the template says."""
    words = round(words_for(request.seconds, request.language))
    lines = [
        f"Topic: {request.topic}",
        f"Language: {request.language}",
        f"Length: {request.seconds} seconds of speech, close to {words} words in all sentences together",
    ]
    if request.tone:
        lines.append(f"Tone: {request.tone}")
    if request.instruction and request.instruction not in request.prompt:
        lines.append(f"What to change this time: {request.instruction}")
    return "\n".join(lines)


def repair(request: ScriptRequest) -> str:
    """The faults, one by one, and what to keep."""
    if not request.faults:
        return "Write the script again with the change asked for; keep everything it does not touch, ids included."
    listed = "\n".join(f"{number}. {fault}" for number, fault in enumerate(request.faults, 1))
    return (
        f"A check of this draft found:\n{listed}\n\nWrite the whole script again with every point put right. Keep what "
        "is not named, ids included."
    )


def canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def cache_mark(life: str) -> dict[str, Any]:
    return {} if life == "off" else {"cache_control": {"type": "ephemeral", "ttl": life}}


def answer_tokens(request: ScriptRequest) -> int:
    """Tokens a script of this length has at most, as a rule."""
    words = words_for(request.seconds, request.language)
    scenes = max(3.0, request.seconds / SECONDS_PER_SCENE)
    return round(words * TOKENS_PER_WORD + scenes * TOKENS_PER_SCENE + 300)


def room_for(request: ScriptRequest, max_output: int) -> int:
    """The answer's limit in tokens: twice what is usual, and room for thinking, which counts too."""
    return min(max_output, 2 * answer_tokens(request) + THINKING_ROOM)
