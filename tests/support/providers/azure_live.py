"""Double of Azure Speech as a whole: batch jobs, and live synthesis over a WebSocket as the vendor's own SDK speaks it.

Frames: text frames carry header lines, a blank line and a body; sound comes in binary frames that begin with the
length of their header. A turn is billed once its sound begins. Faults of live turns begin with `live_`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.providers.azure_batch import AzureBatchDouble, status_error
from tests.support.providers.azure_speech import MUTE, NANO_PER_CHARACTER, Said, billed, fault_of, say
from tests.support.providers.server import Call, Planned, _Line

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
UPGRADE_ERRORS = {"live_wrong_key": "wrong_key", "live_forbidden": "forbidden", "live_rate_limited": "rate_limited"}
UPGRADE_ERRORS |= {"live_unavailable": "unavailable", "live_not_found": "not_found"}
CLOSES = {"live_internal": (1011, "Internal server error."), "live_overloaded": (1013, "Try again later.")}
CLOSES |= {"live_bad_request": (1007, "The SSML is not valid."), "live_quota": (1008, "Quota exceeded.")}
TURNS = ("live_drop_before", "live_drop_half", "live_drop_after", "live_slow", "live_no_words", "live_late_words")
CHUNK = 9600
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass
class Socket:
    """One WebSocket line: whole messages in, frames out."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    context: dict[str, Any] = field(default_factory=dict)

    async def read(self) -> tuple[int, bytes]:
        """The next message; CLOSE when the line has ended."""
        kind, whole = 0, b""
        while True:
            try:
                first, second = await self.reader.readexactly(2)
                size = second & 127
                if size > 125:
                    size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
                mask = await self.reader.readexactly(4) if second & 128 else bytes(4)
                data = await self.reader.readexactly(size)
            except (asyncio.IncompleteReadError, ConnectionError):
                return CLOSE, b""
            data = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
            code = first & 15
            if code == PING:
                await self.send(PONG, data)
                continue
            if code in (CLOSE, PONG):
                if code == CLOSE:
                    return CLOSE, data
                continue
            kind, whole = kind or code, whole + data
            if first & 128:
                return kind, whole

    async def send(self, kind: int, data: bytes) -> None:
        """Send one frame."""
        size = len(data)
        head = bytes([128 | kind, size]) if size < 126 else struct.pack("!BBH", 128 | kind, 126, size)
        head = head if size < 65_536 else struct.pack("!BBQ", 128 | kind, 127, size)
        self.writer.write(head + data)
        await self.writer.drain()

    async def tell(self, path: str, request: str, body: Any) -> None:
        """Send a text message of the protocol."""
        head = f"X-RequestId:{request}\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n"
        await self.send(TEXT, (head + json.dumps(body, ensure_ascii=False)).encode())

    async def sound(self, request: str, stream: str, pcm: bytes) -> None:
        """Send a piece of sound; none ends it."""
        kind = "Content-Type:audio/x-wav\r\n" if pcm else ""
        head = f"X-RequestId:{request}\r\n{kind}X-StreamId:{stream}\r\nPath:audio\r\n".encode()
        await self.send(BINARY, struct.pack("!H", len(head)) + head + pcm)

    def drop(self) -> None:
        """Cut the line without a word."""
        self.writer.transport.abort()


