"""The guarded HTTP client: every request to an address that people can choose goes through it.

It resolves a name once, refuses if any of its addresses may not be reached, and connects to the checked address; no
redirects, no proxies or certificates from the environment, a cap on bytes and on the whole time of a call.
Connections are not kept for another call: a paid request must not be lost on a line that went stale meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from adapters.egress_rules import Allowance, EgressRefused, check_addresses

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Answers every address of a host name; raises OSError when there is none."""


class AnswerTooLarge(httpx2.TransportError):
    """Raised while reading an answer that has more bytes than the cap."""


class OutOfTime(httpx2.ReadTimeout):
    """Raised when a call as a whole has taken longer than the cap, however lively the line was."""


@dataclass(frozen=True)
class Caps:
    """Limits of one call: seconds in all, seconds to connect, and bytes of its answer."""

    seconds: float = 60.0
    connect_seconds: float = 10.0
    bytes: int = 32 * 1024 * 1024


async def resolve_host(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses only; `dial` opens the sockets."""

    def __init__(
        self,
        allow: Allowance,
        resolve: Resolve = resolve_host,
        dial: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allow, self._resolve = allow, resolve
        self._dial = httpcore2.AnyIOBackend() if dial is None else dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, check and connect. Raises EgressRefused, or httpcore2's ConnectError and ConnectTimeout."""
        addresses = await self._checked(host, port, timeout)
        for number, address in enumerate(addresses, 1):
            try:
                return await self._dial.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise httpcore2.ConnectError(f"{host} has no address")

    async def _checked(self, host: str, port: int, timeout: float | None) -> list[str]:
        try:
            async with asyncio.timeout(timeout):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"The name {host} was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"The name {host} cannot be resolved") from error
        return check_addresses(host, port, found, self._allow)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise EgressRefused("Requests do not go to local sockets.", "Give an http or https address.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """httpx2's transport on the guarded backend, with caps on time and bytes."""

    def __init__(self, backend: GuardedBackend, caps: Caps) -> None:
        # The base makes a pool and nothing else; ours replaces it, so there is no need to make both.
        self._caps = caps
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_trusted(),
            max_connections=64,
            max_keepalive_connections=0,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = asyncio.get_running_loop().time() + self._caps.seconds
        # A compressed answer could unfold to any size behind the cap, so none is asked for.
        request.headers["accept-encoding"] = "identity"
        with _in_time(request):
            async with asyncio.timeout_at(deadline):
                answer = await super().handle_async_request(request)
        if answer.headers.get("content-encoding", "identity") not in ("identity", ""):
            await answer.aclose()
            raise httpx2.RemoteProtocolError("The answer is compressed although none was asked for", request=request)
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        answer.stream = _CappedStream(answer.stream, deadline, self._caps.bytes, request)
        return answer


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificates that come with the program; reading them takes longer than many a call."""
    return httpx2.create_ssl_context(trust_env=False)


class _CappedStream(httpx2.AsyncByteStream):
    """The body of an answer, ended by an error when it is too long or too slow."""

    def __init__(self, inner: httpx2.AsyncByteStream, deadline: float, limit: int, request: httpx2.Request) -> None:
        self._inner, self._deadline, self._limit, self._request = inner, deadline, limit, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        parts = aiter(self._inner)
        while True:
            try:
                with _in_time(self._request):
                    async with asyncio.timeout_at(self._deadline):
                        part = await anext(parts)
            except StopAsyncIteration:
                return
            read += len(part)
            if read > self._limit:
                raise AnswerTooLarge(f"The answer has more than {self._limit} bytes", request=self._request)
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextlib.contextmanager
def _in_time(request: httpx2.Request) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise OutOfTime("The call took longer than it may", request=request) from error


def guarded_client(
    allow: Allowance | None = None,
    caps: Caps | None = None,
    *,
    resolve: Resolve = resolve_host,
    dial: httpcore2.AsyncNetworkBackend | None = None,
) -> httpx2.AsyncClient:
    """Open a client for addresses that people can choose; close it with `aclose`.

    Raises what httpx2 raises, EgressRefused (unwrapped), AnswerTooLarge and OutOfTime.
    """
    return httpx2.AsyncClient(**guarded_options(allow, caps, resolve=resolve, dial=dial))


def guarded_options(
    allow: Allowance | None = None,
    caps: Caps | None = None,
    *,
    resolve: Resolve = resolve_host,
    dial: httpcore2.AsyncNetworkBackend | None = None,
) -> dict[str, Any]:
    """What makes any client of httpx2 a guarded one, for libraries that bring their own."""
    caps = caps or Caps()
    return {
        "transport": GuardedTransport(GuardedBackend(allow or Allowance(), resolve, dial), caps),
        "follow_redirects": False,
        "trust_env": False,
        "timeout": httpx2.Timeout(caps.seconds, connect=caps.connect_seconds),
    }
