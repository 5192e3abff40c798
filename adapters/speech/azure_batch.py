"""Azure's batch synthesis: many sentences as one job under an id of ours, so that a repeat finds it instead of paying.

A job is looked up before it is made. Its result stays with the service until `forget`, which is called once the answer
is safe with us; until then a crash at any point costs nothing but time. All times are samples at 48 kHz.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog

from adapters.egress import Caps
from adapters.egress_rules import Allowance
from adapters.outcomes import FAILURES, Said, retry_after
from adapters.speech.azure_line import Answer, Line, Places, failure
from adapters.speech.azure_ssml import LABEL, NAME, AzureText
from adapters.speech.azure_zip import BadResult, Result, read_results
from domain.production.ports import ProviderError
from domain.production.provider_errors import OutcomeUnknown, PartialAnswer, Unavailable

VERSION = "2024-04-01"
FORMAT = "riff-48khz-16bit-mono-pcm"
KEEP_HOURS = 168
"""How long the service keeps a job that nobody fetches."""
MAX_INPUTS, MAX_BODY, MAX_CHARACTERS = 200, 400_000, 6_000
"""Of one job; the service takes 1000 inputs and 500 kB. Six thousand characters are about seven minutes of sound."""
PAUSES = (2.0, 2.0, 5.0, 5.0, 10.0)
"""Seconds between looks at a job; the last one repeats."""
LEAST_PAUSE = 0.1
PATIENCE_S = 600.0
CALL_CAPS = Caps(seconds=60.0, bytes=4 * 1024 * 1024)
FETCH_CAPS = Caps(seconds=300.0, bytes=192 * 1024 * 1024)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Batch:
    """A finished job: a result for each text, the characters it billed (None = not told), and its id."""

    results: Sequence[Result]
    billed: int | None
    request_id: str = ""


def grouped(texts: Sequence[AzureText]) -> list[list[int]]:
    """Places of texts in groups within the service's limits and ours, in order."""
    groups: list[list[int]] = []
    characters = size = 0
    for place, text in enumerate(texts):
        bytes_ = len(text.ssml.encode()) + 200
        full = characters + text.billed > MAX_CHARACTERS or size + bytes_ > MAX_BODY
        if not groups or full or len(groups[-1]) >= MAX_INPUTS:
            groups.append([])
            characters = size = 0
        groups[-1].append(place)
        characters, size = characters + text.billed, size + bytes_
    return groups


