"""A film on its tracks: what lies where, drawn to scale by numbers that templates only write down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from app.i18n import Tongue
from app.views import cut_words as words
from app.views.marks import said
from app.views.strip import WAVE, Bar, Lane, Mark, Shown, Sight, Strip, Tick, Zoom
from domain.production.ports import Finding
from timeline.editing.draft import Draft
from timeline.resolved import ResolvedItem, ResolvedTrack
from timeline.time import format_decimal, snap_frame

WIDTH = 1040
"""Units of the whole film at the smallest zoom; a unit is a pixel."""
ZOOMS = (1, 2, 4, 8, 16)
HEIGHTS: Mapping[str, int] = {"picture": 64, "overlay": 32, "effects": 24, "caption": 28}
SOUND = 44
GAP = 4
RULER = 28
STEPS_S = (Fraction(1, 2), 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
TICK_ROOM = 64
"""Units that the text of a tick needs."""


def make_strip(tongue: Tongue, draft: Draft, sight: Sight, shown: Shown) -> Strip:
    """Draw a draft."""
    return _Drawer(tongue, draft, sight, shown).strip()


class _Drawer:
    def __init__(self, tongue: Tongue, draft: Draft, sight: Sight, shown: Shown) -> None:
        self.tongue, self.draft, self.sight, self.shown = tongue, draft, sight, shown
        self.film = draft.resolved
        self.width = WIDTH * sight.zoom
        self.scale = Fraction(self.width, max(self.film.frames, 1))

    def strip(self) -> Strip:
        lanes = self._lanes()
        height = lanes[-1].y + lanes[-1].height + GAP if lanes else RULER
        frame = min(self.sight.frame, self.film.frames - 1)
        return Strip(
            width=self.width,
            height=height,
            frames=self.film.frames,
            scale=format_decimal(self.scale, 6),
            seconds=format_decimal(Fraction(self.film.frames) / self.film.fps, 6),
            length=self.tongue.duration(float(self.film.duration)),
            lanes=tuple(lanes),
            ticks=self._ticks(),
            marks=tuple(self._mark(finding) for finding in self.shown.findings if finding.start is not None),
            zooms=tuple(
                Zoom(
                    self.tongue.gettext("Whole film") if zoom == 1 else f"{zoom}×",
                    self.sight.href(zoom="" if zoom == 1 else zoom),
                    zoom == self.sight.zoom,
                )
                for zoom in ZOOMS
            ),
            playhead=frame,
            at=timecode(frame, self.film.fps),
            playhead_x=self._x(frame),
        )

    def _x(self, frames: int) -> str:
        return format_decimal(frames * self.scale, 2)

    # ── Tracks ────────────────────────────────────────────────────────────────────────────────────────────
    def _lanes(self) -> list[Lane]:
        base = next((track for track in self.film.tracks if track.role == "picture"), None)
        seen = [track for track in self.film.tracks if track.kind == "video"]
        rows: list[tuple[str, str, tuple[Bar, ...], bool]] = [
            (track.id, track.role, self._bars(track), track is base) for track in seen
        ]
        rows.append(("effects", "effects", tuple(self._effects(seen)), False))
        rows += [
            (track.id, "caption", tuple(self._captions(track)), False)
            for track in self.film.tracks
            if track.kind == "caption"
        ]
        rows += [
            (track.id, track.role, self._bars(track), False) for track in self.film.tracks if track.kind == "audio"
        ]
        lanes, y = list[Lane](), RULER + GAP
        for track_id, kind, bars, is_base in rows:
            height = HEIGHTS.get(kind, SOUND)
            name = said(self.tongue, words.TRACK_NAMES, kind)
            lanes.append(Lane(track_id, kind, name, y, height, bars, is_base))
            y += height + GAP
        return lanes

    def _bars(self, track: ResolvedTrack) -> tuple[Bar, ...]:
        return tuple(self._bar(item, track) for item in track.items if item.kind != "gap")

    def _bar(self, item: ResolvedItem, track: ResolvedTrack) -> Bar:
        first, count = self._frames(item, track)
        if item.transition is not None:
            return self._cut(item, track, first, count)
        label = words.item_name(self.tongue, self.shown.names, item.id)
        media = self.film.media.get(item.clip.asset or "") if item.clip else None
        thumb = self.shown.pictures.get(media.sha256, "") if media and media.kind == "image" else ""
        wave = self.shown.waves.get(media.sha256, "") if media else ""
        return Bar(
            id=item.id,
            kind="sound" if track.kind == "audio" else track.role,
            label=label,
            said=self._said(label, first, count),
            first=first,
            count=count,
            x=self._x(first),
            width=self._x(max(count, 1)),
            href=self.sight.href(item=item.id),
            selected=item.id == self.sight.item,
            thumb=thumb,
            wave=wave,
            window=self._window(item) if wave else ("0", WAVE),
        )

    def _cut(self, item: ResolvedItem, track: ResolvedTrack, first: int, count: int) -> Bar:
        """A transition; it is looked at beside the item that ends with it, or begins."""
        assert item.transition is not None
        clips = [each for each in track.items if each.clip]
        cut = item.first + item.reach[0]
        near = next((each for each in clips if each.stop == cut), next((e for e in clips if e.first == cut), None))
        label = said(self.tongue, words.TRANSITION_NAMES, item.transition.transition)
        return Bar(
            id=item.id,
            kind="cut",
            label=label,
            said=self._said(label, first, count),
            first=first,
            count=count,
            x=self._x(first),
            width=self._x(max(count, 1)),
            href=self.sight.href(item=near.id) if near else "",
        )

    def _frames(self, item: ResolvedItem, track: ResolvedTrack) -> tuple[int, int]:
        if track.kind == "video":
            return item.first, item.count
        first = snap_frame(item.start, self.film.fps)
        return first, max(snap_frame(item.end, self.film.fps) - first, 1)

    def _window(self, item: ResolvedItem) -> tuple[str, str]:
        """Which part of a sound's wave an item plays."""
        assert item.clip is not None
        duration = self.film.media[item.clip.asset or ""].duration
        if not duration or item.clip.loop:
            return "0", WAVE
        begin, length = item.source_in(self.film.fps), (item.end - item.start) * item.clip.speed
        return format_decimal(begin / duration * int(WAVE), 2), format_decimal(length / duration * int(WAVE), 2)

    def _effects(self, tracks: Sequence[ResolvedTrack]) -> list[Bar]:
        """What is done to pictures, beside them: their movement and effects."""
        bars = []
        for item in (item for track in tracks for item in track.items if item.clip):
            assert item.clip is not None
            told = [said(self.tongue, words.EFFECT_NAMES, use.effect) for use in item.clip.effects if use.enabled]
            if item.clip.motion is not None:
                told.append(self.tongue.gettext("Movement"))
            if told:
                label = ", ".join(told)
                name = words.item_name(self.tongue, self.shown.names, item.id)
                bars.append(
                    Bar(
                        id=f"{item.id}-effects",
                        kind="effect",
                        label=label,
                        said=f"{name}: {label}",
                        first=item.first,
                        count=item.count,
                        x=self._x(item.first),
                        width=self._x(item.count),
                        href=self.sight.href(item=item.id),
                    )
                )
        return bars

    def _captions(self, track: ResolvedTrack) -> list[Bar]:
        """The words of each sentence, where they are spoken."""
        spoken: dict[str, list[int]] = {}
        for place, word in enumerate(track.words if track.enabled else ()):
            spoken.setdefault(word.sentence, []).append(place)
        bars = []
        for number, places in enumerate(spoken.values(), start=1):
            said_words = [track.words[place] for place in places]
            rate = self.film.sample_rate
            first = snap_frame(Fraction(said_words[0].start, rate), self.film.fps)
            count = max(snap_frame(Fraction(said_words[-1].end, rate), self.film.fps) - first, 1)
            text = " ".join(word.text for word in said_words)
            bars.append(
                Bar(
                    id=f"caption-{number}",
                    kind="caption",
                    label=text,
                    said=self._said(text.rstrip("."), first, count),
                    first=first,
                    count=count,
                    x=self._x(first),
                    width=self._x(count),
                    href=self.sight.href(item="captions"),
                    selected=self.sight.item == "captions",
                    lang=self.film.language,
                )
            )
        return bars

    def _said(self, label: str, first: int, count: int) -> str:
        return self.tongue.gettext(
            "%(name)s, from %(start)s, %(length)s long",
            name=label,
            start=timecode(first, self.film.fps),
            length=self.tongue.duration(float(count / self.film.fps)),
        )

    # ── Beside them ───────────────────────────────────────────────────────────────────────────────────────
    def _ticks(self) -> tuple[Tick, ...]:
        per_second = self.scale * self.film.fps
        step = next((step for step in STEPS_S if step * per_second >= TICK_ROOM), STEPS_S[-1])
        count = int(self.film.duration / step) + 1
        return tuple(
            Tick(format_decimal(number * step * per_second, 2), _clock(number * Fraction(step)))
            for number in range(count)
        )

    def _mark(self, finding: Finding) -> Mark:
        frame = round((finding.start or 0.0) * float(self.film.fps))
        at = timecode(frame, self.film.fps)
        return Mark(self._x(frame), at, finding.severity, finding.message, self.sight.href(at=frame))


def timecode(frame: int, fps: Fraction) -> str:
    """A frame as minutes, seconds and frames: 0:04:12."""
    rate = max(round(fps), 1)
    seconds = int(frame / fps)
    return f"{seconds // 60}:{seconds % 60:02d}:{min(frame - int(seconds * fps), rate - 1):02d}"


def _clock(seconds: Fraction) -> str:
    whole = int(seconds)
    half = ".5" if seconds != whole else ""
    return f"{whole // 60}:{whole % 60:02d}{half}"