class AzureDouble(AzureBatchDouble):
    """Batch, voices and live synthesis at one address. Live turns are counted among the paid calls."""

    ERRORS = (*AzureBatchDouble.ERRORS, *UPGRADE_ERRORS, *CLOSES, *TURNS)

    def __init__(self, looks_needed: int = 1) -> None:
        super().__init__(looks_needed)
        self.live_plans: list[Planned] = []
        self.upgrades: list[str] = []

    def fail(self, fault: str, at: int | None = None, times: int = 1, **options: Any) -> None:
        if fault.startswith("live_") and fault in self.ERRORS:
            self.live_plans.append(Planned(fault, at, times, options))
        else:
            super().fail(fault, at, times, **options)

    def reset(self) -> None:
        super().reset()
        self.live_plans.clear()
        self.upgrades.clear()

    async def meet(self, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if call.headers.get("upgrade", "").casefold() != "websocket":
            await super().meet(call, reader, writer)
            return
        refusal = next((p.fault for p in self.live_plans if p.fault in UPGRADE_ERRORS and p.strikes(0)), "")
        key = call.headers.get("ocp-apim-subscription-key", "")
        if not key or key in ("wrong", "revoked", "expired"):
            refusal = "live_wrong_key"
        number = self.arrive(call)
        self.upgrades.append(refusal or "accepted")
        await self.hold_back(number)
        if refusal:
            await _Line(writer).reply(status_error(UPGRADE_ERRORS[refusal]))
            return
        accept = base64.b64encode(hashlib.sha1((call.headers["sec-websocket-key"] + MAGIC).encode()).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Accept: {accept}", "Sec-WebSocket-Protocol: USP", "", ""]
        writer.write("\r\n".join(lines).encode())
        await self._converse(call, Socket(reader, writer))

    async def _converse(self, call: Call, socket: Socket) -> None:
        while True:
            kind, data = await socket.read()
            if kind == CLOSE:
                return
            head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
            pairs = (line.partition(":") for line in head.split("\r\n"))
            headers = {name.strip().casefold(): value.strip() for name, _, value in pairs}
            if headers.get("path") == "synthesis.context":
                socket.context = json.loads(body)
            if headers.get("path") == "ssml":
                turn = Call("SSML", call.path, call.headers, body.encode(), len(self.calls) + 1, headers["x-requestid"])
                self.calls.append(turn)
                if not await self._turn(turn, body, headers["x-requestid"], socket):
                    return

    async def _turn(self, call: Call, ssml: str, request: str, socket: Socket) -> bool:
        """Speak one text; false when the line ends with it."""
        number = self.arrive(call)
        plan = next((p for p in self.live_plans if p.fault not in UPGRADE_ERRORS and p.strikes(call.number)), None)
        fault, options = (plan.fault, plan.options) if plan else ("", {})
        if fault == "live_drop_before":
            socket.drop()
            return False
        wrong = fault_of(ssml)
        if fault in CLOSES or wrong:
            code, words = CLOSES.get(fault, (1007, wrong))
            await socket.send(CLOSE, struct.pack("!H", code) + words.encode())
            return False
        tag, stream = uuid.uuid4().hex, uuid.uuid4().hex
        await socket.tell("turn.start", request, {"context": {"serviceTag": tag}})
        audio = {"type": "inline", "streamId": stream}
        await socket.tell("response", request, {"context": {"serviceTag": tag}, "audio": audio})
        with self._moved:
            self.billed.append((replace(call).key, billed(ssml) * NANO_PER_CHARACTER))
            self._moved.notify_all()
        await self.hold_back(number)
        if fault == "live_slow":
            await asyncio.sleep(float(options.get("seconds", 1.0)))
        if fault == "live_drop_after":
            socket.drop()
            return False
        return await self._sounded(say(ssml), fault, request, stream, socket)

    async def _sounded(self, said: Said, fault: str, request: str, stream: str, socket: Socket) -> bool:
        mute = said.voice == MUTE or fault == "live_no_words"
        shift = len(said.pcm) // 96 if fault == "live_late_words" else 0
        for text, at, lasts in () if mute else said.words:
            kind = "WordBoundary" if text[0].isalnum() else "PunctuationBoundary"
            told = {"Text": text, "Length": len(text), "BoundaryType": kind}
            data = {"Offset": (at + shift) * 10_000, "Duration": lasts * 10_000, "text": told}
            await socket.tell("audio.metadata", request, {"Metadata": [{"Type": "WordBoundary", "Data": data}]})
        for begin in range(0, len(said.pcm), CHUNK):
            if fault == "live_drop_half" and begin > len(said.pcm) // 2:
                socket.drop()
                return False
            await socket.sound(request, stream, said.pcm[begin : begin + CHUNK])
        await socket.sound(request, stream, b"")
        await socket.tell("turn.end", request, {})
        return True
