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

from domain.catalog.prompting import MAX_PROMPT, MAX_TEMPLATE, PromptFault

WALL_SECONDS = 6.0
_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
_FIX = "Make the template simpler: fewer repeats, shorter lists, no repeated replacing."


async def render_prompt(template: str, variables: Mapping[str, Any], *, now: str) -> str:
    """Render a template with JSON variables; `now` (ISO time) is the only clock it knows. Raises PromptFault."""
    if len(template) > MAX_TEMPLATE:
        raise PromptFault(f"The prompt template has {len(template)} characters; at most {MAX_TEMPLATE} are allowed.")
    job = json.dumps({"template": template, "variables": dict(variables), "now": now})
    return await asyncio.to_thread(_render, job.encode())


def _render(job: bytes) -> str:
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
        answer = json.loads(done.stdout)
    except ValueError:
        raise PromptFault(f"The prompt template went over its time or memory limit and was stopped. {_FIX}") from None
    if fault := answer.get("fault"):
        raise PromptFault(f"{fault} {_FIX}" if answer.get("limit") else str(fault))
    text = str(answer["text"])
    if len(text) > MAX_PROMPT:
        raise PromptFault(f"The rendered prompt has {len(text)} characters; at most {MAX_PROMPT} are allowed. {_FIX}")
    return text
