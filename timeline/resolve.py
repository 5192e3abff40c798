"""From a document and measured media to a resolved timeline: every time known, every gap explicit, every fault named.

The only entry is `resolve`. Nothing is ever shifted, clamped or guessed; what does not fit is an error that says by
how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from timeline.document import KIND_OF_ROLE, Clip, Document
from timeline.faults import Findings, TimelineError, closest, nearest, pointer, replaced
from timeline.media import WORD_RATE, Media, MediaWord, SpokenWord
from timeline.nests import at_rate, moved_fault, moved_timeline, nesting_order
from timeline.outputs import ProfileUse
from timeline.placing import MAX_DURATION, Placement, solve_placement
from timeline.references import place_pointer
from timeline.resolved import ResolvedItem, ResolvedTimeline, ResolvedTrack
from timeline.row import Row
from timeline.rows import build_row
from timeline.texts import report_unknown_style
from timeline.time import format_seconds, frames_to_samples, snap_frame, snap_sample
from timeline.titles import look_of
from timeline.variables import Variables

__all__ = ["Media", "MediaWord", "ResolvedTimeline", "TimelineError", "resolve"]


def resolve(
    document: Document,
    media: Mapping[str, Media],
    values: Mapping[str, Any] | None = None,
    *,
    profile: ProfileUse | None = None,
) -> ResolvedTimeline:
    """Answer the resolved timeline of a document.

    `media` holds measures by asset alias, `values` the values of variables; a `profile` may bring another frame rate.
    Raises TimelineError with all faults.
    """
    findings = Findings()
    if profile is not None and profile.fps is not None:
        document = at_rate(document, profile.fps)
    order = nesting_order(document, findings)
    findings.raise_errors()
    variables = Variables(document, values or {}, findings)
    nests: dict[str, ResolvedTimeline] = {}
    for name in order:
        inner = document.model_copy(update={"sequence": document.sequences[name]})
        own = Findings()
        solved = _resolve_one(inner, media, variables, own, nests)
        findings.faults += [moved_fault(fault, name) for fault in own.faults]
        if solved is not None:
            nests[name] = moved_timeline(solved, name)
    solved = _resolve_one(document, media, variables, findings, nests)
    findings.faults += variables.found(findings)
    findings.raise_errors()
    assert solved is not None
    return solved.model_copy(update={"warnings": findings.warnings, "nests": nests})


def _resolve_one(
    document: Document,
    media: Mapping[str, Media],
    variables: Variables,
    findings: Findings,
    nests: Mapping[str, ResolvedTimeline],
) -> ResolvedTimeline | None:
    """Resolve one sequence; what is wrong is reported and answers None."""
    _check_assets(document, media, findings)
    if findings.errors:
        return None
    placement = solve_placement(document, media, findings, {name: nest.duration for name, nest in nests.items()})
    _check_styles(document, findings)
    if placement is None or findings.errors:
        return None
    _check_duration(placement.duration, document.sequence.fps, findings)
    if findings.errors:
        return None
    tracks = _tracks(document, media, placement, variables.speaking_to(findings), findings)
    return None if findings.errors else _timeline(document, media, placement, tracks)


def _timeline(
    document: Document, media: Mapping[str, Media], placement: Placement, tracks: tuple[ResolvedTrack, ...]
) -> ResolvedTimeline:
    sequence = document.sequence
    frames = snap_frame(placement.duration, sequence.fps)
    return ResolvedTimeline(
        title=document.title,
        language=document.language,
        profiles=document.profiles,
        fps=sequence.fps,
        canvas=sequence.canvas,
        sample_rate=sequence.sample_rate,
        background=sequence.background,
        duration=placement.duration,
        frames=frames,
        samples=frames_to_samples(frames, sequence.fps, sequence.sample_rate),
        tracks=tracks,
        styles=document.styles,
        focus={name: asset.focus for name, asset in document.assets.items() if asset.focus},
        media=dict(media),
    )


# ── Assets ────────────────────────────────────────────────────────────────────────────────────────────────
_KINDS = {"video": ("image", "video"), "audio": ("audio", "video")}
_CONTENTS = {
    "video": ("asset", "text", "color", "gradient", "shape", "progress", "waveform", "qr", "sequence"),
    "audio": ("asset", "tone"),
}


def _check_assets(document: Document, media: Mapping[str, Media], findings: Findings) -> None:
    """Every clip's asset must be declared, measured, and of a kind its track can show or play."""
    used: dict[str, None] = {}
    for t, track in enumerate(document.sequence.tracks):
        kind = KIND_OF_ROLE[track.role]
        for i, item in enumerate(track.items):
            if isinstance(item, Clip):
                _check_clip(item, kind, place_pointer(t, i), document, media, findings)
                if item.asset:
                    used[item.asset] = None
    for name in used:
        if name in document.assets and name in media:
            _check_words(name, media[name], findings)


