"""What is learned from durations, and when a job will be done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dispatch.stats import (
    Lessons,
    Remaining,
    Sample,
    learned,
    ratio,
    ratios,
    record_durations,
    seconds_left,
)
from tenants.unit import Units


class TestLearning:
    def test_no_samples_no_opinion(self) -> None:
        assert ratio(7.0, 0) == 1.0

    def test_enough_samples_count_fully(self) -> None:
        assert ratio(2.0, 5) == 2.0

    @given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=40))
    def test_average_stays_inside_the_samples(self, samples: list[float]) -> None:
        average = 1.0
        for n, sample in enumerate(samples):
            average = learned(average, n, sample)
        assert min(samples) - 1e-9 <= average <= max(samples) + 1e-9

    def test_first_sample_replaces_the_start(self) -> None:
        assert learned(1.0, 0, 4.0) == 4.0

    async def test_many_slow_steps_of_one_fan_out_do_not_raise_each_other(self, units: Units) -> None:
        for _ in range(40):
            await record_durations(units, [Sample("weld", "wide", guess_s=2.0, actual_s=8.0)])
        async with units.system("stats") as unit:
            assert (await ratios(unit.session, "wide"))["weld"] == pytest.approx(4.0)


class TestLessons:
    def test_are_handed_out_some_at_once(self) -> None:
        now = [100.0]
        lessons, one = Lessons(most=3, every_s=2.0, now=lambda: now[0]), Sample("render", "", 1.0, 2.0)
        assert lessons.add(one) == [one]
        assert [lessons.add(one) for _ in range(3)] == [[], [], [one] * 3]
        now[0] += 2.0
        assert lessons.add(one) == [one]


class TestSecondsLeft:
    def test_chain_adds_up(self) -> None:
        chain = [Remaining("a", 10), Remaining("b", 5, needs=["a"]), Remaining("c", 1, needs=["b"])]
        assert seconds_left(chain, 8) == 16

    def test_fan_out_shares_the_slots(self) -> None:
        assert seconds_left([Remaining(str(n), 10) for n in range(6)], 2) == 30

    def test_what_is_done_does_not_count(self) -> None:
        assert seconds_left([Remaining("a", 10, done=0.7)], 1) == pytest.approx(3)

    def test_finished_needs_are_not_listed(self) -> None:
        assert seconds_left([Remaining("b", 5, needs=["a"])], 1) == 5

    def test_nothing_left(self) -> None:
        assert seconds_left([], 1) == 0
