"""How far quotes are from what jobs come to: ten varied jobs through the real SDKs and the doubles' own bills.

python -m benchmarks quotes

Nothing is learnt from one job to the next, so each quote is that of a project's first film. Jobs go as far as their
last paid call; rendering costs no money.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.prices.tariffs import PriceFiles
from adapters.settings import Settings
from adapters.vendors.counting import PromptCounter
from domain.catalog.providers import Choice
from domain.production.commands.create_job import NewJob, create_job
from domain.production.commands.quote_new_job import draft_new_job
from domain.usage.quote import error_of
from tests.support.hired import Hired, all_doubles, hired
from tests.support.services import Services

MOST = 0.15
"""The mean error that is allowed, as a share of what a job comes to."""


@dataclass(frozen=True)
class Wish:
    """A job to be quoted and made. `images`: who draws, in order; none = the art board alone."""

    recipe: str
    topic: str
    language: str
    seconds: int
    model: str = "claude-sonnet-5-5"
    images: tuple[str, ...] = ("openai", "gemini")
    quality: str = "medium"


WISHES = (
    Wish("documentary", "How the Moon was made", "en", 30),
    Wish("documentary", "How Hubble saw ten thousand galaxies in an empty patch of sky", "en", 60),
    Wish("documentary", "Rockets that land on their feet", "en", 90, images=("gemini",)),
    Wish("documentary", "The life of stars", "en", 150, "claude-opus-5-5", ("openai",), "low"),
    Wish("documentary", "The expanding universe", "en", 240, images=()),
    Wish("short", "Why astronauts float", "en", 40, "claude-haiku-5-5", ("openai",), "high"),
    Wish("documentary-pt", "Como o Hubble viu dez mil galáxias em um pedaço vazio do céu", "pt-BR", 60),
    Wish("documentary-pt", "A Lua e as missões Apollo", "pt-BR", 120, "claude-haiku-5-5", ("gemini",)),
    Wish("short-pt", "A viagem das sondas Voyager", "pt-BR", 40, images=("gemini", "openai")),
    Wish("short-pt", "Como nascem as estrelas", "pt-BR", 20, "claude-opus-5-5", ("openai",)),
)


@dataclass(frozen=True)
class Outcome:
    """One job's quote beside its bills, in micro-dollars."""

    wish: Wish
    likely: int
    low: int
    high: int
    billed: int
    parts: str

    @property
    def off(self) -> float:
        return error_of(self.likely, self.billed)


async def quoted_and_made(hands: Hired, counter: PromptCounter, wish: Wish) -> Outcome:
    """Start a job and let everything be made that is paid."""
    await hands.change("claude", model=wish.model)
    await hands.change("openai", options={"quality": wish.quality})
    await hands.choose(Choice("claude", "azure", wish.images))
    hands.reset()
    new = NewJob("deep-sky", wish.recipe, wish.topic, wish.language, wish.seconds, salt=wish.topic)
    async with hands.studio.units.open(hands.studio.owner) as unit:
        spec = await draft_new_job(unit, new)
    counted = await counter.count(hands.studio.tenant_id, spec)
    async with hands.studio.units.open(hands.studio.owner) as unit:
        job = await create_job(unit, new, tariffs=PriceFiles(), prompt_tokens=counted)
    await hands.studio.work()
    made = await hands.job(job)
    assert made.error is None, made.error
    quote = job.quote
    lines = {line["step"]: line["micro_dollars"] for line in quote["lines"]}
    bills = {"script": ("anthropic",), "narrate": ("azure",), "illustrate": ("openai", "gemini")}
    sums = {step: sum(hands.doubles[name].micro_dollars for name in names) for step, names in bills.items()}
    parts = "  ".join(f"{step} {lines.get(step)}→{sums[step]}" for step in bills)
    return Outcome(wish, quote["micro_dollars"], quote["low"], quote["high"], hands.billed, parts)


async def measure(settings: Settings) -> list[Outcome]:
    with all_doubles() as doubles:
        async with hired(settings, doubles, "quotes") as hands:
            counter = PromptCounter(lambda: hands.desk)
            return [await quoted_and_made(hands, counter, wish) for wish in WISHES]


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when the mean error is above MOST or a bill lies outside its range."""
    home = Path(tempfile.mkdtemp(prefix="vfos-bench-"))
    services = Services.start(home)
    try:
        outcomes = asyncio.run(measure(services.fresh_database()))
    finally:
        services.stop()
        shutil.rmtree(home, ignore_errors=True)
    for one in outcomes:
        within = "" if one.low <= one.billed <= one.high else "  OUTSIDE ITS RANGE"
        name = f"{one.wish.recipe} {one.wish.seconds} s {one.wish.model.split('-')[1]} {'+'.join(one.wish.images)}"
        print(f"{name:<46} quote {one.likely:>8}  bill {one.billed:>8}  off {one.off:6.1%}{within}   {one.parts}")
    mean = statistics.mean(one.off for one in outcomes)
    print(f"mean error {mean:.1%}, largest {max(one.off for one in outcomes):.1%} (at most {MOST:.0%} on average)")
    return int(mean > MOST or any(not one.low <= one.billed <= one.high for one in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
