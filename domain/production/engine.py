"""The engine: claim → run → settle. A slot calls `run_ahead` until nothing can be claimed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import structlog

from domain.dispatch.claim import Claim, Hooks, claim_next
from domain.dispatch.hosts import accuse, acquit
from domain.dispatch.settle import Replaced
from domain.dispatch.stats import Lessons, Sample, record_durations
from domain.dispatch.watch import Alive, Lost, expired_leases, orphans
from domain.production import settle
from domain.production.cache import find_steps, step_key
from domain.production.calls import StepLedger
from domain.production.commands.control_job import pause_job
from domain.production.context import RunningStep
from domain.production.errors import WrongState
from domain.production.estimate import makers_of
from domain.production.failures import Verdict, judge
from domain.production.fanning import prepare_spawn
from domain.production.loading import read_work
from domain.production.logs import Journal
from domain.production.manifest import write_manifest
from domain.production.meter import Meter
from domain.production.pipeline.base import Json, StepKind, StepResult, Tools, Work
from domain.production.ports import Stopped
from domain.production.settle_at_once import Spawned, Success
from domain.production.settling import Settling
from domain.production.tether import Tether, Tethers
from domain.production.trial import Trial
from domain.usage.effects import Caller, Purse
from tenants.outage import is_away
from tenants.principal import worker_principal
from tenants.unit import Units

log = structlog.get_logger(__name__)

GRACE_S = 4.0
"""How long a step that was told to stop may take before it is cut off."""
AWAY_S = 0.5
"""So long a finished step waits before it asks an absent database again."""

PATIENCE_S = 0.05
"""A settlement waits at most this long for the slot's next claim to be answered."""

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
    lessons: Lessons = field(default_factory=Lessons)

    async def run_next(self, pool: str) -> bool:
        """Claim the best step of a pool, run and settle it; answer False when there was none to claim."""
        settling = await self.run_ahead(pool)
        if settling is None:
            return False
        await settling.begin()
        return True

    async def run_ahead(self, pool: str, before: Settling | None = None) -> Settling | None:
        """Claim and run the best step, then the one `before` is settled beside it; answer what settles this one.

        None: nothing can be claimed, and the one before is settled. So a slot works on while its last result is
        written, and never has more than one that is not. Until it is settled a step counts as running.
        """
        claim = await self._claim(pool, before)
        if claim is None and before is not None:
            await before.ended()
            claim = await self._claim(pool, None)
        if claim is None:
            return None
        if before is not None:
            before.begin()
        settling = await self._run(claim)
        if before is not None:
            await before.ended()
        return settling

    async def _claim(self, pool: str, before: Settling | None) -> Claim | None:
        """Claim first, settle then: a claim is not flushed to disk, and would wait for a settlement that is."""
        patience = asyncio.get_running_loop().call_later(PATIENCE_S, before.begin) if before else None
        try:
            return await claim_next(self.units, pool, self.worker_id, self.lease_s, HOOKS)
        finally:
            if patience is not None:
                patience.cancel()

    # ── One step ──────────────────────────────────────────────────────────────────────────────────────────
    async def _run(self, claim: Claim) -> Settling:
        """Run a claimed step's body; answer what settles it."""
        staging = self.staging / str(claim.step_id) / str(claim.fence)
        trial = Trial(claim, self.tethers.tie(claim), Journal(self.units, claim), staging, time.monotonic())
        trial.journal.begin()
        self.meter.begin(trial.tether.key)
        ended: Success | Exception
        try:
            ended = await self._reach(trial)
        except Exception as error:
            ended = error
        except BaseException:
            await self._clean(trial)
            raise
        trial.took, trial.cpu_s = time.monotonic() - trial.begun, self.meter.so_far(trial.tether.key)
        self.meter.end(trial.tether.key)
        return Settling(lambda: self._finish(trial, ended))

    async def _finish(self, trial: Trial, ended: Success | Exception) -> None:
        claim = trial.claim
        try:
            state = await self._settle(trial, await trial.kept(ended))
        except Replaced:
            log.warning("step.replaced", step=str(claim.step_id), fence=claim.fence)
            return
        finally:
            await self._clean(trial)
        if state == "succeeded":
            await write_manifest(self.units, self.tools.store, claim.tenant_id, claim.job_id)

    async def _clean(self, trial: Trial) -> None:
        await trial.journal.end()
        await trial.clear()
        self.meter.end(trial.tether.key)
        self.tethers.untie(trial.tether)

    async def _reach(self, trial: Trial) -> Success:
        claim, journal = trial.claim, trial.journal
        module = self.kinds[claim.kind]
        loaded = read_work(claim, self.kinds)
        tools = await self.tools.fitted(loaded.work)
        work = replace(loaded.work, build=tools.build)
        ctx = self._context(trial, work, loaded.quote, tools)
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
        result = await self._guarded(module, ctx, trial.tether)
        trial.guess = Sample(claim.kind, profile, loaded.guess_s, 0.0)
        spawned = await self._prepare_spawn(work, result)
        files = list(ctx.kept.values())
        ask = bool(result.lesser) and _asks(work)
        return Success(result, files, key, False, spawned, _counts(ctx), profile, ask)

    async def _prepare_spawn(self, work: Work, result: StepResult) -> list[Spawned]:
        return await prepare_spawn(self.units, self.tools.store, self.kinds, work, result)

    def _context(self, trial: Trial, work: Work, quote: Json, tools: Tools) -> RunningStep:
        claim = trial.claim
        caller = Caller(
            claim.tenant_id, claim.job_id, claim.step_id, claim.kind, claim.shard, claim.fence, work.step.salt
        )
        ledger = StepLedger(self.units, self.tools.store, self.spool, caller, Purse(work.job.project_id, quote))
        ledger.makers = makers_of(work.job.spec)
        ctx = RunningStep(work, tools, ledger, trial.staging, self.units, trial.journal, trial.tether)
        trial.keeper = ctx.keeper
        return ctx

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

    # ── Its end ───────────────────────────────────────────────────────────────────────────────────────────
    async def _settle(self, trial: Trial, ended: Success | Exception) -> str | None:
        """Write how an attempt ended; answer the job's new state, or None when it stays. Raises Replaced."""
        tether = trial.tether
        if isinstance(ended, Stopped):
            return await _patiently(tether, lambda: self._stopped(trial))
        if isinstance(ended, Exception):
            return await self._failed(trial, ended)
        state = await _patiently(tether, lambda: self._succeeded(trial, ended))
        if trial.guess is not None:
            await self._learn(replace(trial.guess, actual_s=trial.took))
        return state

    async def _succeeded(self, trial: Trial, success: Success) -> str | None:
        await trial.journal.flush()
        return await settle.succeed(self.units, trial.claim, replace(success, cpu_s=trial.cpu_s))

    async def _stopped(self, trial: Trial) -> str | None:
        await trial.journal.flush()
        if trial.tether.reason == "lost":
            raise Replaced("the lease was lost")
        return await settle.release(self.units, trial.claim, cpu_s=trial.cpu_s)

    async def _failed(self, trial: Trial, error: Exception) -> str | None:
        if trial.tether.reason == "lost" or isinstance(error, Replaced):
            raise Replaced("the lease was lost") from error
        if trial.tether.stop() or is_away(error):
            # A database that was away for a moment is no failure of the step: it is given back without penalty.
            return await _patiently(trial.tether, lambda: self._stopped(trial))
        verdict = judge(trial.claim, error)
        trial.journal.line(f"{verdict.error['sentence']} {verdict.error['next']}", "error", "")
        state = await _patiently(trial.tether, lambda: self._give_up(trial, verdict))
        if verdict.host:
            await self._accuse(trial.claim)
        return state

    async def _give_up(self, trial: Trial, verdict: Verdict) -> str | None:
        claim = trial.claim
        await trial.journal.flush()
        if verdict.person:
            await self._wait_for_person(claim, str(verdict.error["sentence"]))
            return await settle.release(self.units, claim, verdict.error, trial.cpu_s)
        return await settle.fail(
            self.units,
            claim,
            verdict.error,
            transient=verdict.transient,
            retry_after=verdict.retry_after,
            cpu_s=trial.cpu_s,
        )

    async def _wait_for_person(self, claim: Claim, reason: str) -> None:
        """Pause the job: what runs may finish, nothing new starts, and the step waits for a decision."""
        try:
            async with self.units.open(worker_principal(claim.tenant_id)) as unit:
                await pause_job(unit, claim.job_id, reason)
        except WrongState:
            log.info("step.waits", step=str(claim.step_id), why="the job is paused or ending already")

    # ── After ─────────────────────────────────────────────────────────────────────────────────────────────
    async def _learn(self, sample: Sample) -> None:
        """Remember how long the step took, some steps at once; worth so little that it may be lost."""
        try:
            if due := self.lessons.add(sample):
                await record_durations(self.units, due)
                await acquit(self.units, self.worker_id, sorted({one.kind for one in due}))
        except Exception:
            log.warning("stats.lost", kind=sample.kind, exc_info=True)

    async def _accuse(self, claim: Claim) -> None:
        try:
            if await accuse(self.units, self.worker_id, claim.kind, claim.step_id):
                log.error("host.shunned", kind=claim.kind, worker=str(self.worker_id))
        except Exception:
            log.warning("host.not_accused", kind=claim.kind, exc_info=True)

    @property
    def staging(self) -> Path:
        return self.home / "staging"

    @property
    def spool(self) -> Path:
        return self.home / "spool"


