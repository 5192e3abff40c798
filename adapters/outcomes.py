"""From what a line or a provider says to one of our error classes, with one sentence for people and a fix.

Whether money may have been spent is decided here, by how far the request got: a line that never stood or a request
that did not go out whole costs nothing; a request that went out whole and was not answered may have been paid.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from adapters.egress import AnswerTooLarge, OutOfTime
from adapters.egress_rules import EgressRefused
from domain.production.ports import ProviderError
from domain.production.provider_errors import (
    BadRequest,
    KeyRefused,
    NotOffered,
    OutcomeUnknown,
    PartialAnswer,
    QuotaSpent,
    RateLimited,
    Unavailable,
    UnsafeRequest,
)

LONGEST_WAIT = 86_400.0
_SECRETS = re.compile(r"\b(?:sk|pk|rk|key|xox[a-z])[-_][\w*.-]{6,}|\bAIza[\w*-]{6,}|\bBearer\s+\S+|\bya29\.\S+", re.I)
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.WriteError, httpx2.WriteTimeout)
_NEVER_LEFT = (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol, httpx2.InvalidURL)


@dataclass(frozen=True)
class Said:
    """What is known of a failed call. `words` are the provider's own, `asked` names model and kind of request."""

    provider: str
    label: str
    words: str = ""
    request_id: str = ""
    retry_after: float | None = None
    asked: str = ""

    def quoted(self) -> str:
        """The provider's own words as a second sentence, without secrets and at most 240 characters long."""
        text = " ".join(_SECRETS.sub("[hidden]", self.words).split())
        text = text if len(text) <= 240 else text[:239] + "…"
        return f" It says: “{text}”" if text else ""


def auth(said: Said) -> ProviderError:
    sentence = f"{said.label} does not accept the key for this.{said.quoted()}"
    fix = f"Enter a valid key for {said.label} in the provider's settings and test the connection."
    return KeyRefused(said.provider, sentence, request_id=said.request_id, fix=fix)


def quota(said: Said) -> ProviderError:
    sentence = f"The credit or quota at {said.label} is used up.{said.quoted()}"
    fix = f"Raise the limit or add credit at {said.label}, or choose another provider; then retry the job."
    return QuotaSpent(said.provider, sentence, request_id=said.request_id, fix=fix)


def rate_limited(said: Said) -> ProviderError:
    wait = f" for {math.ceil(said.retry_after)} s" if said.retry_after else ""
    return RateLimited(
        said.provider,
        f"{said.label} asks us to wait{wait}: too many requests.{said.quoted()}",
        retry_after=said.retry_after,
        request_id=said.request_id,
        fix="Nothing to do: it goes on by itself. If it happens often, lower the provider's rate in its settings.",
    )


def transient(said: Said) -> ProviderError:
    return Unavailable(
        said.provider,
        f"{said.label} cannot work at the moment.{said.quoted()}",
        retry_after=said.retry_after,
        request_id=said.request_id,
        fix="Nothing to do: it is tried again by itself.",
    )


def safety(said: Said) -> ProviderError:
    sentence = f"The safety rules of {said.label} stopped the request.{said.quoted()}"
    fix = "Change the text it objects to, or choose another provider."
    return UnsafeRequest(said.provider, sentence, request_id=said.request_id, fix=fix)


def bad_request(said: Said) -> ProviderError:
    sentence = f"{said.label} calls the request wrong.{said.quoted()}"
    fix = "Change what it names in the provider's or the recipe's settings, then retry the job."
    return BadRequest(said.provider, sentence, request_id=said.request_id, fix=fix)


def gone(said: Said) -> ProviderError:
    what = said.asked or "what was asked for"
    sentence = f"{said.label} does not offer {what} to this key.{said.quoted()}"
    fix = "Choose a model that the provider offers today."
    return NotOffered(said.provider, sentence, request_id=said.request_id, fix=fix)


def partial(said: Said) -> ProviderError:
    sentence = f"{said.label} answered something that cannot be used.{said.quoted()}"
    fix = (
        "It may have been paid, so it is not asked again by itself: check the provider's address and model, then "
        "retry the job to ask once more."
    )
    return PartialAnswer(said.provider, sentence, request_id=said.request_id, fix=fix)


def unknown(said: Said) -> ProviderError:
    sentence = (
        f"A request to {said.label} went out and the line was lost before its answer was complete. It may have been "
        f"paid, so it is not repeated by itself.{said.quoted()}"
    )
    fix = f"Look the call up at {said.label}, then decide: repeat it, or skip it."
    return OutcomeUnknown(said.provider, sentence, request_id=said.request_id, fix=fix)


FAILURES: Mapping[str, Callable[[Said], ProviderError]] = {
    "auth": auth,
    "quota": quota,
    "rate_limited": rate_limited,
    "transient": transient,
    "safety": safety,
    "bad_request": bad_request,
    "gone": gone,
    "partial": partial,
    "unknown": unknown,
}
"""Taxonomy word → how the failure is told."""


def from_transport(provider: str, label: str, error: BaseException, request_id: str = "") -> ProviderError:
    """Judge an error of the line itself, or of a wrapper around one."""
    causes = list(_causes(error))
    if refused := next((cause for cause in causes if isinstance(cause, EgressRefused)), None):
        return BadRequest(provider, refused.sentence, request_id=request_id, fix=refused.fix)
    line = next((cause for cause in causes if isinstance(cause, httpx2.HTTPError | httpx2.InvalidURL)), None)
    if isinstance(line, _NEVER_LEFT):
        return bad_request(Said(provider, label, f"{line}"))
    if isinstance(line, _NEVER_SENT):
        sentence = f"{label} could not be reached; nothing was sent."
        return Unavailable(provider, sentence, fix="Nothing to do: it is tried again by itself.")
    if isinstance(line, AnswerTooLarge):
        return partial(Said(provider, label, f"{line}", request_id))
    words = "No answer came in the time a call may take." if isinstance(line, httpx2.TimeoutException) else ""
    return unknown(Said(provider, label, f"{line}" if isinstance(line, OutOfTime) else words, request_id))


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait by `retry-after-ms` or `retry-after` (seconds or a date); None when not told or not readable."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if text:
            try:
                return _bounded(float(text) * scale)
            except ValueError:
                return _until(text, now or datetime.now(UTC))
    return None


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _bounded((aware - now).total_seconds())


def _bounded(seconds: float) -> float | None:
    return None if seconds != seconds else min(max(seconds, 0.0), LONGEST_WAIT)
