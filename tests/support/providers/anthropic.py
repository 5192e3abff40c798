"""Double of Anthropic's Messages API: plain and streamed answers, token counts, models, prompt cache, every error."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from adapters.text.offline import arrange
from domain.catalog.knowledge import Fact
from domain.production.ports import ScriptRequest
from tests.support.providers.server import Call, Double, Reply

MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5")

NANO: Mapping[str, tuple[int, int, int, int, int]] = {
    "claude-sonnet-5-5": (2000, 10_000, 2500, 4000, 100),
    "claude-haiku-5-5": (100, 500, 125, 200, 10),
    "claude-opus-5-5": (4000, 20_000, 5000, 8000, 200),
}
"""Nano-dollars for a token: input, output, cache write 5 min, cache write 1 h, cache read. Haiku: the lower band."""

STATUS_ERRORS: Mapping[str, tuple[int, str, str]] = {
    "bad_request": (400, "invalid_request_error", "messages: at least one message is required"),
    "wrong_key": (401, "authentication_error", "invalid x-api-key"),
    "no_credit": (402, "billing_error", "Your credit balance is too low"),
    "forbidden": (403, "permission_error", "Your key lacks permission for this resource"),
    "no_model": (404, "not_found_error", "model: claude-nowhere-1"),
    "too_large": (413, "request_too_large", "Request exceeds the maximum size"),
    "rate_limited": (429, "rate_limit_error", "This request would exceed your rate limit"),
    "spend_limit": (429, "rate_limit_error", "You have reached your spend limit"),
    "server_error": (500, "api_error", "Internal server error"),
    "unavailable": (503, "timeout_error", "Service unavailable"),
    "timeout": (504, "timeout_error", "The request timed out"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
}
ANSWER_ERRORS = ("refusal", "max_tokens", "context_exceeded", "not_json", "wrong_form", "blank_line")
STREAM_ERRORS = ("stream_error", "stream_ends", "odd_stream")
PACED = "paced"
"""No error: the stream comes piece by piece, `seconds` apart, as a model at work sends it."""

Write = Callable[[dict[str, Any]], str]
"""From a request body to the text of the answer."""


class AnthropicDouble(Double):
    """Writes with `write`, by default a script arranged from the facts in the prompt; prices as in NANO."""

    name = "anthropic"
    ERRORS = (*STATUS_ERRORS, *ANSWER_ERRORS, *STREAM_ERRORS, PACED)

    def __init__(self, write: Write | None = None, thinking_tokens: int = 0) -> None:
        super().__init__()
        self.write = write or write_script
        self.thinking_tokens = thinking_tokens
        self.cached: set[str] = set()

    def reset(self) -> None:
        super().reset()
        self.cached.clear()

    def paid(self, call: Call) -> bool:
        return call.method == "POST" and call.path == "/v1/messages"

    def answer(self, call: Call, fault: str, options: Mapping[str, Any]) -> Reply:
        if refused := self._door(call):
            return refused
        if call.method == "GET" and call.path == "/v1/models":
            return self._models()
        if fault in STATUS_ERRORS:
            return self._status_error(fault, options)
        try:
            body = call.json()
        except ValueError:
            return error(400, "invalid_request_error", "The request body is not valid JSON")
        if wrong := faults_of(body, call.headers, counting=call.path.endswith("/count_tokens")):
            return error(400, "invalid_request_error", wrong)
        if body["model"] not in MODELS:
            return error(404, "not_found_error", f"model: {body['model']}")
        if call.path == "/v1/messages/count_tokens":
            return Reply.of({"input_tokens": prompt_tokens(body)}, request_id="req_count")
        return self._message(call, body, fault) if self.paid(call) else error(404, "not_found_error", "Not found")

    def _door(self, call: Call) -> Reply | None:
        key = call.headers.get("authorization", "").removeprefix("Bearer ") or call.headers.get("x-api-key", "")
        if not key or key in ("wrong", "revoked", "expired"):
            return error(401, "authentication_error", "invalid x-api-key")
        if "anthropic-version" not in call.headers:
            return error(400, "invalid_request_error", "anthropic-version: header is required")
        return None

    def _models(self) -> Reply:
        rows = [{"type": "model", "id": m, "display_name": m, "created_at": "2026-09-01T00:00:00Z"} for m in MODELS]
        return Reply.of(
            {"data": rows, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}, request_id="req_models"
        )

    def _status_error(self, fault: str, options: Mapping[str, Any]) -> Reply:
        status, kind, words = STATUS_ERRORS[fault]
        details = {"error_code": "enforced_spend_limit_reached"} if fault == "spend_limit" else None
        headers = {} if "retry_after" not in options else {"retry-after": str(options["retry_after"])}
        return error(status, kind, words, details, headers)

    def _message(self, call: Call, body: dict[str, Any], fault: str) -> Reply:
        text = {"not_json": "Here is your script!", "wrong_form": '{"scenes": []}'}.get(fault) or self.write(body)
        text = with_blank_line(text) if fault == "blank_line" else text
        usage = self._usage(body, text)
        message = {
            "id": f"msg_{call.number:04d}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [] if fault == "refusal" else self._content(text),
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "stop_details": None,
            "usage": usage,
        }
        self._spoil(message, body, fault)
        nano = 0 if fault == "stream_error" else price(body["model"], usage)
        request_id = f"req_{call.number:04d}"
        if body.get("stream"):
            headers = {"content-type": "text/event-stream; charset=utf-8", "request-id": request_id}
            return Reply(200, headers, parts=tuple(events(message, fault)), nano_dollars=nano)
        return Reply.of(message, nano_dollars=nano, request_id=request_id)

    def _content(self, text: str) -> list[dict[str, Any]]:
        thought = {"type": "thinking", "thinking": "First the shape of the film.", "signature": "c2ln"}
        return [*([thought] if self.thinking_tokens else []), {"type": "text", "text": text}]

    def _spoil(self, message: dict[str, Any], body: dict[str, Any], fault: str) -> None:
        """Make an answer stop early in the way a fault says."""
        if fault == "refusal":
            details = {"type": "refusal", "category": "general_harms", "explanation": "The topic asks for harm."}
            message |= {"stop_reason": "refusal", "stop_details": details}
        elif fault == "max_tokens":
            last = message["content"][-1]
            last["text"] = last["text"][: len(last["text"]) // 2]
            message["stop_reason"] = "max_tokens"
            message["usage"]["output_tokens"] = body["max_tokens"]
        elif fault == "context_exceeded":
            message["stop_reason"] = "model_context_window_exceeded"

    def _usage(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        """Count tokens; marked prefixes are written to the cache once and read from it afterwards."""
        total = prompt_tokens(body)
        read = written = 0
        hour = False
        for prefix, ttl in marked_prefixes(body):
            size, name = tokens(prefix), hashlib.sha256(prefix.encode()).hexdigest()
            if name in self.cached:
                read, written = size, 0
            else:
                self.cached.add(name)
                written, hour = size - read, ttl == "1h"
        return {
            "input_tokens": total - read - written,
            "output_tokens": tokens(text) + self.thinking_tokens,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 0 if hour else written,
                "ephemeral_1h_input_tokens": written if hour else 0,
            },
            "output_tokens_details": {"thinking_tokens": self.thinking_tokens},
            "service_tier": "standard",
            "speed": "standard",
        }


# ── Protocol ──────────────────────────────────────────────────────────────────────────────────────────────
def error(
    status: int,
    kind: str,
    words: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    told = {"type": kind, "message": words} | ({"details": dict(details)} if details else {})
    reply = Reply.of({"type": "error", "error": told, "request_id": f"req_err_{status}"}, status)
    return Reply(status, {**reply.headers, "request-id": f"req_err_{status}", **(headers or {})}, reply.body)


def faults_of(body: Any, headers: Mapping[str, str], counting: bool) -> str:
    """What the real service would refuse in a body; empty when nothing."""
    if not isinstance(body, dict) or not body.get("messages"):
        return "messages: at least one message is required"
    if not counting and not 1 <= int(body.get("max_tokens", 0)) <= 128_000:
        return "max_tokens: must be from 1 to 128000"
    if headers.get("anthropic-version") == "2026-10-21":
        for name in ("temperature", "top_p", "top_k"):
            if name in body:
                return f"{name}: not supported in this API version"
    if body["messages"][0]["role"] != "user":
        return "messages: the first message must be from the user"
    form = body.get("output_config", {}).get("format")
    if form is not None and (form.get("type") != "json_schema" or not closed(form["schema"])):
        return "output_config.format.schema: every object needs additionalProperties false"
    if len(list(marked_prefixes(body))) > 4:
        return "cache_control: at most 4 blocks may be marked"
    return ""


def closed(schema: Any) -> bool:
    """Whether every object in a schema forbids further properties."""
    if isinstance(schema, list):
        return all(closed(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return False
    return all(closed(part) for part in schema.values())


def blocks_of(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def all_blocks(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """System and message blocks in the order the service reads them."""
    turns = [block for turn in body["messages"] for block in blocks_of(turn["content"])]
    return [*blocks_of(body.get("system")), *turns]


def marked_prefixes(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The text up to each cache mark, with its life."""
    found, prefix = [], str(body["model"])
    for block in all_blocks(body):
        prefix += "\n" + block.get("text", "")
        if mark := block.get("cache_control"):
            found.append((prefix, mark.get("ttl", "5m")))
    return found


