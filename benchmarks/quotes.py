"""How far quotes are from what jobs come to: ten varied jobs through the real SDKs and the doubles' own bills.

python -m benchmarks quotes [--set tuned|unseen|fresh|new]

`tuned` are the jobs the estimator was made with; the other sets were written down before it was measured with them.

Nothing is learnt from one job to the next, so each quote is that of a project's first film. Jobs go as far as their
last paid call; rendering costs no money.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.prices.tariffs import PriceFiles
from adapters.settings import Settings
from adapters.vendors.counting import PromptCounter, films
from domain.catalog.commands import save_version
from domain.catalog.demo.content import demo_workspace
from domain.catalog.providers import Choice
from domain.dispatch.model import Step
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.commands.quote_new_job import draft_new_job
from domain.usage.quote import error_of
from tests.support.hired import Hired, all_doubles, hired
from tests.support.services import Services

PAID = {"script", "narrate", "illustrate"}
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
    tiers: tuple[int, ...] = ()
    """Tiers of knowledge the recipe uses; none = as the recipe says."""
    rounds: int = 1
    """How many drafts the writer needs."""


TUNED = (
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


UNSEEN = (
    Wish("documentary", "Why stars end as black holes or white dwarfs", "en", 45, "claude-haiku-5-5", rounds=2),
    Wish("documentary", "Life on a space station", "en", 75, "claude-sonnet-5-5", ("gemini",), tiers=(2,)),
    Wish("documentary", "Light that has travelled for billions of years", "en", 110, images=("openai",), quality="low"),
    Wish("documentary", "Apollo 11 from launch to splashdown", "en", 180, "claude-opus-5-5", ()),
    Wish("documentary", "Galaxies that collide", "en", 300, "claude-haiku-5-5", ("openai", "gemini"), rounds=3),
    Wish("short", "What keeps a rocket steady", "en", 25, images=("gemini",)),
    Wish("short", "The golden record of the Voyagers", "en", 55, "claude-opus-5-5", ("openai",), "high", tiers=(2,)),
    Wish("documentary-pt", "Por que o universo se expande", "pt-BR", 40, "claude-opus-5-5", ("gemini",)),
    Wish("documentary-pt", "A vida em órbita", "pt-BR", 200, images=("openai",), quality="low", rounds=2),
    Wish("short-pt", "A distância até as estrelas", "pt-BR", 30, "claude-haiku-5-5", ("openai", "gemini")),
)
FRESH = (
    Wish("documentary", "How far away the nearest stars are", "en", 35, images=("openai",), quality="low"),
    Wish("documentary", "The first footsteps on the Moon", "en", 70, "claude-opus-5-5", ("gemini",), rounds=2),
    Wish("documentary", "The cosmic microwave background", "en", 135, "claude-haiku-5-5", ("openai",), "high", (2,)),
    Wish("documentary", "The Voyagers at the edge of the solar system", "en", 210, images=("gemini", "openai")),
    Wish("documentary", "Astronauts in orbit", "en", 270, "claude-opus-5-5", ()),
    Wish("short", "Why galaxies have spiral arms", "en", 20, "claude-haiku-5-5", ("gemini",)),
    Wish("short", "How a rocket stage comes back", "en", 50, images=("openai",), rounds=2),
    Wish("documentary-pt", "Foguetes que pousam em pé", "pt-BR", 55, images=("openai", "gemini"), tiers=(2,)),
    Wish("documentary-pt", "As galáxias e seus braços", "pt-BR", 160, "claude-haiku-5-5", ("gemini",)),
    Wish("short-pt", "O que é um ano-luz", "pt-BR", 45, "claude-opus-5-5", ("openai",), "low"),
)
NEW = (
    Wish("documentary", "How stars are born in nebulas", "en", 30),
    Wish(
        "documentary", "What the Voyagers saw at the outer planets", "en", 80, "claude-haiku-5-5", ("gemini",), rounds=2
    ),
    Wish("documentary", "Rockets and their engines", "en", 125, "claude-opus-5-5", ("openai",), "low", (2,)),
    Wish("documentary", "The universe since the Big Bang", "en", 220, "claude-haiku-5-5", rounds=3),
    Wish("documentary", "From the Apollo missions to the space station", "en", 285, images=()),
    Wish("short", "What a light-year is", "en", 22, images=("openai",), quality="high"),
    Wish("short", "The farthest galaxies of the Hubble deep fields", "en", 35, "claude-opus-5-5", ("gemini",)),
    Wish("documentary-pt", "A expansão do universo e a energia escura", "pt-BR", 50, "claude-haiku-5-5", ("openai",)),
    Wish("documentary-pt", "As sondas Voyager no espaço interestelar", "pt-BR", 145, images=("gemini",), tiers=(2,)),
    Wish("short-pt", "Como um foguete sai da Terra", "pt-BR", 25, "claude-opus-5-5", ("openai", "gemini"), rounds=2),
)
SETS: Mapping[str, Sequence[Wish]] = {"tuned": TUNED, "unseen": UNSEEN, "fresh": FRESH, "new": NEW}


@dataclass(frozen=True)
class Outcome:
    """One job's quote beside its bills, in micro-dollars."""

    wish: Wish
    likely: int
    low: int
    high: int
    billed: int
    parts: str
    sketched_s: float
    """How long it took to sketch the film."""

    @property
    def within(self) -> bool:
        return self.low <= self.billed <= self.high

    @property
    def off(self) -> float:
        return error_of(self.likely, self.billed)


