"""Webhooks over HTTP, on the guarded client: one POST, no redirect followed, little of the answer read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx2

from adapters.egress import Caps, Resolve, guarded_client, resolve_host
from adapters.egress_rules import Allowance, EgressRefused, check_addresses
from domain.outreach.policy import SECONDS, Outcome, outcome_of
from domain.outreach.ports import ANSWER_BYTES, Answer
from domain.outreach.wish import WebhookRefused, check_url

LOOK_UP_S = 8.0
"""How long a name may take to be found when an address is saved."""
CAPS = Caps(seconds=SECONDS, connect_seconds=10.0)


class WebhookPost:
    """Sends messages to addresses that people have chosen; close it with `close`."""

    def __init__(self, allow: Allowance, caps: Caps = CAPS) -> None:
        self._allow, self._caps = allow, caps
        # Certificates are read when there is something to send: most installations never do.
        self._client: httpx2.AsyncClient | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a message once. What the other side does is in the answer, never raised."""
        client = self._client = self._client or guarded_client(self._allow, self._caps)
        begun = time.monotonic()
        try:
            async with client.stream("POST", url, headers=dict(headers), content=body) as answer:
                head = await _head(answer)
        except EgressRefused:
            return Answer("forbidden", millis=_since(begun))
        except httpx2.TimeoutException:
            return Answer("late", millis=_since(begun))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return Answer("unreachable", millis=_since(begun), said=str(error)[:200] or type(error).__name__)
        outcome: Outcome = outcome_of(answer.status_code)
        wish = _wish(answer.headers.get("retry-after", ""))
        return Answer(outcome, answer.status_code, _since(begun), head, wish_s=wish)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


async def _head(answer: httpx2.Response) -> str:
    """How an answer begins; the rest is not waited for."""
    read = b""
    try:
        async for part in answer.aiter_raw():
            read += part
            if len(read) >= ANSWER_BYTES:
                break
    except httpx2.HTTPError:
        # The status has been said, and it decides; a body that breaks off or drags on changes nothing.
        pass
    text = read[:ANSWER_BYTES].decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)


def _wish(text: str) -> float | None:
    """The pause that a `Retry-After` header asks for, in seconds."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


async def examine(url: str, allow: Allowance, resolve: Resolve = resolve_host) -> None:
    """Let through an address that messages may be sent to at present. Raises WebhookRefused.

    It is looked at again with each message: where a name leads can change.
    """
    check_url(url)
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(LOOK_UP_S):
            found = await resolve(host, port)
    except (TimeoutError, OSError, UnicodeError):
        raise WebhookRefused("url-unknown") from None
    try:
        checked = check_addresses(host, port, found, allow)
    except EgressRefused:
        raise WebhookRefused("url-refused") from None
    if parts.scheme == "http" and not _all_allowed(host, port, checked, allow):
        raise WebhookRefused("url-plain")


def _all_allowed(host: str, port: int, addresses: list[str], allow: Allowance) -> bool:
    return all(allow.permits(host, ip_address(address), port) for address in addresses)
