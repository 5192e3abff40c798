"""What can go wrong with a provider, by class: what it means for money, and whether trying again can help.

    ProviderError
    ├── ProviderBusy (transient)
    │   ├── Unavailable      overload, fault or time-out of the provider; nothing was made
    │   │   └── LeftAlone    not even asked: it has failed too often
    │   └── RateLimited      too many requests; wait `retry_after` seconds, then ask again
    │       └── NoTurn       not even asked: the limits set for it are used up
    ├── ProviderRefused (asking again unchanged is useless)
    │   ├── BadRequest       the request is malformed, too long, or goes where it must not
    │   ├── KeyRefused       the credential is wrong, revoked, expired or lacks a right
    │   ├── QuotaSpent       credit or quota is used up; nothing helps before it is renewed
    │   ├── UnsafeRequest    the provider's safety rules stop it
    │   ├── LeftOut          a person has decided to do without the call
    │   └── NotOffered       the model does not exist (any more)
    │       └── NoSuchVoice  the voice, style or role of one request does not exist
    ├── PartialAnswer        an answer came and is paid, but cannot be used
    └── OutcomeUnknown       the request was sent whole and no answer was heard: it may be paid, and is never
                             repeated by itself (the ledger keeps it in doubt)

`usage` on each is what the failed call is known to have consumed; None = nothing, or not known.
"""

from __future__ import annotations

from typing import TypeVar

from domain.production.ports import ProviderBusy, ProviderError, ProviderRefused, Usage

KINDS = (
    "auth",
    "quota",
    "rate_limited",
    "transient",
    "safety",
    "bad_request",
    "gone",
    "partial",
    "unknown",
    "left_out",
)
"""The words of `kind`, for events, metrics and breakers."""

E = TypeVar("E", bound=ProviderError)


class Unavailable(ProviderBusy):
    """Raised when the provider cannot work now and has made nothing."""

    kind = "transient"
    usage: Usage | None = None


class RateLimited(ProviderBusy):
    """Raised when the provider asks for fewer requests; `retry_after` is its own wish in seconds, if told."""

    kind = "rate_limited"
    usage: Usage | None = None


class LeftAlone(Unavailable):
    """Raised instead of asking a provider that has failed too often of late."""


class NoTurn(RateLimited):
    """Raised instead of asking a provider whose limits, as set by the workspace, are used up for too long."""


class BadRequest(ProviderRefused):
    """Raised when the provider calls the request wrong, or it may not leave this house."""

    kind = "bad_request"
    usage: Usage | None = None


class KeyRefused(ProviderRefused):
    """Raised when the provider does not accept the credential for this."""

    kind = "auth"
    usage: Usage | None = None


class QuotaSpent(ProviderRefused):
    """Raised when credit or quota is used up."""

    kind = "quota"
    usage: Usage | None = None


class UnsafeRequest(ProviderRefused):
    """Raised when the provider's safety rules stop a request, also after it was put more mildly."""

    kind = "safety"
    usage: Usage | None = None


class LeftOut(ProviderRefused):
    """Raised when a person has decided that a call whose outcome is unknown is not made again."""

    kind = "left_out"
    usage: Usage | None = None


class NotOffered(ProviderRefused):
    """Raised when what was asked for by name does not exist at the provider."""

    kind = "gone"
    usage: Usage | None = None


class NoSuchVoice(NotOffered):
    """Raised when a voice lacks what one request asks of it; the provider itself is sound, and asked on for others."""

    kind = "bad_request"


class PartialAnswer(ProviderError):
    """Raised when an answer is cut off or unreadable; it was made and paid, so it is not asked for again unchanged."""

    kind = "partial"
    usage: Usage | None = None


class OutcomeUnknown(ProviderError):
    """Raised when a request went out whole and the line was lost before its answer was complete."""

    kind = "unknown"
    outcome_unknown = True
    usage: Usage | None = None


def kind_of(error: ProviderError) -> str:
    """The taxonomy word of any provider error."""
    return str(getattr(error, "kind", "transient" if error.transient else "bad_request"))


def usage_of(error: ProviderError) -> Usage | None:
    """What a failed call is known to have consumed."""
    found = getattr(error, "usage", None)
    return found if isinstance(found, Usage) else None


def with_usage(error: E, usage: Usage | None) -> E:
    """The same error, carrying what its call consumed."""
    error.usage = usage  # type: ignore[attr-defined]
    return error


def add_usage(*parts: Usage | None) -> Usage:
    """The sum of what several calls consumed; the price is unknown as soon as one part's is."""
    units: dict[str, int] = {}
    total: int | None = 0
    for part in parts:
        if part is None:
            continue
        for unit, count in part.units.items():
            units[unit] = units.get(unit, 0) + count
        total = None if total is None or part.micro_dollars is None else total + part.micro_dollars
    return Usage(units, total)
