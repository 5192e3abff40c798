"""The guarded client: what it dials is recorded by a backend that opens no socket; bodies come from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2
import pytest

from adapters.egress import AnswerTooLarge, Caps, OutOfTime, guarded_client
from adapters.egress_rules import Allowance, EgressRefused

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Script(httpcore2.AsyncNetworkStream):
    """A line that says what it was told to, and then hangs up or stays silent."""

    def __init__(self, says: bytes, then_silent: bool) -> None:
        self._says, self._silent = says, then_silent
        self.heard = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        part, self._says = self._says[:max_bytes], self._says[max_bytes:]
        if not part and self._silent:
            await asyncio.Event().wait()
        return part

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.heard += buffer

    async def aclose(self) -> None: ...

    async def start_tls(self, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        return self

    def get_extra_info(self, info: str) -> Any:
        return None


class Dial(httpcore2.AsyncNetworkBackend):
    """Records what would have been dialled; `deaf` addresses do not answer."""

    def __init__(self, says: bytes = OK, deaf: Iterable[str] = (), silent: bool = False) -> None:
        self.says, self.deaf, self.silent = says, set(deaf), silent
        self.dialled: list[tuple[str, int]] = []
        self.lines: list[Script] = []

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        self.dialled.append((host, port))
        if host in self.deaf:
            raise httpcore2.ConnectError("deaf")
        self.lines.append(Script(self.says, self.silent))
        return self.lines[-1]


def names(**known: list[str]) -> Any:
    """A resolver that counts how often it is asked."""

    async def resolve(host: str, port: int) -> list[str]:
        resolve.asked.append(host)  # type: ignore[attr-defined]
        if host not in known:
            raise OSError("unknown")
        return known[host]

    resolve.asked = []  # type: ignore[attr-defined]
    return resolve


class TestWhereItConnects:
    async def test_it_dials_the_address_it_checked(self) -> None:
        dial, resolve = Dial(), names(api=["1.1.1.1"])
        async with guarded_client(resolve=resolve, dial=dial) as client:
            assert (await client.get("http://api/x")).text == "ok"
        assert dial.dialled == [("1.1.1.1", 80)]
        assert resolve.asked == ["api"]
        assert b"host: api" in dial.lines[0].heard.lower()

    async def test_it_goes_on_to_the_next_address(self) -> None:
        dial = Dial(deaf=["2606:4700::1"])
        async with guarded_client(resolve=names(api=["2606:4700::1", "1.1.1.1"]), dial=dial) as client:
            assert (await client.get("http://api/")).status_code == 200
        assert [host for host, _ in dial.dialled] == ["2606:4700::1", "1.1.1.1"]

    @pytest.mark.parametrize(
        ("url", "found"),
        [
            ("http://evil/", ["169.254.169.254"]),
            ("http://evil/", ["1.1.1.1", "127.0.0.1"]),
            ("http://evil:22/", ["1.1.1.1"]),
            ("https://evil:8443/", ["1.1.1.1"]),
        ],
    )
    async def test_what_is_refused_is_never_dialled(self, url: str, found: list[str]) -> None:
        dial = Dial()
        async with guarded_client(resolve=names(evil=found), dial=dial) as client:
            with pytest.raises(EgressRefused):
                await client.get(url)
        assert dial.dialled == []

    @pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f000001", "127.1", "localhost"])
    async def test_no_spelling_of_loopback_gets_through_the_real_resolver(self, host: str) -> None:
        dial = Dial()
        async with guarded_client(dial=dial) as client:
            with pytest.raises((EgressRefused, httpx2.ConnectError, httpx2.InvalidURL)):
                await client.get(f"http://{host}/")
        assert dial.dialled == []

    async def test_the_operator_can_allow_a_place(self) -> None:
        dial = Dial()
        allow = Allowance.parse("127.0.0.1:9101")
        async with guarded_client(allow, resolve=names(here=["127.0.0.1"]), dial=dial) as client:
            assert (await client.get("http://here:9101/")).text == "ok"

    async def test_a_redirect_is_an_answer_not_an_order(self) -> None:
        away = b"HTTP/1.1 302 Found\r\nlocation: http://inside/\r\ncontent-length: 0\r\n\r\n"
        dial, resolve = Dial(away), names(api=["1.1.1.1"], inside=["10.0.0.1"])
        async with guarded_client(resolve=resolve, dial=dial) as client:
            assert (await client.get("http://api/")).status_code == 302
        assert resolve.asked == ["api"]

    async def test_the_environment_names_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://10.9.9.9:3128")
        dial = Dial()
        async with guarded_client(resolve=names(api=["1.1.1.1"]), dial=dial) as client:
            await client.get("http://api/")
        assert dial.dialled == [("1.1.1.1", 80)]

    async def test_a_name_that_does_not_exist(self) -> None:
        async with guarded_client(resolve=names(), dial=Dial()) as client:
            with pytest.raises(httpx2.ConnectError, match="cannot be resolved"):
                await client.get("http://nowhere/")

    async def test_each_call_has_a_line_of_its_own(self) -> None:
        dial = Dial()
        async with guarded_client(resolve=names(api=["1.1.1.1"]), dial=dial) as client:
            await client.get("http://api/")
            await client.get("http://api/")
        assert len(dial.dialled) == 2


class TestCaps:
    async def test_too_many_bytes(self) -> None:
        dial = Dial(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + b"x" * 5000)
        async with guarded_client(caps=Caps(bytes=4000), resolve=names(api=["1.1.1.1"]), dial=dial) as client:
            with pytest.raises(AnswerTooLarge):
                await client.get("http://api/")

    async def test_a_compressed_answer_is_not_unpacked(self) -> None:
        dial = Dial(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nab")
        async with guarded_client(resolve=names(api=["1.1.1.1"]), dial=dial) as client:
            with pytest.raises(httpx2.RemoteProtocolError, match="compressed"):
                await client.get("http://api/", headers={"accept-encoding": "gzip"})
        assert b"accept-encoding: identity" in dial.lines[0].heard.lower()

    @pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"])
    async def test_too_slow_before_or_within_the_answer(self, says: bytes) -> None:
        dial = Dial(says, silent=True)
        async with guarded_client(caps=Caps(seconds=0.05), resolve=names(api=["1.1.1.1"]), dial=dial) as client:
            with pytest.raises(OutOfTime):
                await client.get("http://api/")

    async def test_a_resolver_that_never_answers(self) -> None:
        async def never(host: str, port: int) -> list[str]:
            await asyncio.Event().wait()
            return []

        async with guarded_client(caps=Caps(connect_seconds=0.05), resolve=never, dial=Dial()) as client:
            with pytest.raises(httpx2.ConnectTimeout):
                await client.get("http://api/")
