"""Azure Speech over plain HTTP: where its parts live, one call, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from adapters.egress import Caps, guarded_client
from adapters.egress_rules import Allowance, EgressRefused
from adapters.outcomes import FAILURES, Said, from_transport, retry_after
from adapters.speech.azure_ssml import LABEL, NAME
from domain.production.ports import ProviderError, Usage
from domain.production.provider_errors import BadRequest, KeyRefused, with_usage

REGION = re.compile(r"[a-z][a-z0-9]{2,30}")
BY_STATUS: Mapping[int, str] = {
    400: "bad_request",
    401: "auth",
    402: "quota",
    403: "auth",
    404: "gone",
    408: "transient",
    409: "transient",
    413: "bad_request",
    415: "bad_request",
    422: "bad_request",
    429: "rate_limited",
}
_QUOTA = re.compile(r"quota|out of call volume|spending limit|free tier|exceeded the .*limit for the month", re.I)
_REQUEST_IDS = ("apim-request-id", "x-ms-request-id", "x-requestid", "operation-id")


@dataclass(frozen=True)
class Places:
    """The addresses of one speech resource: batch jobs, the list of voices, and live synthesis."""

    batch: str
    voices: str
    live: str


def places(region: str, endpoint: str = "") -> Places:
    """Where a resource lives: by its region, or all at its own address. Raises BadRequest."""
    if endpoint:
        base = endpoint.strip().rstrip("/")
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            fix = "Give an address such as https://my-resource.cognitiveservices.azure.com."
            raise BadRequest(NAME, f"“{base[:120]}” is no address of a speech resource.", fix=fix)
        live = f"{'wss' if parts.scheme == 'https' else 'ws'}{base[len(parts.scheme) :]}"
        return Places(
            base,
            f"{base}/tts/cognitiveservices/voices/list",
            f"{live}/tts/cognitiveservices/websocket/v1",
        )
    if not REGION.fullmatch(region):
        fix = "Give the region of the speech resource as Azure writes it, such as eastus or brazilsouth."
        raise BadRequest(NAME, f"“{region[:40]}” is no region of {LABEL}.", fix=fix)
    speech = f"{region}.tts.speech.microsoft.com/cognitiveservices"
    return Places(
        f"https://{region}.api.cognitive.microsoft.com", f"https://{speech}/voices/list", f"wss://{speech}/websocket/v1"
    )


def sound_key(key: str) -> str:
    """A key that a header can carry. Raises KeyRefused."""
    bare = key.strip()
    if not bare or not bare.isascii() or not bare.isprintable() or " " in bare:
        fix = "Paste the key again, without spaces or line breaks."
        raise KeyRefused(NAME, f"The key for {LABEL} is empty or holds characters no key has.", fix=fix)
    return bare


@dataclass(frozen=True)
class Answer:
    """What the service answered; `data` is its JSON, None when it is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    data: Any

    @property
    def request_id(self) -> str:
        """The service's own id of the call."""
        return next((self.headers[name] for name in _REQUEST_IDS if self.headers.get(name)), "")


class Line:
    """One resource's HTTP line. The key goes to the resource's own host alone."""

    def __init__(self, key: str, allow: Allowance | None, caps: Caps) -> None:
        self._key, self._client = sound_key(key), guarded_client(allow, caps)

    async def close(self) -> None:
        await self._client.aclose()

    async def call(self, method: str, url: str, body: Any = None, *, keyed: bool = True) -> Answer:
        """Make one request. Raises Unavailable, BadRequest, PartialAnswer or OutcomeUnknown for the line."""
        headers = {"ocp-apim-subscription-key": self._key} if keyed else {}
        try:
            reply = await self._client.request(method, url, json=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, EgressRefused) as error:
            raise from_transport(NAME, LABEL, error) from error
        try:
            data = reply.json() if "json" in reply.headers.get("content-type", "") else None
        except (ValueError, RecursionError):
            data = None
        return Answer(reply.status_code, reply.headers, reply.content, data)


def failure(answer: Answer, asked: str = "", usage: Usage | None = None) -> ProviderError:
    """The error of an answer that is not the one hoped for."""
    words = error_words(answer.data)
    said = Said(NAME, LABEL, words, answer.request_id, retry_after(answer.headers), asked)
    return with_usage(failed(kind_of_answer(answer.status, words), said), usage)


def failed(kind: str, said: Said) -> ProviderError:
    """The error of a taxonomy word; what is missing here is missing because of the resource's region or address."""
    error = FAILURES[kind](said)
    if kind == "gone":
        error.fix = "Check region and address of the speech resource in the provider's settings."
    return error


def kind_of_answer(status: int, words: str) -> str:
    """The taxonomy word of a status and the service's words."""
    if status in (402, 403, 429) and _QUOTA.search(words):
        return "quota"
    if known := BY_STATUS.get(status):
        return known
    return "transient" if status >= 500 else "bad_request" if status >= 400 else "partial"


def error_words(data: Any) -> str:
    """The message of an error body, in any of the forms the service's parts use."""
    told = data.get("error", data) if isinstance(data, dict) else None
    if isinstance(told, dict):
        return str(told.get("message") or told.get("code") or "")
    return str(told or "")
