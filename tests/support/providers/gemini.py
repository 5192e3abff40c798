"""Double of Gemini's generateContent for pictures: text and thought parts before the picture, empty answers, errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.support.providers.pictures import BLOCKED, HTML, picture, tokens
from tests.support.providers.server import Call, Double, Reply

MODELS = ("gemini-nano-banana-2.1", "gemini-3-pro-image")
NANO: Mapping[str, tuple[int, int, int]] = {"gemini-3-pro-image": (2000, 12_000, 120_000)}
"""Nano-dollars for a token of prompt, text and picture; a model that is not listed bills as if it had these."""
SIZES = {"1K": 1024, "2K": 2048, "4K": 4096}
RATIOS = {"1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9", "21:9"}
MADE_TOKENS = {"1K": 1120, "2K": 1120, "4K": 2000}

STATUS_ERRORS: Mapping[str, tuple[int, str, str, list[dict[str, Any]]]] = {
    "bad_request": (400, "INVALID_ARGUMENT", "Invalid value at generation_config", []),
    "wrong_key": (400, "INVALID_ARGUMENT", "API key not valid.", [{"reason": "API_KEY_INVALID"}]),
    "forbidden": (403, "PERMISSION_DENIED", "Permission denied", []),
    "no_model": (404, "NOT_FOUND", "models/x is not found", []),
    "rate_limited": (429, "RESOURCE_EXHAUSTED", "Resource exhausted", []),
    "no_quota": (429, "RESOURCE_EXHAUSTED", "Quota exceeded", [{"violations": [{"quotaValue": "0"}]}]),
    "server_error": (500, "INTERNAL", "Internal error", []),
    "unavailable": (503, "UNAVAILABLE", "The model is overloaded", []),
    "deadline": (504, "DEADLINE_EXCEEDED", "Deadline expired", []),
}


class GeminiDouble(Double):
    """Paints gradients; a prompt with a word of BLOCKED is answered with 200 and no picture."""

    name = "gemini"
    ERRORS = (*STATUS_ERRORS, "prompt_blocked", "image_safety", "html_picture", "no_picture", "odd_json")

    def paid(self, call: Call) -> bool:
        return call.method == "POST" and call.path.endswith(":generateContent")

    def answer(self, call: Call, fault: str, options: Mapping[str, Any]) -> Reply:
        key = call.headers.get("x-goog-api-key", "")
        if not key or key in ("wrong", "revoked", "expired"):
            return status_error("wrong_key")
        found = re.fullmatch(r"/(?:v1|v1beta)/models/([\w.-]+)(?::generateContent)?", call.path)
        if not found or found[1] not in MODELS:
            return status_error("no_model")
        if fault in STATUS_ERRORS:
            return status_error(fault, options)
        if not self.paid(call):
            return Reply.of({"name": f"models/{found[1]}", "supportedGenerationMethods": ["generateContent"]})
        return self._picture(call, found[1], fault)

    def _picture(self, call: Call, model: str, fault: str) -> Reply:
        try:
            body = call.json()
            prompt = body["contents"][0]["parts"][0]["text"]
            config = body["generationConfig"]["imageConfig"]
            ratio, size = config["aspectRatio"], config["imageSize"]
        except (ValueError, KeyError, IndexError, TypeError):
            return status_error("bad_request")
        if ratio not in RATIOS or size not in SIZES:
            return status_error("bad_request")
        blocked = bool(BLOCKED.search(prompt)) or fault == "prompt_blocked"
        empty = blocked or fault in ("image_safety", "no_picture")
        asked, made = tokens(prompt), 0 if empty else MADE_TOKENS[size]
        answer = {
            "candidates": [] if blocked else [_candidate(prompt, ratio, size, fault, empty)],
            "usageMetadata": {"promptTokenCount": asked, "totalTokenCount": asked + made}
            | ({"candidatesTokenCount": made} if made else {}),
            "modelVersion": model,
            "responseId": f"resp_{call.number}",
        }
        if blocked:
            answer["promptFeedback"] = {"blockReason": "PROHIBITED_CONTENT"}
        if fault == "odd_json":
            answer = {"candidates": {"content": 7}, "usageMetadata": []}
        per_prompt, _, per_picture = NANO.get(model, (2000, 12_000, 120_000))
        return Reply.of(answer, nano_dollars=asked * per_prompt + made * per_picture)


def _candidate(prompt: str, ratio: str, size: str, fault: str, empty: bool) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": "Here is your picture."}]
    if not empty:
        wide, high = (int(side) for side in ratio.split(":"))
        longest = SIZES[size]
        width, height = (longest, longest * high // wide) if wide >= high else (longest * wide // high, longest)
        encoded = HTML if fault == "html_picture" else picture(prompt, width, height, "PNG")
        sketch = {"inlineData": {"mimeType": "image/png", "data": picture("sketch", 64, 64, "PNG")}, "thought": True}
        parts += [sketch, {"inlineData": {"mimeType": "image/png", "data": encoded}}]
    reason = "IMAGE_SAFETY" if fault == "image_safety" else "STOP"
    return {"index": 0, "finishReason": reason, "content": {"role": "model", "parts": parts}}


def status_error(fault: str, options: Mapping[str, Any] | None = None) -> Reply:
    status, name, words, details = STATUS_ERRORS[fault]
    if options and "retry_after" in options:
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        details = [*details, {"@type": kind, "retryDelay": f"{options['retry_after']}s"}]
    return Reply.of({"error": {"code": status, "message": words, "status": name, "details": details}}, status)
