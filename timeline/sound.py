"""The film's sound: what plays when, and when music steps back for speech. Everything in film samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, cast

from timeline.document import Clip, DuckBy
from timeline.faults import Findings
from timeline.keys import node_key
from timeline.media import WORD_RATE, merge, speech_intervals
from timeline.plan import Duck, GainKey, Master, Sound, SoundMix
from timeline.resolved import ResolvedItem, ResolvedTimeline, ResolvedTrack
from timeline.scenes import Scene, scenes_of
from timeline.time import format_decimal, format_seconds, frames_to_samples, round_half_up, snap_sample

Bus = Literal["narration", "music", "sfx", "source"]
EDGE_FADE = 240
"""5 ms at 48 kHz: no sound begins or ends with a click."""


@dataclass(frozen=True)
class Heard:
    """One item as heard: film samples [begin, stop) with what transitions reach beyond it, and its bus.

    `cross`: samples of equal-power fade at either end where a transition joins it to a neighbour.
    """

    item: ResolvedItem
    clip: Clip
    bus: Bus
    begin: int
    stop: int
    gain: Fraction
    cross: tuple[int, int] = (0, 0)


def mix_sound(
    timeline: ResolvedTimeline,
    master: Master,
    build: str,
    findings: Findings,
    span: tuple[int, int] | None = None,
    profile: str = "",
) -> SoundMix:
    """Answer the sound mix with its key, of the whole film or of the frames in `span`; faults are told."""
    begin, stop = (frames_to_samples(frame, timeline.fps, timeline.sample_rate) for frame in span or (0, 0))
    if span is None:
        begin, stop = 0, timeline.samples
    sounds = [
        sound.model_copy(update={"start": sound.start - begin})
        for sound in all_sounds(timeline, findings, profile)
        if sound.start < stop and sound.start + sound.samples > begin
    ]
    audible = [track for track in timeline.tracks if track.kind == "audio" and track.enabled]
    mix = SoundMix(
        sample_rate=timeline.sample_rate,
        samples=stop - begin,
        sounds=tuple(sounds),
        ducks=tuple(
            moved for duck in _ducks(timeline, audible, findings) if (moved := _moved(duck, begin, stop)).speech
        ),
        master=master,
    )
    return mix.model_copy(update={"key": node_key("sound", mix.model_dump(exclude={"key"}), build=build)})


def _moved(duck: Duck, begin: int, stop: int) -> Duck:
    """Answer a ducking rule for a part of the film."""
    speech = tuple((a - begin, b - begin) for a, b in duck.speech if a < stop and b > begin)
    return duck.model_copy(update={"speech": speech})


def all_sounds(timeline: ResolvedTimeline, findings: Findings, profile: str = "", shift: int = 0) -> list[Sound]:
    """Answer every sound of a sequence: of its sound tracks, of films on its picture tracks, of what it nests."""
    sounds: list[Sound] = []
    for track in timeline.tracks:
        if not track.enabled or track.kind == "caption":
            continue
        for scene in scenes_of(track.items):
            clip = scene.item.clip.in_profile(profile) if scene.item and scene.item.clip else None
            if scene.item is None or clip is None or not clip.enabled or clip.audio.mute:
                continue
            if clip.sequence is not None:
                sounds += _nested(timeline, scene.item, clip, findings, profile, shift)
            elif heard := _heard(timeline, track, scene, scene.item, clip):
                sounds.append(_sound(timeline, heard, shift, findings))
    return sounds


def _heard(
    timeline: ResolvedTimeline, track: ResolvedTrack, scene: Scene, item: ResolvedItem, clip: Clip
) -> Heard | None:
    gain = track.track.gain_db + clip.audio.gain_db
    if track.kind == "audio":
        begin, stop = scene.seen
        if begin >= timeline.samples:
            return None
        cross = (sum(scene.before.reach) if scene.before else 0, sum(scene.after.reach) if scene.after else 0)
        return Heard(item, clip, cast(Bus, track.role), begin, min(stop, timeline.samples), gain, cross)
    media = timeline.media.get(clip.asset or "")
    if media is None or media.kind != "video" or not media.sample_rate or clip.frozen is not None:
        return None
    before, after = (
        cut if cut and cut.transition and cut.transition.link else None for cut in (scene.before, scene.after)
    )
    linked = Scene(item, item.first, item.stop, before, after)
    begin, stop = (frames_to_samples(frame, timeline.fps, timeline.sample_rate) for frame in linked.seen)
    joined = [
        frames_to_samples(sum(cut.reach), timeline.fps, timeline.sample_rate) if cut else 0 for cut in (before, after)
    ]
    return Heard(item, clip, "source", begin, min(stop, timeline.samples), gain, (joined[0], joined[1]))


def _nested(
    timeline: ResolvedTimeline, item: ResolvedItem, clip: Clip, findings: Findings, profile: str, shift: int
) -> list[Sound]:
    """Answer the sounds of a nested sequence, cut to the item."""
    inner = timeline.nests[clip.sequence or ""]
    inner = inner.model_copy(update={"nests": timeline.nests})
    fps, rate = timeline.fps, timeline.sample_rate
    begin, stop = (frames_to_samples(frame, fps, rate) for frame in (item.first, item.stop))
    zero = begin - frames_to_samples(round_half_up(item.source_in(fps) * fps), fps, rate)
    cut = [_trimmed(sound, begin + shift, stop + shift) for sound in all_sounds(inner, findings, profile, zero + shift)]
    gain = round_half_up(clip.audio.gain_db * 1000)
    return [sound.model_copy(update={"gain_mdb": sound.gain_mdb + gain}) for sound in cut if sound]


def _trimmed(sound: Sound, begin: int, stop: int) -> Sound | None:
    """Cut a sound to film samples [begin, stop)."""
    first, last = max(sound.start, begin), min(sound.start + sound.samples, stop)
    if last <= first:
        return None
    head = first - sound.start
    length = last - first
    fades = [min(fade, length // 2) for fade in (sound.fade_in if not head else EDGE_FADE, sound.fade_out)]
    moved = round_half_up(Fraction(head * sound.speed_num, sound.speed_den))
    if sound.reverse:
        moved = round_half_up(Fraction((sound.start + sound.samples - last) * sound.speed_num, sound.speed_den))
    return sound.model_copy(
        update={
            "start": first,
            "samples": length,
            "source_in": sound.source_in + moved,
            "fade_in": fades[0],
            "fade_out": fades[1],
            "gain": tuple(key.model_copy(update={"sample": key.sample - head}) for key in sound.gain),
        }
    )


# ── One sound ─────────────────────────────────────────────────────────────────────────────────────────────
def _sound(timeline: ResolvedTimeline, heard: Heard, shift: int, findings: Findings) -> Sound:
    item, clip, rate, fps = heard.item, heard.clip, timeline.sample_rate, timeline.fps
    samples = heard.stop - heard.begin
    fade_in, fade_out = _fades(timeline, heard, samples, findings)
    shared = {
        "bus": heard.bus,
        "start": heard.begin + shift,
        "samples": samples,
        "gain_mdb": round_half_up(heard.gain * 1000),
        "fade_in": fade_in,
        "fade_out": fade_out,
        "fade_in_curve": "equal-power" if heard.cross[0] else clip.fades.curve,
        "fade_out_curve": "equal-power" if heard.cross[1] else clip.fades.curve,
        "pan": format_decimal(clip.audio.pan),
        "gain": _gain(heard, fps, rate),
    }
    if clip.tone is not None:
        return Sound(asset="", tone_mhz=round_half_up(clip.tone.hertz * 1000), **shared)
    assert clip.asset is not None
    media = timeline.media[clip.asset]
    begin, duration = item.source_in(fps), media.duration or Fraction(0)
    _check_source(item, clip, begin, duration, findings)
    used = clip.source.dur.at(fps) if clip.source.dur is not None and clip.loop else Fraction(0)
    return Sound(
        asset=media.sha256,
        source_in=max(snap_sample(begin + _before(timeline, heard), rate), 0),
        loop=clip.loop,
        loop_samples=snap_sample(used, rate),
        speed_num=clip.speed.numerator,
        speed_den=clip.speed.denominator,
        keep_pitch=clip.audio.keep_pitch,
        reverse=clip.reversed,
        **shared,
    )


def _before(timeline: ResolvedTimeline, heard: Heard) -> Fraction:
    """Answer how far before the item's in point its sound begins (negative), because a transition reaches back.

    A reversed clip ends at its in point, so what counts there is what is heard after its end.
    """
    rate = timeline.sample_rate
    if heard.clip.reversed:
        return -(Fraction(heard.stop, rate) - heard.item.end) * heard.clip.speed if heard.cross[1] else Fraction(0)
    return (Fraction(heard.begin, rate) - heard.item.start) * heard.clip.speed if heard.cross[0] else Fraction(0)


def _gain(heard: Heard, fps: Fraction, rate: int) -> tuple[GainKey, ...]:
    """Answer the gain curve, counted from where the sound begins."""
    length = heard.item.end - heard.item.start
    keys = {
        snap_sample(heard.item.start + point.t.at(length, fps), rate) - heard.begin: round_half_up(point.gain_db * 1000)
        for point in heard.clip.audio.curve
    }
    return tuple(GainKey(sample=sample, mdb=keys[sample]) for sample in sorted(keys))


def _check_source(item: ResolvedItem, clip: Clip, begin: Fraction, duration: Fraction, findings: Findings) -> None:
    left = (duration - begin) / clip.speed
    details = {"path": item.path, "item_id": item.id}
    if begin < 0 or left <= 0:
        message = f"{item.id!r} starts at {format_seconds(begin)} of a sound that lasts {format_seconds(duration)}."
        findings.add("E_SOURCE_RANGE", message, path=item.path + "/source", item_id=item.id)
    elif not clip.loop and item.end - item.start > left and item.clip is not None:
        length = format_seconds(item.end - item.start)
        message = f"{item.id!r} should last {length}, but only {format_seconds(left)} of its sound are left."
        findings.add("E_SOURCE_RANGE", message, fix='Shorten it, or set "loop": true.', **details)


def _fades(timeline: ResolvedTimeline, heard: Heard, samples: int, findings: Findings) -> tuple[int, int]:
    """Answer fades in samples: as written, at least the edge fade, which short sounds share."""
    item, fades, rate = heard.item, heard.clip.fades, timeline.sample_rate
    written = [round_half_up(fade.at(timeline.fps) * rate) if fade else 0 for fade in (fades.in_, fades.out)]
    if min(written) < 0 or sum(written) > samples:
        message = f"The fades of {item.id!r} take longer than it lasts ({format_seconds(Fraction(samples, rate))})."
        findings.add("E_FADE_TOO_LONG", message, path=item.path, item_id=item.id)
        return 0, 0
    written = [max(own, min(cross, samples)) for own, cross in zip(written, heard.cross, strict=True)]
    fade_in = max(written[0], min(EDGE_FADE, max(samples - written[1], 0), samples // 2))
    return fade_in, max(written[1], min(EDGE_FADE, max(samples - fade_in, 0)))


def _audible(track: ResolvedTrack) -> list[ResolvedItem]:
    return [
        item for item in track.items if item.clip and item.clip.asset and item.clip.enabled and not item.clip.audio.mute
    ]


# ── Ducking ───────────────────────────────────────────────────────────────────────────────────────────────
def _ducks(timeline: ResolvedTimeline, audible: Sequence[ResolvedTrack], findings: Findings) -> tuple[Duck, ...]:
    ducks: dict[str, Duck] = {}
    for track in audible:
        rule = track.track.duck_by
        if rule is None or not _audible(track):
            continue
        if track.role == "narration":
            message = "Narration does not step back for others."
            findings.add("E_UNSUPPORTED", message, item_id=track.id, fix='Remove its "duck_by".')
            continue
        duck = _duck(timeline, track.role, rule, audible)
        if ducks.setdefault(track.role, duck) != duck:
            message = f"Two {track.role} tracks step back in different ways; they share one bus."
            findings.add("E_UNSUPPORTED", message, item_id=track.id, fix='Give both the same "duck_by".')
    return tuple(duck for duck in ducks.values() if duck.speech)


def _duck(timeline: ResolvedTimeline, bus: str, rule: DuckBy, audible: Sequence[ResolvedTrack]) -> Duck:
    def samples(time: Fraction) -> int:
        return max(round_half_up(time * timeline.sample_rate), 0)

    spoken = [
        interval
        for track in audible
        if track.role == rule.by
        for item in _audible(track)
        for interval in _speech(timeline, item)
    ]
    return Duck(
        mode=rule.mode,
        by=rule.by if rule.mode == "sidechain" else "",
        bus=cast(Literal["music", "sfx", "source"], bus),
        amount_mdb=round_half_up(rule.amount_db * 1000),
        attack=samples(rule.attack.at(timeline.fps)),
        hold=samples(rule.hold.at(timeline.fps)),
        release=samples(rule.release.at(timeline.fps)),
        lookahead=samples(rule.lookahead.at(timeline.fps)),
        speech=merge(spoken),
    )


def _speech(timeline: ResolvedTimeline, item: ResolvedItem) -> list[tuple[int, int]]:
    """Project a clip's speech onto the film, cut to the clip."""
    assert item.clip is not None
    assert item.clip.asset is not None
    rate, fps = timeline.sample_rate, timeline.fps
    if item.clip.reversed or item.clip.loop:
        return [(item.first, min(item.stop, timeline.samples))]
    spans = [
        tuple(snap_sample(item.on_film(Fraction(edge, WORD_RATE), fps), rate) for edge in interval)
        for interval in speech_intervals(timeline.media[item.clip.asset])
    ]
    stop = min(item.stop, timeline.samples)
    return [(max(a, item.first), min(b, stop)) for a, b in spans if a < stop and b > item.first]
