"""A timeline that another program has edited, merged into ours by item id: order and times come from the file,
everything else from our metadata; what cannot be taken over is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from adapters.interchange.otio_nodes import Node, digest_of, node_of, read_timeline, refused, units
from timeline.document import Document
from timeline.loading import parse


@dataclass
class Report:
    """What became of the items: ids kept as they were, what was changed there, and what we cannot say."""

    kept: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Answer the report as rows of three columns."""
        for place in range(max(len(self.kept), len(self.changed), len(self.lost))):
            yield tuple(column[place] if place < len(column) else "" for column in (self.kept, self.changed, self.lost))  # type: ignore[misc]


@dataclass(frozen=True)
class _Child:
    """A child of a track as it lies in the file: first unit and count at the track's rate."""

    node: Node
    about: Mapping[str, Any]
    first: int
    count: int


def read_otio(text: str) -> tuple[Document, Report]:
    """Answer the document that an edited file stands for, and the report. Raises TimelineError."""
    timeline = read_timeline(text)
    nodes = list(node_of(timeline.data.get("tracks")).children)
    report = Report()
    data = timeline.ours.get("document")
    names: list[str] = []
    if not isinstance(data, dict):
        data, names = _foreign(timeline, [node for node in nodes if node.kind == "Track"])
        report.lost.append("the file is not one of ours: only pictures, sounds, gaps, order and times are read")
    own = data.get("sequence")
    if not isinstance(own, dict) or not isinstance(own.get("tracks"), list):
        raise refused("Its metadata holds no sequence of ours.")
    fps = parse(data).sequence.fps
    known = {track.get("id"): track for track in own["tracks"] if isinstance(track, dict)}
    tracks: list[Any] = []
    for node in nodes:
        if node.kind != "Track":
            report.lost.append(f"{node.name or 'a stack'} beside the tracks")
            continue
        name = names.pop(0) if names else node.ours.get("track")
        tracks.append(_track(node, name, known, data, fps, report))
    captions = [(place, track) for place, track in enumerate(own["tracks"]) if track.get("role") == "caption"]
    for place, track in captions:
        tracks.insert(min(place, len(tracks)), track)
    for name in known.keys() - {track.get("id") for track in tracks}:
        report.changed.append(f"track {name}: removed")
    return parse({**data, "sequence": {**own, "tracks": tracks}}), report


# ── Merging ───────────────────────────────────────────────────────────────────────────────────────────────
def _track(
    node: Node, name: Any, known: Mapping[Any, Any], data: dict[str, Any], fps: Fraction, report: Report
) -> dict[str, Any]:
    own = known.get(name) if isinstance(name, str) else None
    audio = node.data.get("kind") == "Audio"
    track = dict(own) if own else {"id": f"imported-{len(report.changed) + 1}", "role": "sfx" if audio else "overlay"}
    if own is None:
        report.changed.append(f"track {node.name or track['id']}: new")
    rate = Fraction(48_000) if audio else fps
    before = {item["id"]: item for item in track.get("items", []) if isinstance(item, dict) and "id" in item}
    merger = _Merger(data, rate, audio, before, report)
    track["items"] = merger.items(_children(node, rate))
    for name in before.keys() - merger.seen:
        report.changed.append(f"{name}: removed")
    return track


def _children(node: Node, rate: Fraction) -> Iterator[_Child]:
    at = 0
    for child in node.children:
        name = child.name or str(child.ours.get("id", "an item"))[:80]
        if child.kind == "Transition":
            back, forth = (units(child.data.get(each), rate, name) for each in ("in_offset", "out_offset"))
            yield _Child(child, child.ours, at - back, back + forth)
            continue
        if child.span is None:
            raise refused(f"{name} has no length.")
        count = units(child.span.get("duration"), rate, name)
        yield _Child(child, child.ours, at, count)
        at += count


