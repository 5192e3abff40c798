"""The writer that needs no key and no network: a script arranged from the facts' own sentences.

Nothing is invented: every statement is a fact's sentence (split, or with a pronoun for a repeated subject), and what
stands between is true of any topic. The same request gives the same script.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.text.grammar import (
    capital,
    entities_of,
    figure_of,
    fronted_clause,
    keywords_of,
    known,
    runs_of,
    short_subject,
    split_long,
    subject_of,
    with_pronoun,
)
from adapters.text.outline import Chooser, chance, into_scenes, pick_closer, pick_opener, seconds_of, support
from adapters.text.phrases import MAX_SPOKEN_TOPIC, PHRASES, Topic, read_topic
from adapters.text.wishes import Wishes, read_wishes
from domain.catalog.knowledge import Fact
from domain.catalog.validators import numbers_in
from domain.catalog.wordlists import STOP_WORDS
from domain.catalog.words import plain, words_of
from domain.production.ports import OnText, ProviderRefused, ScriptRequest, Usage, WrittenScript

LEAST_SUPPORT = 0.3
LEAST_OPENING_S, LEAST_ENDING_S = 20.0, 25.0
"""Shorter films come to their facts at once, and end with the last of them."""
THIN = 0.65
"""The share of the asked length that the facts must fill at least."""
MODEL = "arranged-facts-1"
PICTOGRAPHS = frozenset({"So", "Sk", "Mn", "Co", "Cn"})
"""Unicode categories of emoji and what modifies them (accents are composed with their letters before)."""


@dataclass
class Draft:
    """A script while it is being put together."""

    request: ScriptRequest
    wishes: Wishes
    topic: Topic
    scenes: list[dict[str, Any]] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)

    @property
    def language(self) -> str:
        return self.request.language

    @property
    def seed(self) -> str:
        return f"{self.request.seed}\n{self.request.instruction}"


class OfflineWriter:
    """ScriptWriter without a model; drafts, honestly named as such."""

    name = "offline"
    model = ""
    build = MODEL

    async def write(self, request: ScriptRequest, on_text: OnText | None = None) -> WrittenScript:
        """Arrange a script. Raises ProviderRefused when the facts say nothing about the topic."""
        script = arrange(request)
        words = sum(len(s["text"].split()) for scene in script["scenes"] for s in scene["sentences"])
        return WrittenScript(script, self.name, MODEL, Usage({"words": words}, 0), draft=True)


def arrange(request: ScriptRequest) -> dict[str, Any]:
    """The whole script in its JSON form."""
    request = replace(request, topic=speakable(request.topic))
    draft = Draft(request, read_wishes(request), read_topic(request.topic, request.language))
    facts = usable_facts(draft)
    chooser = Chooser(facts, request.topic, request.language, draft.seed, draft.wishes.focus)
    room = draft.wishes.seconds - 1.2
    pool = chooser.main()
    if draft.wishes.repairing or sum(seconds_of(fact.text, draft.language) for fact in pool) < room:
        pool = facts
    opener = pick_opener(chooser, pool, room)
    told = [opener, *(fact for fact in pool if fact is not opener)]
    open_lines, close_lines = opening(draft, told), closing(draft, told)
    said = [*open_lines, *close_lines]
    count = scene_count(draft)
    room -= count * 0.36 + sum(seconds_of(line, draft.language) for line in said)
    ends = len(pool) > 3 and draft.wishes.seconds >= LEAST_ENDING_S
    closer = pick_closer(chooser, pool, opener, draft.language) if ends else None
    chosen = chooser.choose(pool, room, [opener, closer] if closer else [opener])
    body = [fact for fact in chosen if fact not in (opener, closer)]
    write_scenes(draft, opener, open_lines, into_scenes(body, count - 1 - (closer is not None), draft.language))
    write_ending(draft, closer, close_lines)
    if draft.wishes.more:
        refuse_thin(draft, facts)
    return finished(draft, facts)


def speakable(topic: str) -> str:
    """The topic without pictographs: they can be neither spoken nor set in the film's faces."""
    composed = unicodedata.normalize("NFC", topic)
    kept = "".join(sign for sign in composed if unicodedata.category(sign) not in PICTOGRAPHS)
    shown = " ".join(kept.split())
    # Of joined pictographs invisible joints stay, which are no topic either.
    return shown if any(sign.isalnum() for sign in shown) else topic


