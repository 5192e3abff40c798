"""Judging a measured film: every way in which it is not what was wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from adapters.media.captions_seen import Mark
from adapters.media.geometry import moves
from adapters.media.loudness import Loudness
from adapters.media.pictures_seen import Seen, Stretch
from adapters.media.probe import FilmFacts
from adapters.media.sound_heard import SURE, Lag, speech_of
from domain.production.ports import Finding
from timeline.plan import Blend, Colour, Master, RenderPlan, Segment, Shot

LONGEST_BLACK_S = 2
LONGEST_FROZEN_S = 2
TOO_SOON_S = 30
LATEST_SPEECH_S = 0.1
LOUDNESS_WITHIN = 0.5
PEAK_WITHIN = 0.05
AAC_FRAME = Fraction(1024, 48_000)
BT709 = (1, 1, 1)


@dataclass(frozen=True)
class Film:
    """All that was measured of a film."""

    facts: FilmFacts
    frames: int
    gaps: str
    faststart: bool
    seen: Seen
    marks: Sequence[Mark]
    heard: Loudness | None
    silences: list[tuple[float, float]]
    clipped: list[tuple[float, float]]
    lag: Lag | None
    size: int


def judged(film: Film, plan: RenderPlan | None) -> Iterator[Finding]:
    """All findings, in the order in which a person would look."""
    if film.seen.damage:
        at = film.seen.frames / film.facts.rate if film.facts.rate else 0
        yield Finding("damaged", "error", f"The film does not decode to its end: {film.seen.damage}.", float(at))
    yield from _form(film, plan)
    yield from _length(film, plan)
    yield from _pictures(film, plan)
    if plan is not None:
        yield from repeats(plan)
    yield from _sound(film, plan)


def _form(film: Film, plan: RenderPlan | None) -> Iterator[Finding]:
    facts = film.facts
    if plan is not None:
        wanted = plan.output
        if (facts.width, facts.height) != (wanted.width, wanted.height):
            yield _wrong("wrong_size", "size", f"{facts.width}×{facts.height}", f"{wanted.width}×{wanted.height}")
        if facts.rate != Fraction(wanted.rate.num, wanted.rate.den):
            yield _wrong("wrong_rate", "frame rate", str(facts.rate), f"{wanted.rate.num}/{wanted.rate.den}")
    if facts.pix_fmt != "yuv420p":
        yield _wrong("wrong_pixels", "pixel format", facts.pix_fmt, "yuv420p", hard=plan is not None)
    if facts.colour != BT709 or not facts.limited:
        measured = "/".join(map(str, facts.colour)) + (" limited" if facts.limited else " full or unknown")
        yield _wrong("wrong_colour", "colour tags", measured, "1/1/1 limited (BT.709)", hard=plan is not None)
    if not film.faststart:
        message = "The index stands at the end of the file, so the film cannot start before it is loaded."
        yield Finding("not_faststart", _severity(plan is not None), message)
    if film.gaps:
        yield Finding("uneven_times", "error", f"The picture's times are wrong: {film.gaps}.")


def _wrong(code: str, what: str, measured: str, wanted: str, *, hard: bool = True) -> Finding:
    return Finding(
        code,
        _severity(hard),
        f"The {what} is {measured} instead of {wanted}.",
        measured=measured,
        wanted=wanted,
    )


def _severity(hard: bool) -> str:
    return "error" if hard else "warning"


def _length(film: Film, plan: RenderPlan | None) -> Iterator[Finding]:
    if plan is None:
        return
    frame = Fraction(plan.output.rate.den, plan.output.rate.num)
    wanted, found = plan.frames * frame, film.facts.duration
    if abs(found - wanted) >= frame or film.frames != plan.frames:
        code = "too_short" if found < wanted or film.frames < plan.frames else "too_long"
        message = (
            f"The film has {film.frames} frames ({float(found):.3f} s) "
            f"instead of {plan.frames} ({float(wanted):.3f} s)."
        )
        yield Finding(code, "error", message, measured=f"{float(found):.3f} s", wanted=f"{float(wanted):.3f} s")


def _pictures(film: Film, plan: RenderPlan | None) -> Iterator[Finding]:
    rate = film.facts.rate or Fraction(30)
    for run in film.seen.black:
        meant = plan is not None and _overlap(run, plan, _is_dark) >= run.end - run.first - 1
        if not meant:
            yield _stretch("black", _severity(plan is not None), "The picture is black", run, rate)
    for run in film.seen.still:
        if plan is None:
            yield _stretch("frozen", "warning", "The picture does not move", run, rate)
        elif _overlap(run, plan, is_moving) >= LONGEST_FROZEN_S * rate and run not in film.seen.black:
            yield _stretch("frozen", "error", "The picture stands still where it should move", run, rate)


def repeats(plan: RenderPlan) -> Iterator[Finding]:
    """A picture that comes back soon with the same camera, as another item: most likely by mistake."""
    last: dict[str, tuple[tuple[str, ...], int]] = {}
    rate = Fraction(plan.output.rate.num, plan.output.rate.den)
    for part in plan.segments:
        picture = part.picture
        if part.kind != "body" or not isinstance(picture, Shot) or picture.motion is None:
            continue
        view = picture.model_copy(update={"motion": picture.motion.model_copy(update={"offset": 0})})
        look = view.model_dump_json()
        items, end = last.get(look, (part.items, 0))
        if items != part.items and (part.start - end) / rate <= TOO_SOON_S:
            at = float(part.start / rate)
            yield Finding("repeated_picture", "warning", f"The picture at {at:.1f} s was shown a moment ago.", at)
        last[look] = part.items, part.start + part.frames


def _stretch(code: str, severity: str, what: str, run: Stretch, rate: Fraction) -> Finding:
    start, end = run.seconds(rate)
    return Finding(code, severity, f"{what} for {end - start:.1f} s from {start:.1f} s.", start, end)


def _overlap(run: Stretch, plan: RenderPlan, wanted: Callable[[Segment], bool]) -> int:
    """Frames of a run that lie in segments of a kind."""
    return sum(
        max(0, min(run.end, part.start + part.frames) - max(run.first, part.start))
        for part in plan.segments
        if wanted(part)
    )


def is_moving(segment: Segment) -> bool:
    """Whether the plan moves something all over the canvas in a segment."""
    picture = segment.picture
    return isinstance(picture, Blend) or (isinstance(picture, Shot) and moves(picture.motion))


def _is_dark(segment: Segment) -> bool:
    picture = segment.picture
    return isinstance(picture, Colour) and int(picture.value[1:], 16) & 0xE0E0E0 == 0


def _sound(film: Film, plan: RenderPlan | None) -> Iterator[Finding]:
    if film.heard is None:
        yield Finding("no_sound", _severity(plan is not None), "The film has no sound.")
        return
    if film.heard.silent:
        yield Finding("silent", _severity(plan is not None), "The film is silent from beginning to end.")
        return
    yield from _level(film.heard, plan.sound.master if plan else Master(), hard=plan is not None)
    for start, end in film.clipped:
        message = f"The sound is clipped for {end - start:.1f} s from {start:.1f} s."
        yield Finding("clipped", _severity(plan is not None), message, start, end)
    yield from _quiet(film, plan)
    yield from _together(film, plan)


def _level(heard: Loudness, master: Master, *, hard: bool) -> Iterator[Finding]:
    target, top = master.loudness_mlufs / 1000, master.true_peak_mdbtp / 1000
    missed = heard.integrated - target
    if abs(missed) > LOUDNESS_WITHIN:
        code, word = ("too_loud", "loud") if missed > 0 else ("too_quiet", "quiet")
        message = f"The film is {abs(missed):.1f} LU too {word}."
        yield Finding(
            code,
            _severity(hard),
            message,
            measured=f"{heard.integrated:.2f} LUFS",
            wanted=f"{target:.2f} LUFS",
        )
    if heard.true_peak > top + PEAK_WITHIN:
        message = f"The sound peaks at {heard.true_peak:.2f} dBTP."
        yield Finding(
            "peaks",
            _severity(hard),
            message,
            measured=f"{heard.true_peak:.2f} dBTP",
            wanted=f"≤ {top:.2f} dBTP",
        )


def _quiet(film: Film, plan: RenderPlan | None) -> Iterator[Finding]:
    spoken = speech_of(plan) if plan else []
    for start, end in film.silences:
        said = sum(max(0.0, min(end, b / 48_000) - max(start, a / 48_000)) for a, b in spoken)
        lost = said > (end - start) / 2
        what = "Speech is missing" if lost else "There is silence"
        yield Finding("dead_air", _severity(lost), f"{what} for {end - start:.1f} s from {start:.1f} s.", start, end)


def _together(film: Film, plan: RenderPlan | None) -> Iterator[Finding]:
    facts, sound = film.facts, film.facts.sound
    assert sound is not None
    frame = 1 / facts.rate if facts.rate else Fraction(1, 30)
    late, longer = sound.start - facts.start, sound.duration - facts.duration
    if abs(late) > frame or abs(longer) > max(frame, AAC_FRAME):
        message = (
            f"Sound starts {float(late) * 1000:+.0f} ms and lasts {float(longer) * 1000:+.0f} ms against the picture."
        )
        yield Finding("out_of_sync", _severity(plan is not None), message)
    elif film.lag is not None and film.lag.surety >= SURE and abs(film.lag.seconds) > LATEST_SPEECH_S:
        early = "early" if film.lag.seconds < 0 else "late"
        message = f"Speech comes {abs(film.lag.seconds):.2f} s too {early}."
        yield Finding("out_of_sync", "error", message, measured=f"{film.lag.seconds:+.2f} s", wanted="0 s")
