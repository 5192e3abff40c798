"""Sentences spoken by Azure through the real ledger and store, as the narrate step does; killable as a process.

`python -m tests.support.paid_narration` reads a PaidNarration as JSON from standard input; settings come from the
environment.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters import settings
from adapters.database import make_engines
from adapters.egress_rules import Allowance
from adapters.speech.azure import AzureSpeaker
from adapters.store.objects import LocalObjects
from domain.dispatch.claim import Claim
from domain.production.context import RunningStep
from domain.production.logs import Journal
from domain.production.narration import Delivery, speech_request
from domain.production.pipeline.base import JobInfo, StepInfo, Tools, Work
from domain.production.pipeline.speaking import Speaking
from domain.production.ports import SpokenSentence
from domain.production.tether import Tether
from domain.studio.script import Sentence
from domain.usage.effects import Caller, Ledger
from tenants.unit import Units

LONG = tuple(f"A cratera número {number} guarda gelo de água há bilhões de anos, longe do Sol." for number in range(12))
"""More than is spoken live."""
SHORT = ("Olá, mundo.",)


@dataclass(frozen=True)
class PaidNarration:
    """What is spoken, where the double listens, and for whom. `ids`: tenant, project, job and step."""

    texts: tuple[str, ...]
    url: str
    home: str
    ids: dict[str, str]


def running_step(wish: PaidNarration, units: Units, narrator: AzureSpeaker) -> RunningStep:
    """A narrate step about to run, on real rows and a real store."""
    ids = {name: UUID(text) for name, text in wish.ids.items()}
    home, nothing = Path(wish.home), _nothing()
    store = LocalObjects(home / "objects", home / "staging")
    job = JobInfo(ids["job"], 1, "Paid", ids["project"], "films", {})
    work = Work(ids["tenant"], job, StepInfo(ids["step"], "narrate"), {})
    tools = Tools(store=store, writer=nothing, narrator=narrator, images=nothing, renderer=nothing)
    claim = Claim(ids["tenant"], ids["step"], ids["job"], ids["project"], "io", "narrate", "", 1, 1, 1.0, 3, False)
    ledger = Ledger(units, store, home / "spool", Caller(ids["tenant"], ids["job"], ids["step"], "narrate", "", 1))
    journal = Journal(units, claim, lambda: datetime.now(UTC))
    staging = Path(tempfile.mkdtemp(prefix="narrate-", dir=home))
    return RunningStep(work, tools, ledger, staging, units, journal, Tether(claim))


def _nothing() -> Any:
    return None


async def narrate(wish: PaidNarration, units: Units, stop_after: float = 0.0) -> list[SpokenSentence]:
    """Speak the sentences, each made and paid once. Raises InDoubt and the provider's errors.

    `stop_after`: seconds until somebody cancels the job; 0 = nobody does. Raises Stopped then.
    """
    speaker = AzureSpeaker("k", endpoint=wish.url, allow=Allowance.parse("127.0.0.1"))
    delivery = Delivery("pt-BR-FranciscaNeural")
    requests = [
        speech_request(Sentence(id=f"s{number}", text=text), language="pt-BR", delivery=delivery)
        for number, text in enumerate(wish.texts)
    ]
    step = running_step(wish, units, speaker)
    if stop_after:
        asyncio.get_running_loop().call_later(stop_after, step.tether.pull, "cancel")
    try:
        return await Speaking(step, requests, "").all()
    finally:
        await speaker.close()


async def main() -> None:
    """Speak what is named on standard input."""
    wish = PaidNarration(**json.loads(sys.stdin.read()))
    engines = make_engines(settings.load(), "worker")
    await narrate(dataclasses.replace(wish, texts=tuple(wish.texts)), engines.units())
    await engines.dispose()


if __name__ == "__main__":
    asyncio.run(main())
