"""Claude as script writer, through the official SDK. One try per call: retries belong to whoever runs the step.

The answer is streamed (no time-out while it thinks, text for the live page), must be of the Script's schema, and is
priced by the dated price file from the usage the service reports, also where the answer cannot be used. The Messages
API has no idempotency key: a call whose answer was lost raises OutcomeUnknown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import structlog

from adapters.egress import Caps, guarded_client
from adapters.egress_rules import Allowance
from adapters.outcomes import FAILURES, Said
from adapters.prices.book import PriceBook, price_book
from adapters.text.anthropic_errors import LABEL, NAME, from_sdk
from adapters.text.anthropic_request import Style, count_body, make_body
from domain.production.ports import Checked, OnText, ProviderError, ScriptRequest, Usage, WrittenScript
from domain.production.provider_errors import (
    BadRequest,
    KeyRefused,
    PartialAnswer,
    UnsafeRequest,
    with_usage,
)

BASE_URL = "https://api.anthropic.com"
DEFAULT_MODEL = "claude-sonnet-5-5"
REVISION = 2
"""Raise it when equal requests would ask Claude something else."""
CAPS = Caps(seconds=900.0)
"""A long script at high effort takes minutes; silence is bounded by SILENCE_S."""
SILENCE_S = 120.0

log = structlog.get_logger(__name__)


@dataclass
class Heard:
    """What is known of a call while it runs."""

    request_id: str = ""
    message: Any = None
    complete: bool = False


class AnthropicWriter:
    """ScriptWriter on the Messages API. Close it with `close`; safe to use from many tasks of one loop."""

    name = NAME

    def __init__(
        self,
        key: str,
        *,
        model: str = DEFAULT_MODEL,
        base_url: str = BASE_URL,
        effort: str = "",
        cache: str = "5m",
        allow: Allowance | None = None,
        prices: PriceBook | None = None,
        caps: Caps = CAPS,
    ) -> None:
        """Raises KeyRefused for a key no header can carry."""
        self._prices = prices or price_book(NAME)
        known = self._prices.model(model)
        self.model = model
        self.build = f"{model}/{effort or 'usual'}/{REVISION}"
        self.style = Style(model, effort, cache, (known.max_output if known else 0) or 32_000)
        self._client = anthropic.AsyncAnthropic(
            api_key=_sound_key(key),
            base_url=base_url,
            max_retries=0,
            timeout=httpx2.Timeout(min(SILENCE_S, caps.seconds), connect=caps.connect_seconds),
            http_client=guarded_client(allow, caps),
        )

    async def close(self) -> None:
        await self._client.close()

    async def write(self, request: ScriptRequest, on_text: OnText | None = None) -> WrittenScript:
        """Have a script written. Raises the errors of domain/production/provider_errors.py."""
        heard, body = Heard(), make_body(request, self.style)
        try:
            await self._listen(body, heard, on_text)
        except Exception as error:
            # Whatever broke, the call may be paid: an unforeseen error must not look like one that can be repeated.
            usage = _unpriced(self._usage(heard.message)) if heard.message else None
            raise from_sdk(error, self.model, heard.request_id, usage) from error
        return self._read(heard)

    async def _listen(self, body: dict[str, Any], heard: Heard, on_text: OnText | None) -> None:
        async with self._client.messages.stream(**body) as stream:
            heard.request_id = stream.request_id or ""
            async for event in stream:
                if event.type == "message_start":
                    heard.message = stream.current_message_snapshot
                elif event.type == "text" and on_text is not None:
                    on_text = _tell(on_text, event.text)
                elif event.type == "message_stop":
                    heard.complete = True
            if heard.message is not None:
                heard.message = stream.current_message_snapshot

    def _read(self, heard: Heard) -> WrittenScript:
        """The script in a finished answer. Raises PartialAnswer, UnsafeRequest, BadRequest or OutcomeUnknown."""
        message, request_id = heard.message, heard.request_id
        if message is None:
            words = "The stream held no message."
            raise FAILURES["partial"](Said(NAME, LABEL, words, request_id))
        usage = self._usage(message)
        if not heard.complete:
            raise with_usage(FAILURES["unknown"](Said(NAME, LABEL, "", request_id)), _unpriced(usage))
        if fault := _stopped_early(message, request_id):
            raise with_usage(fault, usage)
        text = "".join(block.text for block in message.content if block.type == "text")
        script = _json_object(text)
        if script is None:
            said = Said(NAME, LABEL, "The text is not the JSON object that was asked for.", request_id)
            raise with_usage(FAILURES["partial"](said), usage)
        return WrittenScript(script, NAME, message.model or self.model, usage, request_id)

    async def count(self, request: ScriptRequest) -> int:
        """The tokens of the prompt by the service's own count, which is free. Raises the errors of `write`."""
        try:
            counted = await self._client.messages.count_tokens(**count_body(request, self.style))
        except Exception as error:
            raise from_sdk(error, self.model) from error
        return int(counted.input_tokens)

    async def check(self) -> Checked:
        """Ask for the list of models, which is free. Raises the errors of `write`."""
        try:
            page = await self._client.models.list(limit=1000)
        except Exception as error:
            raise from_sdk(error, self.model) from error
        offered, request_id = [model.id for model in page.data], str(getattr(page, "_request_id", None) or "")
        if self.model not in offered:
            raise FAILURES["gone"](Said(NAME, LABEL, request_id=request_id, asked=f"the model “{self.model}”"))
        sentence = f"{LABEL} answered; the key may use {self.model} and {len(offered) - 1} other models."
        return Checked(sentence, request_id)

    def _usage(self, message: Any) -> Usage:
        """The service's counts and their price; what is not reported, or a dearer kind of service, has no price."""
        reported = getattr(message, "usage", None)
        if reported is None:
            return Usage({"calls": 1}, None)
        written = getattr(reported, "cache_creation", None)
        hour = _count(written, "ephemeral_1h_input_tokens")
        counts = {
            "input": _count(reported, "input_tokens"),
            "cache_write_5m": max(0, _count(reported, "cache_creation_input_tokens") - hour),
            "cache_write_1h": hour,
            "cache_read": _count(reported, "cache_read_input_tokens"),
            "output": _count(reported, "output_tokens"),
        }
        prompt = sum(counts.values()) - counts["output"]
        usual = getattr(reported, "speed", None) in (None, "standard")
        where = "inference_us" if getattr(reported, "inference_geo", None) == "us" else ""
        units = {f"{unit}_tokens": count for unit, count in counts.items() if count} | {"calls": 1}
        return Usage(units, self._price(counts, prompt, where) if usual else None)

    def _price(self, counts: dict[str, int], prompt: int, multiplier: str = "") -> int | None:
        return self._prices.price(self.model, counts, prompt_tokens=prompt, multiplier=multiplier)


