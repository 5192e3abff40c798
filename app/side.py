"""The counts of the navigation, live: unfinished jobs of the project shown, and questions that wait for the reader."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from app.room import Room
from app.templating import partial
from app.views.shell import Count, counts_of


@dataclass
class Side:
    """The navigation of one open page: `slug` is the project whose jobs it counts."""

    room: Room
    slug: str
    _born: float = field(default_factory=time.monotonic)
    _sent: tuple[Count, ...] = ()

    def hear(self, hint: str | None) -> None:
        self.room.site.readings.hear(self.room.principal.tenant_id, hint)

    async def news(self) -> list[str]:
        """The counts that differ from what this page was sent last."""
        principal = self.room.principal
        lines = await self.room.site.readings.read(principal.tenant_id, self._born)
        seen = [line for line in lines if principal.can("jobs:read", line.id)]
        counts = counts_of(self.room.tongue, principal.role, seen, self.slug)
        fresh = [count for count in counts if count not in self._sent]
        self._sent = counts
        return [partial(f"count-{count.name}", self._drawn(count)) for count in fresh]

    def _drawn(self, count: Count) -> str:
        return self.room.site.templates.block("ui/side.html", "counted", self.room.tongue, {"value": count})
