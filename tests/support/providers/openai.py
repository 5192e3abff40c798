"""Double of OpenAI's image generation: real pictures of the size asked for, its rules on sizes, its errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.providers.pictures import BLOCKED, HTML, picture, tokens
from tests.support.providers.server import Call, Double, Reply

MODELS = ("gpt-image-2", "gpt-image-2.5-flare", "gpt-image-2.5-sunburst")
NANO_TEXT, NANO_MADE = 5000, 30_000
"""Nano-dollars for a token of text and of a made picture."""
QUALITIES = {"low": 1, "medium": 4, "high": 16, "auto": 4}

STATUS_ERRORS: Mapping[str, tuple[int, str | None, str, str]] = {
    "bad_request": (400, "invalid_value", "invalid_request_error", "Invalid value for size"),
    "moderation": (400, "moderation_blocked", "image_generation_user_error", "Your request was rejected by safety"),
    "wrong_key": (401, "invalid_api_key", "invalid_request_error", "Incorrect API key provided: sk-abcdef123456"),
    "forbidden": (403, None, "invalid_request_error", "Your organization must be verified"),
    "no_model": (404, "model_not_found", "invalid_request_error", "The model does not exist"),
    "rate_limited": (429, "rate_limit_exceeded", "requests", "Rate limit reached"),
    "no_quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota"),
    "server_error": (500, None, "server_error", "The server had an error"),
    "unavailable": (503, None, "server_error", "The engine is overloaded"),
}


class OpenAiDouble(Double):
    """Paints gradients; a prompt with a word of BLOCKED is stopped."""

    name = "openai"
    ERRORS = (*STATUS_ERRORS, "html_picture", "no_picture", "not_base64", "no_usage")

    def paid(self, call: Call) -> bool:
        return call.method == "POST" and call.path == "/v1/images/generations"

    def answer(self, call: Call, fault: str, options: Mapping[str, Any]) -> Reply:
        key = call.headers.get("authorization", "").removeprefix("Bearer ")
        if not key or key in ("wrong", "revoked", "expired"):
            return status_error("wrong_key")
        if call.method == "GET" and call.path.startswith("/v1/models/"):
            model = call.path.rsplit("/", 1)[1]
            return Reply.of({"id": model, "object": "model"}) if model in MODELS else status_error("no_model")
        if not self.paid(call):
            return status_error("no_model")
        if fault in STATUS_ERRORS:
            return status_error(fault, options)
        return self._picture(call, fault)

    def _picture(self, call: Call, fault: str) -> Reply:
        try:
            body = call.json()
        except ValueError:
            return status_error("bad_request")
        if wrong := faults_of(body):
            return status_error("bad_request", words=wrong)
        if body["model"] not in MODELS:
            return status_error("no_model")
        if BLOCKED.search(body["prompt"]):
            return status_error("moderation")
        width, height = (int(side) for side in body["size"].split("x"))
        text, made = tokens(body["prompt"]), width * height // 4096 * QUALITIES[body.get("quality", "auto")]
        encoded = picture(body["prompt"], width, height, "PNG" if body.get("output_format") == "png" else "JPEG")
        encoded = {"html_picture": HTML, "not_base64": "%%%"}.get(fault, encoded)
        usage = {
            "input_tokens": text,
            "input_tokens_details": {"text_tokens": text, "image_tokens": 0},
            "output_tokens": made,
            "total_tokens": text + made,
        }
        data = [] if fault == "no_picture" else [{"b64_json": encoded}]
        answer = {"created": 1767600000, "output_format": body.get("output_format", "png"), "data": data}
        answer |= {} if fault == "no_usage" else {"usage": usage}
        return Reply.of(answer, nano_dollars=text * NANO_TEXT + made * NANO_MADE, x_request_id=f"req_img_{call.number}")


def faults_of(body: Any) -> str:
    """What the real service would refuse in a body; empty when nothing."""
    if not isinstance(body, dict) or not isinstance(body.get("prompt"), str) or not 1 <= len(body["prompt"]) <= 32_000:
        return "prompt: a string of 1 to 32000 characters is required"
    known = {"model", "prompt", "n", "size", "quality", "output_format", "output_compression", "background"}
    if unknown := set(body) - known - {"moderation", "user", "stream", "partial_images"}:
        return f"Unknown parameter: {sorted(unknown)[0]}"
    try:
        width, height = (int(side) for side in str(body.get("size")).split("x"))
    except ValueError:
        return "Invalid value for size"
    if width % 16 or height % 16 or not 1 / 3 <= width / height <= 3 or width * height > 3840 * 2160:
        return "Invalid size: sides must divide by 16, ratio from 1:3 to 3:1, at most 3840x2160"
    return "" if body.get("quality", "auto") in QUALITIES else "Invalid value for quality"


def status_error(fault: str, options: Mapping[str, Any] | None = None, words: str = "") -> Reply:
    status, code, kind, usual = STATUS_ERRORS[fault]
    told = {"message": words or usual, "type": kind, "param": None, "code": code}
    reply = Reply.of({"error": told}, status)
    extra = {"x-request-id": f"req_err_{status}"}
    if options and "retry_after" in options:
        extra["retry-after"] = str(options["retry_after"])
    return Reply(status, {**reply.headers, **extra}, reply.body)
