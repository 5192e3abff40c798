"""One paid call through the ledger, by any real provider adapter; also as a process that can be killed in its middle.

`python -m tests.support.paid_call` reads a PaidCall as JSON from standard input; settings come from the environment.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters import settings
from adapters.database import make_engines
from adapters.egress_rules import Allowance
from adapters.images.gemini import GeminiImages
from adapters.images.openai import OpenAiImages
from adapters.store.objects import LocalObjects
from adapters.text.anthropic import AnthropicWriter
from domain.catalog.knowledge import Fact
from domain.production.ports import MadePicture, PictureRequest, ScriptRequest, WrittenScript
from domain.usage.effects import Caller, Ledger
from tenants.unit import Units

FACTS = tuple(
    Fact(f"moon-{number}", text, "NASA", "The Moon")
    for number, text in enumerate(
        (
            "The Moon formed about 4.5 billion years ago.",
            "The same side of the Moon always faces the Earth.",
            "A day on the Moon lasts about 29 Earth days.",
            "Water ice lies in dark craters near the poles of the Moon.",
        )
    )
)
SCRIPT = ScriptRequest("The Moon", "en", 30, "calm", "You write for the ear.", "The Moon.", FACTS, "7")
PICTURE = PictureRequest("A crater at dawn", "Dawn", ["crater"], "en", 160, 90, "7")
ALLOW = Allowance.parse("127.0.0.1")


@dataclass(frozen=True)
class PaidCall:
    """Which provider, where it listens, and for whom the call is made."""

    provider: str
    url: str
    home: str
    caller: dict[str, Any]


async def perform(call: PaidCall, units: Units) -> WrittenScript | MadePicture:
    """Make the call once. Raises InDoubt and the provider's errors."""
    values: dict[str, Any] = {
        name: UUID(value) if name.endswith("_id") else value for name, value in call.caller.items()
    }
    home = Path(call.home)
    ledger = Ledger(units, LocalObjects(home / "objects", home / "staging"), home / "spool", Caller(**values))
    adapter = _adapter(call)
    try:
        return await _through(ledger, adapter)
    finally:
        await adapter.close()


def _adapter(call: PaidCall) -> AnthropicWriter | OpenAiImages | GeminiImages:
    if call.provider == "anthropic":
        return AnthropicWriter("k", base_url=call.url, allow=ALLOW)
    if call.provider == "openai":
        return OpenAiImages("k", base_url=f"{call.url}/v1", allow=ALLOW)
    return GeminiImages("k", model="gemini-3-pro-image", base_url=call.url, allow=ALLOW)


async def _through(
    ledger: Ledger, adapter: AnthropicWriter | OpenAiImages | GeminiImages
) -> WrittenScript | MadePicture:
    from domain.production.pipeline import illustrate, script

    if isinstance(adapter, AnthropicWriter):
        return await ledger.perform(
            provider=adapter.name,
            request=json.loads(json.dumps(dataclasses.asdict(SCRIPT))),
            call=lambda: adapter.write(SCRIPT),
            encode=lambda written: json.dumps(dataclasses.asdict(written)).encode(),
            decode=script._decode_written,
            usage=lambda written: written.usage,
        )
    return await ledger.perform(
        provider=adapter.name,
        request=dataclasses.asdict(PICTURE),
        call=lambda: adapter.make(PICTURE),
        encode=illustrate._encode,
        decode=illustrate._decode,
        usage=lambda picture: picture.usage,
    )


async def main() -> None:
    """Make the call named on standard input."""
    call = PaidCall(**json.loads(sys.stdin.read()))
    engines = make_engines(settings.load(), "worker")
    await perform(call, engines.units())
    await engines.dispose()


if __name__ == "__main__":
    asyncio.run(main())