class BatchSynthesis:
    """Batch jobs of one speech resource. Close it with `close`."""

    def __init__(
        self,
        line: Line,
        where: Places,
        key: str,
        allow: Allowance | None,
        *,
        caps: Caps = FETCH_CAPS,
        patience: float = PATIENCE_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._line, self._base = line, where.batch
        self._fetching = Line(key, allow, caps)
        self._patience, self._sleep = patience, sleep

    async def close(self) -> None:
        await self._fetching.close()

    async def make(self, texts: Sequence[AzureText], order: str) -> Batch:
        """Have texts spoken under an id. Raises the errors of domain/production/provider_errors.py.

        A lost line is never an unknown outcome here: whatever became of the job, asking again finds it.
        """
        try:
            answer = await self._ordered(texts, order)
            job = await self._finished(answer, order)
            return await self._fetched(job, len(texts), order)
        except OutcomeUnknown as lost:
            sentence = f"The line to {LABEL} was lost. The order has a name of its own, so it is not paid twice."
            fix = "Nothing to do: it is tried again by itself."
            raise Unavailable(NAME, sentence, request_id=order, fix=fix) from lost

    async def forget(self, order: str) -> None:
        """Delete a job with its texts and sound; if that fails the service deletes it after KEEP_HOURS."""
        try:
            answer = await self._line.call("DELETE", self._url(order))
        except ProviderError as error:
            log.warning("azure.forget", order=order, error=type(error).__name__)
            return
        if answer.status not in (200, 202, 204, 404):
            log.warning("azure.forget", order=order, status=answer.status, request_id=answer.request_id)

    def _url(self, order: str) -> str:
        return f"{self._base}/texttospeech/batchsyntheses/{order}?api-version={VERSION}"

    # ── Ordering ──────────────────────────────────────────────────────────────────────────────────────────
    async def _ordered(self, texts: Sequence[AzureText], order: str) -> Answer:
        """The job of this id, made if there is none; a failed one is made anew."""
        found = await self._look(order)
        if found is not None and _status(found) != "Failed":
            return found
        if found is not None:
            await self.forget(order)
        lost: ProviderError | None = None
        answer: Answer | None = None
        try:
            answer = await self._line.call("PUT", self._url(order), job_body(texts))
            if answer.status in (200, 201, 202) and _status(answer):
                return answer
        except OutcomeUnknown as error:
            lost = error
        if answer is None or answer.status in (200, 201, 202, 400, 409):
            # Its answer was lost, or the id is taken: by this very order, sent a moment before.
            taken = await self._look(order)
            if taken is not None:
                return taken
        if answer is not None:
            raise failure(answer, "batch synthesis at this address")
        assert lost is not None
        raise lost

    async def _look(self, order: str) -> Answer | None:
        """The job of this id; None when there is none."""
        answer = await self._line.call("GET", self._url(order))
        if answer.status == 200 and isinstance(answer.data, dict):
            return answer
        if answer.status in (204, 404):
            return None
        raise failure(answer)

    # ── Waiting ───────────────────────────────────────────────────────────────────────────────────────────
    async def _finished(self, answer: Answer, order: str) -> Answer:
        """The job once it has succeeded. Raises Unavailable after PATIENCE_S, and what a failed job says."""
        waited, looks = 0.0, 0
        while _status(answer) not in ("Succeeded", "Failed"):
            pause = pause_before(looks, retry_after(answer.headers))
            if waited + pause > self._patience:
                sentence = f"{LABEL} has not finished an order after {waited / 60:.0f} minutes; it goes on there."
                fix = "Nothing to do: the same order is looked up again by itself and not paid twice."
                raise Unavailable(NAME, sentence, retry_after=60.0, request_id=order, fix=fix)
            await self._sleep(pause)
            waited, looks = waited + pause, looks + 1
            answer = await self._seen(answer, order)
        if _status(answer) == "Failed":
            await self.forget(order)
            raise job_failure(answer, order)
        return answer

    async def _seen(self, before: Answer, order: str) -> Answer:
        """The job as it is now; a look that the service was too busy for is taken again later."""
        answer = await self._line.call("GET", self._url(order))
        if answer.status == 200 and isinstance(answer.data, dict):
            return answer
        if answer.status == 429 or answer.status >= 500:
            return Answer(200, answer.headers, b"", before.data)
        raise failure(answer, "the order any more")

    # ── Fetching ──────────────────────────────────────────────────────────────────────────────────────────
    async def _fetched(self, job: Answer, count: int, order: str) -> Batch:
        billed = billed_by(job.data)
        url = _dig(job.data, "outputs", "result")
        if not isinstance(url, str) or not self._may_fetch(url):
            raise _unusable("The finished order names no address of its result.", order)
        # The address is a secret with a right to read in it; it goes into no message and no log.
        keyed = _origin(url) == _origin(self._base)
        answer = await self._fetching.call("GET", url, keyed=keyed)
        if answer.status != 200:
            raise _fetch_failure(answer)
        try:
            results = await asyncio.to_thread(read_results, answer.body, count)
        except BadResult as bad:
            raise _unusable(bad.sentence, order) from bad
        return Batch(results, billed, order)

    def _may_fetch(self, url: str) -> bool:
        """Whether a result's address is one to follow: encrypted, unless the resource itself is not."""
        return url.startswith("https://") or (self._base.startswith("http://") and url.startswith("http://"))


def job_body(texts: Sequence[AzureText]) -> dict[str, Any]:
    """What a job is asked for: one input per sentence, word times, each sound by itself."""
    return {
        "inputKind": "SSML",
        "inputs": [{"content": text.ssml} for text in texts],
        "properties": {
            "outputFormat": FORMAT,
            "wordBoundaryEnabled": True,
            "sentenceBoundaryEnabled": True,
            "concatenateResult": False,
            "decompressOutputFiles": False,
            "timeToLiveInHours": KEEP_HOURS,
        },
    }


def pause_before(looks: int, wished: float | None) -> float:
    """Seconds before the next look at a job: as the service wishes, else by PAUSES."""
    usual = PAUSES[min(looks, len(PAUSES) - 1)]
    return usual if wished is None else max(LEAST_PAUSE, wished)


def billed_by(data: Any) -> int | None:
    """Characters a job billed, over all kinds of voices; None when it does not tell."""
    details = _dig(data, "properties", "billingDetails")
    counts = [v for v in details.values() if isinstance(v, int) and v >= 0] if isinstance(details, dict) else []
    return sum(counts) if counts else None


def job_failure(answer: Answer, order: str) -> ProviderError:
    """The error of a job that failed as a whole."""
    code = str(_dig(answer.data, "properties", "error", "code") or "")
    words = str(_dig(answer.data, "properties", "error", "message") or code)
    kind = JOB_KINDS.get(code, "transient")
    return FAILURES[kind](Said(NAME, LABEL, words, order))


JOB_KINDS = {
    "BadRequest": "bad_request",
    "BadArgument": "bad_request",
    "InvalidArgument": "bad_request",
    "Unauthorized": "auth",
    "Forbidden": "auth",
    "NotFound": "gone",
    "QuotaExceeded": "quota",
    "TooManyRequests": "rate_limited",
}
"""The error code of a failed job → the taxonomy word; what is not listed can be tried again."""


def _fetch_failure(answer: Answer) -> ProviderError:
    if answer.status in (401, 403, 404, 410):
        sentence = f"{LABEL} no longer gives out the result of a finished order (status {answer.status})."
        fix = "Resume the job: the order is looked up again and its result fetched, without paying again."
        return PartialAnswer(NAME, sentence, request_id=answer.request_id, fix=fix)
    return failure(answer)


def _unusable(sentence: str, request_id: str) -> ProviderError:
    told = f"{LABEL} answered a result that cannot be used. {sentence}"
    fix = "The order is paid and still there: retry the job to fetch it again without paying again."
    # Its bill is recorded once, with the result; a bill with this error would count it twice.
    return PartialAnswer(NAME, told, request_id=request_id, fix=fix)


def _status(answer: Answer) -> str:
    return str(_dig(answer.data, "status") or "")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _dig(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
