"""What quotes rest on: how long a prompt is by its provider's own, free count, and sketches of the film.

Equal choices are counted once. The sketches are the offline writer's: it arranges the same facts for nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import structlog
from pydantic import ValidationError

from adapters.text.liquid import render_prompt
from adapters.text.offline import arrange
from adapters.vendors.desk import Desk
from domain.catalog.knowledge import Fact
from domain.catalog.prompting import PromptFault
from domain.production.asking import choose_facts, script_request
from domain.production.foresight import Foreseen, library_of
from domain.production.matching import Shelf
from domain.production.ports import ProviderError, ScriptRequest
from domain.production.sketches import Film, films_of
from domain.production.spec import JobSpec, ProviderPart
from domain.studio.script import Script
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
SKETCHES: Mapping[int, int] = {60: 4, 150: 2, SKETCHED_S: 1}
"""How often a film of at most so many seconds is sketched in each manner: of a long one single pictures weigh less."""

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
        return Foreseen(*await asyncio.gather(self.count(tenant_id, spec), asyncio.to_thread(films, spec)))

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


def films(spec: JobSpec) -> list[Film]:
    """The films that a job may become; none when it cannot be sketched."""
    library, lexicon = Shelf(library_of(spec)), spec.ssml.body.lexicon
    return [film for sketch in sketches(spec) for film in films_of(sketch, lexicon, library)]


def sketches(spec: JobSpec) -> Sequence[Script]:
    """Films the offline writer would make; none when it cannot, or when it would take long.

    It is told what a writer is told: the facts' sentences, not their documents' titles and tags. Half of the sketches
    keep to the order in which the facts stand in their documents, the others to none.
    """
    often = next((count for most, count in SKETCHES.items() if spec.seconds <= most), 0)
    told = (
        [replace(fact, document=spec.project.name, tags=(), theme="") for fact in choose_facts(spec)] if often else []
    )
    loose = [replace(fact, position=0) for fact in told]
    drawn = (_sketch(spec, facts, f"{number}") for number in range(often) for facts in (told, loose))
    return [sketch for sketch in drawn if sketch is not None]


def _sketch(spec: JobSpec, facts: Sequence[Fact], seed: str) -> Script | None:
    request = ScriptRequest(spec.topic, spec.language, spec.seconds, spec.recipe.tone, "", "", facts, seed)
    try:
        return Script.model_validate(arrange(request))
    except (ProviderError, ValidationError):
        return None


def _key(tenant_id: UUID, spec: JobSpec) -> tuple[object, ...]:
    """What a prompt's length rests on, but for the topic, which is added by its own length."""
    writer = spec.providers.writer
    assert writer is not None
    knowledge = tuple(part.ref.digest for part in spec.knowledge)
    choices = (spec.language, spec.seconds, spec.recipe.tone, spec.prompt.ref.digest, knowledge)
    return (tenant_id, writer.id, writer.model, *choices)
