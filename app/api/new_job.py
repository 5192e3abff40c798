"""What a program asks for when it wants a film, and what that would cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.api.shapes import DEAREST, Level, Shape, Span, Wish
from domain.dispatch.policy import PRIORITIES
from domain.production.commands.new_job import NewJob
from domain.production.commands.quote_new_job import Offer


class NewJobShape(Wish):
    """A film that is wanted. What is left out is as its recipe says."""

    topic: str = Field(
        description="What the film is about; a first line, and as much more as helps. At most 5,000 characters.",
        examples=["Why the night sky is dark"],
    )
    recipe: str = Field(description="Short name of a recipe of the project.", examples=["documentary"])
    language: str = Field(default="", description="One of the project's languages.", examples=["en"])
    seconds: int | None = Field(default=None, description="Length of the film, 10 to 3,600.")
    profile: str = Field(default="", description="Form of the film.", examples=["longform-16x9", "shorts-9x16"])
    voice: str = Field(default="", description="Short name of a voice of the project.")
    mode: Literal["auto", "wizard"] = Field(
        default="auto", description="`auto` runs through; `wizard` stops at gates for decisions."
    )
    gates: list[str] | None = Field(
        default=None,
        description="Kinds of steps after which a wizard stops; left out, those of the recipe.",
        examples=[["script", "illustrate"]],
    )
    level: Level = Field(default="standard", description="Which of the workspace's jobs goes first.")
    cost_limit: int | None = Field(
        default=None,
        le=DEAREST,
        description="Micro-dollars; the job stops before it spends more. Left out, there is no limit.",
    )


class EstimateLine(Shape):
    """What one step will ask of one provider."""

    step: str
    provider: str
    model: str
    unit: str = Field(examples=["tokens", "characters", "pictures"])
    count: Span
    money: Span | None = Field(description="Micro-dollars; null when the price is not known.")


class EstimateShape(Shape):
    """What a job would cost, in micro-dollars. Nothing was written."""

    money: Span = Field(description="Sums of what has a known price.")
    complete: bool = Field(description="Whether every price is known.")
    machine_seconds: Span = Field(description="Processor time on our own machines.")
    month_left: int | None = Field(description="What the month's limits leave; null without limits.")
    lines: list[EstimateLine]


def new_job_of(project: str, wish: NewJobShape) -> NewJob:
    """The command's input."""
    return NewJob(
        project=project,
        recipe=wish.recipe,
        topic=wish.topic,
        language=wish.language,
        seconds=wish.seconds,
        profile=wish.profile,
        mode=wish.mode,
        cost_limit=wish.cost_limit,
        priority=PRIORITIES[wish.level],
        voice=wish.voice,
        gates=None if wish.gates is None else tuple(wish.gates),
    )


def estimate_of(offer: Offer) -> EstimateShape:
    """An offer as programs read it."""
    quote = offer.quote
    return EstimateShape(
        money=_span((quote.sum(0), quote.sum(1), quote.sum(2))),
        complete=quote.complete,
        machine_seconds=_span(quote.seconds),
        month_left=offer.left,
        lines=[
            EstimateLine(
                step=line.step,
                provider=line.provider,
                model=line.model,
                unit=line.unit,
                count=_span(line.count),
                money=None if line.money is None else _span(line.money),
            )
            for line in quote.lines
        ],
    )


def _span(amounts: tuple[int, int, int]) -> Span:
    return Span(low=amounts[0], likely=amounts[1], high=amounts[2])
