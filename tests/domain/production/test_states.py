"""A job's state follows from its steps and from what people asked for."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dispatch.model import STEP_STATES
from domain.production.model import JOB_STATES
from domain.production.states import (
    FINAL,
    NEXT,
    OPEN,
    PAUSABLE,
    JobState,
    can_cancel,
    can_pause,
    can_resume,
    can_retry,
    derive,
)


def test_words_are_those_of_the_rows() -> None:
    assert set(get_args(JobState)) == set(JOB_STATES)


class TestTable:
    def test_words_are_those_of_the_rows(self) -> None:
        assert set(NEXT) == set(JOB_STATES)
        assert all(NEXT[state] <= NEXT.keys() for state in NEXT)

    def test_every_open_state_can_be_cancelled_and_paused(self) -> None:
        assert all("cancelled" in NEXT[state] for state in OPEN)
        assert all("paused" in NEXT[state] for state in PAUSABLE)

    @pytest.mark.parametrize(
        ("before", "after"),
        [("cancelled", "running"), ("cancelling", "running"), ("succeeded", "failed"),
         ("draft", "running"), ("queued", "waiting_approval")],
    )  # fmt: skip
    def test_refuses(self, before: str, after: str) -> None:
        assert after not in NEXT[before]

    def test_nothing_leads_back_to_a_draft_or_out_of_cancelled(self) -> None:
        assert "draft" not in set().union(*NEXT.values())
        assert not NEXT["cancelled"]


class TestDerive:
    @pytest.mark.parametrize(
        ("steps", "state"),
        [
            ({"ready": 1, "blocked": 7}, "queued"),
            ({"held": 1, "blocked": 7}, "queued"),
            ({"running": 1, "blocked": 7}, "running"),
            ({"succeeded": 1, "ready": 1}, "running"),
            ({"delayed": 1, "blocked": 2}, "running"),
            ({"succeeded": 8}, "succeeded"),
            ({"succeeded": 8, "cancelled": 3}, "succeeded"),
            ({"succeeded": 1, "waiting_approval": 1, "blocked": 3}, "waiting_approval"),
            ({"waiting_approval": 1, "ready": 1}, "running"),
            ({"dead": 1, "blocked": 3}, "failed"),
            ({"dead": 1, "running": 1}, "running"),
            ({"dead": 1, "ready": 1}, "running"),
            ({"dead": 1, "delayed": 1}, "running"),
        ],
    )
    def test_going(self, steps: dict[str, int], state: str) -> None:
        assert derive("none", steps) == state

    @pytest.mark.parametrize(
        ("steps", "state"),
        [
            ({"held": 1, "running": 1}, "paused"),
            ({"held": 2, "blocked": 1}, "paused"),
            ({"waiting_approval": 1, "blocked": 1}, "paused"),
            ({"succeeded": 8}, "succeeded"),
            ({"dead": 1, "blocked": 1}, "failed"),
            ({"dead": 1, "held": 1}, "paused"),
        ],
    )
    def test_paused(self, steps: dict[str, int], state: str) -> None:
        assert derive("pause", steps) == state

    @pytest.mark.parametrize(
        ("steps", "state"), [({"running": 1, "cancelled": 5}, "cancelling"), ({"cancelled": 6}, "cancelled")]
    )
    def test_cancelled(self, steps: dict[str, int], state: str) -> None:
        assert derive("cancel", steps) == state

    @given(st.dictionaries(st.sampled_from(STEP_STATES), st.integers(0, 3)))
    def test_running_work_is_never_final(self, steps: dict[str, int]) -> None:
        if steps.get("running"):
            assert derive("none", steps) not in FINAL
            assert derive("cancel", steps) == "cancelling"


class TestWishes:
    def test_pause_and_resume(self) -> None:
        assert can_pause("running", "none")
        assert not can_pause("running", "pause")
        assert not can_pause("succeeded", "none")
        assert can_resume("paused", "pause")
        assert not can_resume("running", "none")

    def test_cancel_once(self) -> None:
        assert can_cancel("paused", "pause")
        assert not can_cancel("cancelling", "cancel")
        assert not can_cancel("succeeded", "none")

    def test_only_failed_jobs_are_retried(self) -> None:
        assert can_retry("failed")
        assert not can_retry("running")
