"""The film's sound: what plays when, and when music steps back for speech. Everything in film samples."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, cast

from timeline.document import DuckBy
from timeline.faults import Findings
from timeline.keys import node_key
from timeline.media import WORD_RATE, merge, speech_intervals
from timeline.plan import Duck, Master, Sound, SoundMix
from timeline.resolved import ResolvedItem, ResolvedTimeline, ResolvedTrack
from timeline.time import format_seconds, round_half_up, snap_sample

Bus = Literal["narration", "music", "sfx", "source"]
EDGE_FADE = 240
"""5 ms at 48 kHz: no sound begins or ends with a click."""


def mix_sound(timeline: ResolvedTimeline, master: Master, build: str, findings: Findings) -> SoundMix:
    """Answer the sound mix with its key; what cannot be played is reported."""
    audible = [track for track in timeline.tracks if track.kind == "audio" and track.enabled]
    sounds = [
        _sound(timeline, track, item, findings)
        for track in audible
        for item in _audible(track)
        if item.first < timeline.samples
    ]
    mix = SoundMix(
        sample_rate=timeline.sample_rate,
        samples=timeline.samples,
        sounds=tuple(sounds),
        ducks=_ducks(timeline, audible, findings),
        master=master,
    )
    return mix.model_copy(update={"key": node_key("sound", mix.model_dump(exclude={"key"}), build=build)})


def _audible(track: ResolvedTrack) -> list[ResolvedItem]:
    return [item for item in track.items if item.clip and item.clip.enabled and not item.clip.audio.mute]


def _sound(timeline: ResolvedTimeline, track: ResolvedTrack, item: ResolvedItem, findings: Findings) -> Sound:
    clip = item.clip
    assert clip is not None
    assert clip.asset is not None
    media, rate = timeline.media[clip.asset], timeline.sample_rate
    begin = clip.source.in_.at(timeline.fps)
    samples = min(item.stop, timeline.samples) - item.first
    _check_source(item, begin, media.duration or Fraction(0), clip.loop, findings)
    fade_in, fade_out = _fades(timeline, item, samples, findings)
    return Sound(
        asset=media.sha256,
        bus=cast(Bus, track.role),
        start=item.first,
        samples=samples,
        source_in=snap_sample(begin, rate),
        loop=clip.loop,
        gain_mdb=round_half_up((track.track.gain_db + clip.audio.gain_db) * 1000),
        fade_in=fade_in,
        fade_out=fade_out,
    )


def _check_source(item: ResolvedItem, begin: Fraction, duration: Fraction, loop: bool, findings: Findings) -> None:
    left = duration - begin
    if begin < 0 or left <= 0:
        message = f"{item.id!r} starts at {format_seconds(begin)} of a sound that lasts {format_seconds(duration)}."
        findings.add("E_SOURCE_RANGE", message, path=item.path + "/source", item_id=item.id)
    elif not loop and item.end - item.start > left:
        length = format_seconds(item.end - item.start)
        message = f"{item.id!r} should last {length}, but only {format_seconds(left)} of its sound are left."
        findings.add("E_SOURCE_RANGE", message, path=item.path, item_id=item.id, fix='Shorten it, or set "loop": true.')


def _fades(timeline: ResolvedTimeline, item: ResolvedItem, samples: int, findings: Findings) -> tuple[int, int]:
    """Answer fades in samples: as written, at least the edge fade, which short sounds share."""
    assert item.clip is not None
    fades, rate = item.clip.fades, timeline.sample_rate
    written = [round_half_up(fade.at(timeline.fps) * rate) if fade else 0 for fade in (fades.in_, fades.out)]
    if min(written) < 0 or sum(written) > samples:
        message = f"The fades of {item.id!r} take longer than it lasts ({format_seconds(Fraction(samples, rate))})."
        findings.add("E_FADE_TOO_LONG", message, path=item.path, item_id=item.id)
        return 0, 0
    fade_in = max(written[0], min(EDGE_FADE, samples - written[1], samples // 2))
    return fade_in, max(written[1], min(EDGE_FADE, samples - fade_in))


# ── Ducking ───────────────────────────────────────────────────────────────────────────────────────────────
def _ducks(timeline: ResolvedTimeline, audible: list[ResolvedTrack], findings: Findings) -> tuple[Duck, ...]:
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


def _duck(timeline: ResolvedTimeline, bus: str, rule: DuckBy, audible: list[ResolvedTrack]) -> Duck:
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
    begin = item.start - item.clip.source.in_.at(timeline.fps)
    rate = timeline.sample_rate
    spans = [
        (snap_sample(begin + Fraction(a, WORD_RATE), rate), snap_sample(begin + Fraction(b, WORD_RATE), rate))
        for a, b in speech_intervals(timeline.media[item.clip.asset])
    ]
    stop = min(item.stop, timeline.samples)
    return [(max(a, item.first), min(b, stop)) for a, b in spans if a < stop and b > item.first]
