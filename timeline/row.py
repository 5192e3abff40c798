"""What one track's row is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from timeline.base import KIND_OF_ROLE
from timeline.document import Track
from timeline.faults import Findings
from timeline.media import Media
from timeline.placing import Placement
from timeline.resolved import ResolvedItem
from timeline.time import format_seconds, round_half_up
from timeline.variables import Variables


@dataclass(frozen=True)
class Row:
    """What a row is built from. `rate`: frames per second of a video track, samples per second of an audio track."""

    number: int
    track: Track
    rate: Fraction
    placement: Placement
    variables: Variables
    findings: Findings
    media: Mapping[str, Media] = field(default_factory=dict)
    fps: Fraction | None = None

    @property
    def unit(self) -> str:
        return "samples" if self.audio else "frames"

    @property
    def audio(self) -> bool:
        return KIND_OF_ROLE[self.track.role] == "audio"

    def snap(self, seconds: Fraction) -> int:
        return round_half_up(seconds * self.rate)

    def fault(self, code: str, message: str, item: ResolvedItem, fix: str = "", **details: Any) -> None:
        at = f"{format_seconds(item.start)}, {self.unit[:-1]} {item.first}"
        frame = item.first if not self.audio else round_half_up(item.start * self.fps) if self.fps else None
        self.findings.add(code, message, path=item.path, item_id=item.id, at=at, frame=frame, fix=fix, **details)
