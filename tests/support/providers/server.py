"""What all doubles share: a small HTTP/1.1 server in its own thread, planned faults, counts, and the control API.

Control API (JSON), beside the provider's own paths:
    GET  /_control           counts, calls per key, billed micro-dollars and planned faults
    POST /_control/fail      {"fault": "overloaded", "at": 3} or {"fault": "slow", "times": 2, "seconds": 0.5}
    POST /_control/reset     forget calls and plans
`at` counts paid calls from 1; without it the next `times` calls fail.

`stall` (from tests) holds back the answer to one request of any kind, paid or free, for as long as the client waits.

Faults of every double: drop_before (the request is read, nothing is made), drop_after (made and billed, not a byte
is sent), drop_half (made and billed, half of the answer is sent), slow (`seconds` before the answer), garbage (an HTML
page with status 200). Each provider adds those of its protocol in ERRORS.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

PAGE = b"<!doctype html><title>Sign in</title><h1>Sign in to the network</h1>"
COMMON_FAULTS = ("drop_before", "drop_after", "drop_half", "slow", "garbage")


@dataclass(frozen=True)
class Call:
    """One request as it came in. `key` is its idempotency key, or a digest of path and body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    number: int = 0
    query: str = ""

    @property
    def key(self) -> str:
        given = self.headers.get("idempotency-key", "")
        return given or hashlib.sha256(self.path.encode() + b"\n" + self.body).hexdigest()[:16]

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What goes back: a whole body, or parts sent one by one (a stream). `nano_dollars` is what the call costs."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    parts: tuple[bytes, ...] = ()
    nano_dollars: int = 0

    @classmethod
    def of(cls, value: Any, status: int = 200, nano_dollars: int = 0, **headers: str) -> Self:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, {"content-type": "application/json"} | named, body, nano_dollars=nano_dollars)


@dataclass
class Planned:
    """A fault to come: at paid call number `at`, or at the next `times` calls."""

    fault: str
    at: int | None = None
    times: int = 1
    options: dict[str, Any] = field(default_factory=dict)

    def strikes(self, number: int) -> bool:
        if self.times < 1 or (self.at is not None and not self.at <= number < self.at + self.times):
            return False
        if self.at is None:
            self.times -= 1
        return True


