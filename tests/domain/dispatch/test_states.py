"""What may follow what in the life of a step."""

from __future__ import annotations

import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dispatch import states
from domain.dispatch.model import STEP_STATES
from domain.dispatch.states import NEXT, OPEN, StepState, WrongStep, after_crash, after_failure, backoff, require


class TestTable:
    def test_words_are_those_of_the_rows(self) -> None:
        assert get_args(StepState) == STEP_STATES
        assert set(NEXT) == set(STEP_STATES)

    @pytest.mark.parametrize(("before", "after"), [("blocked", "running"), ("held", "running")])
    def test_refuses(self, before: StepState, after: StepState) -> None:
        with pytest.raises(WrongStep):
            require(before, after)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("blocked", "ready"), ("ready", "running"), ("running", "succeeded"), ("running", "delayed"),
            ("delayed", "ready"), ("running", "ready"), ("running", "dead"), ("running", "waiting_approval"),
            ("waiting_approval", "succeeded"), ("waiting_approval", "cancelled"), ("ready", "held"),
            ("delayed", "held"),
            ("held", "ready"), ("dead", "ready"),
        ],
    )  # fmt: skip
    def test_allows(self, before: StepState, after: StepState) -> None:
        require(before, after)

    def test_a_step_runs_only_after_it_was_ready(self) -> None:
        assert {state for state in NEXT if "running" in NEXT[state]} == {"ready"}
        assert {state for state in NEXT if "dead" in NEXT[state]} == {"running"}

    def test_every_open_state_can_be_cancelled(self) -> None:
        assert all("cancelled" in NEXT[state] for state in OPEN)

    def test_every_open_state_can_reach_the_end(self) -> None:
        reached: set[StepState] = {"succeeded"}
        while grown := {state for state in NEXT if NEXT[state] & reached} - reached:
            reached |= grown
        assert reached >= OPEN


class TestFailure:
    def test_permanent_is_dead_at_once(self) -> None:
        assert after_failure(1, 4, False, random.Random(1)).state == "dead"

    def test_last_attempt_is_dead(self) -> None:
        assert after_failure(4, 4, True, random.Random(1)).state == "dead"

    def test_else_it_waits(self) -> None:
        assert after_failure(3, 4, True, random.Random(1)).state == "delayed"

    @given(st.integers(1, 50), st.integers())
    def test_jitter_stays_under_its_ceiling(self, attempt: int, seed: int) -> None:
        assert 0 <= backoff(attempt, random.Random(seed)) <= min(600.0, 5.0 * 2 ** (attempt - 1))

    @given(st.floats(0, 3000), st.integers())
    def test_never_before_the_provider_said(self, asked: float, seed: int) -> None:
        wait = backoff(2, random.Random(seed), asked)
        assert asked <= wait <= asked + states.BACKOFF_BASE_S

    def test_an_absurd_wish_is_bounded(self) -> None:
        assert backoff(1, random.Random(1), 1e9) <= 6 * states.BACKOFF_CAP_S + states.BACKOFF_BASE_S


class TestCrash:
    @pytest.mark.parametrize(("count", "answer"), [(1, "ready"), (2, "ready"), (3, "dead"), (4, "dead")])
    def test_poison_dies(self, count: int, answer: str) -> None:
        assert after_crash(count, 3) == answer