class _Merger:
    """Puts one track's children together again."""

    def __init__(
        self, data: dict[str, Any], rate: Fraction, audio: bool, before: Mapping[str, Any], report: Report
    ) -> None:
        self._data, self._rate, self._audio, self._before, self._report = data, rate, audio, before, report
        self.seen: set[str] = set()
        self._moved = False

    def items(self, children: Iterator[_Child]) -> list[Any]:
        result: list[Any] = []
        end = 0
        for child in children:
            if child.node.kind == "Transition":
                result.append(self._transition(child))
                continue
            if child.node.kind == "Gap" and "id" not in child.about:
                continue
            item = self._item(child, end)
            if item is not None:
                result.append(item)
                end = child.first + child.count
        return result

    def _time(self, units: int) -> str:
        return str(Fraction(units) / self._rate) if self._audio else f"{units}f"

    def _known(self, child: _Child) -> dict[str, Any] | None:
        name = child.about.get("id")
        if isinstance(name, str) and name in self._before and name not in self.seen:
            self.seen.add(name)
            return dict(self._before[name])
        return None

    def _item(self, child: _Child, end: int) -> dict[str, Any] | None:
        own = self._known(child)
        if own is None:
            return self._new(child, end)
        changes: list[str] = []
        if child.count != child.about.get("count"):
            own["length" if own.get("kind") != "gap" else "gap"] = self._time(child.count)
            changes.append(f"length {child.about.get('count')} → {child.count}")
        if child.first != child.about.get("first"):
            changes.append(f"start {child.about.get('first')} → {child.first}")
            self._moved = True
        follows = child.first == end and _mode(own) == "follow"
        stays = child.first == child.about.get("first") and _mode(own) != "follow"
        if own.get("kind") != "gap" and not (follows or stays):
            own["place"] = "follow" if child.first == end and self._moved else {"at": self._time(child.first)}
        changes += self._source(child, own) + self._inside(child)
        (self._report.changed if changes else self._report.kept).append(
            f"{own['id']}: {', '.join(changes)}" if changes else own["id"]
        )
        return own

    def _source(self, child: _Child, own: dict[str, Any]) -> list[str]:
        span, was = child.node.span, child.about.get("source_in")
        if own.get("kind") == "gap" or span is None or was is None:
            return []
        begin = units(span.get("start_time"), self._rate, own["id"])
        if begin == was:
            return []
        own["source"] = {**(own.get("source") or {}), "in": self._time(begin)}
        return [f"in point {was} → {begin}"]

    def _inside(self, child: _Child) -> list[str]:
        told = child.about.get("inside")
        if told and child.node.kind == "Stack" and digest_of(child.node.data) != told:
            self._report.lost.append(f"{child.about.get('id')}: changes inside a nested sequence")
        for effect in child.node.effects:
            if not effect.startswith(("vfos.", "LinearTimeWarp", "FreezeFrame")):
                self._report.lost.append(f"{child.about.get('id', child.node.name)}: effect {effect}")
        return []

    def _transition(self, child: _Child) -> dict[str, Any]:
        own = self._known(child)
        name = own["id"] if own else f"imported-{child.first}-{'a' if self._audio else 'v'}"
        back, forth = (units(child.node.data.get(each), self._rate, name) for each in ("in_offset", "out_offset"))
        if own and child.about.get("reach") == [back, forth]:
            self._report.kept.append(name)
            return own
        kind = str(child.node.data.get("transition_type")).removeprefix("vfos.")
        base = own or {"id": name, "kind": "transition", "transition": "crossfade"}
        self._report.changed.append(f"{name}: {back} before and {forth} after the cut" + ("" if own else ", new"))
        if own is None and kind not in ("SMPTE_Dissolve", "crossfade"):
            self._report.lost.append(f"{name}: transition {kind[:60]}, read as crossfade")
        times = {"in_offset": self._time(back), "out_offset": self._time(forth), "duration": None}
        return {**base, **times}

    def _new(self, child: _Child, end: int) -> dict[str, Any] | None:
        name = f"imported-{child.first}-{'a' if self._audio else 'v'}"
        place: Any = "follow" if child.first == end else {"at": self._time(child.first)}
        if child.node.kind == "Gap":
            return {"id": name, "kind": "gap", "gap": self._time(child.count)}
        url = child.node.url
        if not url:
            self._report.lost.append(f"{child.node.name or name}: a clip without a file")
            return None
        assets = self._data.setdefault("assets", {})
        alias = next((key for key, asset in assets.items() if asset.get("uri") == url), None)
        if alias is None:
            alias = f"imported-{len(assets) + 1}"
            assets[alias] = {"uri": url}
        begin = units(child.node.span.get("start_time"), self._rate, name) if child.node.span else 0
        self._report.changed.append(f"{name}: new, {url[:60]}")
        return {
            "id": name,
            "asset": alias,
            "place": place,
            "length": self._time(child.count),
            "source": {"in": self._time(begin)},
        }


def _mode(item: Mapping[str, Any]) -> str:
    place = item.get("place") or "follow"
    return str(place.get("mode", "follow")) if isinstance(place, Mapping) else str(place)


def _foreign(timeline: Node, nodes: list[Node]) -> tuple[dict[str, Any], list[str]]:
    """Answer the empty document that a stranger's timeline is read into, and the names of its tracks."""
    if not nodes:
        raise refused("It has no track.")
    spans = [child.span for node in nodes if node.data.get("kind") != "Audio" for child in node.children if child.span]
    times = [span["duration"].get("rate") for span in spans if isinstance(span.get("duration"), dict)]
    rate = next((Fraction(each).limit_denominator(1001) for each in times if _is_rate(each)), Fraction(30))
    tracks: list[dict[str, Any]] = []
    for number, node in enumerate(nodes, start=1):
        first = not any(track["role"] == "picture" for track in tracks)
        role = "sfx" if node.data.get("kind") == "Audio" else "picture" if first else "overlay"
        tracks.append({"id": f"track-{number}", "role": role, "items": []})
    data = {
        "schema": "timeline/1",
        "title": timeline.name,
        "assets": {},
        "sequence": {"fps": str(rate), "tracks": tracks},
    }
    return data, [track["id"] for track in tracks]


def _is_rate(value: Any) -> bool:
    return isinstance(value, int | float) and 1 <= value <= 240