def _unpriced(usage: Usage) -> Usage:
    """Counts of an answer that was never finished: what of it is billed is not known."""
    return Usage(usage.units, None)


def _count(reported: Any, name: str) -> int:
    """A whole number the service reports; 0 where it reports none."""
    found = getattr(reported, name, None)
    return found if isinstance(found, int) and found > 0 else 0


def _sound_key(key: str) -> str:
    bare = key.strip()
    if not bare or not bare.isascii() or not bare.isprintable() or " " in bare:
        fix = "Paste the key again, without spaces or line breaks."
        raise KeyRefused(NAME, f"The key for {LABEL} is empty or holds characters no key has.", fix=fix)
    return bare


def _tell(on_text: OnText, text: str) -> OnText | None:
    # A page that has gone must not break a call that is being paid for.
    try:
        on_text(text)
    except Exception as error:
        log.warning("writer.on_text", error=type(error).__name__)
        return None
    return on_text


def _stopped_early(message: Any, request_id: str) -> ProviderError | None:
    """The failure behind a stop reason that leaves no whole script."""
    reason = message.stop_reason
    if reason == "refusal":
        details = message.stop_details
        category = f" ({details.category})" if details and details.category else ""
        said = (details.explanation or "") if details else ""
        quoted = Said(NAME, LABEL, said).quoted()
        sentence = f"Claude declined to write this script{category}.{quoted}"
        fix = "Change the topic, the prompt or the facts, or choose another writer."
        return UnsafeRequest(NAME, sentence, request_id=request_id, fix=fix)
    if reason == "max_tokens":
        sentence = f"The script was cut off at the limit of {message.usage.output_tokens} tokens and cannot be used."
        fix = "Make the film shorter, lower the effort, or choose a model with longer answers."
        return PartialAnswer(NAME, sentence, request_id=request_id, fix=fix)
    if reason == "model_context_window_exceeded":
        sentence = "Prompt and facts are longer than the model can read."
        fix = "Use fewer knowledge documents or a model with a larger context."
        return BadRequest(NAME, sentence, request_id=request_id, fix=fix)
    if reason not in ("end_turn", "stop_sequence"):
        said = f"The answer ended with “{reason}”."
        return FAILURES["partial"](Said(NAME, LABEL, said, request_id))
    return None


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
