"""What quotes rest on: how long a prompt is by its provider's own, free count, and a sketch of the film.

Equal choices are counted once. The sketch is the offline writer's: it arranges the same facts for nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from pydantic import ValidationError

from adapters.text.liquid import render_prompt
from adapters.text.offline import arrange
from adapters.vendors.desk import Desk
from domain.catalog.prompting import PromptFault
from domain.production.asking import choose_facts, script_request
from domain.production.foresight import Foreseen
from domain.production.ports import ProviderError, ScriptRequest
from domain.production.spec import JobSpec, ProviderPart
from domain.studio.script import Scene, Script
from tenants.keyring import KeyFault

PATIENCE_S = 3.0
"""A quote does not wait longer; it is then estimated from the prompt's characters."""
QUIET_S = 60.0
"""After a count that failed its provider is left alone for this long."""
MOST = 500
"""Counts that are remembered; the one unused for longest is forgotten first."""
CHARACTERS_PER_TOKEN = 4
SKETCHED_S = 600
"""Longest film that is sketched, seconds."""

log = structlog.get_logger(__name__)


class PromptCounter:
    """Counts prompts through a desk that is opened with the first one; close it with `close`."""

    def __init__(self, open_desk: Callable[[], Desk], now: Callable[[], float] = time.monotonic) -> None:
        self._open, self._now = open_desk, now
        self._desk: Desk | None = None
        self._known: OrderedDict[tuple[object, ...], int] = OrderedDict()
        self._quiet: dict[str, float] = {}

    async def close(self) -> None:
        """End the lines to providers."""
        if self._desk is not None:
            await self._desk.close()

    async def foresee(self, tenant_id: UUID, spec: JobSpec) -> Foreseen:
        """What can be found out about a film for nothing, within a few seconds."""
        return Foreseen(await self.count(tenant_id, spec), await asyncio.to_thread(sketch, spec))

    async def count(self, tenant_id: UUID, spec: JobSpec) -> int | None:
        """Tokens of a film's prompt; None without a writer that counts, and when it does not answer in time."""
        writer = spec.providers.writer
        if writer is None or self._quiet.get(writer.id, 0.0) > self._now():
            return None
        key, topic = _key(tenant_id, spec), len(spec.topic) // CHARACTERS_PER_TOKEN
        if key not in self._known:
            counted = await self._ask(tenant_id, writer, spec)
            if counted is None:
                self._quiet[writer.id] = self._now() + QUIET_S
                return None
            self._known[key] = counted - topic
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return self._known[key] + topic

    async def _ask(self, tenant_id: UUID, writer: ProviderPart, spec: JobSpec) -> int | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                request = await script_request(spec, choose_facts(spec), render_prompt)
                return await self._counted(tenant_id, writer, request)
        except (ProviderError, PromptFault, KeyFault, TimeoutError) as error:
            log.info("quote.uncounted", provider=writer.kind, why=type(error).__name__)
            return None

    async def _counted(self, tenant_id: UUID, writer: ProviderPart, request: ScriptRequest) -> int:
        self._desk = self._desk or self._open()
        line = await self._desk.line(tenant_id, UUID(writer.id), writer.name)
        return int(await line.adapter.count(request))  # type: ignore[attr-defined]  # all writers count


def sketch(spec: JobSpec) -> Sequence[Scene]:
    """The scenes the offline writer would make of the film; none when it cannot, or when it would take long."""
    if spec.seconds > SKETCHED_S:
        return ()
    request = ScriptRequest(
        spec.topic, spec.language, spec.seconds, spec.recipe.tone, "", "", choose_facts(spec), spec.topic
    )
    try:
        return Script.model_validate(arrange(request)).scenes
    except (ProviderError, ValidationError):
        return ()


def _key(tenant_id: UUID, spec: JobSpec) -> tuple[object, ...]:
    """What a prompt's length rests on, but for the topic, which is added by its own length."""
    writer = spec.providers.writer
    assert writer is not None
    knowledge = tuple(part.ref.digest for part in spec.knowledge)
    choices = (spec.language, spec.seconds, spec.recipe.tone, spec.prompt.ref.digest, knowledge)
    return (tenant_id, writer.id, writer.model, *choices)
