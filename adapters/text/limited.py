"""A writer that takes turns: the shared rate limit and breaker stand before each of its calls."""

from __future__ import annotations

from adapters.limits import Limits, Rate
from adapters.text.anthropic import AnthropicWriter, OnText
from adapters.turns import note_failure, require_turn
from domain.production.ports import ProviderError, ScriptRequest, WrittenScript


class LimitedWriter:
    """ScriptWriter in front of another; `key` names its credential in limits (default: the writer's name)."""

    def __init__(
        self,
        writer: AnthropicWriter,
        limits: Limits,
        rate: Rate | None = None,
        key: str = "",
        patience: float = 30.0,
    ) -> None:
        """`patience`: seconds a call may wait for its turn."""
        self.name, self.build = writer.name, writer.build
        self._writer, self._limits, self._rate, self._patience = writer, limits, rate, patience
        self._key = key or writer.name

    async def write(self, request: ScriptRequest, on_text: OnText | None = None) -> WrittenScript:
        """Have it written. Raises what the writer raises, and Unavailable or RateLimited when there is no turn."""
        await require_turn(self._limits, self.name, self._key, self._rate, self._patience)
        try:
            written = await self._writer.write(request, on_text)
        except ProviderError as error:
            await note_failure(self._limits, self._key, self._rate, error)
            raise
        await self._limits.worked(self._key)
        return written

    async def close(self) -> None:
        await self._writer.close()