def usable_facts(draft: Draft) -> list[Fact]:
    """Facts the draft may use, after wishes and repairs. Raises ProviderRefused when they miss the topic."""
    request, wishes = draft.request, draft.wishes
    if not request.facts or support(request.topic, request.facts, request.language) < LEAST_SUPPORT:
        shown = request.topic if len(request.topic) <= 120 else request.topic[:117] + "…"
        raise ProviderRefused(
            "offline",
            f"No knowledge document in “{request.language}” says anything about “{shown}”, and without a model the "
            "offline writer only tells what documents say.",
            fix="Choose a topic that the workspace's knowledge tells about, or add a writer's key under Providers.",
        )
    kept = [fact for fact in request.facts if not wishes.refused & set(forms_of(fact, request.language))]
    if wishes.without:
        unwanted = plain(wishes.without)
        kept = [fact for fact in kept if unwanted not in plain(fact.text)] or kept
    if wishes.repairing and not wishes.more:
        told = {fact_id for scene in (request.previous or {}).get("scenes", ()) for fact_id in scene.get("facts", ())}
        kept = [fact for fact in kept if fact.id in told] or kept
    if not kept:
        sentence = "Every fact about the topic breaks a validator, so nothing is left to tell."
        raise ProviderRefused("offline", sentence, fix="Change the facts or the validators named in the log.")
    return kept


def refuse_thin(draft: Draft, facts: Sequence[Fact]) -> None:
    """Raise ProviderRefused when all there is to tell falls far short of the length that was asked for."""
    lines = [sentence["text"] for scene in draft.scenes for sentence in scene["sentences"]]
    filled = sum(seconds_of(line, draft.language) for line in lines) + 0.36 * len(draft.scenes)
    known_s = sum(seconds_of(fact.text, draft.language) for fact in facts)
    if max(filled, known_s) >= THIN * draft.request.seconds:
        return
    raise ProviderRefused(
        "offline",
        f"The knowledge about “{draft.request.topic[:120]}” fills about {filled:.0f} s of the "
        f"{draft.request.seconds:g} s asked for.",
        fix=f"Ask for {max(10, int(filled // 5 * 5))} s, or choose a topic that more is known about.",
    )


def forms_of(fact: Fact, language: str) -> list[str]:
    """Every sentence that can stand for a fact in a script."""
    spoken = with_pronoun(fact.text, subject_of(fact.text, language), language)
    return [*split_long(fact.text, language), *split_long(spoken, language)]


# ── Opening and closing ───────────────────────────────────────────────────────────────────────────────────
def opening(draft: Draft, facts: Sequence[Fact]) -> list[str]:
    """What is said around the opening fact: the topic as a question before it, or as a promise after it."""
    topic = speakable_topic(draft, facts)
    if topic is None or draft.wishes.seconds < LEAST_OPENING_S:
        return []
    if topic.kind == "question":
        return [topic.title]
    phrases = PHRASES[known(draft.language)]
    forms = phrases.clause_open if topic.kind == "clause" else phrases.noun_open
    return [line for line in [variant(draft, "open", [topic.said(form, names_in(facts)) for form in forms])] if line]


def closing(draft: Draft, facts: Sequence[Fact]) -> list[str]:
    """The sentence that comes back to the opening; only for topics short enough to be said twice."""
    topic = speakable_topic(draft, facts)
    if topic is None or topic.kind == "question" or len(topic.text.split()) > 8 or draft.wishes.seconds < 40:
        return []
    phrases = PHRASES[known(draft.language)]
    forms = phrases.clause_close if topic.kind == "clause" else phrases.noun_close
    return [line for line in [variant(draft, "close", [topic.said(form, names_in(facts)) for form in forms])] if line]


