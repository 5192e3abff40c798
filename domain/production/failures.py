"""What an exception of a step means: can trying again help, and what do people read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import structlog

from domain.dispatch.claim import Claim
from domain.production.errors import InvalidInput, ProductionError, from_os
from domain.production.ports import ProviderBusy, ProviderError
from domain.usage.budget import OverBudget
from domain.usage.effects import InDoubt
from timeline.faults import TimelineError

log = structlog.get_logger(__name__)

KEPT = "Everything finished before is kept."
CHANGE = "Change the input, then retry the job."


@dataclass(frozen=True)
class Verdict:
    """What follows an error: `error` is what people are shown (see `describe` for its fields).

    `person`: the job pauses until somebody decides; nothing is lost meanwhile. `host`: this machine may be at fault.
    """

    error: dict[str, Any]
    transient: bool
    retry_after: float | None = None
    person: bool = False
    host: bool = False


def judge(claim: Claim, error: Exception) -> Verdict:
    """Classify an exception of a step. An unforeseen one is logged whole under a trace number."""
    if isinstance(error, InDoubt) or getattr(error, "outcome_unknown", False):
        return _doubtful(claim, error)
    if isinstance(error, ProviderError):
        fix = error.fix or ("It is tried again by itself." if error.transient else CHANGE)
        shown = describe(claim, error, error.sentence, fix, provider=error.provider, request_id=error.request_id)
        after = error.retry_after if isinstance(error, ProviderBusy) else None
        return Verdict(shown, error.transient, after)
    if isinstance(error, OverBudget):
        return Verdict(describe(claim, error, error.sentence, error.fix), transient=False, person=True)
    if isinstance(error, OSError) and (known := from_os(error)) is not None:
        fix = "Free some space; the step goes on by itself, or retry the job."
        return Verdict(describe(claim, known, known.sentence, fix), transient=True, host=True)
    if isinstance(error, ProductionError | InvalidInput):
        return Verdict(describe(claim, error, error.sentence, CHANGE), transient=False)
    if isinstance(error, TimelineError):
        return Verdict(describe(claim, error, *_first_fault(error)), transient=False)
    sentence = getattr(error, "sentence", None)
    if isinstance(sentence, str):
        fix = str(getattr(error, "fix", "") or "Change what it names, then retry the job.")
        transient = bool(getattr(error, "transient", False))
        return Verdict(describe(claim, error, sentence, fix), transient, host=transient)
    return _unforeseen(claim, error)


def _doubtful(claim: Claim, error: Exception) -> Verdict:
    """A call that may have been paid, whose answer was lost."""
    fix = "Look the call up in the provider's own records, then decide on the job's page: repeat it, or do without it."
    sentence = str(getattr(error, "sentence", error))
    told = {"provider": str(getattr(error, "provider", "")), "request_id": str(getattr(error, "request_id", ""))}
    shown = describe(claim, error, sentence, fix, **told) | {"class": "InDoubt"}
    return Verdict(shown, transient=False, person=True)


def _first_fault(error: TimelineError) -> tuple[str, str]:
    """The sentence and the fix of a document's first fault; how many more there are is said."""
    faults = [fault for fault in error.faults if fault.severity == "error"] or list(error.faults)
    more = f" ({len(faults) - 1} more like it.)" if len(faults) > 1 else ""
    fix = " ".join(part for part in (faults[0].fix, "Then start the job again.") if part)
    return f"The timeline cannot be made: {faults[0].message}{more}", fix


def _unforeseen(claim: Claim, error: Exception) -> Verdict:
    trace = uuid.uuid4().hex[:12]
    log.error(
        "step.unforeseen", trace=trace, step=str(claim.step_id), kind=claim.kind, shard=claim.shard, exc_info=error
    )
    sentence = f"Something unforeseen went wrong (reference {trace})."
    shown = describe(claim, error, sentence, "It is tried again by itself; else give the reference to support.")
    return Verdict(shown | {"trace": trace}, transient=True, host=True)


def describe(
    claim: Claim, error: Exception, sentence: str, fix: str, *, provider: str = "", request_id: str = ""
) -> dict[str, Any]:
    """What people read of a failure: the step, the provider, its request, what was kept and what to do next."""
    return {
        "class": type(error).__name__,
        "step": claim.kind,
        "shard": claim.shard,
        "provider": provider,
        "request_id": request_id,
        "sentence": sentence,
        "kept": KEPT,
        "next": fix,
        "attempt": claim.attempt,
        "trace": "",
    }
