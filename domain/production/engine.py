"""The engine: claim → run → settle. A slot calls `run_next` until nothing can be claimed."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import structlog

from domain.dispatch.claim import Claim, Hooks, claim_next
from domain.dispatch.enqueue import Placed
from domain.dispatch.settle import Replaced
from domain.dispatch.stats import ratios, record_duration
from domain.dispatch.watch import Alive, expired_leases, orphans
from domain.production import settle
from domain.production.cache import FoundStep, find_steps, step_key
from domain.production.calls import StepLedger
from domain.production.commands.control_job import pause_job
from domain.production.context import RunningStep
from domain.production.errors import WrongState
from domain.production.estimate import makers_of
from domain.production.failures import Verdict, judge
from domain.production.graph import ORDINALS
from domain.production.loading import load_work
from domain.production.logs import Journal
from domain.production.manifest import write_manifest
from domain.production.meter import Meter
from domain.production.model import Job
from domain.production.pipeline.base import Json, NewStep, StepInfo, StepKind, StepResult, Tools, Work
from domain.production.ports import Stopped
from domain.production.settle_at_once import Spawned, Success
from domain.production.tether import Tether, Tethers
from domain.usage.effects import Caller, Purse
from tenants.outage import is_away
from tenants.principal import worker_principal
from tenants.unit import Units

log = structlog.get_logger(__name__)

GRACE_S = 4.0
"""How long a step that was told to stop may take before it is cut off."""
AWAY_S = 0.5
"""So long a finished step waits before it asks an absent database again."""

T = TypeVar("T")


@dataclass
class Engine:
    """Runs steps of the kinds it knows. `home`: staging and spool folders; `lease_s`: length of a lease."""

    units: Units
    tools: Tools
    kinds: Mapping[str, StepKind]
    home: Path
    lease_s: float = 30.0
    worker_id: UUID | None = None
    tethers: Tethers = field(default_factory=Tethers)
    meter: Meter = field(default_factory=Meter)

    async def run_next(self, pool: str) -> bool:
        """Claim the best step of a pool, run and settle it; answer False when there was none to claim."""
        claim = await claim_next(self.units, pool, self.worker_id, self.lease_s, HOOKS)
        if claim is None:
            return False
        tether = self.tethers.tie(claim)
        self.meter.begin(tether.key)
        try:
            await self._run(claim, tether)
        finally:
            self.meter.end(tether.key)
            self.tethers.untie(tether)
        return True

    # ── One step ──────────────────────────────────────────────────────────────────────────────────────────
    async def _run(self, claim: Claim, tether: Tether) -> None:
        journal = Journal(self.units, claim)
        writing = asyncio.create_task(journal.keep_writing())
        staging = self.staging / str(claim.step_id) / str(claim.fence)
        try:
            ended = await self._attempt(claim, tether, journal, staging)
        except Replaced:
            log.warning("step.replaced", step=str(claim.step_id), fence=claim.fence)
            return
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await asyncio.to_thread(_remove, staging)
        if ended == "succeeded":
            await write_manifest(self.units, self.tools.store, claim.tenant_id, claim.job_id)

    async def _attempt(self, claim: Claim, tether: Tether, journal: Journal, staging: Path) -> str | None:
        """Run a claimed step to its settlement; answer the job's new state, or None when it stays."""
        begun = time.monotonic()
        try:
            success = await self._reach(claim, tether, journal, staging)
        except Stopped:
            return await _patiently(tether, lambda: self._stopped(claim, tether, journal))
        except Exception as error:
            return await self._failed(claim, tether, journal, error)
        ended = await _patiently(tether, lambda: self._succeeded(claim, tether, journal, success))
        if not success.reused:
            await self._learn(claim, success.profile, time.monotonic() - begun)
        return ended

    async def _reach(self, claim: Claim, tether: Tether, journal: Journal, staging: Path) -> Success:
        module = self.kinds[claim.kind]
        work, job = await load_work(self.units, claim, self.kinds)
        tools = await self.tools.fitted(work)
        work = replace(work, build=tools.build)
        ctx = self._context(claim, tether, journal, staging, work, job, tools)
        profile = str(work.job.spec.get("profile", ""))
        prepare = getattr(module, "prepare", None)
        if prepare is not None:
            ctx.work = work = replace(work, found=await prepare(ctx))
        key = step_key(module, work)
        found = (await find_steps(self.units, self.tools.store, work.tenant_id, [key])).get(key) if key else None
        if found is not None:
            journal.line("Nothing to do: this was made before from the same inputs.", "info", "")
            spawned = await self._prepare_spawn(work, found.result)
            return Success(found.result, found.files, key, True, spawned, _counts(ctx), profile)
        await asyncio.to_thread(staging.mkdir, parents=True, exist_ok=True)
        result = await self._guarded(module, ctx, tether)
        spawned = await self._prepare_spawn(work, result)
        files = list(ctx.kept.values())
        ask = bool(result.lesser) and _asks(work)
        return Success(result, files, key, False, spawned, _counts(ctx), profile, ask)

    def _context(
        self, claim: Claim, tether: Tether, journal: Journal, staging: Path, work: Work, job: Job, tools: Tools
    ) -> RunningStep:
        caller = Caller(
            claim.tenant_id, claim.job_id, claim.step_id, claim.kind, claim.shard, claim.fence, work.step.salt
        )
        purse = Purse(job.project_id, job.quote)
        ledger = StepLedger(self.units, self.tools.store, self.spool, caller, purse)
        ledger.makers = makers_of(job.spec)
        return RunningStep(work, tools, ledger, staging, self.units, journal, tether)

    async def _guarded(self, module: StepKind, ctx: RunningStep, tether: Tether) -> StepResult:
        """Run a step; when it is told to stop and does not, cut it off. Raises Stopped."""
        running = asyncio.create_task(module.run(ctx))
        try:
            while not tether.stop():
                done, _ = await asyncio.wait({running}, timeout=0.1)
                if done:
                    return running.result()
            await asyncio.wait({running}, timeout=GRACE_S)
            if running.done():
                return running.result()
            raise Stopped("cut off")
        finally:
            if not running.done():
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _succeeded(self, claim: Claim, tether: Tether, journal: Journal, success: Success) -> str | None:
        await journal.flush()
        return await settle.succeed(self.units, claim, replace(success, cpu_s=self.meter.so_far(tether.key)))

    async def _stopped(self, claim: Claim, tether: Tether, journal: Journal) -> str | None:
        await journal.flush()
        if tether.reason == "lost":
            raise Replaced("the lease was lost")
        return await settle.release(self.units, claim, cpu_s=self.meter.so_far(tether.key))

    async def _failed(self, claim: Claim, tether: Tether, journal: Journal, error: Exception) -> str | None:
        if tether.reason == "lost" or isinstance(error, Replaced):
            raise Replaced("the lease was lost") from error
        if tether.stop() or is_away(error):
            # A database that was away for a moment is no failure of the step: it is given back without penalty.
            return await _patiently(tether, lambda: self._stopped(claim, tether, journal))
        verdict = judge(claim, error)
        journal.line(f"{verdict.error['sentence']} {verdict.error['next']}", "error", "")
        return await _patiently(tether, lambda: self._give_up(claim, tether, journal, verdict))

    async def _give_up(self, claim: Claim, tether: Tether, journal: Journal, verdict: Verdict) -> str | None:
        await journal.flush()
        if verdict.person:
            await self._wait_for_person(claim, str(verdict.error["sentence"]))
            return await settle.release(self.units, claim, verdict.error, self.meter.so_far(tether.key))
        return await settle.fail(
            self.units,
            claim,
            verdict.error,
            transient=verdict.transient,
            retry_after=verdict.retry_after,
            cpu_s=self.meter.so_far(tether.key),
        )

    async def _wait_for_person(self, claim: Claim, reason: str) -> None:
        """Pause the job: what runs may finish, nothing new starts, and the step waits for a decision."""
        try:
            async with self.units.open(worker_principal(claim.tenant_id)) as unit:
                await pause_job(unit, claim.job_id, reason)
        except WrongState:
            log.info("step.waits", step=str(claim.step_id), why="the job is paused or ending already")

    # ── Fan-out ───────────────────────────────────────────────────────────────────────────────────────────
    async def _prepare_spawn(self, work: Work, result: StepResult) -> list[Spawned]:
        """Turn spawned steps into rows-to-be; those made before are born finished."""
        inputs = {**work.inputs, work.step.kind: result.outputs}
        keys = {new.shard: self._spawn_key(work, inputs, new) for new in result.spawn}
        wanted = [key for key in keys.values() if key]
        found = await find_steps(self.units, self.tools.store, work.tenant_id, wanted)
        learned = await self._learned(work) if result.spawn else {}
        return [
            self._spawned(new, place, found.get(keys[new.shard] or ""), learned.get(new.kind, 1.0))
            for place, new in enumerate(result.spawn)
        ]

    async def _learned(self, work: Work) -> dict[str, float]:
        async with self.units.open(worker_principal(work.tenant_id)) as unit:
            return await ratios(unit.session, str(work.job.spec.get("profile", "")))

    def _spawn_key(self, work: Work, inputs: Mapping[str, Any], new: NewStep) -> str | None:
        step = StepInfo(
            id=work.step.id, kind=new.kind, shard=new.shard, spec=new.spec, salt=work.job.spec.get("salt", "")
        )
        shards: dict[str, Json] = {kind: {} for kind, module in self.kinds.items() if module.FAN_OUT}
        return step_key(self.kinds[new.kind], replace(work, step=step, inputs=inputs, shards=shards, found={}))

    def _spawned(self, new: NewStep, place: int, found: FoundStep | None, ratio: float) -> Spawned:
        order = list(self.kinds).index(new.kind) * ORDINALS + min(place, ORDINALS - 1)
        finished = (dict(found.result.outputs), found.key) if found else None
        placed = Placed(
            kind=new.kind,
            pool=self.kinds[new.kind].POOL,
            ordinal=order,
            shard=new.shard,
            cost=new.cost * ratio,
            spec=dict(new.spec),
            finished=finished,
        )
        return Spawned(placed, found)

    # ── After ─────────────────────────────────────────────────────────────────────────────────────────────
    async def _learn(self, claim: Claim, profile: str, seconds: float) -> None:
        """Remember how long the step took; worth so little that it may be lost with this process."""
        try:
            await record_duration(self.units, claim.kind, profile, claim.estimate, seconds)
        except Exception:
            log.warning("stats.lost", kind=claim.kind, exc_info=True)

    @property
    def staging(self) -> Path:
        return self.home / "staging"

    @property
    def spool(self) -> Path:
        return self.home / "spool"


