"""Fair shares: the table of decisions, and properties over random farms."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dispatch import policy
from domain.dispatch.policy import Flow


def flow(number: int, **changes: object) -> Flow:
    base = Flow(UUID(int=number), weight=1.0, max_running=99, ready=5, running=0, vtime=0.0)
    return replace(base, **changes)  # type: ignore[arg-type]


class TestEligible:
    @pytest.mark.parametrize(
        ("changes", "answer"),
        [
            ({}, True),
            ({"ready": 0}, False),
            ({"paused": True}, False),
            ({"running": 2, "max_running": 2}, False),
            ({"running": 1, "max_running": 2}, True),
            ({"tenant_running": 4, "tenant_cap": 4}, False),
        ],
    )
    def test_limits(self, changes: dict[str, object], answer: bool) -> None:
        assert policy.eligible(flow(1, **changes)) is answer


class TestRanked:
    def test_lowest_start_tag_first(self) -> None:
        assert [f.tenant_id.int for f in policy.ranked([flow(1, vtime=9.0), flow(2, vtime=3.0)], 0.0)] == [2, 1]

    def test_ties_go_to_the_longest_wait(self) -> None:
        order = policy.ranked([flow(1, oldest=20.0), flow(2, oldest=10.0)], 0.0)
        assert [f.tenant_id.int for f in order] == [2, 1]

    def test_credit_is_bounded(self) -> None:
        # Both lie further back than credit is kept, so the longer wait decides, not the larger credit.
        order = policy.ranked([flow(1, vtime=10.0, oldest=2.0), flow(2, vtime=100.0, oldest=1.0)], 1000.0, credit=30.0)
        assert [f.tenant_id.int for f in order] == [2, 1]


class TestClock:
    def test_idle_flow_saves_up_nothing(self) -> None:
        assert policy.woken(5.0, 100.0) == 100.0

    def test_debt_is_not_forgiven(self) -> None:
        assert policy.woken(250.0, 100.0) == 250.0

    def test_clock_never_runs_back(self) -> None:
        assert policy.advanced(10.0, 4.0) == 10.0

    def test_correction_by_weight(self) -> None:
        assert policy.corrected(50.0, actual=12.0, estimate=6.0, weight=3.0) == 52.0


class TestAging:
    @pytest.mark.parametrize(("waited", "answer"), [(-5.0, 3), (0.0, 3), (299.0, 3), (300.0, 2), (3000.0, -7)])
    def test_waiting_is_worth_priority(self, waited: float, answer: int) -> None:
        assert policy.effective_priority(3, waited) == answer


class TestTickets:
    @pytest.mark.parametrize(
        ("eligible", "free", "waiting", "wanted"),
        [(0, 4, 0, 0), (10, 4, 0, 5), (10, 4, 3, 2), (2, 4, 0, 2), (10, 0, 1, 0), (10, 0, 0, 1), (1, 1, 9, 0)],
    )
    def test_table(self, eligible: int, free: int, waiting: int, wanted: int) -> None:
        assert policy.tickets_wanted(eligible, free, waiting) == wanted


def serve(weights: list[float], costs: list[float], rounds: int, caps: list[int] | None = None) -> list[int]:
    """Run the policy on one slot with always-full flows; answer how often each was served."""
    flows = [flow(i + 1, weight=w, max_running=(caps or [1] * len(weights))[i]) for i, w in enumerate(weights)]
    served, vclock = [0] * len(flows), 0.0
    for _ in range(rounds):
        first = policy.ranked(flows, vclock)[0]
        index = first.tenant_id.int - 1
        start = policy.start_tag(first.vtime, vclock)
        flows[index] = replace(first, vtime=policy.charged(start, costs[index], first.weight))
        vclock = policy.advanced(vclock, start)
        served[index] += 1
    return served


class TestShares:
    def test_by_weight(self) -> None:
        assert serve([1, 1, 3], [1, 1, 1], 500) == [100, 100, 300]

    def test_costly_steps_run_less_often(self) -> None:
        cheap, dear = serve([1, 1], [1, 10], 110)
        assert cheap == pytest.approx(100, abs=2)
        assert dear == pytest.approx(10, abs=2)

    @given(st.lists(st.tuples(st.sampled_from([1.0, 3.0, 8.0]), st.floats(0.5, 60.0)), min_size=2, max_size=6))
    def test_service_differs_by_at_most_two_steps(self, farm: list[tuple[float, float]]) -> None:
        """The bound of start-time fair queueing: |Wi/wi - Wj/wj| ≤ ci/wi + cj/wj for backlogged flows."""
        weights, costs = [w for w, _ in farm], [c for _, c in farm]
        served = serve(weights, costs, 300)
        normal = [n * c / w for n, c, w in zip(served, costs, weights, strict=True)]
        step = [c / w for c, w in zip(costs, weights, strict=True)]
        for i in range(len(farm)):
            for j in range(i):
                assert abs(normal[i] - normal[j]) <= step[i] + step[j] + 1e-6

    @given(st.integers(1, 400), st.floats(0.1, 60.0))
    def test_newcomer_is_served_within_one_round(self, backlog: int, cost: float) -> None:
        vclock = backlog * cost
        old = flow(1, vtime=vclock + cost, ready=1000)
        new = flow(2, vtime=policy.woken(0.0, vclock))
        assert policy.ranked([old, new], vclock)[0] is new
