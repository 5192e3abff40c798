"""The journal of a running step ends when it is told to, whatever a library makes of being cut off."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from domain.dispatch.claim import Claim
from domain.production import logs
from domain.production.logs import Journal
from tenants.unit import Units


class Stubborn:
    """Units whose transaction answers to being cut off with an error of its own."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()

    def open(self, principal: Any) -> Stubborn:
        return self

    async def __aenter__(self) -> Stubborn:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError("the connection was lost") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


@pytest.mark.timeout(20)
async def test_it_ends_although_the_write_that_was_cut_off_says_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "EVERY_S", 0.001)
    units = Stubborn()
    claim = SimpleNamespace(tenant_id=uuid4(), job_id=uuid4(), project_id=uuid4(), step_id=uuid4())
    journal = Journal(cast(Units, units), cast(Claim, claim))
    journal.line("Half a sentence.", "info", "")
    journal.begin()
    await units.entered.wait()
    await journal.end()
    assert journal._lines, "what could not be written is kept for the settlement"