def _check_styles(document: Document, findings: Findings) -> None:
    """Every text's style must be built in or the document's own."""
    for t, track in enumerate(document.sequence.tracks):
        for i, item in enumerate(track.items if track.enabled else ()):
            if isinstance(item, Clip) and item.enabled and item.style and look_of(item.style, document.styles) is None:
                report_unknown_style(findings, item.style, document.styles, place_pointer(t, i), item.id)


def _check_clip(
    clip: Clip, kind: str, path: str, document: Document, media: Mapping[str, Media], findings: Findings
) -> None:
    content = clip.content
    if content not in _CONTENTS[kind]:
        where = "picture and overlay tracks" if kind == "audio" else "sound tracks"
        message = f"{clip.id!r} is a {content}, which belongs on {where}."
        findings.add("E_ASSET_KIND", message, path=path, item_id=clip.id)
    wanted: list[tuple[str, str, tuple[str, ...]]] = []
    if clip.asset is not None:
        wanted.append((clip.asset, path + "/asset", _KINDS[kind]))
    if clip.waveform:
        wanted.append((clip.waveform.asset, path + "/waveform/asset", _KINDS["audio"]))
    for place, effect in enumerate(clip.effects):
        if effect.effect == "lut":
            wanted.append((effect.params.get("asset", ""), f"{path}/effects/{place}/asset", ("lut",)))
    for name, where, kinds in wanted:
        _check_asset(name, where, kinds, clip.id, document, media, findings)


def _check_asset(
    name: str,
    path: str,
    kinds: Sequence[str],
    item_id: str,
    document: Document,
    media: Mapping[str, Media],
    findings: Findings,
) -> None:
    if name not in document.assets:
        near = closest(name, document.assets) if len(findings.faults) < 50 else ""
        fix, patch = (f"Did you mean {near!r}?", replaced(path, near)) if near else ("Add it to assets.", ())
        message = f"There is no asset {name[:60]!r}."
        findings.add("E_UNKNOWN_ASSET", message, path=path, item_id=item_id, fix=fix, nearest=near, patch=patch)
    elif name not in media:
        message = f"The asset {name!r} could not be read."
        findings.add("E_MEDIA_MISSING", message, path=pointer("assets", name), item_id=item_id)
    elif media[name].kind not in kinds:
        message = f"{name!r} is {media[name].kind}; {' or '.join(kinds)} is needed here."
        findings.add("E_ASSET_KIND", message, path=path, item_id=item_id)
    elif "image" in kinds and min(media[name].width, media[name].height) < 1:
        message = f"The size of {name!r} is not known."
        findings.add("E_MEDIA_MISSING", message, path=pointer("assets", name), item_id=item_id)


