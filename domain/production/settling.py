"""The settlement of a step that has run, begun when its slot has something else to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Told = Callable[["asyncio.Task[None]"], object]


class Settling:
    """A settlement that is begun once, at the latest by whoever waits for it.

    Its task ends with an error when the step could not be settled; then others take the step.
    """

    def __init__(self, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._write = write
        self._task: asyncio.Task[None] | None = None
        self._told: list[Told] = []

    def begin(self) -> asyncio.Task[None]:
        """Begin unless it has begun; answer the task."""
        if self._task is None:
            self._task = asyncio.create_task(self._after_others())
            for told in self._told:
                self._task.add_done_callback(told)
        return self._task

    async def ended(self) -> None:
        """Wait for its end, whatever that is."""
        if not self.done():
            await asyncio.wait({self.begin()})

    def then(self, told: Told) -> None:
        """Call `told` with the task at its end."""
        self._told.append(told)
        if self._task is not None:
            self._task.add_done_callback(told)

    def done(self) -> bool:
        return self._task is not None and self._task.done()

    async def _after_others(self) -> None:
        # What was begun in the same breath, such as the slot's next step, goes first.
        await asyncio.sleep(0)
        await self._write()
