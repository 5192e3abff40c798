"""What `vfos produce` says when there is no film."""

from __future__ import annotations

import argparse
import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import OperationalError

from app.commands import produce
from app.commands.produce import why_not
from app.console import FAILED, CommandError, Console
from app.follow import JobRef, Snapshot
from domain.dispatch.claim import Claim
from domain.production.failures import KEPT, judge
from domain.production.ports import ProviderRefused

CLAIM = Claim(uuid4(), uuid4(), uuid4(), uuid4(), "io", "narrate", "", 2, 5, 1.0, 4, False)


def test_the_step_what_is_kept_and_what_to_do_are_said() -> None:
    error = judge(CLAIM, ProviderRefused("azure", "The voice is unknown.", fix="Choose another voice.")).error
    assert why_not(Snapshot(3, "Whales", "failed", error, 1.0, ())) == [
        "narrate: The voice is unknown.",
        KEPT,
        "Choose another voice.",
    ]


def test_a_job_that_ended_without_an_error_says_how() -> None:
    assert why_not(Snapshot(3, "Whales", "cancelled", None, 1.0, ())) == ["Job #3 ended as cancelled."]


def test_services_that_stop_meanwhile_are_told_in_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    async def close() -> None: ...

    async def enter(*_: Any) -> JobRef:
        return JobRef(uuid4(), uuid4())

    async def follow(*_: Any, **__: Any) -> Snapshot:
        raise OperationalError("SELECT 1", {}, Exception("connection is bad"))

    runtime = SimpleNamespace(units=None, close=close)
    monkeypatch.setattr("adapters.wiring.build_runtime", lambda *_: runtime)
    monkeypatch.setattr(produce, "enter", enter)
    monkeypatch.setattr(produce, "follow", follow)
    settings: Any = SimpleNamespace(demo=False)
    with pytest.raises(CommandError) as told:
        asyncio.run(produce.produce(argparse.Namespace(), settings, Console(json=True)))
    assert told.value.code == FAILED
    assert "goes on by itself" in str(told.value)
    assert "SELECT" not in str(told.value)