HOOKS = Hooks(
    """
SELECT c.*, to_jsonb(l), app.begin_job(c.tenant_id, c.job_id, jsonb_build_object(
  'type', 'step.started', 'job_id', c.job_id, 'project_id', c.project_id, 'data', jsonb_build_object(
    'step', c.kind, 'shard', c.shard, 'step_id', c.step_id, 'attempt', c.attempt)))
FROM app.claim_steps(%(pool)s, %(worker)s, %(lease_s)s, %(credit_s)s, %(aging_s)s, %(most)s) AS c
LEFT JOIN LATERAL app.load_step(c.tenant_id, c.job_id, c.step_id) AS l ON true
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


# ── For the pump ──────────────────────────────────────────────────────────────────────────────────────────
async def reap_expired(units: Units) -> int:
    """Give the steps of silent workers to others; answer how many."""
    return sum([await _reap(units, lost, expired=True) for lost in await expired_leases(units)])


async def reap_orphans(units: Units, host: str, boot_id: str, alive: Alive) -> int:
    """Give the steps of this host's vanished workers to others at once; answer how many."""
    return sum([await _reap(units, lost, expired=False) for lost in await orphans(units, host, boot_id, alive)])


async def _reap(units: Units, lost: Lost, *, expired: bool) -> bool:
    taken = await settle.reap(units, lost, expired=expired)
    if taken:
        await accuse(units, lost.worker_id, lost.claim.kind, lost.claim.step_id)
    return taken