def _check_words(name: str, media: Media, findings: Findings) -> None:
    """Words must run forward inside their file."""
    length = None if media.duration is None else media.duration * WORD_RATE
    last = 0
    for number, word in enumerate(media.words, start=1):
        if not all(type(value) is int for value in (word.start, word.end, word.sentence)) or type(word.text) is not str:
            message = f"Word {number} of {name!r} needs a text, and whole numbers for start, end and sentence."
            findings.add("E_WORDS", message, path=pointer("assets", name, "words"))
            return
        if word.start < last or word.end < word.start or (length is not None and word.end > length + WORD_RATE // 20):
            message = (
                f"Word {number} of {name!r} ({word.text[:40]!r}, samples {word.start}–{word.end}) is out of order."
            )
            why = "Words must start one after the other, end after their start, and lie inside the sound."
            findings.add("E_WORDS", message, path=pointer("assets", name, "words"), why=why)
            return
        last = word.start


def _check_duration(duration: Fraction, fps: Fraction, findings: Findings) -> None:
    if snap_frame(duration, fps) < 1:
        findings.add("E_ZERO_LENGTH", "The sequence has no length.", path="/sequence")
    elif duration > MAX_DURATION:
        message = f"The sequence lasts {format_seconds(duration)}; the longest film is {MAX_DURATION // 3600} hours."
        findings.add("E_TOO_LONG", message, path="/sequence")


# ── Tracks ────────────────────────────────────────────────────────────────────────────────────────────────
def _tracks(
    document: Document, media: Mapping[str, Media], placement: Placement, variables: Variables, findings: Findings
) -> tuple[ResolvedTrack, ...]:
    sequence = document.sequence
    rows: list[tuple[ResolvedItem, ...]] = []
    for number, track in enumerate(sequence.tracks):
        rate = sequence.fps if KIND_OF_ROLE[track.role] == "video" else Fraction(sequence.sample_rate)
        rows.append(
            build_row(Row(number, track, rate, placement, variables, findings, media, sequence.fps), sequence.fps)
        )
    return tuple(
        ResolvedTrack(
            id=track.id,
            role=track.role,
            kind=KIND_OF_ROLE[track.role],
            enabled=track.enabled,
            items=rows[number],
            words=_spoken(document, media, number, rows, findings),
            track=track,
        )
        for number, track in enumerate(sequence.tracks)
    )


def _spoken(
    document: Document,
    media: Mapping[str, Media],
    number: int,
    rows: Sequence[tuple[ResolvedItem, ...]],
    findings: Findings,
) -> tuple[SpokenWord, ...]:
    """Answer the words a caption track shows, from the clips of an asset or of a track, in order of time."""
    sequence = document.sequence
    track = sequence.tracks[number]
    if track.from_ is None:
        return ()
    path = pointer("sequence", "tracks", number, "from")
    clips = _clips_of(track.from_, document, rows)
    if not clips:
        known = [*document.assets, *(other.id for other in sequence.tracks)]
        message = f"No narration {track.from_[:60]!r} is played in this sequence."
        findings.add("E_UNKNOWN_REF", message, path=path, fix=nearest(track.from_, known[:500]))
        return ()
    words = [word for item in clips for word in _words_of(item, media, sequence.sample_rate, sequence.fps)]
    if not words:
        message = f"{track.from_!r} has no words to show."
        findings.add("E_NO_WORDS", message, path=path, fix='Give its asset "words".')
    return tuple(sorted(words, key=lambda word: word.start))


def _clips_of(name: str, document: Document, rows: Sequence[tuple[ResolvedItem, ...]]) -> list[ResolvedItem]:
    return [
        item
        for track, row in zip(document.sequence.tracks, rows, strict=True)
        if KIND_OF_ROLE[track.role] == "audio" and track.enabled
        for item in row
        if item.clip and item.clip.enabled and (track.id == name or item.clip.asset == name)
    ]


def _words_of(item: ResolvedItem, media: Mapping[str, Media], rate: int, fps: Fraction) -> list[SpokenWord]:
    """Project a clip's words onto the sequence, through its place and trim; what is trimmed away is not shown."""
    assert item.clip is not None
    assert item.clip.asset is not None
    if item.clip.reversed:
        return []
    words = []
    for word in media[item.clip.asset].words:
        start = snap_sample(item.on_film(Fraction(word.start, WORD_RATE), fps), rate)
        end = snap_sample(item.on_film(Fraction(word.end, WORD_RATE), fps), rate)
        text = " ".join(word.text.split())
        if text and item.first <= start < item.stop:
            sentence = f"{item.id}#s{word.sentence}"
            words.append(
                SpokenWord(text=text, start=start, end=min(end, item.stop), sentence=sentence, source=word.source)
            )
    return words
