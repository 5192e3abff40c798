"""What a change to the script makes again and what it keeps, before anything runs: pure.

Sentences and pictures are counted as they will be. Segments are counted at most: how long a changed scene will last is
only guessed until it has been spoken, so whatever its new length could touch is counted as touched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from domain.catalog.words import reading_seconds
from domain.dispatch.stats import Remaining, seconds_left
from domain.production.cache import part_key
from domain.production.composing import LEAD_IN, TAIL, transition_length
from domain.production.matching import match_again
from domain.production.narration import speech_request
from domain.production.pipeline import STEP_KINDS, render
from domain.production.pipeline.narrate import spoken_as
from domain.production.pipeline.speaking import sentence_parts
from domain.production.spec import JobSpec
from domain.studio.script import Scene, Script
from domain.usage.quote import price
from timeline.picture import BODY_SECONDS, REST_SECONDS
from timeline.plan import RenderPlan, Segment

LESS, MORE = Fraction(7, 10), Fraction(14, 10)
"""How far the spoken length of a changed scene may lie from its guess."""
TITLE_AT = Fraction(3, 10)
SLOTS = 2
"""Slots that a job is expected to get at once; only for the estimate."""
MAKING_S_PER_FILM_S = 0.8
"""Seconds of one slot per second of film, while the film is not planned."""


@dataclass(frozen=True)
class Film:
    """A job's film as far as it has been made: `narration` and `plan` are None until their steps have ended.

    `narrator_build` names what shapes the sound of a sentence (ports.Narrator.build).
    `salts`: what was added to the keys of steps that a person had made again, by step kind; `wishes`: how they were
    to be different.
    """

    spec: JobSpec
    script: Script
    narrator_build: str = ""
    narration: Mapping[str, Any] | None = None
    plan: RenderPlan | None = None
    salts: Mapping[str, str] = field(default_factory=dict)
    wishes: Mapping[str, str] = field(default_factory=dict)

    @property
    def narrator(self) -> str:
        return str(self.narration["provider"]) if self.narration else self.spec.narrator

    @property
    def fps(self) -> Fraction:
        return Fraction(self.spec.video.body.fps)

    def salt(self, kind: str) -> str:
        """The whole salt of a step of the film."""
        return ":".join(filter(None, (self.spec.salt, self.salts.get(kind, ""))))


@dataclass(frozen=True)
class Share:
    """Parts that are made and parts that are kept."""

    made: int
    kept: int


@dataclass(frozen=True)
class Preview:
    """What a change will do. `segments` is None while the film is not planned, else what is made at most.

    `seconds` is an estimate of the time until the new film is there; `micro_dollars` None = a price is unknown.
    """

    sentences: Share
    pictures: Share
    segments: Share | None
    seconds: float
    micro_dollars: int | None


def preview(film: Film, after: Script, known: Collection[str], learned: Mapping[str, float]) -> Preview:
    """Answer what making `after` instead of the film's script will do.

    `known`: keys (of `wanted_keys`) that have been made before; `learned`: factors of durations by step kind.
    """
    keys = sentence_keys(film, after)
    fresh = {key: text for key, text in zip(keys, _texts(after), strict=True) if key not in known}
    redrawn, pictures = _pictures(film, after)
    work = _segments(film, after, redrawn, known) if film.plan and film.narration else None
    sentences = Share(sum(key in fresh for key in keys), sum(key not in fresh for key in keys))
    return Preview(
        sentences=sentences,
        pictures=pictures,
        segments=Share(len(work.frames), work.kept) if work else None,
        seconds=_seconds(film, sentences, pictures, work, learned),
        micro_dollars=_price(film, sum(map(len, fresh.values())), pictures.made),
    )


# ── Keys ──────────────────────────────────────────────────────────────────────────────────────────────────
def wanted_keys(film: Film, after: Script) -> list[str]:
    """Answer the keys of every part that `preview` asks about."""
    segments = film.plan.segments if film.plan else ()
    return [*sentence_keys(film, after), *(segment_key(film, segment) for segment in segments)]


def sentence_keys(film: Film, script: Script) -> list[str]:
    """Answer the key of each sentence of a script as the film's voice speaks it. Raises UnspeakableText."""
    spec, salt = film.spec, film.salt("narrate")
    delivery, pauses = spoken_as(spec, film.wishes.get("narrate", ""))
    requests = (
        speech_request(sentence, language=spec.language, delivery=delivery, pauses=pauses)
        for sentence in script.sentences()
    )
    return [part_key("sentence", sentence_parts(request, film.narrator_build, salt), salt) for request in requests]