def tokens(text: str) -> int:
    """A stand-in for a tokenizer: four bytes a token, rounded up."""
    return -(-len(text.encode()) // 4)


def prompt_tokens(body: Mapping[str, Any]) -> int:
    return tokens("\n".join([str(body["model"]), *(block.get("text", "") for block in all_blocks(body))]))


def price(model: str, usage: Mapping[str, Any]) -> int:
    """Nano-dollars of a call."""
    per_input, per_output, w5, w1, read = NANO[model]
    made = usage["cache_creation"]
    return int(
        usage["input_tokens"] * per_input
        + usage["output_tokens"] * per_output
        + made["ephemeral_5m_input_tokens"] * w5
        + made["ephemeral_1h_input_tokens"] * w1
        + usage["cache_read_input_tokens"] * read
    )


def events(message: Mapping[str, Any], fault: str) -> list[bytes]:
    """A message as server-sent events, with a ping and a thinking block before the text."""
    if fault == "odd_stream":
        return [event("message_start"), event("content_block_delta", index=9, delta=7), event("message_stop", x=[])]
    usage = {**message["usage"], "output_tokens": 1}
    start = {**message, "content": [], "stop_reason": None, "usage": usage}
    sent = [event("message_start", message=start), event("ping")]
    for index, block in enumerate(message["content"]):
        cut = fault in ("stream_error", "stream_ends") and block["type"] == "text"
        sent += block_events(index, block, cut)
        if cut:
            told = {"type": "overloaded_error", "message": "Overloaded"}
            return [*sent, event("error", error=told)] if fault == "stream_error" else sent
    ending = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    final = {name: message["usage"][name] for name in ("output_tokens",)}
    return [*sent, event("message_delta", delta=ending, usage=final), event("message_stop")]


def block_events(index: int, block: Mapping[str, Any], cut: bool) -> list[bytes]:
    """One content block piece by piece; `cut` stops in its middle."""
    kind = block["type"]
    field = "thinking" if kind == "thinking" else "text"
    pieces = re.findall(r"(?s).{1,96}", block[field])
    begun = {"type": kind, field: ""} | ({"signature": ""} if kind == "thinking" else {})
    sent = [event("content_block_start", index=index, content_block=begun)]
    sent += [
        event("content_block_delta", index=index, delta={"type": f"{field}_delta", field: piece})
        for piece in (pieces[: len(pieces) // 2] if cut else pieces)
    ]
    return sent if cut else [*sent, event("content_block_stop", index=index)]


def event(kind: str, **values: Any) -> bytes:
    data = json.dumps({"type": kind, **values}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────
_FACT = re.compile(r"^- \[([\w.:#/-]+)\] (.+?)(?: \(source: (.*)\))?$", re.MULTILINE)
_FAULT = re.compile(r"^\d+\. (.+)$", re.MULTILINE)


def write_script(body: Mapping[str, Any]) -> str:
    """A sound script arranged from the facts in the prompt, as long as asked for; repairs obey the listed faults.

    Prompts that ask for no script are answered with a sentence.
    """
    text = "\n".join(block.get("text", "") for block in all_blocks(body))
    if not re.search(r"^Topic: .+\nLanguage: .+\nLength: \d+", text, re.MULTILINE):
        return f"The double heard {tokens(text)} tokens."
    facts = [Fact(id=i, text=t, source=s or "", document="Facts") for i, t, s in _FACT.findall(text)]
    turns = body["messages"]
    previous = json.loads(blocks_of(turns[1]["content"])[0]["text"]) if len(turns) > 2 else None
    faults = _FAULT.findall(blocks_of(turns[-1]["content"])[0]["text"]) if previous else []
    request = ScriptRequest(
        topic=_line(text, "Topic"),
        language=_line(text, "Language"),
        seconds=int(_line(text, "Length").split()[0]),
        tone="",
        system="",
        prompt="",
        facts=facts,
        seed=hashlib.sha256(text.encode()).hexdigest(),
        previous=previous,
        faults=faults,
    )
    return json.dumps(arrange(request), ensure_ascii=False)


def with_blank_line(text: str) -> str:
    """A whole script with a sentence that says nothing: a draft that the checks send back."""
    script = json.loads(text)
    script["scenes"][-1]["sentences"].append({"id": "blank", "text": "…", "say": None})
    return json.dumps(script, ensure_ascii=False)


def _line(text: str, name: str) -> str:
    return str(re.findall(rf"^{name}: (.+)$", text, re.MULTILINE)[-1])
