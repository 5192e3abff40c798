"""What a job's specification will ask of each provider: the demands behind a quote, per step. Pure.

Counts rest on sketches of the film; where there are none, on the length that is asked for: words by the pace of
narration, scenes by what one scene usually lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.catalog.words import primary, words_for
from domain.production.asking import facts_wanted
from domain.production.foresight import NO_FORESIGHT, Foreseen, share_to_make
from domain.production.scripting import MAX_ROUNDS
from domain.production.sketches import Film, fairest, usual
from domain.production.spec import JobSpec
from domain.usage.quote import LOCAL, Demand, Range, Tariffs, exactly, likely_price
from timeline.profiles import PROFILES

CHARACTERS_PER_WORD = {"en": 6.3, "pt": 5.9}
"""With the space after it, numbers as they are said; by primary language subtag."""
TOKENS_PER_WORD = 1.45
CHARACTERS_PER_TOKEN = 4.0
SECONDS_PER_SCENE = 7.5
TOKENS_PER_SCENE = 105
"""Ids, titles, picture descriptions and keywords of one scene."""
FORM_TOKENS = 350
"""House rules sent with every script, and the frame of the answer."""
UNMARKED_TOKENS = 40
"""The end of a prompt, which is not kept in the provider's prompt cache."""
WORDS_PER_SENTENCE = 13.0
PROSODY, CHANGE, STYLE, DEGREE, PAUSE = 19, 11, 50, 19, 21
"""Characters of billed markup: around a sentence with changes, for each change, for a style and its degree, a pause."""
COMMAS_PER_SENTENCE = 0.8


@dataclass(frozen=True)
class Crew:
    """Who works on a job: provider and model by port; pictures in the order in which they are asked."""

    writer: tuple[str, str]
    narrator: tuple[str, str]
    images: tuple[tuple[str, str, Mapping[str, str]], ...]


def crew_of(spec: JobSpec) -> Crew:
    """Read who works on a job from its specification."""
    chosen = spec.providers
    writer = (chosen.writer.kind, chosen.writer.model) if chosen.writer else (spec.writer, "")
    narrator = (chosen.narrator.kind, chosen.narrator.model) if chosen.narrator else (spec.narrator, "")
    makers = [(part.kind, part.model, part.options) for part in chosen.images]
    return Crew(writer, narrator, (*makers, ("artboard", "", {})))


def makers_of(spec: Mapping[str, Any]) -> list[str]:
    """The picture makers of a stored specification, in the order they are asked; the art board comes last."""
    return [*(part["kind"] for part in (spec.get("providers") or {}).get("images", ())), "artboard"]


@dataclass(frozen=True)
class Amounts:
    """What is asked for: tokens of one draft's answer, characters and sentences to be said, pictures to be made."""

    answer: Range
    characters: Range
    sentences: Range
    pictures: Range


def demands_of(spec: JobSpec, tariffs: Tariffs, foreseen: Foreseen = NO_FORESIGHT) -> list[Demand]:
    """Answer what a job will ask of its providers: of the films it may become, as the fairest promise asks."""
    crew, films = crew_of(spec), foreseen.films

    def ask(amounts: Amounts) -> list[Demand]:
        script = _script(spec, crew, foreseen.prompt_tokens, amounts.answer)
        return [script, _voice(spec, crew, amounts), _pictures(spec, crew, tariffs, amounts.pictures)]

    if not films:
        return ask(_guessed(spec, crew))
    prices = [sum(likely_price(one, tariffs) for one in ask(_exact(film))) for film in films]
    return ask(_sketched(films, fairest(films, prices)))


def _guessed(spec: JobSpec, crew: Crew) -> Amounts:
    """What a film of this length usually asks for."""
    words, scenes = words_for(spec.seconds, spec.language), max(1.0, spec.seconds / SECONDS_PER_SCENE)
    answer = words * TOKENS_PER_WORD + max(2.0, scenes) * TOKENS_PER_SCENE + 60
    characters = words * CHARACTERS_PER_WORD.get(primary(spec.language), 6.3)
    sentences = max(1.0, words / WORDS_PER_SENTENCE)
    made = scenes if crew.images[0][0] in LOCAL else scenes * share_to_make(spec, scenes)
    return Amounts(
        answer=Range(answer * 0.6, answer, answer * 1.3),
        characters=Range(characters * 0.85, characters, characters * 1.2),
        sentences=Range(sentences * 0.8, sentences, sentences * 1.3),
        pictures=Range(max(0.0, made * 0.6 - 1), made, max(made, scenes) * 1.25),
    )


def _exact(film: Film) -> Amounts:
    """What one film asks for."""
    return Amounts(*map(exactly, (film.tokens, film.characters, film.sentences, film.pictures)))


