"""Pictures by Google's Gemini image models, over plain REST: an aspect ratio is asked for, base64 comes back.

Refusals come with status 200 and no picture; an invalid key comes with status 400. The API has no idempotency key: a
call whose answer was lost raises OutcomeUnknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from adapters.egress import Caps, guarded_client
from adapters.egress_rules import Allowance
from adapters.images.asking import (
    CAPS,
    REVISION,
    Answer,
    Service,
    Verdict,
    ask_mildly,
    by_status,
    count_of,
    dig,
    finished,
    rows_of,
    sound_key,
)
from adapters.prices.book import PriceBook, price_book
from domain.production.ports import Checked, MadePicture, PictureRequest, Usage
from domain.production.provider_errors import BadRequest

NAME, LABEL = "gemini", "Gemini"
BASE_URL = "https://generativelanguage.googleapis.com"
DEFAULT_MODEL = "gemini-nano-banana-2.1"
RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9")
SAFETY = frozenset(
    {"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "RECITATION", "NO_IMAGE", "OTHER"}
    | {"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER"}
)
"""Reasons of an answer without a picture that a milder prompt may avoid."""
_MODEL = re.compile(r"[\w.:-]{1,100}")


class GeminiImages:
    """ImageMaker on `:generateContent`. `size`: auto, 1K, 2K or 4K. Close it with `close`."""

    name = NAME

    def __init__(
        self,
        key: str,
        *,
        model: str = DEFAULT_MODEL,
        size: str = "auto",
        version: str = "v1",
        base_url: str = BASE_URL,
        allow: Allowance | None = None,
        prices: PriceBook | None = None,
        caps: Caps = CAPS,
    ) -> None:
        """Raises KeyRefused for a key no header can carry, BadRequest for a model id no address can hold."""
        if not _MODEL.fullmatch(model):
            raise BadRequest(NAME, f"“{model[:80]}” is no model id.", fix="Choose a model from the provider's list.")
        self.model, self._size = model, size
        self.build = f"{model}/{size}/{REVISION}"
        self._url = f"{base_url.rstrip('/')}/{version}/models/{model}"
        self._prices = prices or price_book(NAME)
        headers = {"x-goog-api-key": sound_key(NAME, LABEL, key)}
        self._service = Service(NAME, LABEL, guarded_client(allow, caps), headers, f"the model “{model}”")

    async def close(self) -> None:
        await self._service.client.aclose()

    async def make(self, request: PictureRequest) -> MadePicture:
        """Make one picture. Raises the errors of domain/production/provider_errors.py."""
        return await ask_mildly(request, lambda prompt: self._ask(prompt, request))

    async def check(self) -> Checked:
        """Look the model up, which is free. Raises the errors of `make`."""
        answer = await self._service.call("GET", self._url)
        if answer.status != 200 or dig(answer.data, "name") != f"models/{self.model}":
            raise self._service.fail(answer, judge(answer))
        return Checked(f"{LABEL} answered; the key may use {self.model}.", answer.request_id)

    async def _ask(self, prompt: str, request: PictureRequest) -> MadePicture:
        picture = {"aspectRatio": nearest_ratio(request.width, request.height), "imageSize": self._image_size(request)}
        body = {
            "contents": [{"role": "user", "parts": [{"text": prompt}]}],
            "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": picture},
        }
        answer = await self._service.call("POST", f"{self._url}:generateContent", body)
        answer = replace(answer, request_id=str(dig(answer.data, "responseId") or answer.request_id))
        encoded = next(_pictures(answer.data), None)
        usage = self._usage(answer.data, made=encoded is not None) if answer.status == 200 else None
        if answer.status != 200 or encoded is None or usage is None:
            raise self._service.fail(answer, judge(answer), usage)
        return await finished(self._service, answer, encoded, usage, f"Made with {LABEL} {self.model}")

    def _image_size(self, request: PictureRequest) -> str:
        if self._size != "auto":
            return self._size
        longest = max(request.width, request.height)
        return "1K" if longest <= 1408 else "2K" if longest <= 2752 else "4K"

    def _usage(self, data: Any, made: bool) -> Usage | None:
        """Token counts and price; None when the answer tells none and holds no picture."""
        if not isinstance(dig(data, "usageMetadata"), dict):
            return Usage({"pictures": 1}, None) if made else None
        prompt = count_of(data, "usageMetadata", "promptTokenCount")
        answered = count_of(data, "usageMetadata", "candidatesTokenCount")
        details = rows_of(data, "usageMetadata", "candidatesTokensDetails")
        pictured = sum(count_of(part, "tokenCount") for part in details if dig(part, "modality") == "IMAGE")
        pictured = pictured if details else answered if made else 0
        text = answered - pictured + count_of(data, "usageMetadata", "thoughtsTokenCount")
        counts = {"input": prompt, "text_output": max(0, text), "image_output": pictured}
        units = {"input_tokens": prompt, "output_tokens": max(0, text), "image_output_tokens": pictured}
        kept = {name: count for name, count in units.items() if count}
        return Usage(kept | {"pictures": 1} if made else kept, self._prices.price(self.model, counts))


def nearest_ratio(width: int, height: int) -> str:
    """The offered aspect ratio closest to a size, by proportion."""

    def distance(ratio: str) -> float:
        wide, high = (int(side) for side in ratio.split(":"))
        return abs(math.log(width / height) - math.log(wide / high))

    return min(RATIOS, key=distance)


def _pictures(data: Any) -> Iterator[str]:
    """Every picture of an answer but those of its thoughts; text parts may stand before them."""
    for part in rows_of(data, "candidates", 0, "content", "parts"):
        encoded = dig(part, "inlineData", "data")
        if isinstance(encoded, str) and not dig(part, "thought"):
            yield encoded


def judge(answer: Answer) -> Verdict:
    """Why an answer is no picture."""
    if answer.status == 200:
        return _judge_empty(answer.data)
    words = str(dig(answer.data, "error", "message") or "")
    details = rows_of(answer.data, "error", "details")
    reasons = {str(part.get("reason", "")) for part in details}
    if "API_KEY_INVALID" in reasons or "API_KEY_EXPIRED" in reasons or "API key not valid" in words:
        return Verdict("auth", words)
    if answer.status == 429:
        if _no_quota(details, words):
            return Verdict("quota", words)
        return Verdict(
            "rate_limited", words, next((_seconds(p["retryDelay"]) for p in details if "retryDelay" in p), None)
        )
    return Verdict(by_status(answer.status), words)


def _judge_empty(data: Any) -> Verdict:
    blocked = str(dig(data, "promptFeedback", "blockReason") or "")
    ended = str(dig(data, "candidates", 0, "finishReason") or "")
    reason = next((word for word in (blocked, ended) if word in SAFETY), "")
    if reason or blocked:
        told = dig(data, "promptFeedback", "blockReasonMessage") or dig(data, "candidates", 0, "finishMessage") or ""
        return Verdict("safety", f"{reason or blocked} {told}".strip())
    return Verdict("partial", "The answer holds no picture.")


def _no_quota(details: list[dict[str, Any]], words: str) -> bool:
    """Whether the limit itself is 0: this key has no quota for the model, and waiting does not help."""
    violations = [row for part in details for row in rows_of(part, "violations")]
    return any(str(v.get("quotaValue")) == "0" for v in violations) or re.search(r"\blimit: 0\b", words) is not None


def _seconds(text: Any) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(text))
    return float(found[1]) if found else None
