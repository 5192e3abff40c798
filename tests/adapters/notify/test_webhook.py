"""Where messages may be sent, and what is made of what a receiver says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from adapters.egress_rules import Allowance
from adapters.notify import webhook
from adapters.notify.webhook import WebhookPost, examine
from domain.outreach.wish import WebhookRefused
from tests.support.receiver import Say, receiving

NEVER = "Mon, 01 Jan 99999999999 00:00:00 GMT"
ALLOWED = Allowance.parse("10.0.0.5:8080, hooks.inside:80, 127.0.0.1")


def leads_to(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    """A resolver for which every name leads to these; without any, no name is known."""

    async def resolve(_host: str, _port: int) -> list[str]:
        if not addresses:
            raise OSError("unknown")
        return list(addresses)

    return resolve


class TestExamine:
    @pytest.mark.parametrize(
        ("url", "addresses"),
        [
            ("https://hooks.example.org/films", ["1.1.1.1", "2606:4700::1"]),
            ("http://ten.inside:8080/", ["10.0.0.5"]),
            ("https://ten.inside:8080/", ["10.0.0.5"]),
            ("http://hooks.inside/", ["10.9.9.9"]),
        ],
    )
    async def test_good(self, url: str, addresses: list[str]) -> None:
        await examine(url, ALLOWED, leads_to(*addresses))

    @pytest.mark.parametrize(
        ("url", "addresses", "reason"),
        [
            ("https://hooks.example.org/", [], "url-unknown"),
            ("https://hooks.example.org/", ["10.0.0.6"], "url-refused"),
            ("https://hooks.example.org/", ["1.1.1.1", "127.0.0.2"], "url-refused"),
            ("https://hooks.example.org/", ["169.254.169.254"], "url-refused"),
            ("https://hooks.example.org:8443/", ["1.1.1.1"], "url-refused"),
            ("https://hooks.example.org/", ["64:ff9b::a00:1"], "url-refused"),
            ("http://hooks.example.org/", ["1.1.1.1"], "url-plain"),
            ("http://mixed.inside/", ["127.0.0.1", "1.1.1.1"], "url-plain"),
            ("https://ada@hooks.example.org/", ["1.1.1.1"], "url-login"),
            ("file:///etc/passwd", ["1.1.1.1"], "url"),
        ],
    )
    async def test_refused(self, url: str, addresses: list[str], reason: str) -> None:
        with pytest.raises(WebhookRefused) as refused:
            await examine(url, ALLOWED, leads_to(*addresses))
        assert refused.value.reason == reason


async def test_a_pause_is_asked_for_in_seconds_or_as_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    async with receiving() as receiver:
        poster = WebhookPost(Allowance.parse(f"127.0.0.1:{receiver.port}"))
        wishes = []
        for text in ("120", soon, "Thu, 01 Jan 1970 00:00:00 GMT", "soon", "-5", "", NEVER):
            receiver.will("/", Say(429, {"retry-after": text}))
            wishes.append((await poster.post(receiver.url("/"), {}, b"{}")).wish_s)
        await poster.close()
    assert wishes[0] == 120
    assert wishes[1] is not None
    assert 590 < wishes[1] <= 600
    assert wishes[2:] == [0.0, None, None, None, None]


async def test_a_name_that_takes_too_long_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(webhook, "LOOK_UP_S", 0.01)
    with pytest.raises(WebhookRefused) as refused:
        await examine("https://hooks.example.org/", ALLOWED, never)
    assert refused.value.reason == "url-unknown"
