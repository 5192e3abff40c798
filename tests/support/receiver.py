"""A receiver of webhooks: a real HTTP server that keeps what it gets and answers as a test has told it to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Got:
    """A request: its path, headers (small letters) and exact body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Say:
    """An answer. `hangs`: none comes until the test opens the gate; `drips`: its body never ends; `drops`: hangs up."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    hangs: bool = False
    drips: bool = False
    drops: bool = False


@dataclass
class Receiver:
    """Answers by path from `answers`, one after the other; the last one stays. Unknown paths get 200."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: dict[str, deque[Say]] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    open_now: dict[str, int] = field(default_factory=dict)
    most_open: dict[str, int] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def will(self, path: str, *says: Say) -> None:
        self.answers[path] = deque(says)

    def at(self, path: str) -> list[Got]:
        return [one for one in self.got if one.path == path]

    async def until(self, path: str, count: int) -> list[Got]:
        """Wait until a path has got so many requests."""
        async with asyncio.timeout(30), self.arrived:
            await self.arrived.wait_for(lambda: len(self.at(path)) >= count)
        return self.at(path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(await self._read(reader), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Got:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Got(head[0].split()[1], headers, body)

    async def _answer(self, got: Got, writer: asyncio.StreamWriter) -> None:
        path = got.path
        self.open_now[path] = self.open_now.get(path, 0) + 1
        self.most_open[path] = max(self.most_open.get(path, 0), self.open_now[path])
        async with self.arrived:
            self.got.append(got)
            self.arrived.notify_all()
        try:
            await self._say(self._next(path), writer)
        finally:
            self.open_now[path] -= 1

    def _next(self, path: str) -> Say:
        says = self.answers.get(path, deque([Say()]))
        return says.popleft() if len(says) > 1 else says[0]

    async def _say(self, say: Say, writer: asyncio.StreamWriter) -> None:
        if say.hangs:
            await self.gate.wait()
        if say.drops:
            return
        more = "".join(f"{name}: {value}\r\n" for name, value in say.headers.items())
        length = "" if say.drips else f"content-length: {len(say.body)}\r\n"
        writer.write(f"HTTP/1.1 {say.status} Said\r\n{length}{more}connection: close\r\n\r\n".encode() + say.body)
        await writer.drain()
        if say.drips:
            await self.gate.wait()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    made.gate.set()
    server.close()
    await server.wait_closed()