HOOKS = Hooks(
    """
SELECT c.*, app.begin_job(c.tenant_id, c.job_id, jsonb_build_object(
  'type', 'step.started', 'job_id', c.job_id, 'project_id', c.project_id, 'data', jsonb_build_object(
    'step', c.kind, 'shard', c.shard, 'step_id', c.step_id, 'attempt', c.attempt)))
FROM app.claim_steps(%(pool)s, %(worker)s, %(lease_s)s, %(credit_s)s, %(aging_s)s, %(most)s) AS c
"""
)


async def _patiently(tether: Tether, settling: Callable[[], Awaitable[T]]) -> T:
    """Settle; while the database is away, try again as long as the step is ours (the renewer ends what is not)."""
    while True:
        try:
            return await settling()
        except Exception as error:
            if not is_away(error) or tether.reason == "lost":
                raise
        log.warning("step.waits_for_database")
        await asyncio.sleep(AWAY_S)


def _counts(ctx: RunningStep) -> dict[str, int]:
    return {
        "made": ctx.counts.made,
        "found": ctx.counts.reused,
        "calls": ctx.effects.made,
        "answers": ctx.effects.found,
    }


def _asks(work: Work) -> bool:
    """Whether the recipe stops for a person when this step's result is less than what was asked for."""
    steps = work.job.spec.get("recipe", {}).get("steps", ())
    return any(step["kind"] == work.step.kind and step.get("gate_on_fallback") for step in steps)


def _remove(folder: Path) -> None:
    """Remove an attempt's folder, and those that killed attempts before it have left."""
    for other in folder.parent.iterdir() if folder.parent.exists() else ():
        if int(other.name) <= int(folder.name):
            shutil.rmtree(other, ignore_errors=True)
    with suppress(OSError):  # a later attempt works beside us
        folder.parent.rmdir()


# ── For the pump ──────────────────────────────────────────────────────────────────────────────────────────
async def reap_expired(units: Units) -> int:
    """Give the steps of silent workers to others; answer how many."""
    return sum([await settle.reap(units, lost, expired=True) for lost in await expired_leases(units)])


async def reap_orphans(units: Units, host: str, boot_id: str, alive: Alive) -> int:
    """Give the steps of this host's vanished workers to others at once; answer how many."""
    return sum([await settle.reap(units, lost, expired=False) for lost in await orphans(units, host, boot_id, alive)])
