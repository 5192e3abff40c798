"""The table of failures in docs/providers.md, made by letting every double fail in every way it knows.

`python -m tests.support.failure_table` writes it into the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.egress import Caps
from adapters.egress_rules import Allowance
from adapters.images.gemini import GeminiImages
from adapters.images.openai import OpenAiImages
from adapters.speech.azure import AzureSpeaker
from adapters.text.anthropic import AnthropicWriter
from domain.production.narration import Delivery, speech_request
from domain.production.ports import ProviderBusy, ProviderError
from domain.production.provider_errors import kind_of
from domain.studio.script import Sentence
from tests.support.paid_call import PICTURE, SCRIPT
from tests.support.providers.anthropic import AnthropicDouble
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.gemini import GeminiDouble
from tests.support.providers.openai import OpenAiDouble
from tests.support.providers.server import COMMON_FAULTS, Double, running

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
START, END = "<!-- failures -->", "<!-- /failures -->"
USABLE: Mapping[str, Sequence[str]] = {
    "anthropic": ("wrong_form", "blank_line", "paced"),
    "openai": ("no_usage",),
    "gemini": (),
    "azure": (
        *("one_failed", "one_missing", "one_silent", "zip_odd_sound"),
        *("no_words", "late_words", "odd_words", "no_usage", "live_no_words", "live_late_words"),
        *("delete_drop", "delete_slow", "delete_busy", "delete_half", "delete_refused"),
        *("drop_after", "drop_half", "slow"),
    ),
}
"""Faults that leave an answer which can be worked with: a repair round, an unknown price, an order found again."""
ALLOW, CAPS = Allowance.parse("127.0.0.1"), Caps(seconds=0.6)
SPEECH = speech_request(Sentence(id="s", text="Olá."), language="pt-BR", delivery=Delivery("pt-BR-FranciscaNeural"))
AFTER = {True: "again by itself", False: "a person"}


async def row(double: Double, fault: str) -> str:
    """One failure as a table row."""
    double.reset()
    options = {"seconds": 3} if fault.endswith("slow") else {"retry_after": 17} if fault == "rate_limited" else {}
    double.fail(fault, times=2, **options)
    error = await failure(double, CAPS if fault.endswith("slow") else Caps(), fault)
    doubt = "maybe" if kind_of(error) == "unknown" else "yes" if double.billed else "no"
    after = AFTER[isinstance(error, ProviderBusy)]
    cells = (double.name, fault, kind_of(error), doubt, after, f"{error.sentence} *{error.fix}*")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


async def failure(double: Double, caps: Caps, fault: str) -> ProviderError:
    """What an adapter raises."""
    adapter: AnthropicWriter | OpenAiImages | GeminiImages | AzureSpeaker
    if isinstance(double, AzureDouble):
        adapter = AzureSpeaker("k", endpoint=double.url, allow=ALLOW, caps=caps, fetch_caps=caps, sleep=_at_once)
    elif isinstance(double, AnthropicDouble):
        adapter = AnthropicWriter("k", base_url=double.url, allow=ALLOW, caps=caps)
    elif isinstance(double, OpenAiDouble):
        adapter = OpenAiImages("k", base_url=f"{double.url}/v1", allow=ALLOW, caps=caps)
    else:
        adapter = GeminiImages("k", model="gemini-3-pro-image", base_url=double.url, allow=ALLOW, caps=caps)
    try:
        await _ask(adapter, fault)
    except ProviderError as error:
        return error
    finally:
        await adapter.close()
    raise AssertionError(f"{double.name} did not fail")


async def _ask(adapter: AnthropicWriter | OpenAiImages | GeminiImages | AzureSpeaker, fault: str) -> None:
    if isinstance(adapter, AnthropicWriter):
        await adapter.write(SCRIPT)
    elif isinstance(adapter, AzureSpeaker):
        await (adapter.speak(SPEECH) if fault.startswith("live_") else adapter.speak_group([SPEECH], "f" * 40))
    else:
        await adapter.make(PICTURE)


async def _at_once(_: float) -> None:
    """Wait no longer than the others need."""
    await asyncio.sleep(0)


async def failures() -> str:
    """The whole table."""
    lines = ["| provider | what happens | class | paid | who acts | what the job page says, *and advises* |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    doubles: list[Double] = [AnthropicDouble(), OpenAiDouble(), GeminiDouble(), AzureDouble()]
    with running(*doubles):
        for double in doubles:
            faults = [name for name in (*double.ERRORS, *COMMON_FAULTS) if name not in USABLE[double.name]]
            lines += [await row(double, fault) for fault in faults]
    return "\n".join(lines)


def placed(page: str, table: str) -> str:
    """The page with the table between its marks."""
    head, rest = page.split(START, 1)
    return f"{head}{START}\n{table}\n{END}{rest.split(END, 1)[1]}"


if __name__ == "__main__":
    PAGE.write_text(placed(PAGE.read_text(encoding="utf-8"), asyncio.run(failures())), encoding="utf-8")