async def quoted_and_made(hands: Hired, counter: PromptCounter, wish: Wish) -> Outcome:
    """Start a job and let everything be made that is paid."""
    await hands.change("claude", model=wish.model)
    await hands.change("openai", options={"quality": wish.quality})
    await hands.choose(Choice("claude", "azure", wish.images))
    hands.reset()
    if wish.rounds > 1:
        hands.doubles["anthropic"].fail("blank_line", times=wish.rounds - 1)
    new = NewJob("deep-sky", await recipe_of(hands, wish), wish.topic, wish.language, wish.seconds, salt=wish.topic)
    async with hands.studio.units.open(hands.studio.owner) as unit:
        spec = await draft_new_job(unit, new)
    foreseen = await counter.foresee(hands.studio.tenant_id, spec)
    began = time.perf_counter()
    films(spec)
    took = time.perf_counter() - began
    async with hands.studio.units.open(hands.studio.owner) as unit:
        job = await create_job(unit, new, tariffs=PriceFiles(), foreseen=foreseen)
    await hands.studio.work()
    made = await hands.job(job)
    assert made.error is None, made.error
    assert not any(double.broken for double in hands.doubles.values()), wish.topic
    assert {step.kind for step in await hands.all(Step, job) if step.state == "succeeded"} >= PAID
    quote = job.quote
    lines = {line["step"]: line["micro_dollars"] for line in quote["lines"]}
    bills = {"script": ("anthropic",), "narrate": ("azure",), "illustrate": ("openai", "gemini")}
    sums = {step: sum(hands.doubles[name].micro_dollars for name in names) for step, names in bills.items()}
    parts = "  ".join(f"{step} {lines.get(step)}→{sums[step]}" for step in bills)
    return Outcome(wish, quote["micro_dollars"], quote["low"], quote["high"], hands.billed, parts, took)


async def recipe_of(hands: Hired, wish: Wish) -> str:
    """The recipe's short name; a variant of it is saved where other knowledge is wished for."""
    if not wish.tiers:
        return wish.recipe
    slug = f"{wish.recipe}-{''.join(map(str, wish.tiers))}"
    body = next(item.body for item in demo_workspace().of_kind("recipe") if item.slug == wish.recipe)
    chosen = {**body, "knowledge": {**body["knowledge"], "tiers": list(wish.tiers)}}
    async with hands.studio.units.open(hands.studio.owner) as unit:
        await save_version(unit, "recipe", slug, slug, chosen)
    return slug


async def measure(settings: Settings, wishes: Sequence[Wish]) -> list[Outcome]:
    with all_doubles() as doubles:
        async with hired(settings, doubles, "quotes") as hands:
            counter = PromptCounter(lambda: hands.desk)
            return [await quoted_and_made(hands, counter, wish) for wish in wishes]


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when the mean error is above MOST or a bill lies outside its range."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks quotes")
    parser.add_argument("--set", choices=SETS, default="tuned", dest="name")
    wishes = SETS[parser.parse_args(argv).name]
    home = Path(tempfile.mkdtemp(prefix="vfos-bench-"))
    services = Services.start(home)
    try:
        outcomes = asyncio.run(measure(services.fresh_database(), wishes))
    finally:
        services.stop()
        shutil.rmtree(home, ignore_errors=True)
    for one in outcomes:
        print(_line(one))
    mean = statistics.mean(one.off for one in outcomes)
    print(f"mean error {mean:.1%}, largest {max(one.off for one in outcomes):.1%} (at most {MOST:.0%} on average)")
    quoted, billed = sum(one.likely for one in outcomes), sum(one.billed for one in outcomes)
    print(f"all together: quoted {quoted}, billed {billed}, off {error_of(quoted, billed):.1%}")
    inside = sum(one.within for one in outcomes)
    width = statistics.median(one.high / one.low for one in outcomes if one.low)
    print(
        f"{inside} of {len(outcomes)} bills lie in their ranges; the middle one ends at {width:.1f} times its beginning"
    )
    took = sorted(1000 * one.sketched_s for one in outcomes)
    print(f"sketched within {took[len(took) // 2]:.0f} ms (the middle one) and {took[-1]:.0f} ms (the slowest)")
    return int(mean > MOST or inside < len(outcomes))


def _line(one: Outcome) -> str:
    name = f"{one.wish.recipe} {one.wish.seconds} s {one.wish.model.split('-')[1]} {'+'.join(one.wish.images)}"
    quote = f"quote {one.likely:>8} ({one.low} to {one.high})"
    within = "" if one.within else "  OUTSIDE ITS RANGE"
    return f"{name:<46} {quote:<38}  bill {one.billed:>8}  off {one.off:6.1%}{within}   {one.parts}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
