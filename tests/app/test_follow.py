"""Progress of a job, from its steps."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.follow import STAGES, Meter, Snapshot, StepView, count_of, current_kind, fraction

STATES = ["blocked", "ready", "running", "delayed", "succeeded", "dead"]


def step(kind: str, state: str, done: int = 0, total: int = 0, cost: float = 1.0, stage: str = "") -> StepView:
    return StepView(kind, state, done, total, cost, stage)


class TestFraction:
    def test_nothing_done_is_nothing(self) -> None:
        assert fraction([]) == 0
        assert fraction([step(kind, "blocked") for kind in STAGES]) == 0

    def test_all_done_is_all(self) -> None:
        assert fraction([step(kind, "succeeded") for kind in STAGES]) == 1

    def test_steps_that_are_not_known_yet_count_as_not_done(self) -> None:
        assert fraction([step("script", "succeeded")]) == 0.03

    def test_inside_a_kind_costs_decide(self) -> None:
        steps = [step("render", "succeeded", cost=3), step("render", "running", 5, 10, cost=1), step("render", "ready")]
        assert fraction(steps) == pytest.approx(0.6 * (3 + 0.5) / 5)

    @given(
        st.lists(
            st.builds(
                step,
                st.sampled_from(sorted(STAGES)),
                st.sampled_from(STATES),
                st.integers(0, 1000),
                st.integers(0, 500),
                st.floats(0.1, 1000),
            )
        )
    )
    def test_is_never_below_0_or_above_1_and_grows_with_success(self, steps: list[StepView]) -> None:
        before = fraction(steps)
        assert 0 <= before <= 1 + 1e-9
        assert fraction([replace(each, state="succeeded") for each in steps]) >= before - 1e-9


class TestCounts:
    def test_frames_of_all_segments_without_the_sound(self) -> None:
        steps = [
            step("render", "succeeded", 100, 100, stage="frames"),
            step("render", "running", 20, 50, stage="frames"),
            step("render", "running", 9, 48000, stage="samples"),
        ]
        assert count_of("render", steps) == (120, 150)

    def test_steps_where_nothing_is_counted(self) -> None:
        assert count_of("check", [step("check", "succeeded"), step("check", "ready")]) == (1, 2)

    def test_a_running_kind_is_the_current_one_before_a_waiting_one(self) -> None:
        assert (
            current_kind([step("script", "succeeded"), step("narrate", "ready"), step("render", "running")]) == "render"
        )
        assert current_kind([step("script", "succeeded"), step("mux", "blocked")]) == "mux"
        assert current_kind([step("script", "succeeded")]) == ""


class TestMeter:
    def snapshot(self, done: int) -> Snapshot:
        earlier = [step(kind, "succeeded") for kind in ("script", "narrate", "illustrate", "compose")]
        return Snapshot(7, "Deep Sky", "running", None, 1, (*earlier, step("render", "running", done, 100)))

    def test_says_stage_count_rate_and_time_left(self) -> None:
        meter = Meter()
        meter.pace.begun = 0
        meter.line(self.snapshot(0), 10)
        line = meter.line(self.snapshot(50), 20, plain=True)
        assert line == "#############-----------  53% · #7 · render · 50/100 · 5.0 frames/s · about 18 s left"

    def test_never_goes_back(self) -> None:
        meter = Meter()
        first = meter.line(self.snapshot(90), 1).split("%")[0]
        assert meter.line(self.snapshot(10), 2).split("%")[0] == first


class TestHeld:
    def test_a_pause_is_said_instead_of_a_time(self) -> None:
        waiting = {"code": "workspace_paused", "reason": "month end", "by": "Ana", "pool": "cpu"}
        held = Snapshot(1, "Whales", "queued", None, 3, (step("script", "ready"),), waiting)
        assert Meter().line(held, 0.0).endswith("script · the workspace is paused: month end")

    def test_a_pool_without_workers_is_said(self) -> None:
        held = Snapshot(
            1, "Whales", "queued", None, 3, (step("render", "ready"),), {"code": "no_worker", "pool": "gpu"}
        )
        assert Meter().line(held, 0.0).endswith("waits for a worker with gpu")

    @pytest.mark.parametrize(("state", "code"), [("ready", "line"), ("running", "workspace_paused")])
    def test_a_turn_that_will_come_and_work_under_way_are_no_hold(self, state: str, code: str) -> None:
        going = Snapshot(1, "Whales", "running", None, 3, (step("script", state),), {"code": code, "reason": "later"})
        assert "paused" not in Meter().line(going, 0.0)