def speakable_topic(draft: Draft, facts: Sequence[Fact]) -> Topic | None:
    """The topic if it can be said as it stands, else the title of the document told from; None if neither can."""
    told = " ".join(fact.text for fact in facts)
    for topic in (draft.topic, Topic(facts[0].document, "noun", draft.language)):  # the opener's document
        invented = set(numbers_in(topic.text, draft.language)) - set(numbers_in(told, draft.language))
        if not invented and 0 < len(topic.text.split()) <= MAX_SPOKEN_TOPIC:
            return topic
    return None


def names_in(facts: Sequence[Fact]) -> frozenset[str]:
    """Words written with a capital inside a sentence: names."""
    return frozenset(word for fact in facts for word in words_of(fact.text)[1:] if word[0].isupper())


def variant(draft: Draft, slot: str, forms: Sequence[str]) -> str:
    """One of a slot's sentences by the seed; in repairs the one said before unless it was refused; else empty."""
    previous = {s["text"] for scene in (draft.request.previous or {}).get("scenes", ()) for s in scene["sentences"]}
    allowed = [form for form in forms if form not in draft.wishes.refused]
    if not allowed:
        return ""
    if draft.wishes.repairing and (kept := [form for form in allowed if form in previous]):
        return kept[0]
    return allowed[int(chance(draft.seed, slot) * len(allowed))]


# ── Scenes ────────────────────────────────────────────────────────────────────────────────────────────────
def scene_count(draft: Draft) -> int:
    """Scenes for the length: about one for every nine seconds, at least three if there is room for three."""
    wanted = max(min(3, round(draft.wishes.seconds / 6.5)), round(draft.wishes.seconds / 9))
    low, high = draft.wishes.scenes or (1, 400)
    return min(max(wanted, low), high)


def write_scenes(draft: Draft, opener: Fact, lines: Sequence[str], scenes: Sequence[Sequence[Fact]]) -> None:
    """Write the opening scene and those of the body; one onward phrase keeps longer films moving."""
    question = draft.topic.kind == "question"
    told = split_long(opener.text, draft.language, limit_of(draft))
    add_scene(draft, [*lines, *told] if question else [*told, *lines], [opener], draft.topic.title)
    turn = len(scenes) // 2 if len(scenes) >= 4 else -1
    for number, facts in enumerate(scenes):
        sentences = narrated(facts, draft)
        if number == turn and (onward := variant(draft, "onward", PHRASES[known(draft.language)].onward)):
            sentences.insert(0, onward)
        add_scene(draft, sentences, facts)


def write_ending(draft: Draft, closer: Fact | None, lines: Sequence[str]) -> None:
    """Write the last scene: the thought to keep, and the way back to the opening."""
    phrases = PHRASES[known(draft.language)]
    if closer is None:
        if lines:
            last = draft.scenes[-1]
            add_sentences(last, [*(s["text"] for s in last["sentences"]), *lines])
        return
    lead = variant(draft, "last", phrases.last)
    told = split_long(closer.text, draft.language, limit_of(draft))
    add_scene(draft, [*([lead] if lead else []), *told, *lines], [closer])


def narrated(facts: Sequence[Fact], draft: Draft) -> list[str]:
    """The sentences of a scene's facts; a subject said just before becomes a pronoun where that is certain."""
    sentences: list[str] = []
    before = ""
    for fact in facts:
        subject = subject_of(fact.text, draft.language)
        again = bool(subject) and subject.casefold() == before
        text = with_pronoun(fact.text, subject, draft.language) if again else fact.text
        sentences += split_long(text, draft.language, limit_of(draft))
        before = subject.casefold()
    return sentences


