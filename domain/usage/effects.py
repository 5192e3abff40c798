"""The ledger of paid and outward calls: intent → sent → done | in_doubt | failed.

The answer is written to a synced spool file before it is recorded, so that a crash between the two finds it again.
Once recorded, a call is never made again; at most one call per crash can be in doubt, and that is shown. What a call
may cost is set aside before it is sent and settled afterwards, also when it failed and was billed all the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.vendors import VENDORS
from domain.usage.budget import Bill, JobAccount, hold, let_go, settle
from domain.usage.model import Effect
from domain.usage.quote import Expected, expected_cost
from tenants.principal import worker_principal
from tenants.unit import Units

T = TypeVar("T")


def named(kind: str) -> str:
    """A provider as people call it, inside a sentence."""
    return VENDORS[kind].label if kind in VENDORS else HOME.get(kind, kind)


HOME = {"artboard": "the art board", "espeak": "the draft voice", "offline": "the offline writer"}


class InDoubt(Exception):
    """Raised when a call may have been made and paid, but its answer never arrived; a person must decide."""

    def __init__(self, provider: str, sent_at: str) -> None:
        self.provider, self.sent_at = provider, sent_at
        self.sentence = (
            f"A call to {named(provider)} was sent{f' at {sent_at}' if sent_at else ''} and its answer was lost. "
            "It may have been paid, so it is not repeated by itself."
        )
        super().__init__(self.sentence)


class CallSkipped(Exception):
    """Raised instead of a call that a person has decided to do without; `fallback` names what takes its place."""

    def __init__(self, provider: str, fallback: str) -> None:
        self.provider, self.fallback = provider, fallback
        self.sentence = (
            f"The call to {named(provider)} is left out by a person's decision; {named(fallback)} takes its place."
        )
        super().__init__(self.sentence)


class AskAgain(Exception):
    """Raised when the answer of a call was lost that can be asked for again without being billed twice."""

    transient = True
    fix = "Nothing to do: it is asked again by itself, and not billed twice."

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.sentence = f"The answer of {provider} was lost on the way."
        super().__init__(self.sentence)


class PaidInVain(Exception):
    """Raised instead of repeating a call that was answered, billed and of no use, until a person wants it once more."""

    def __init__(self, provider: str, sentence: str, units: Mapping[str, int], micro_dollars: int | None) -> None:
        self.provider, self.sentence = provider, sentence
        self.units, self.micro_dollars = dict(units), micro_dollars
        super().__init__(sentence)


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


@dataclass(frozen=True)
class Purse:
    """Out of what a step's calls are paid: its project's money, as the job's quote expects it. None = no budget."""

    project_id: UUID
    quote: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One call as the ledger knows it."""

    key: str
    provider: str
    model: str
    request_hash: str
    expected: Expected
    idempotent: bool
    fallback: str
    ref: str


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
    """Performs the calls of one step. `made` and `found` count calls made now and answers found; `out` those under way.

    Without a `purse` nothing is set aside (there is no project whose money it could be).
    """

    def __init__(self, units: Units, answers: Answers, spool: Path, caller: Caller, purse: Purse | None = None) -> None:
        self._units, self._answers, self._spool, self._caller, self._purse = units, answers, spool, caller, purse
        self.made = 0
        self.found = 0
        self.out = 0

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
        fallback: str = "",
        ref: str = "",
        amount: Mapping[str, int] | None = None,
    ) -> T:
        """Make a call once, or answer what it answered before.

        Raises InDoubt, AskAgain, CallSkipped, PaidInVain, OverBudget, and what `call` raises.
        """
        asked = self._asked(provider, model, request, idempotent, fallback, ref, amount)
        recorded = await self._begin(asked, lambda raw: usage(decode(raw)) if usage else None)
        if recorded is not None:
            self.found += 1
            return decode(recorded)
        self.out += 1
        try:
            answer = await call()
        except BaseException as error:
            if await self._fail(asked, error) and idempotent and isinstance(error, Exception):
                raise AskAgain(provider) from error
            raise
        finally:
            self.out -= 1
        raw = encode(answer)
        self._write_spool(asked.key, raw)
        self.made += 1
        await self._record(asked.key, raw, usage(answer) if usage else None)
        return answer

    def _asked(
        self,
        provider: str,
        model: str,
        request: Mapping[str, Any],
        idempotent: bool,
        fallback: str,
        ref: str,
        amount: Mapping[str, int] | None,
    ) -> Asked:
        request_hash = hash_json(request)
        key = effect_key(self._caller, provider, model, request_hash)
        quoted = self._purse.quote if self._purse else {}
        expected = expected_cost(quoted, self._caller.kind, provider, amount or {})
        return Asked(key, provider, model, request_hash, expected, idempotent, fallback, ref)

    # ── Before ────────────────────────────────────────────────────────────────────────────────────────────
    async def _begin(self, asked: Asked, consumed: Callable[[bytes], Consumed | None]) -> bytes | None:
        """Record that a call is about to be made, or answer what is known of it already."""
        row = await self._find(asked.key)
        if row is not None and row.state == "done" and row.response_key:
            return await self._answers.get_bytes(self._caller.tenant_id, row.response_key)
        if row is not None and row.state in ("sent", "in_doubt"):
            spooled = self._spool_path(asked.key)
            if spooled.exists():
                raw = spooled.read_bytes()
                await self._record(asked.key, raw, consumed(raw))
                return raw
            # What was safe to repeat when it was sent may be so no longer: what the caller says now counts.
            if not asked.idempotent:
                await self._doubt(asked.key)
                raise InDoubt(asked.provider, row.sent_at.strftime("%Y-%m-%d %H:%M UTC") if row.sent_at else "")
        if row is not None and row.decision == "skip":
            raise CallSkipped(asked.provider, row.fallback)
        if row is not None and not asked.idempotent and _was_in_vain(row):
            raise PaidInVain(asked.provider, row.error or "", row.units, None if row.unpriced else row.micro_dollars)
        await self._intend(asked)
        return None

    async def _find(self, key: str) -> Effect | None:
        async with self._units.open(worker_principal(self._caller.tenant_id)) as unit:
            return (await unit.session.execute(select(Effect).where(Effect.effect_key == key))).scalar_one_or_none()

    async def _intend(self, asked: Asked) -> None:
        """Set money aside and say that the call is about to go out; what costs nothing says both at once."""
        caller, most = self._caller, asked.expected.most
        values = {
            "state": "sent" if asked.idempotent else "intent",
            "fence": caller.fence,
            "sent_at": func.clock_timestamp(),
            "likely": asked.expected.likely,
            "fallback": asked.fallback,
            "provider_ref": asked.ref,
            "policy": "repeat" if asked.idempotent else "once",
        }
        row = {
            "tenant_id": caller.tenant_id,
            "effect_key": asked.key,
            "job_id": caller.job_id,
            "step_id": caller.step_id,
            "step_kind": caller.kind,
            "shard": caller.shard,
            "provider": asked.provider,
            "model": asked.model,
            "request_hash": asked.request_hash,
            "tries": 1,
            **values,
        }
        again = {**values, "error": None, "tries": Effect.tries + 1}
        async with self._units.open(worker_principal(caller.tenant_id)) as unit:
            written = await unit.session.execute(
                upsert(Effect)
                .values(row)
                .on_conflict_do_update(index_elements=["tenant_id", "effect_key"], set_=again)
                .returning(Effect.held)
            )
            if most != 0 and self._purse and not written.scalar_one():
                drawn = await hold(unit.session, self._account(), most)
                await _write(unit.session, asked.key, held=most or 0, drawn=drawn)
        if not asked.idempotent:
            await self._set(asked.key, state="sent", sent_at=func.clock_timestamp())

    # ── After ─────────────────────────────────────────────────────────────────────────────────────────────
    async def _fail(self, asked: Asked, error: BaseException) -> bool:
        """Record that a call brought nothing, and what it was billed; answer whether its outcome is unknown.

        One that may have reached the provider unheard stays in doubt, and its money set aside.
        """
        said = str(getattr(error, "sentence", type(error).__name__))[:500]
        unheard = not isinstance(error, Exception) or bool(getattr(error, "outcome_unknown", False))
        if unheard and not asked.idempotent:
            await self._doubt(asked.key, said)
            return True
        async with self._units.open(worker_principal(self._caller.tenant_id)) as unit:
            row = await _lock(unit.session, asked.key)
            row.state, row.error = "failed", said
            # What passes by itself is asked again by itself, whatever the try has cost.
            row.decision = "repeat" if getattr(error, "transient", False) else None
            await self._settle(unit.session, row, None if unheard else _consumed(error))
        return unheard

    async def _doubt(self, key: str, said: str = "") -> None:
        async with self._units.open(worker_principal(self._caller.tenant_id)) as unit:
            row = await _lock(unit.session, key)
            if row.state != "in_doubt":
                row.state, row.doubts, row.decision = "in_doubt", row.doubts + 1, None
                row.error = said or "The worker was lost while the call was out."

    async def _record(self, key: str, raw: bytes, consumed: Consumed | None) -> None:
        stored = await self._answers.put_bytes(self._caller.tenant_id, raw)
        async with self._units.open(worker_principal(self._caller.tenant_id)) as unit:
            row = await _lock(unit.session, key)
            row.state, row.response_key, row.done_at = "done", stored.sha256, func.clock_timestamp()
            await self._settle(unit.session, row, consumed)
        self._spool_path(key).unlink(missing_ok=True)

    async def _settle(self, session: AsyncSession, row: Effect, consumed: Consumed | None) -> None:
        """Put what a try was billed into the row and the budget, and give back what it held."""
        drawn, row.held, row.drawn = row.drawn, 0, 0
        if consumed is not None:
            add_consumed(row, consumed)
        await session.flush()
        if self._purse is None:
            return
        if consumed is not None and consumed.micro_dollars != 0:
            named = {"effect_key": row.effect_key, "step_kind": row.step_kind, "model": row.model}
            bill = Bill(consumed.micro_dollars, dict(consumed.units), provider=row.provider, **named)
            await settle(session, self._account(), drawn, bill)
        else:
            await let_go(session, self._account(), drawn)

    async def _set(self, key: str, **values: Any) -> None:
        async with self._units.open(worker_principal(self._caller.tenant_id)) as unit:
            await _write(unit.session, key, **values)

    def _account(self) -> JobAccount:
        assert self._purse is not None
        return JobAccount(self._caller.tenant_id, self._purse.project_id, self._caller.job_id)

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


def add_consumed(row: Effect, consumed: Consumed) -> None:
    """Add a billed try to what a call was billed before."""
    row.units = {unit: row.units.get(unit, 0) + consumed.units.get(unit, 0) for unit in {*row.units, *consumed.units}}
    if consumed.micro_dollars is None:
        row.unpriced += 1
    else:
        row.micro_dollars = (row.micro_dollars or 0) + consumed.micro_dollars


def _was_in_vain(row: Effect) -> bool:
    """Whether a call's last try was billed and of no use, and nobody has asked for another one."""
    paid = bool(row.units or row.micro_dollars or row.unpriced)
    return row.state == "failed" and paid and row.decision != "repeat"


async def allow_again(session: AsyncSession, job_id: UUID) -> None:
    """Let a job's failed calls be made once more, also those that were billed: a person wants it."""
    failed = update(Effect).where(Effect.job_id == job_id, Effect.state == "failed", Effect.decision.is_(None))
    await session.execute(failed.values(decision="repeat").execution_options(synchronize_session=False))


def _consumed(error: BaseException) -> Consumed | None:
    """What a failed call is known to have consumed."""
    found = getattr(error, "usage", None)
    return found if found is not None and (found.units or found.micro_dollars) else None


async def _lock(session: AsyncSession, key: str) -> Effect:
    found = await session.execute(
        select(Effect).where(Effect.effect_key == key).with_for_update().execution_options(populate_existing=True)
    )
    return found.scalar_one()


async def _write(session: AsyncSession, key: str, **values: Any) -> None:
    await session.execute(
        update(Effect).where(Effect.effect_key == key).values(**values).execution_options(synchronize_session=False)
    )