def segment_key(film: Film, segment: Segment) -> str:
    """Answer the key under which a finished segment is kept."""
    return part_key("segment", {"node": segment.key}, film.spec.salt)


def _texts(script: Script) -> list[str]:
    return [sentence.text for sentence in script.sentences()]


# ── Pictures ──────────────────────────────────────────────────────────────────────────────────────────────
def _pictures(film: Film, after: Script) -> tuple[set[str], Share]:
    """Answer the scenes that will show another picture, and how many pictures must be made."""
    spec = film.spec
    library = [item for item in spec.library if item.role == "picture"] if "library" in spec.recipe.pictures else []
    wish, salt = film.wishes.get("illustrate", ""), film.salts.get("illustrate", "")
    old, new = (match_again(script.scenes, library, wish, salt) for script in (film.script, after))
    changed = {scene.id for scene in after.scenes if old[scene.id].picture != new[scene.id].picture}
    made = sum(new[scene].picture is None for scene in changed)
    return changed, Share(made, len(after.scenes) - made)


# ── Segments ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class _Work:
    """Frames of each segment that is made at most, and how many are kept at least."""

    frames: tuple[int, ...]
    kept: int


def _segments(film: Film, after: Script, redrawn: Collection[str], known: Collection[str]) -> _Work:
    assert film.plan is not None
    edited = edited_scenes(film.script, after)
    spans = _Spans(film, after, edited)
    touched = edited | set(redrawn) | spans.neighbours() | spans.titled()
    # Edits of the timeline are made again on whatever is composed; where they lead is not known beforehand.
    by_hand = bool(film.spec.timeline_edits)
    made, kept = list[int](), 0
    for segment in film.plan.segments:
        scenes = {item.removeprefix("picture-") for item in segment.items}
        if segment.kind == "body" and scenes & edited and not by_hand:
            continue
        if by_hand or scenes & touched or segment_key(film, segment) not in known:
            made.append(segment.frames)
        else:
            kept += 1
    return _Work((*made, *(frames for scene in sorted(edited) for frames in spans.bodies(scene))), kept)


def edited_scenes(before: Script, after: Script) -> set[str]:
    """Answer the ids of the scenes whose sentences differ."""
    old = {scene.id: scene for scene in before.scenes}
    return {
        scene.id
        for scene in after.scenes
        if [(s.text, s.say) for s in scene.sentences] != [(s.text, s.say) for s in old[scene.id].sentences]
    }


class _Spans:
    """How long scenes last: as they were spoken, and between which bounds the changed ones will."""

    def __init__(self, film: Film, after: Script, edited: Collection[str]) -> None:
        assert film.narration is not None
        rate = int(film.narration["sample_rate"])
        self._film, self._order = film, [scene.id for scene in after.scenes]
        self._old = {
            scene["id"]: Fraction(int(scene["end"]) - int(scene["start"]), rate) for scene in film.narration["scenes"]
        }
        pace = _pace(film, rate)
        guess = {scene.id: _guess(film, scene, pace) for scene in after.scenes if scene.id in edited}
        self._low = {**self._old, **{scene: seconds * LESS for scene, seconds in guess.items()}}
        self._high = {**self._old, **{scene: seconds * MORE for scene, seconds in guess.items()}}
        self._edited = set(edited)

    def bodies(self, scene: str) -> list[int]:
        """Frames of the pieces that a changed scene's body is cut into, at most."""
        fps = self._film.fps
        frames, step = int(self._high[scene] * fps) + LEAD_IN + TAIL, int(BODY_SECONDS * fps)
        count = 1 + max(0, frames - int(REST_SECONDS * fps)) // step
        return [step] * (count - 1) + [max(1, frames - step * (count - 1))]

    def neighbours(self) -> set[str]:
        """Unchanged scenes next to a changed one whose transition may get another length."""
        found = set[str]()
        for place, scene in enumerate(self._order):
            if scene in self._edited:
                for beside in self._order[max(0, place - 1) : place] + self._order[place + 1 : place + 2]:
                    found |= {beside} if self._moves(scene, beside) else set()
        return found

    def _moves(self, scene: str, beside: str) -> bool:
        lengths = {
            transition_length(self._film.spec.video.body, min(spans[scene], spans[beside]))
            for spans in (self._old, self._low, self._high)
        }
        return len(lengths) > 1

    def titled(self) -> set[str]:
        """Scenes that the film's title reaches, or may reach after the change."""
        title = Fraction(self._film.spec.video.body.title_seconds)
        end = TITLE_AT + title if title > 0 else Fraction(0)
        found, low, old = set[str](), Fraction(LEAD_IN) / self._film.fps, Fraction(LEAD_IN) / self._film.fps
        for scene in self._order:
            if low != old and min(low, old) < end:
                found.add(scene)
            low, old = low + self._low[scene], old + self._old[scene]
        return found