class Double(ABC):
    """Base of a provider: `answer` speaks its protocol, `ERRORS` names its faults."""

    name: ClassVar[str]
    ERRORS: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.unpaid: list[Call] = []
        self.billed: list[tuple[str, int]] = []
        self.plans: list[Planned] = []
        self.broken: list[str] = []
        self.arrived: list[str] = []
        self.stalls: set[int] = set()
        self.stalled: list[int] = []
        self.url = ""
        self._moved = threading.Condition()
        self._never = asyncio.Event()

    # ── For tests ─────────────────────────────────────────────────────────────────────────────────────────
    def fail(self, fault: str, at: int | None = None, times: int = 1, **options: Any) -> None:
        """Plan a fault. Raises ValueError for one this double does not know."""
        if fault not in (*COMMON_FAULTS, *self.ERRORS):
            raise ValueError(f"{self.name} has no fault “{fault}”; it has {', '.join((*COMMON_FAULTS, *self.ERRORS))}")
        self.plans.append(Planned(fault, at, times, options))

    def reset(self) -> None:
        """Forget calls, bills and plans."""
        for kept in (self.calls, self.unpaid, self.billed, self.plans, self.broken, self.arrived, self.stalled):
            kept.clear()
        self.stalls.clear()

    def stall(self, number: int) -> None:
        """Do what request `number` (from 1, paid and free ones alike) asks for, and never send its answer."""
        self.stalls.add(number)

    def wait_for_stall(self, seconds: float = 60.0) -> None:
        """Wait until a request is held back. Raises TimeoutError."""
        with self._moved:
            if not self._moved.wait_for(lambda: self.stalled, seconds):
                raise TimeoutError(f"{self.name} held back none of {len(self.arrived)} requests")

    def wait_for_bills(self, number: int, seconds: float = 60.0) -> None:
        """Wait until so many calls were billed. Raises TimeoutError."""
        with self._moved:
            if not self._moved.wait_for(lambda: len(self.billed) >= number, seconds):
                raise TimeoutError(f"{self.name} billed {len(self.billed)} calls, not {number}")

    @property
    def micro_dollars(self) -> int:
        """All that was billed, each call rounded up."""
        return sum(-(-nano // 1000) for _, nano in self.billed)

    def count(self) -> dict[str, Any]:
        """What the control API tells."""
        return {
            "provider": self.name,
            "calls": len(self.calls),
            "unpaid_calls": len(self.unpaid),
            "billed_calls": len(self.billed),
            "micro_dollars": self.micro_dollars,
            "by_key": Counter(call.key for call in self.calls),
            "billed_by_key": Counter(key for key, _ in self.billed),
            "broken": self.broken,
            "planned": [vars(plan) for plan in self.plans if plan.times > 0],
            "faults": [*COMMON_FAULTS, *self.ERRORS],
        }

    # ── For providers ─────────────────────────────────────────────────────────────────────────────────────
    @abstractmethod
    def paid(self, call: Call) -> bool:
        """Whether a request is one that costs money; only those are numbered and can fail."""

    @abstractmethod
    def answer(self, call: Call, fault: str, options: Mapping[str, Any]) -> Reply:
        """Answer a request; `fault` is one of ERRORS, or empty."""

    async def meet(self, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a request; a provider that keeps its lines open (WebSocket) does so here."""
        number = self.arrive(call)
        await self.serve(call, _Line(writer, lambda: self.hold_back(number)))

    def arrive(self, call: Call) -> int:
        """Count a request of any kind; answers its number."""
        if not call.path.startswith("/_control"):
            self.arrived.append(f"{call.method} {call.path}")
        return len(self.arrived)

    async def hold_back(self, number: int) -> None:
        """Called when an answer is ready: a stalled one waits here until the double ends."""
        if number in self.stalls:
            with self._moved:
                self.stalled.append(number)
                self._moved.notify_all()
            await self._never.wait()

    # ── Running ───────────────────────────────────────────────────────────────────────────────────────────
    async def serve(self, call: Call, send: _Line) -> None:
        """Handle one request: count it, strike or answer, bill what was made."""
        if call.path.startswith("/_control"):
            await send.reply(self._control(call))
            return
        if not self.paid(call):
            self.unpaid.append(call)
            await send.reply(self.answer(call, "", {}))
            return
        call = replace(call, number=len(self.calls) + 1)
        self.calls.append(call)
        plan = next((plan for plan in self.plans if plan.strikes(call.number)), None)
        await self._play(call, plan.fault if plan else "", plan.options if plan else {}, send)

    async def _play(self, call: Call, fault: str, options: Mapping[str, Any], send: _Line) -> None:
        if fault == "drop_before":
            return
        if fault == "garbage":
            await send.reply(Reply(200, {"content-type": "text/html"}, PAGE))
            return
        try:
            reply = self.answer(call, "" if fault in COMMON_FAULTS else fault, options)
        except Exception as error:
            # A double that breaks must be seen as such, not as a lost line of the provider.
            self.broken.append(f"{type(error).__name__}: {error}")
            reply = Reply.of({"error": {"type": "double_is_broken", "message": self.broken[-1]}}, 501)
        if reply.nano_dollars:
            with self._moved:
                self.billed.append((call.key, reply.nano_dollars))
                self._moved.notify_all()
        if fault == "drop_after":
            return
        if fault == "slow":
            await asyncio.sleep(float(options.get("seconds", 1.0)))
        pace = float(options.get("seconds", 0.25)) if fault == "paced" else 0.0
        await send.reply(reply, half=fault == "drop_half", pace=pace)

    def _control(self, call: Call) -> Reply:
        if call.method == "POST" and call.path == "/_control/reset":
            self.reset()
        elif call.method == "POST" and call.path == "/_control/fail":
            try:
                wish = dict(call.json())
                self.fail(wish.pop("fault"), wish.pop("at", None), wish.pop("times", 1), **wish)
            except (ValueError, KeyError, TypeError) as error:
                return Reply.of({"error": str(error)}, 400)
        return Reply.of(self.count())


class _Line:
    """One connection's writing side; `gate` is passed before an answer goes out."""

    def __init__(self, writer: asyncio.StreamWriter, gate: Callable[[], Awaitable[None]] | None = None) -> None:
        self._writer, self._gate = writer, gate

    async def reply(self, reply: Reply, half: bool = False, pace: float = 0.0) -> None:
        """Send a reply; `half` stops in its middle, `pace`: seconds between the parts of a stream."""
        if self._gate is not None:
            await self._gate()
        headers = {**reply.headers, "connection": "close"}
        if not reply.parts:
            headers["content-length"] = str(len(reply.body))
        else:
            headers["transfer-encoding"] = "chunked"
        lines = [f"HTTP/1.1 {reply.status} Double", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self._writer.write("\r\n".join(lines).encode())
        if not reply.parts:
            self._writer.write(reply.body[: len(reply.body) // 2] if half else reply.body)
        else:
            await self._stream(reply.parts[: len(reply.parts) // 2] if half else reply.parts, half, pace)
        await self._writer.drain()

    async def _stream(self, parts: tuple[bytes, ...], half: bool, pace: float) -> None:
        for part in parts:
            self._writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await self._writer.drain()
            await asyncio.sleep(pace)
        if not half:
            self._writer.write(b"0\r\n\r\n")


async def read_call(reader: asyncio.StreamReader) -> Call | None:
    """Read one request with a body of known length; None when the client went away."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, ConnectionError):
        return None
    place, _, query = path.partition("?")
    return Call(method, place, headers, body, query=query)


@contextlib.asynccontextmanager
async def listening(double: Double, port: int = 0) -> AsyncIterator[Double]:
    """Listen on loopback in the running loop; `double.url` says where."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if (call := await read_call(reader)) is not None:
                await double.meet(call, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or the double ends while it is being slow
        finally:
            writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", port, limit=2**20)
    double.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield double
    finally:
        server.close()


@contextlib.contextmanager
def running(*doubles: Double) -> Iterator[None]:
    """Run doubles in a thread with its own loop, so that sync and async clients of any process can call them."""
    ready, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_run(doubles, ready, done)), daemon=True)
    thread.start()
    assert ready.wait(10), "the doubles did not start"
    try:
        yield
    finally:
        done.set()
        thread.join(10)


async def _run(doubles: tuple[Double, ...], ready: threading.Event, done: threading.Event) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for double in doubles:
            await stack.enter_async_context(listening(double))
        ready.set()
        await asyncio.to_thread(done.wait)
