"""The line on paper: places and times foreseen, and scenarios whose outcome is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.dispatch.forward import Line, jain, run_forward
from domain.dispatch.policy import TIERS, Flow, Waiting, first_of
from domain.dispatch.simulator import Guest, Load, Scenario, simulate
from domain.dispatch.waiting import Place, why

ROOT = Path(__file__).resolve().parents[3]
HEAD_START_S = max(tier.boost_s for tier in TIERS.values())


def line(number: int, ready: int, cost: float = 10.0, **changes: object) -> Line:
    values = {"weight": 1.0, "max_running": 99, "ready": ready, "running": 0, "vtime": 0.0, **changes}
    ends = values.pop("ends", ())
    return Line(Flow(UUID(int=number), **values), cost, ends)  # type: ignore[arg-type]


class TestForward:
    def test_turns_alternate_between_equal_flows(self) -> None:
        turns = run_forward([line(1, 3), line(2, 3)], 0.0, slots=1)
        assert [turn.before for turn in turns[UUID(int=1)]] == [0, 2, 4]
        assert [turn.at for turn in turns[UUID(int=2)]] == [10.0, 30.0, 50.0]

    def test_running_steps_are_waited_for(self) -> None:
        turns = run_forward([line(1, 1, running=1, ends=(7.0,))], 0.0, slots=1)
        assert turns[UUID(int=1)][0].at == 7.0

    def test_a_limit_holds_steps_back_and_a_closed_flow_has_no_turn(self) -> None:
        turns = run_forward([line(1, 2, max_running=1), line(2, 1, paused=True)], 0.0, slots=4)
        assert [turn.at for turn in turns[UUID(int=1)]] == [0.0, 10.0]
        assert turns[UUID(int=2)] == []

    def test_is_bounded(self) -> None:
        assert len(run_forward([line(1, 10_000)], 0.0, slots=1, most=50)[UUID(int=1)]) == 50


class TestFirst:
    def test_age_lifts_a_level(self) -> None:
        old, new = Waiting(1, 600.0, (1, 0)), Waiting(-1, 0.0, (9, 0))
        assert first_of([new, old]) is old
        assert first_of([new, Waiting(1, 299.0, (1, 0))]) is new

    def test_nothing_of_nothing(self) -> None:
        assert first_of([]) is None


class TestScenarios:
    def test_a_noisy_neighbour_delays_by_less_than_a_step_and_a_half(self) -> None:
        outcome = simulate(read("noisy_neighbour"))
        assert outcome.tenants["quiet"].wait_max <= 1.5 * 10 + 1
        assert outcome.tenants["noisy"].started == 1000

    def test_weights_share_seconds(self) -> None:
        outcome = simulate(read("weights"))
        got = {name: told.seconds for name, told in outcome.tenants.items()}
        total = sum(got.values())
        assert [got[name] / total for name in ("free", "pro", "business")] == pytest.approx(
            [1 / 12, 3 / 12, 8 / 12], rel=0.1
        )
        assert outcome.jain > 0.99

    def test_low_estimates_gain_nothing(self) -> None:
        got = simulate(read("lying_estimates")).tenants
        assert got["hopeful"].seconds <= got["honest"].seconds * 1.05

    def test_urgent_first_and_batch_by_age(self) -> None:
        told = simulate(read("priorities")).tenants["studio"]
        assert told.inversions == 0
        assert told.started == 95

    def test_the_same_scenario_always_goes_the_same_way(self) -> None:
        assert simulate(read("weights")).as_json() == simulate(read("weights")).as_json()

    @settings(max_examples=40)
    @given(
        st.lists(
            st.tuples(st.sampled_from(["free", "pro", "business"]), st.floats(1.0, 30.0), st.floats(0.0, 0.9)),
            min_size=2,
            max_size=5,
        ),
        st.integers(1, 4),
        st.integers(1, 3),
    )
    def test_service_of_the_backlogged_stays_within_the_bound(
        self, guests: list[tuple[str, float, float]], slots: int, seed: int
    ) -> None:
        """Seconds served per weight differ by at most the steps in the slots and one more of each, and a head start."""
        tenants = {
            f"t{place}": Guest(tier=tier, max_running=99, loads=[Load(count=2000, seconds=cost, spread=spread)])
            for place, (tier, cost, spread) in enumerate(guests)
        }
        outcome = simulate(Scenario(slots=slots, seed=seed, until=300.0, tenants=tenants))
        normal = {name: told.seconds / TIERS[tenants[name].tier].weight for name, told in outcome.tenants.items()}
        step = {
            name: cost * (1 + spread) * (1 + slots) / TIERS[tier].weight
            for (name, (tier, cost, spread)) in zip(tenants, guests, strict=True)
        }
        for one in tenants:
            for other in tenants:
                assert normal[one] - normal[other] <= step[one] + step[other] + HEAD_START_S

    @settings(max_examples=25)
    @given(st.integers(1, 5), st.integers(1, 8), st.integers(1, 60))
    def test_limits_are_never_passed_and_nothing_is_lost(self, limit: int, slots: int, count: int) -> None:
        guest = Guest(max_running=limit, loads=[Load(count=count, seconds=3, spread=0.5)])
        outcome = simulate(Scenario(slots=slots, tenants={"one": guest, "two": guest}))
        for told in outcome.tenants.values():
            assert told.most_running <= min(limit, slots)
            assert told.started == count

    @pytest.mark.parametrize(
        ("body", "word"),
        [
            ({"slots": 0, "tenants": {"a": {"loads": [{"count": 1, "seconds": 1}]}}}, "slots"),
            ({"slots": 1, "tenants": {"a": {"tier": "gold", "loads": [{"count": 1, "seconds": 1}]}}}, "tier"),
            ({"slots": 1, "tenants": {"a": {"max_running": -1, "loads": [{"count": 1, "seconds": 1}]}}}, "max_running"),
            ({"slots": 1, "tenants": {}}, "tenants"),
            ({"slots": 1, "colour": 1, "tenants": {"a": {"loads": [{"count": 1, "seconds": 1}]}}}, "colour"),
        ],
    )
    def test_bad_scenarios_are_named(self, body: dict[str, object], word: str) -> None:
        with pytest.raises(ValidationError, match=word):
            Scenario.model_validate(body)


def read(name: str) -> Scenario:
    import yaml

    return Scenario.model_validate(
        yaml.safe_load((ROOT / "benchmarks" / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8"))
    )


def test_jain() -> None:
    assert jain([1, 1, 1, 1]) == 1.0
    assert jain([4, 0, 0, 0]) == 0.25
    assert jain([]) == 1.0


class TestWhy:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({}, "line"),
            ({"slots": 0}, "no_worker"),
            ({"running": 2, "limit": 2}, "workspace_limit"),
            ({"running": 1, "limit": 2}, "line"),
            ({"project_running": 1, "project_limit": 1}, "project_limit"),
            ({"pool_reason": "new disks"}, "pool_paused"),
            ({"pool_reason": "new disks", "project_reason": "holiday", "slots": 0}, "project_paused"),
            ({"workspace_reason": "unpaid", "project_reason": "holiday"}, "workspace_paused"),
        ],
    )
    def test_table(self, changes: dict[str, Any], code: str) -> None:
        assert why(Place(**{"pool": "cpu", "slots": 2, "limit": 4, **changes}))["code"] == code
