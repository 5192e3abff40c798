"""What programs send and are answered: the base of all shapes, and the parts that several resources share.

Moments are in UTC, money is in micro-dollars (1,000,000 = US$ 1); null is what is not known, which is never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar.datastructures import ResponseHeader
from litestar.openapi import ResponseSpec
from litestar.params import HeaderParameter, QueryParameter
from pydantic import BaseModel, ConfigDict, Field, field_validator

from domain.production.commands.new_job import hidden_places
from domain.production.states import Control
from domain.production.states import JobState as State

MEDIA = "application/problem+json"
DEAREST = 10**13
"""Micro-dollars of the largest amount that can be given: ten million dollars."""
MOST = 100
"""Entries of the largest page of a list."""
PAGE = 50


class Shape(BaseModel):
    """Base of all shapes: unknown fields are refused in what is sent, and never in what is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _visible(value: object) -> object:
    """Refuse signs that nobody can see, anywhere in what is sent."""
    for text in value if isinstance(value, list) else [value]:
        if isinstance(text, str) and (hidden := hidden_places(text)):
            sign, place = ord(text[hidden[0]]), hidden[0] + 1
            message = f"There is a control character (U+{sign:04X}) at position {place}. Remove it"
            raise ValueError(message)
    return value


class Sent(Shape):
    """Base of what is sent."""


class Wish(Sent):
    """What is sent, with no sign in its texts that nobody can see."""

    @field_validator("*", mode="after")
    @classmethod
    def visible(cls, value: object) -> object:
        return _visible(value)


class ProblemFault(Shape):
    """One thing wrong with a request, and where: `pointer` into its body, or the `parameter` by name."""

    detail: str = Field(description="What is wrong, and what to do.", examples=["The topic is empty."])
    pointer: str | None = Field(default=None, description="JSON Pointer into the body.", examples=["/topic"])
    parameter: str | None = Field(default=None, description="Name of the query parameter or header.")


class Problem(Shape):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(examples=["urn:vfos:problem:invalid"])
    title: str = Field(examples=["Something in this cannot be used"])
    status: int = Field(examples=[422])
    detail: str = Field(description="What is wrong and what to do, in one or two sentences.")
    code: str = Field(description="Stays the same; the table of codes is in docs/api.md.", examples=["invalid"])
    reason: str | None = Field(default=None, description="Which rule of a 409, by a name that stays the same.")
    errors: list[ProblemFault] = Field(default_factory=list, description="Every fault at once, each with its place.")
    trace_id: str | None = Field(default=None, description="Only where the fault is ours: tell us this reference.")


WHY: Mapping[int, str] = {
    400: "The request was not understood: `bad-request`, `two-credentials`, `idempotency-key`, `cursor`.",
    401: "No key, or one that does not hold: `no-key`, `invalid-key`, `key-revoked`, `key-expired`, `key-maker`.",
    403: "The key, or its maker, lacks the right: `forbidden`, `key-network`.",
    404: "Not there, or not within reach of this key; the answer is the same: `not-found`.",
    409: "Not in this state: `wrong-state` with its `reason`, `not-yet`, `in-flight`, `archived`.",
    412: "It has changed since you read it: `changed`.",
    413: "More than a request may hold: `too-large`.",
    416: "The wanted part lies outside the file.",
    422: "Something in the body cannot be used: `invalid` with every fault; `key-reused`.",
    428: "Say which version you have read, in `If-Match`: `precondition`.",
    429: "Too many requests: `too-often`; wait for the seconds in `Retry-After`.",
    507: "No room for unfinished files: `disk-full`.",
}
"""Status → when it is answered, with its codes."""


def refusals(*more: int) -> dict[int, ResponseSpec]:
    """The refusals of an operation: those of every one, and `more`; what takes a body can be sent too much."""
    bodied = {413} if 422 in more else set()
    return {
        status: ResponseSpec(Problem, description=WHY[status], media_type=MEDIA, generate_examples=False)
        for status in sorted({400, 401, 403, 429, *bodied, *more})
    }


class Span(Shape):
    """An estimate: low, likely and high."""

    low: int
    likely: int
    high: int


Level = Literal["urgent", "standard", "batch"]
Cursor = Annotated[str, QueryParameter(description="`next` of the page before, with the same filter.", max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="Entries of one page.")]
OnceKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=True,
        description="1 to 200 visible signs of your choice. The same key and body within 24 hours answer what was "
        "answered before, with `Idempotency-Replayed: true`; nothing is made twice.",
    ),
]


class JobState(Shape):
    """A job in short, after something was done with it."""

    id: UUID
    project: str = Field(description="Short name of its project.", examples=["deep-sky"])
    number: int = Field(description="Its number within the project, as on the pages.")
    state: State
    control: Control = Field(description="What a person or program has asked of it.")
    page: str = Field(description="Its page, for people.")


class FailureShape(Shape):
    """Why a step or job failed, and what to do."""

    sentence: str
    next: str = Field(description="What to do about it.")
    provider: str | None = None
    request_id: str | None = Field(default=None, description="The provider's own reference.")


def failure_of(error: Mapping[str, Any] | None) -> FailureShape | None:
    """A stored failure, or none."""
    if not error:
        return None
    return FailureShape(
        sentence=str(error.get("sentence", "")),
        next=str(error.get("next", "")),
        provider=str(error["provider"]) if error.get("provider") else None,
        request_id=str(error["request_id"]) if error.get("request_id") else None,
    )


def _header(name: str, description: str, example: str, *, always: bool = True) -> ResponseHeader:
    return ResponseHeader(name=name, description=description, documentation_only=True, required=always, value=example)


ETAG = _header("ETag", "Which version this is.", '"46e84a22…"')
LOCATION = _header("Location", "Address of what was made.", "/api/v1/jobs/01a21b3f-7e5b-716a-bd11-2f2c37f12639")
REPLAYED = _header("Idempotency-Replayed", "`true` where this was answered before.", "true", always=False)
RANGE = _header("Content-Range", "Which part of the file this is (206).", "bytes 0-99/7825383", always=False)
LEFT = _header("RateLimit", "Requests that are left, and seconds until there are more.", '"key";r=59;t=1')
POLICY = _header("RateLimit-Policy", "Requests at once, and seconds until all are there again.", '"key";q=60;w=12')
