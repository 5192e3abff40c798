"""A resolved document as OpenTimelineIO: what it can say in its own words, everything in our metadata.

Times are whole numbers at the sequence's frame rate (pictures) and at 48,000 (sounds). Each item carries its
canonical form and what it became, so that an unchanged file reads back as the same document.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import opentimelineio as otio

from adapters.interchange.otio_nodes import SPACE, digest_of
from timeline.document import Clip, Document, Gap, Item
from timeline.resolved import ResolvedItem, ResolvedTimeline, ResolvedTrack
from timeline.time import round_half_up


def write_otio(document: Document, resolved: ResolvedTimeline) -> str:
    """Answer the OTIO JSON of a document and what it resolved to."""
    timeline = otio.schema.Timeline(name=document.title)
    timeline.tracks.name = "tracks"
    timeline.metadata[SPACE] = {"document": plain(document.model_dump(mode="json"))}
    written = {item.id: item for track in document.sequence.tracks for item in track.items}
    for track in resolved.tracks:
        if track.kind != "caption":
            timeline.tracks.append(_track(document, resolved, track, written))
    for marker in document.sequence.markers:
        begin, length = marker.at.at(resolved.fps), marker.length.at(resolved.fps)
        timeline.tracks.markers.append(
            otio.schema.Marker(
                name=marker.id,
                marked_range=_range(
                    round_half_up(begin * resolved.fps), round_half_up(length * resolved.fps), resolved.fps
                ),
                comment=marker.text,
                metadata={SPACE: {"marker": marker.id}},
            )
        )
    return str(otio.adapters.write_to_string(timeline, "otio_json")) + "\n"


def plain(value: Any) -> Any:
    """Answer data as JSON has it: what OTIO gives back must compare equal to what it was given."""
    return json.loads(json.dumps(value))


def rate_of(resolved: ResolvedTimeline, track: ResolvedTrack) -> Fraction:
    return Fraction(resolved.sample_rate) if track.kind == "audio" else resolved.fps


def _track(
    document: Document, resolved: ResolvedTimeline, track: ResolvedTrack, written: dict[str, Item]
) -> otio.schema.Track:
    kind = otio.schema.TrackKind.Audio if track.kind == "audio" else otio.schema.TrackKind.Video
    result = otio.schema.Track(name=track.track.name or track.id, kind=kind)
    result.enabled = track.enabled
    own = track.track.model_dump(mode="json", exclude={"items"})
    result.metadata[SPACE] = {"track": track.id, "role": track.role, "fields": plain(own)}
    for item in track.items:
        result.append(_item(document, resolved, track, item, written.get(item.id)))
    return result


def _item(
    document: Document, resolved: ResolvedTimeline, track: ResolvedTrack, item: ResolvedItem, own: Item | None
) -> otio.core.Composable:
    rate = rate_of(resolved, track)
    about: dict[str, Any] = {"id": item.id, "first": item.first, "count": item.count}
    if own is not None:
        about["item"] = plain(own.model_dump(mode="json"))
    if item.transition is not None:
        about["reach"] = list(item.reach)
        kind = item.transition.transition
        return otio.schema.Transition(
            name=item.id,
            transition_type=otio.schema.TransitionTypes.SMPTE_Dissolve if kind == "crossfade" else f"vfos.{kind}",
            in_offset=_time(item.reach[0], rate),
            out_offset=_time(item.reach[1], rate),
            metadata={SPACE: about},
        )
    if item.clip is None:
        gap = otio.schema.Gap(source_range=_range(0, item.count, rate))
        gap.name = item.id if isinstance(own, Gap) else ""
        gap.metadata[SPACE] = about if isinstance(own, Gap) else {"implied": True}
        return gap
    begin = round_half_up(item.source_in(resolved.fps) * rate)
    about["source_in"] = begin
    span = _range(begin, item.count, rate)
    if item.clip.sequence is not None:
        return _nest(document, resolved, item, span, about)
    clip = otio.schema.Clip(name=item.clip.name or item.id, source_range=span, metadata={SPACE: about})
    clip.enabled = item.clip.enabled
    clip.media_reference = _media(document, resolved, item.clip, rate)
    clip.effects.extend(_effects(item.clip))
    return clip


def _nest(
    document: Document, resolved: ResolvedTimeline, item: ResolvedItem, span: Any, about: dict[str, Any]
) -> otio.schema.Stack:
    """A nested sequence with its own tracks; changes inside are noticed by their digest."""
    assert item.clip is not None
    inner = resolved.nests[item.clip.sequence or ""].model_copy(update={"nests": resolved.nests})
    stack = otio.schema.Stack(name=item.clip.name or item.id, source_range=span)
    written = {each.id: each for t in document.sequences[item.clip.sequence or ""].tracks for each in t.items}
    for track in inner.tracks:
        if track.kind != "caption":
            stack.append(_track(document, inner, track, written))
    inside = digest_of(json.loads(otio.adapters.write_to_string(stack, "otio_json")))
    stack.metadata[SPACE] = {**about, "inside": inside}
    return stack


def _media(document: Document, resolved: ResolvedTimeline, clip: Clip, rate: Fraction) -> otio.core.MediaReference:
    if clip.asset is None:
        return otio.schema.GeneratorReference(name=clip.content, generator_kind=f"vfos.{clip.content}", parameters={})
    media = resolved.media[clip.asset]
    available = None if media.duration is None else _range(0, int(media.duration * rate), rate)
    return otio.schema.ExternalReference(
        target_url=document.assets[clip.asset].uri,
        available_range=available,
        metadata={SPACE: {"asset": clip.asset, "sha256": media.sha256}},
    )


def _effects(clip: Clip) -> list[otio.schema.Effect]:
    effects: list[otio.schema.Effect] = []
    if clip.frozen is not None:
        effects.append(otio.schema.FreezeFrame())
    elif clip.speed != 1 or clip.reversed:
        scalar = float(clip.speed) * (-1 if clip.reversed else 1)
        effects.append(otio.schema.LinearTimeWarp(name="speed", time_scalar=scalar))
    named = [use.effect for use in clip.effects if use.enabled and use.effect not in ("reverse", "freeze")]
    return effects + [otio.schema.Effect(name=name, effect_name=f"vfos.{name}") for name in named]


def _time(value: int, rate: Fraction) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(value, float(rate))


def _range(start: int, count: int, rate: Fraction) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(_time(start, rate), _time(count, rate))
