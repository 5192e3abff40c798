"""From a document and measured media to a resolved timeline: every time known, every gap explicit, every fault named.

The only entry is `resolve`. Nothing is ever shifted, clamped or guessed; what does not fit is an error that says by
how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from timeline.document import KIND_OF_ROLE, Clip, Document
from timeline.faults import Findings, TimelineError, nearest, pointer
from timeline.media import WORD_RATE, Media, MediaWord, SpokenWord
from timeline.placing import MAX_DURATION, Placement, solve_placement
from timeline.references import place_pointer
from timeline.resolved import ResolvedItem, ResolvedTimeline, ResolvedTrack
from timeline.rows import Row, build_row
from timeline.time import format_seconds, frames_to_samples, snap_frame, snap_sample
from timeline.variables import Variables

__all__ = ["Media", "MediaWord", "ResolvedTimeline", "TimelineError", "resolve"]


def resolve(
    document: Document, media: Mapping[str, Media], values: Mapping[str, str] | None = None
) -> ResolvedTimeline:
    """Answer the resolved timeline of a document.

    `media` holds measures by asset alias, `values` the values of variables. Raises TimelineError with all faults.
    """
    findings = Findings()
    _check_assets(document, media, findings)
    findings.raise_errors()
    placement = solve_placement(document, media, findings)
    findings.raise_errors()
    assert placement is not None
    _check_duration(placement.duration, document.sequence.fps, findings)
    findings.raise_errors()
    variables = Variables(document, values or {}, findings)
    tracks = _tracks(document, media, placement, variables, findings)
    variables.warn_unused()
    findings.raise_errors()
    return _timeline(document, media, placement, tracks, findings)


def _timeline(
    document: Document,
    media: Mapping[str, Media],
    placement: Placement,
    tracks: tuple[ResolvedTrack, ...],
    findings: Findings,
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
        warnings=findings.warnings,
    )


# ── Assets ────────────────────────────────────────────────────────────────────────────────────────────────
_KINDS = {"video": ("image",), "audio": ("audio", "video")}


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


def _check_clip(
    clip: Clip, kind: str, path: str, document: Document, media: Mapping[str, Media], findings: Findings
) -> None:
    if clip.asset is None:
        if kind != "video":
            message = "Texts and colours belong on picture and overlay tracks."
            findings.add("E_ASSET_KIND", message, path=path, item_id=clip.id)
        return
    if clip.asset not in document.assets:
        fix = nearest(clip.asset, document.assets) if len(findings.faults) < 50 else ""
        message = f"There is no asset {clip.asset[:60]!r}."
        findings.add("E_UNKNOWN_ASSET", message, path=path + "/asset", item_id=clip.id, fix=fix)
    elif clip.asset not in media:
        message = f"The asset {clip.asset!r} could not be read."
        findings.add("E_MEDIA_MISSING", message, path=pointer("assets", clip.asset), item_id=clip.id)
    elif media[clip.asset].kind not in _KINDS[kind]:
        message = f"{clip.asset!r} is {media[clip.asset].kind}; a {kind} track takes {' or '.join(_KINDS[kind])}."
        findings.add("E_ASSET_KIND", message, path=path + "/asset", item_id=clip.id)
    elif kind == "video" and min(media[clip.asset].width, media[clip.asset].height) < 1:
        message = f"The size of {clip.asset!r} is not known."
        findings.add("E_MEDIA_MISSING", message, path=pointer("assets", clip.asset), item_id=clip.id)


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
        rows.append(build_row(Row(number, track, rate, placement, variables, findings), sequence.fps))
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
    begin = item.start - item.clip.source.in_.at(fps)
    words = []
    for word in media[item.clip.asset].words:
        start = snap_sample(begin + Fraction(word.start, WORD_RATE), rate)
        end = snap_sample(begin + Fraction(word.end, WORD_RATE), rate)
        text = " ".join(word.text.split())
        if text and item.first <= start < item.stop:
            sentence = f"{item.id}#s{word.sentence}"
            words.append(
                SpokenWord(text=text, start=start, end=min(end, item.stop), sentence=sentence, source=word.source)
            )
    return words