def _pace(film: Film, rate: int) -> Fraction:
    """How much slower (above 1) the film's voice is than a calm narrator."""
    assert film.narration is not None
    spoken = sum(Fraction(int(s["end"]) - int(s["start"]), rate) for s in film.narration["sentences"])
    read = sum(reading_seconds(text, film.spec.language) for text in _texts(film.script))
    return Fraction(spoken) / Fraction(read).limit_denominator(1000) if read > 0 else Fraction(1)


def _guess(film: Film, scene: Scene, pace: Fraction) -> Fraction:
    """Guess how long a scene will be spoken, pauses included."""
    _delivery, pauses = spoken_as(film.spec, film.wishes.get("narrate", ""))
    read = sum(reading_seconds(sentence.text, film.spec.language) for sentence in scene.sentences)
    silence = Fraction(pauses.sentence * (len(scene.sentences) - 1) + pauses.scene, 1000)
    return Fraction(read).limit_denominator(1000) * pace + silence


# ── Time and money ────────────────────────────────────────────────────────────────────────────────────────
def _seconds(film: Film, sentences: Share, pictures: Share, work: _Work | None, learned: Mapping[str, float]) -> float:
    """Estimate the wall time; steps that find most of their parts made are counted by what they make."""
    spec = film.spec.model_dump(mode="json", include={"seconds"})
    whole = {kind: STEP_KINDS[kind].cost(spec, {}) * learned.get(kind, 1.0) for kind in STEP_KINDS}
    shares = {"narrate": sentences, "illustrate": pictures}
    for kind, share in shares.items():
        whole[kind] *= share.made / max(1, share.made + share.kept)
    steps = [Remaining("script", whole["script"])]
    steps += [Remaining(kind, whole[kind], needs=["script"]) for kind in shares]
    steps.append(Remaining("compose", whole["compose"], needs=list(shares)))
    renders = [
        Remaining(f"render-{place}", seconds * learned.get("render", 1.0), needs=["compose"])
        for place, seconds in enumerate(_render_seconds(film, work))
    ]
    steps += renders
    steps.append(Remaining("mux", whole["mux"], needs=[step.id for step in renders]))
    steps.append(Remaining("check", whole["check"], needs=["mux"]))
    steps.append(Remaining("package", whole["package"], needs=["check"]))
    return seconds_left(steps, SLOTS)


def _render_seconds(film: Film, work: _Work | None) -> Sequence[float]:
    if film.plan is None or work is None:
        return [film.spec.seconds * MAKING_S_PER_FILM_S / SLOTS] * SLOTS
    counted = (film.plan.frames // render.SOUND_SHARE, *work.frames)
    return [render.cost({}, {"frames": frames}) for frames in counted]


def _price(film: Film, characters: int, pictures: int) -> int | None:
    prices = [
        price(film.narrator, "characters", characters),
        price(film.spec.makers[0], "pictures", pictures),
    ]
    return None if None in prices else sum(amount or 0 for amount in prices)
