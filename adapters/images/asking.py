"""What picture providers over HTTP share: one call, its judgement, the second milder try, the finished picture."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from adapters.egress import Caps
from adapters.egress_rules import EgressRefused
from adapters.images.normalise import NormalPicture, PictureRefused, normalise
from adapters.images.sanitise import milder_prompt, picture_prompt
from adapters.outcomes import FAILURES, Said, from_transport, retry_after
from domain.production.ports import MadePicture, PictureRequest, Usage
from domain.production.provider_errors import KeyRefused, UnsafeRequest, add_usage, usage_of, with_usage

CAPS = Caps(seconds=240.0, bytes=48 * 1024 * 1024)
"""Large pictures of slow models; base64 makes them a third longer."""

REVISION = 1
"""Raise it when equal requests would ask providers for something else."""


@dataclass(frozen=True)
class Answer:
    """What a provider answered: its JSON (None when it is none) and the id it gave the call."""

    status: int
    headers: Mapping[str, str]
    data: Any
    request_id: str = ""


@dataclass(frozen=True)
class Verdict:
    """Why an answer is no picture: a word of provider_errors.KINDS, the provider's words, and its wish to wait."""

    kind: str
    words: str = ""
    wait: float | None = None


@dataclass(frozen=True)
class Service:
    """A provider's line: who it is and how it is called."""

    name: str
    label: str
    client: httpx2.AsyncClient
    headers: Mapping[str, str]
    asked: str

    async def call(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """Make one request. Raises Unavailable, BadRequest, PartialAnswer or OutcomeUnknown for the line."""
        try:
            reply = await self.client.request(method, url, json=body, headers={**self.headers, **headers})
        except (httpx2.HTTPError, httpx2.InvalidURL, EgressRefused) as error:
            raise from_transport(self.name, self.label, error) from error
        try:
            data = reply.json()
        except (ValueError, RecursionError):
            data = None
        return Answer(reply.status_code, reply.headers, data, reply.headers.get("x-request-id", ""))

    def fail(self, answer: Answer, verdict: Verdict, usage: Usage | None = None) -> Exception:
        """The error of a verdict."""
        wait = verdict.wait if verdict.wait is not None else retry_after(answer.headers)
        said = Said(self.name, self.label, verdict.words, answer.request_id, wait, self.asked)
        return with_usage(FAILURES[verdict.kind](said), usage)


def sound_key(name: str, label: str, key: str) -> str:
    """A key that a header can carry. Raises KeyRefused."""
    bare = key.strip()
    if not bare or not bare.isascii() or not bare.isprintable() or " " in bare:
        fix = "Paste the key again, without spaces or line breaks."
        raise KeyRefused(name, f"The key for {label} is empty or holds characters no key has.", fix=fix)
    return bare


async def ask_mildly(request: PictureRequest, ask: Callable[[str], Awaitable[MadePicture]]) -> MadePicture:
    """Ask for a picture; after a safety stop once more, with a milder prompt. What both consumed is added up."""
    try:
        return await ask(picture_prompt(request))
    except UnsafeRequest as stopped:
        before, objection = usage_of(stopped), stopped.sentence
    try:
        made = await ask(milder_prompt(request))
    except UnsafeRequest as again:
        after = usage_of(again)
        raise with_usage(again, add_usage(before, after) if before or after else None) from again
    return replace(made, usage=add_usage(before, made.usage), softened=objection)


async def finished(service: Service, answer: Answer, encoded: str, usage: Usage, credit: str) -> MadePicture:
    """Decode, check and normalise a picture. Raises PartialAnswer, which is paid like a usable one."""
    try:
        picture = await asyncio.to_thread(_decoded, encoded, f"The picture from {service.label}")
    except (PictureRefused, binascii.Error, ValueError) as error:
        words = error.sentence if isinstance(error, PictureRefused) else "The picture is not base64."
        raise service.fail(answer, Verdict("partial", words), usage) from error
    return MadePicture(
        data=picture.data,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        provider=service.name,
        usage=usage,
        licence="Made for this film; use under the provider's terms",
        credit=credit,
        request_id=answer.request_id,
    )


def _decoded(encoded: str, name: str) -> NormalPicture:
    return normalise(base64.b64decode(encoded, validate=True), name)


def by_status(status: int) -> str:
    """The taxonomy word of a status where the body says nothing more exact."""
    known = {400: "bad_request", 401: "auth", 402: "quota", 403: "auth", 404: "gone", 408: "transient"}
    known |= {409: "transient", 429: "rate_limited"}
    if status in known:
        return known[status]
    return "transient" if status >= 500 else "bad_request" if status >= 400 else "partial"


def dig(value: Any, *path: str | int) -> Any:
    """A value inside JSON that may have any form; None where the path ends."""
    for step in path:
        if isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        elif isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def rows_of(value: Any, *path: str | int) -> list[dict[str, Any]]:
    """The objects of a list inside JSON; empty where there is no list."""
    found = dig(value, *path)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def count_of(value: Any, *path: str | int) -> int:
    """A whole number inside JSON; 0 where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0
