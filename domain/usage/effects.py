"""The ledger of paid and outward calls: intent → sent → done | in_doubt | failed.

The answer is written to a synced spool file before it is recorded, so that a crash between the two finds it again.
Once recorded, a call is never made again; at most one call per crash can be in doubt, and that is shown.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.usage.budget import require_room
from domain.usage.model import Effect
from tenants.principal import worker_principal
from tenants.unit import Units

T = TypeVar("T")


class InDoubt(Exception):
    """Raised when a call may have been made and paid, but its answer never arrived; a person must decide."""

    def __init__(self, provider: str, sent_at: str) -> None:
        self.provider, self.sent_at = provider, sent_at
        self.sentence = (
            f"A call to {provider} was sent{f' at {sent_at}' if sent_at else ''} and its answer was lost. "
            "It may have been paid, so it is not repeated by itself."
        )
        super().__init__(self.sentence)


class Consumed(Protocol):
    """What a call consumed; the price is None when it is unknown."""

    @property
    def units(self) -> Mapping[str, int]: ...

    @property
    def micro_dollars(self) -> int | None: ...


class Answers(Protocol):
    """Where recorded answers are kept."""

    async def put_bytes(self, tenant_id: UUID, data: bytes) -> Any: ...

    async def get_bytes(self, tenant_id: UUID, sha256: str) -> bytes: ...


@dataclass(frozen=True)
class Caller:
    """Who calls: the step and its fence. `salt` makes a regeneration a new call."""

    tenant_id: UUID
    job_id: UUID
    step_id: UUID
    kind: str
    shard: str
    fence: int
    salt: str = ""


def hash_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON. Raises TypeError for what JSON cannot say."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def effect_key(caller: Caller, provider: str, model: str, request_hash: str) -> str:
    """Name a call by what it asks and for which step; an attempt number is no part of it."""
    return hash_json(
        [
            str(caller.tenant_id),
            str(caller.job_id),
            caller.kind,
            caller.shard,
            caller.salt,
            provider,
            model,
            request_hash,
        ]
    )


class Ledger:
    """Performs the calls of one step, up to the job's `limit` (micro-dollars; None = no limit).

    `made` and `found` count calls made now and answers found.
    """

    def __init__(self, units: Units, answers: Answers, spool: Path, caller: Caller, limit: int | None = None) -> None:
        self._units, self._answers, self._spool, self._caller, self._limit = units, answers, spool, caller, limit
        self.made = 0
        self.found = 0

    async def perform(
        self,
        *,
        provider: str,
        model: str = "",
        request: Mapping[str, Any],
        call: Callable[[], Awaitable[T]],
        encode: Callable[[T], bytes],
        decode: Callable[[bytes], T],
        usage: Callable[[T], Consumed] | None = None,
        idempotent: bool = False,
    ) -> T:
        """Make a call once, or answer what it answered before. Raises InDoubt, and what `call` raises."""
        request_hash = hash_json(request)
        key = effect_key(self._caller, provider, model, request_hash)
        recorded = await self._begin(key, provider, model, request_hash, idempotent)
        if recorded is not None:
            self.found += 1
            return decode(recorded)
        try:
            answer = await call()
        except BaseException as error:
            await self._fail(key, error, idempotent)
            raise
        raw = encode(answer)
        self._write_spool(key, raw)
        self.made += 1
        await self._record(key, raw, usage(answer) if usage else None)
        return answer

    async def _begin(self, key: str, provider: str, model: str, request_hash: str, idempotent: bool) -> bytes | None:
        """Record that a call is about to be made, or answer what is known of it already."""
        row = await self._find(key)
        if row is not None and row.state == "done" and row.response_key:
            return await self._answers.get_bytes(self._caller.tenant_id, row.response_key)
        if row is not None and row.state in ("sent", "in_doubt"):
            spooled = self._spool_path(key)
            if spooled.exists():
                raw = spooled.read_bytes()
                await self._record(key, raw, None)
                return raw
            if not idempotent:
                await self._set(key, state="in_doubt")
                raise InDoubt(provider, row.sent_at.strftime("%Y-%m-%d %H:%M UTC") if row.sent_at else "")
        await self._send(key, provider, model, request_hash)
        return None

    async def _find(self, key: str) -> Effect | None:
        async with self._units.open(worker_principal(self._caller.tenant_id)) as unit:
            return (await unit.session.execute(select(Effect).where(Effect.effect_key == key))).scalar_one_or_none()

    async def _send(self, key: str, provider: str, model: str, request_hash: str) -> None:
        caller = self._caller
        row = {
            "tenant_id": caller.tenant_id,
            "effect_key": key,
            "job_id": caller.job_id,
            "step_id": caller.step_id,
            "step_kind": caller.kind,
            "provider": provider,
            "model": model,
            "request_hash": request_hash,
            "state": "sent",
            "fence": caller.fence,
            "sent_at": func.clock_timestamp(),
        }
        again = {"state": "sent", "fence": caller.fence, "sent_at": func.clock_timestamp(), "error": None}
        async with self._units.open(worker_principal(caller.tenant_id)) as unit:
            await require_room(unit.session, caller.tenant_id, caller.job_id, self._limit)
            await unit.session.execute(
                upsert(Effect).values(row).on_conflict_do_update(index_elements=["tenant_id", "effect_key"], set_=again)
            )

    async def _fail(self, key: str, error: BaseException, idempotent: bool) -> None:
        """Record that a call brought nothing; one that may have reached the provider unheard stays in doubt."""
        unheard = not isinstance(error, Exception) or bool(getattr(error, "outcome_unknown", False))
        state = "in_doubt" if unheard and not idempotent else "failed"
        await self._set(key, state=state, error=str(getattr(error, "sentence", type(error).__name__))[:500])

    async def _record(self, key: str, raw: bytes, consumed: Consumed | None) -> None:
        stored = await self._answers.put_bytes(self._caller.tenant_id, raw)
        values: dict[str, Any] = {"state": "done", "response_key": stored.sha256, "done_at": func.clock_timestamp()}
        if consumed is not None:
            values |= {"units": dict(consumed.units), "micro_dollars": consumed.micro_dollars}
        await self._set(key, **values)
        self._spool_path(key).unlink(missing_ok=True)

    async def _set(self, key: str, **values: Any) -> None:
        async with self._units.open(worker_principal(self._caller.tenant_id)) as unit:
            await unit.session.execute(update(Effect).where(Effect.effect_key == key).values(**values))

    def _spool_path(self, key: str) -> Path:
        return self._spool / str(self._caller.tenant_id) / key

    def _write_spool(self, key: str, raw: bytes) -> None:
        path = self._spool_path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        with beside.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
