"""Prompt templates in Liquid, rendered in a child process with memory, time and output limits.

The template is untrusted. The child (`adapters/text/liquid_process.py`) gets it as JSON on its standard input,
has no environment and no files to read from, and is killed when it is over its limits.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.catalog.prompting import MAX_PROMPT, MAX_TEMPLATE, SAMPLE, PromptFault, TemplateFault

WALL_SECONDS = 30.0
"""The child bounds its processor time itself; on a busy machine its start alone can take seconds."""
SAMPLE_NOW = "2026-01-01T00:00:00Z"
_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
_FIX = "Make the template simpler: fewer repeats, shorter lists, no repeated replacing."


async def render_prompt(template: str, variables: Mapping[str, Any], *, now: str) -> str:
    """Render a template with JSON variables; `now` (ISO time) is the only clock it knows. Raises PromptFault."""
    if len(template) > MAX_TEMPLATE:
        raise PromptFault(f"The prompt template has {len(template)} characters; at most {MAX_TEMPLATE} are allowed.")
    answer = await _ask({"template": template, "variables": dict(variables), "now": now})
    if fault := answer.get("fault"):
        raise PromptFault(f"{fault} {_FIX}" if answer.get("limit") else str(fault))
    text = str(answer["text"])
    if len(text) > MAX_PROMPT:
        raise PromptFault(f"The rendered prompt has {len(text)} characters; at most {MAX_PROMPT} are allowed. {_FIX}")
    return text


async def check_prompt(template: str) -> list[TemplateFault]:
    """Everything wrong with a template of at most `MAX_TEMPLATE` characters, by line; it is tried with a sample."""
    job = {"template": template, "variables": SAMPLE.variables(), "now": SAMPLE_NOW, "check": True}
    try:
        answer = await _ask(job)
    except PromptFault as fault:
        return [TemplateFault(0, "limit", said=fault.sentence)]
    faults = [TemplateFault(**fault) for fault in answer.get("faults", ())]
    if said := answer.get("fault"):
        faults.append(TemplateFault(0, "limit", said=str(said)))
    return sorted(dict.fromkeys(faults), key=lambda fault: fault.line)


async def _ask(job: Mapping[str, Any]) -> dict[str, Any]:
    return await asyncio.to_thread(_run, json.dumps(job).encode())


def _run(job: bytes) -> dict[str, Any]:
    command = [sys.executable, "-I", str(Path(__file__).with_name("liquid_process.py"))]
    try:
        done = subprocess.run(
            command, input=job, capture_output=True, timeout=WALL_SECONDS, env=_ENVIRONMENT, check=False
        )
    except subprocess.TimeoutExpired:
        raise PromptFault(
            f"The prompt template took longer than {WALL_SECONDS:g} seconds and was stopped. {_FIX}"
        ) from None
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise PromptFault(f"The prompt template went over its time or memory limit and was stopped. {_FIX}") from None
    return answer
