"""Why a job waits and when it will be done, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.i18n import Tongue
from app.views.waiting import pool_word, say_eta, say_waiting
from domain.production.model import Job

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SOON = (NOW + timedelta(minutes=4)).isoformat()


@pytest.mark.parametrize(
    ("waiting", "sentence"),
    [
        ({"code": "line", "pool": "io"}, "Place 2 in your workspace. 3 steps are served before."),
        (
            {"code": "line", "pool": "io", "starts_at": SOON},
            "Place 2 in your workspace. 3 steps are served before. Begins in about 4 min.",
        ),
        ({"code": "line", "starts_at": "soon"}, "Place 2 in your workspace. 3 steps are served before."),
        ({"code": "no_worker", "pool": "gpu"}, "Waiting for a GPU worker."),
        ({"code": "workspace_limit", "running": 2, "limit": 2}, "Your workspace runs 2 of 2 steps."),
        ({"code": "project_limit", "running": 1, "limit": 1}, "The project runs 1 of 1 steps."),
        (
            {"code": "pool_paused", "pool": "cpu", "reason": "new disks", "by": ""},
            "Workers of “cpu” are paused by the farm’s operator, because: new disks.",
        ),
        (
            {"code": "project_paused", "reason": "holiday!", "by": "Ada"},
            "The project is paused by Ada, because: holiday!",
        ),
        (
            {"code": "workspace_paused", "reason": "moving", "by": "Ada"},
            "The workspace is paused by Ada, because: moving.",
        ),
        (None, ""),
    ],
)
def test_sentences(waiting: dict[str, Any] | None, sentence: str) -> None:
    job = Job(state="queued", waiting=waiting, position=2, ahead=3)
    assert say_waiting(Tongue("en"), job.state, job, NOW) == sentence


def test_a_running_job_waits_for_nothing() -> None:
    job = Job(state="running", waiting={"code": "line"}, position=1)
    assert say_waiting(Tongue("en"), job.state, job, NOW) == ""


@pytest.mark.parametrize(
    ("p50", "p90", "said"),
    [
        (None, None, ""),
        (-5, 60, ""),
        (540, None, "about 9 min left"),
        (540, 840, "about 9 min left, very likely within 14 min"),
    ],
)
def test_estimates_are_marked_as_such(p50: int | None, p90: int | None, said: str) -> None:
    early, late = (None if one is None else NOW + timedelta(seconds=one) for one in (p50, p90))
    assert say_eta(Tongue("en"), early, late, NOW) == said


def test_pools_as_people_say_them() -> None:
    assert [pool_word(pool) for pool in ("cpu", "gpu.nvenc", "cpu@eu")] == ["CPU", "GPU (nvenc)", "CPU (eu)"]
