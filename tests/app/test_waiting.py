"""Why a job waits, in words."""

from __future__ import annotations

from typing import Any

import pytest

from app.i18n import Tongue
from app.views.waiting import say_waiting
from domain.production.model import Job


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        ({"code": "line", "pool": "io"}, "Place 2 in your workspace. 3 steps are served before."),
        ({"code": "no_worker", "pool": "gpu"}, "Waiting for a worker of “gpu”."),
        ({"code": "workspace_limit", "running": 2, "limit": 2}, "Your workspace runs 2 of 2 steps."),
        ({"code": "project_limit", "running": 1, "limit": 1}, "The project runs 1 of 1 steps."),
        ({"code": "pool_paused", "pool": "cpu", "reason": "new disks"}, "Workers of “cpu” are paused: new disks"),
        ({"code": "project_paused", "reason": "holiday"}, "The project is paused: holiday"),
        ({"code": "workspace_paused", "reason": "moving"}, "The workspace is paused: moving"),
        (None, ""),
    ],
)
def test_sentences(waiting: dict[str, Any] | None, sentence: str) -> None:
    assert say_waiting(Tongue("en"), Job(state="queued", waiting=waiting, position=2, ahead=3)) == sentence


def test_a_running_job_waits_for_nothing() -> None:
    assert say_waiting(Tongue("en"), Job(state="running", waiting={"code": "line"}, position=1)) == ""
