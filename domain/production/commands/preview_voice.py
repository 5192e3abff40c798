"""Listen to a voice: a short text spoken once, kept under what shaped it, told in the audit trail with its price."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert as upsert

from domain.catalog.bodies import SsmlPreset, VoicePreset
from domain.production.cache import part_key
from domain.production.model import Made
from domain.production.narration import speech_request
from domain.production.pipeline.narrate import read_delivery, wave_file
from domain.production.ports import (
    SAMPLE_RATE,
    ObjectStore,
    ProviderError,
    ProviderRefused,
    SpeechRequest,
    SpokenSentence,
    Usage,
)
from domain.production.provider_errors import kind_of, usage_of
from domain.production.speech import UnspeakableText
from domain.studio.script import Sentence
from domain.usage.budget import Bill, OverBudget
from domain.usage.outside import require_room, settle_outside
from domain.usage.quote import LOCAL
from tenants.principal import Principal
from tenants.unit import Units

KIND = "voice.preview"
MEDIA_TYPE = "audio/wav"
Speak = Callable[[SpeechRequest], Awaitable[SpokenSentence]]


@dataclass(frozen=True)
class Preview:
    """A sound that can be played. `fresh`: spoken now; `micro_dollars` None = its price is not known."""

    key: str
    seconds: float
    fresh: bool
    micro_dollars: int | None = 0


@dataclass(frozen=True)
class Wish:
    """What is to be heard. `account`: whose voice it is, so that another account speaks anew.

    `likely`: micro-dollars it should cost; None = not known.
    """

    body: VoicePreset
    text: str
    account: str
    likely: int | None = None


async def preview_voice(units: Units, principal: Principal, store: ObjectStore, speak: Speak, wish: Wish) -> Preview:
    """Speak a text as a preset says, or find what was spoken before; no transaction is open meanwhile.

    Raises Forbidden, and ProviderError: what such a call may have cost is in the ledger and the audit trail.
    """
    principal.require("catalog:edit")
    request = _request(wish)
    key = part_key(KIND, {**dataclasses.asdict(request), "account": wish.account}, "")
    found = await find_preview(units, principal, key)
    if found is not None and await store.exists(principal.tenant_id, found["sha256"]):
        return Preview(key, found["seconds"], fresh=False)
    await _require_room(units, principal, wish)
    try:
        spoken = await speak(request)
    except ProviderError as error:
        if kind_of(error) == "unknown" or usage_of(error) is not None:
            await _tell(units, principal, wish, usage_of(error), kind_of(error))
        raise
    seconds = round(len(spoken.pcm) / 2 / SAMPLE_RATE, 3)
    stored = await store.put_bytes(principal.tenant_id, wave_file(spoken.pcm))
    await _tell(units, principal, wish, spoken.usage, "", key, {"sha256": stored.sha256, "seconds": seconds})
    return Preview(key, seconds, fresh=True, micro_dollars=spoken.usage.micro_dollars)


async def _require_room(units: Units, principal: Principal, wish: Wish) -> None:
    if wish.body.provider in LOCAL:
        return
    try:
        async with units.open(principal) as unit:
            await require_room(unit.session, principal.tenant_id, wish.likely)
    except OverBudget as full:
        fix = "Raise the workspace's monthly limit under Usage, or wait for the next month."
        raise ProviderRefused(wish.body.provider, full.sentence, fix=fix) from None


def _request(wish: Wish) -> SpeechRequest:
    try:
        sentence = Sentence(id="p", text=wish.text)
        delivery = read_delivery(wish.body, SsmlPreset())
        return speech_request(sentence, language=wish.body.language, delivery=delivery)
    except UnspeakableText as fault:
        raise ProviderRefused(wish.body.provider, fault.sentence, fix="Write another text.") from None


async def find_preview(units: Units, principal: Principal, key: str) -> dict[str, Any] | None:
    """What was spoken under a key: `sha256` and `seconds`. Raises Forbidden."""
    principal.require("catalog:read")
    async with units.open(principal) as unit:
        row = await unit.session.get(Made, (principal.tenant_id, key))
        return dict(row.facts) if row is not None and row.kind == KIND else None


async def _tell(
    units: Units,
    principal: Principal,
    wish: Wish,
    usage: Usage | None,
    failed: str,
    key: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    """Keep what was made and what it cost; previews belong to no job."""
    price = usage.micro_dollars if usage else None
    told = {"provider": wish.body.provider, "voice": wish.body.voice, "micro_dollars": price, "failed": failed}
    async with units.open(principal) as unit:
        if facts is not None:
            values = {"outputs": {}, "facts": facts, "job_id": None, "seconds": 0.0}
            made = upsert(Made).values(tenant_id=principal.tenant_id, key=key, kind=KIND, **values)
            await unit.session.execute(made.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=values))
        if wish.body.provider not in LOCAL:
            await settle_outside(unit.session, principal.tenant_id, _bill(wish, usage))
        unit.audit("voice.previewed", "voice", wish.account, after=told)


def _bill(wish: Wish, usage: Usage | None) -> Bill:
    units = dict(usage.units) if usage else {}
    price = usage.micro_dollars if usage else None
    return Bill(price, units, step_kind=KIND, provider=wish.body.provider, model=wish.body.voice)
