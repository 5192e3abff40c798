"""Pictures by OpenAI's image models, over plain REST: base64 JPEG, sides that divide by 16, priced by its token counts.

The idempotency key is sent, but the service does not promise to honour it: a call whose answer was lost raises
OutcomeUnknown.
"""

from __future__ import annotations

import hashlib
import math
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
    sound_key,
)
from adapters.prices.book import PriceBook, price_book
from domain.production.ports import Checked, MadePicture, PictureRequest, Usage

NAME, LABEL = "openai", "OpenAI"
BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-image-2.5-flare"
STEP, LARGEST_AREA, SMALLEST_AREA, WIDEST = 16, 2560 * 1440, 1024 * 1024, 3.0
QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "credit_exhausted"})
SAFETY_CODES = frozenset({"moderation_blocked", "content_policy_violation"})


class OpenAiImages:
    """ImageMaker on `/images/generations`. Close it with `close`."""

    name = NAME

    def __init__(
        self,
        key: str,
        *,
        model: str = DEFAULT_MODEL,
        quality: str = "medium",
        base_url: str = BASE_URL,
        allow: Allowance | None = None,
        prices: PriceBook | None = None,
        caps: Caps = CAPS,
    ) -> None:
        """Raises KeyRefused for a key no header can carry."""
        self.model, self._quality, self._base = model, quality, base_url.rstrip("/")
        self.build = f"{model}/{quality}/{REVISION}"
        self._prices = prices or price_book(NAME)
        headers = {"authorization": f"Bearer {sound_key(NAME, LABEL, key)}"}
        self._service = Service(NAME, LABEL, guarded_client(allow, caps), headers, f"the model “{model}”")

    async def close(self) -> None:
        await self._service.client.aclose()

    async def make(self, request: PictureRequest) -> MadePicture:
        """Make one picture. Raises the errors of domain/production/provider_errors.py."""
        return await ask_mildly(request, lambda prompt: self._ask(prompt, request))

    async def check(self) -> Checked:
        """Look the model up, which is free. Raises the errors of `make`."""
        answer = await self._service.call("GET", f"{self._base}/models/{self.model}")
        if answer.status != 200 or dig(answer.data, "id") != self.model:
            raise self._service.fail(answer, judge(answer))
        return Checked(f"{LABEL} answered; the key may use {self.model}.", answer.request_id)

    async def _ask(self, prompt: str, request: PictureRequest) -> MadePicture:
        width, height = legal_size(request.width, request.height)
        body = {
            "model": self.model,
            "prompt": prompt,
            "n": 1,
            "size": f"{width}x{height}",
            "quality": self._quality,
            "output_format": "jpeg",
            "output_compression": 93,
            "background": "opaque",
            "moderation": "auto",
        }
        key = hashlib.sha256(f"{request.seed}\n{sorted(body.items())}".encode()).hexdigest()
        answer = await self._service.call(
            "POST", f"{self._base}/images/generations", body, **{"idempotency-key": f"vfos-{key[:40]}"}
        )
        encoded = dig(answer.data, "data", 0, "b64_json")
        usage = self._usage(answer.data) if answer.status == 200 and isinstance(answer.data, dict) else None
        if answer.status != 200 or not isinstance(encoded, str) or usage is None:
            raise self._service.fail(answer, judge(answer), usage)
        return await finished(self._service, answer, encoded, usage, f"Made with {LABEL} {self.model}")

    def _usage(self, data: Any) -> Usage:
        if dig(data, "usage", "output_tokens") is None:
            return Usage({"pictures": 1}, None)
        text = count_of(data, "usage", "input_tokens_details", "text_tokens")
        pictured = count_of(data, "usage", "input_tokens_details", "image_tokens")
        text = text if text or pictured else count_of(data, "usage", "input_tokens")
        made = count_of(data, "usage", "output_tokens")
        price = self._prices.price(self.model, {"text_input": text, "image_input": pictured, "image_output": made})
        return Usage({"pictures": 1, "input_tokens": text + pictured, "image_output_tokens": made}, price)


def legal_size(width: int, height: int) -> tuple[int, int]:
    """The nearest size the service takes: 1 to 3.7 megapixels, sides divisible by 16, ratio within 1:3 and 3:1."""
    ratio = min(max(width / height, 1 / WIDEST), WIDEST)
    area = min(max(width * height, SMALLEST_AREA), LARGEST_AREA)
    wide, high = _step_up(math.sqrt(area * ratio)), _step_up(math.sqrt(area / ratio))
    # Rounding up may lead past 3:1; the shorter side gives way.
    if wide > WIDEST * high:
        high += STEP
    elif high > WIDEST * wide:
        wide += STEP
    return wide, high


def _step_up(side: float) -> int:
    return math.ceil(side / STEP - 1e-9) * STEP


def judge(answer: Answer) -> Verdict:
    """Why an answer is no picture."""
    code = str(dig(answer.data, "error", "code") or "")
    kind = str(dig(answer.data, "error", "type") or "")
    words = str(dig(answer.data, "error", "message") or "")
    if answer.status == 200:
        return Verdict("partial", "The answer holds no picture.")
    if code in SAFETY_CODES:
        return Verdict("safety", words)
    if code in QUOTA_CODES or kind in QUOTA_CODES:
        return Verdict("quota", words)
    if code == "model_not_found":
        return Verdict("gone", words)
    return Verdict(by_status(answer.status), words)