def limit_of(draft: Draft) -> int:
    """Words a sentence may have before it is split."""
    return 14 if draft.wishes.simpler else 22


def add_scene(draft: Draft, sentences: Sequence[str], facts: Sequence[Fact], title: str = "") -> None:
    """Add a scene with its title, its figure and the words pictures are found by."""
    language = draft.language
    texts = [fact.text for fact in facts]
    figure = next((found for text in texts if (found := figure_of(text, language))), "")
    title = pick_title(draft, texts, figure, title)
    headline = title if title != capital(figure) else next(filter(None, subjects_of(texts, language)), title)
    tags = [tag for fact in facts for tag in fact.tags]
    scene: dict[str, Any] = {
        "id": f"s{len(draft.scenes) + 1}",
        "title": title,
        "sentences": [],
        "visual": {
            "prompt": f"{title}. {' '.join(texts)}"[:1900],
            "keywords": keywords_of(texts, tags, language),
            "headline": headline,
            "figure": figure if len(figure) <= 40 else "",
        },
        "facts": [fact.id for fact in facts],
    }
    add_sentences(scene, sentences)
    draft.scenes.append(scene)


def add_sentences(scene: dict[str, Any], sentences: Sequence[str]) -> None:
    """Set a scene's sentences with their ids (s1.1, s1.2 …)."""
    scene["sentences"] = [{"id": f"{scene['id']}.{n}", "text": text} for n, text in enumerate(sentences, 1)]


def pick_title(draft: Draft, texts: Sequence[str], figure: str, given: str) -> str:
    """An on-screen title of at most seven words, made from what is said, and not used before."""
    subjects = subjects_of(texts, draft.language)
    runs = [run for text in texts for run in runs_of(text, draft.language)]
    options = [
        given if len(given.split()) <= 7 else "",
        *(subject for subject in subjects if len(subject.split()) > 1),
        *(fronted_clause(text, draft.language) for text in texts),
        *(run for run in runs if len(run.split()) > 2),
        capital(figure),
        *runs,
        *(name for text in texts for name in entities_of(text) if " " in name),
        *subjects,
        *(capital(word) for word in keywords_of(texts, (), draft.language)),
    ]
    fitting = [option for option in options if option and len(option.split()) <= 7 and meaningful(option, draft)]
    title = next(
        (option for option in fitting if bare_title(option) not in draft.titles), fitting[0] if fitting else ""
    )
    draft.titles.add(bare_title(title))
    return capital(title)[:120]


def subjects_of(texts: Sequence[str], language: str) -> list[str]:
    """What each of the texts is about; empty where that is unclear."""
    return [short_subject(text, language) for text in texts]


def bare_title(title: str) -> str:
    """A title for comparison: without its article and case."""
    return title.casefold().removeprefix("the ").removeprefix("o ").removeprefix("a ")


def meaningful(title: str, draft: Draft) -> bool:
    """Whether a title has at least one word that carries meaning."""
    stops = STOP_WORDS[known(draft.language)]
    return any(word.casefold() not in stops for word in words_of(title))


def finished(draft: Draft, facts: Sequence[Fact]) -> dict[str, Any]:
    """The script's JSON form: title, description with the sources told from, scenes."""
    used = {fact_id for scene in draft.scenes for fact_id in scene["facts"]}
    sources = list(dict.fromkeys(fact.source for fact in facts if fact.id in used and fact.source))
    first = [s["text"] for s in draft.scenes[0]["sentences"]][:2]
    label = PHRASES[known(draft.language)].sources
    listed = "\n".join(["", f"{label}:", *(f"- {source}" for source in sources)]) if sources else ""
    title = draft.topic.title if len(draft.topic.title) <= 100 else facts[0].document
    return {
        "title": title[:200],
        "language": draft.request.language,
        "scenes": draft.scenes,
        "description": (" ".join(first) + "\n" + listed)[:5000].strip(),
    }
