"""How the log and a quote's counts read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.i18n import Tongue
from app.views.log import Grouping
from app.views.money import counted
from domain.dispatch.model import Step
from domain.production.log_queries import LogLine
from tenants.records import uuid7

ENGLISH, PORTUGUESE = Tongue("en"), Tongue("pt-BR")


@pytest.mark.parametrize(
    ("state", "attempt", "word"),
    [
        ("running", 1, "running"),
        ("dead", 1, "failed"),
        ("ready", 1, "earlier attempt"),
        ("blocked", 1, "earlier attempt"),
        ("running", 2, "earlier attempt"),
    ],
)
def test_an_attempt_that_is_over_does_not_wait_in_the_queue(state: str, attempt: int, word: str) -> None:
    step = Step(id=uuid7(), kind="script", shard="", state=state, attempt=attempt)
    line = LogLine(1, step.id, 1, "", "info", "", "Asking the writer")
    assert Grouping(ENGLISH, {step.id: step}, datetime.now(UTC)).mark_of(line).word == word


@pytest.mark.parametrize(
    ("tongue", "unit", "low", "high", "said"),
    [
        (ENGLISH, "calls", 1, 1, "1 call"),
        (ENGLISH, "pictures", 1, 3, "1–3 pictures"),
        (PORTUGUESE, "calls", 1, 1, "1 chamada"),
        (PORTUGUESE, "characters", 700, 1200, "700–1.200 caracteres"),
    ],
)
def test_counts_agree_with_their_units(tongue: Tongue, unit: str, low: int, high: int, said: str) -> None:
    assert counted(tongue, unit, low, high) == said