def _sketched(films: Sequence[Film], film: Film) -> Amounts:
    """What the promised film asks for, between what most of the others do; a writer is freer than its sketches."""
    pictures = _between(films, film, lambda one: one.pictures, 0.9, 1.1)
    return Amounts(
        answer=_between(films, film, lambda one: one.tokens, 0.7, 1.3),
        characters=_between(films, film, lambda one: one.characters, 0.85, 1.15),
        sentences=_between(films, film, lambda one: one.sentences, 0.8, 1.25),
        # One is always possible; a call for it must have a price.
        pictures=replace(pictures, high=max(1.0, pictures.high)),
    )


def _between(films: Sequence[Film], film: Film, of: Callable[[Film], float], less: float, more: float) -> Range:
    low, high = usual(films, of)
    return Range(min(low, of(film)) * less, of(film), max(high, of(film)) * more)


def _script(spec: JobSpec, crew: Crew, counted: int | None, answer: Range) -> Demand:
    provider, model = crew.writer
    if provider in LOCAL:
        return Demand("script", provider, model, "calls", exactly(1), {"calls": exactly(1)})
    prompt = float(counted) if counted is not None else prompt_size(spec) / CHARACTERS_PER_TOKEN + FORM_TOKENS
    # Every repair round sends the draft back, with what was wrong.
    again = prompt * MAX_ROUNDS + answer.likely * (MAX_ROUNDS - 1) * MAX_ROUNDS / 2
    part = min(1.0, UNMARKED_TOKENS / prompt)
    kept = CACHE_UNITS.get(spec.providers.writer.options.get("cache", "5m") if spec.providers.writer else "", "")
    units = {"input": Range(prompt * 0.9, prompt, again)}
    if kept:
        units = {"input": Range(prompt * part, prompt * part, again), kept: exactly(prompt * (1 - part))}
    units["output"] = Range(answer.low, answer.likely, answer.high * MAX_ROUNDS)
    return Demand("script", provider, model, "tokens", Range(1, 1, MAX_ROUNDS), units, prompt_tokens=round(prompt))


CACHE_UNITS: Mapping[str, str] = {"5m": "cache_write_5m", "1h": "cache_write_1h"}
"""How a prompt is billed that the provider keeps for the next round, by the life of its cache."""


def prompt_size(spec: JobSpec) -> int:
    """Characters of what the writer is sent: prompt, topic, and the knowledge it may choose from."""
    fixed = len(spec.prompt.body.system) + len(spec.prompt.body.template) + len(spec.topic)
    documents = sum(len(part.body.text) for part in spec.knowledge if part.body.tier in spec.recipe.knowledge.tiers)
    return fixed + min(documents, facts_wanted(spec.seconds) * 160)


def _voice(spec: JobSpec, crew: Crew, amounts: Amounts) -> Demand:
    provider, model = crew.narrator
    markup = amounts.sentences.likely * (0 if provider in LOCAL else _markup(spec))
    count = amounts.characters.plus(exactly(markup))
    voice = spec.voice.body.voice if provider not in LOCAL else model
    return Demand("narrate", provider, voice, "characters", amounts.sentences, {"characters": count})


def _markup(spec: JobSpec) -> float:
    """Characters of markup that are billed with one sentence."""
    voice = spec.voice.body
    changes = sum(text.strip("+-0% ") != "" for text in (voice.rate, voice.pitch))
    style = (STYLE + len(voice.style) if voice.style else 0) + (DEGREE if voice.style and voice.degree != 100 else 0)
    pauses = COMMAS_PER_SENTENCE * PAUSE if spec.ssml.body.pauses.get("comma") else 0
    return (PROSODY + CHANGE * changes if changes else 0) + style + pauses


def _pictures(spec: JobSpec, crew: Crew, tariffs: Tariffs, count: Range) -> Demand:
    provider, model, options = crew.images[0]
    profile = PROFILES[spec.profile]
    one = tariffs.picture(provider, model, options, profile.width, profile.height)
    units = {unit: Range(n.low * count.low, n.likely * count.likely, n.high * count.high) for unit, n in one.items()}
    if unit := tariffs.prompt_unit(provider):
        units[unit] = count.times(PROMPT_TOKENS)
    return Demand("illustrate", provider, model, "pictures", count, {**units, "pictures": count})


PROMPT_TOKENS = 90
"""Tokens of the text that describes one picture."""


def machine_seconds(
    spec: JobSpec, learned: Mapping[str, float], costs: Mapping[str, float], *, film: bool = True
) -> Range:
    """Processor seconds on our own machines. `costs`: seconds by step kind as the kinds guess; `learned`: factors.

    `film`: whether the pictures of the film are rendered too.
    """
    total = sum(seconds * learned.get(kind, 1.0) for kind, seconds in costs.items())
    total += spec.seconds * MAKING_S_PER_FILM_S * learned.get("render", 1.0) if film else 0.0
    return Range(total * 0.6, total, total * 1.8)


MAKING_S_PER_FILM_S = 1.0
"""One core makes about a second of film in a second."""
