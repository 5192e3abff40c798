"""When messages are tried again, when endpoints are given up, and whose turn it is: tables and properties."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.outreach.policy import (
    GIVE_UP_AFTER,
    LEASE_S,
    MOST_AT_ENDPOINT,
    MOST_OF_TENANT,
    PAUSES_S,
    SECONDS,
    SPREAD,
    Due,
    Outcome,
    Verdict,
    after_failure,
    choose,
    failing_for,
    outcome_of,
)

LITTLE = timedelta(minutes=1)
HOUR = 3600.0


class TestAfterFailure:
    @pytest.mark.parametrize(
        ("failures", "pause"),
        [(1, 5), (2, 300), (3, 1800), (4, 2 * HOUR), (5, 5 * HOUR), (6, 10 * HOUR), (7, 10 * HOUR)],
    )
    def test_the_schedule(self, failures: int, pause: float) -> None:
        assert after_failure("refused", failures, LITTLE) == Verdict("waiting", pause)
        assert after_failure("late", failures, LITTLE, chance=1.0).pause_s == pytest.approx(pause * (1 + SPREAD))

    def test_after_eight_tries_a_message_is_given_up_and_the_endpoint_is_not(self) -> None:
        assert len(PAUSES_S) == 7
        assert after_failure("unreachable", 8, LITTLE) == Verdict("failed")

    @pytest.mark.parametrize("endpoint", ["enabled", "paused"])
    def test_gone_switches_off_at_once(self, endpoint: str) -> None:
        assert after_failure("gone", 1, LITTLE, endpoint) == Verdict("failed", off="gone")

    def test_days_of_failure_switch_off(self) -> None:
        assert after_failure("late", 2, GIVE_UP_AFTER - LITTLE).off == ""
        assert after_failure("late", 2, GIVE_UP_AFTER) == Verdict("failed", off="failing")
        assert after_failure("late", 2, GIVE_UP_AFTER, "paused").state == "held"

    def test_of_an_endpoint_that_is_off_nothing_waits(self) -> None:
        assert after_failure("refused", 1, LITTLE, "disabled") == Verdict("failed")

    @pytest.mark.parametrize(("wish", "pause"), [(None, 300), (1.0, 300), (900.0, 900), (1e9, 24 * HOUR)])
    def test_the_receiver_may_ask_for_a_longer_pause(self, wish: float | None, pause: float) -> None:
        assert after_failure("refused", 2, LITTLE, wish_s=wish).pause_s == pause

    def test_a_try_is_never_taken_for_lost_while_it_may_still_end(self) -> None:
        assert LEASE_S > 2 * SECONDS

    def test_how_long_it_fails(self) -> None:
        now = datetime(2030, 1, 2, tzinfo=UTC)
        assert failing_for(None, now) == timedelta(0)
        assert failing_for(now - LITTLE, now) == LITTLE


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (299, "delivered"),
        (301, "redirected"),
        (304, "redirected"),
        (307, "redirected"),
        (400, "refused"),
        (404, "refused"),
        (410, "gone"),
        (429, "refused"),
        (500, "refused"),
        (101, "refused"),
    ],
)
def test_what_a_status_means(status: int, outcome: Outcome) -> None:
    assert outcome_of(status) == outcome


def some(tenant: int, endpoint: int, count: int, failing: bool = False) -> list[Due]:
    first = tenant * 10_000 + endpoint * 100
    return [Due(UUID(int=tenant), UUID(int=first), UUID(int=first + n), failing) for n in range(count)]


class TestChoose:
    def test_a_full_queue_of_one_does_not_hold_up_another(self) -> None:
        chosen = choose([*some(1, 1, 50), *some(1, 2, 50), *some(1, 3, 50), *some(2, 1, 1)], [], most=6)
        assert Counter(one.tenant_id.int for one in chosen) == {1: 5, 2: 1}
        assert len({one.endpoint_id for one in chosen if one.tenant_id.int == 1}) == 3

    def test_an_endpoint_that_hangs_takes_nothing_from_its_neighbour(self) -> None:
        hanging = some(1, 1, 40)
        chosen = choose([*hanging[MOST_AT_ENDPOINT:], *some(1, 2, 1)], hanging[:MOST_AT_ENDPOINT])
        assert chosen == some(1, 2, 1)

    def test_where_nothing_gets_through_one_try_at_a_time_is_made(self) -> None:
        assert len(choose(some(1, 1, 9, failing=True), [])) == 1
        assert choose(some(1, 1, 9, failing=True)[1:], some(1, 1, 1)) == []

    @given(
        st.lists(
            st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 12), st.booleans()),
            max_size=20,
            unique_by=lambda one: one[:2],
        ),
        st.integers(1, 60),
    )
    def test_nobody_gets_more_than_a_share_and_no_room_is_wasted(
        self, queues: list[tuple[int, int, int, bool]], most: int
    ) -> None:
        due = [one for queue in queues for one in some(*queue)]
        chosen = choose(due, [], most)
        at, of = Counter(one.endpoint_id for one in chosen), Counter(one.tenant_id for one in chosen)
        assert len(set(chosen)) == len(chosen) <= most
        assert set(chosen) <= set(due)
        assert max(of.values(), default=0) <= MOST_OF_TENANT
        for one in due:
            limit = 1 if one.failing else MOST_AT_ENDPOINT
            assert at[one.endpoint_id] <= limit
            if one not in chosen:
                full = at[one.endpoint_id] == limit or of[one.tenant_id] == MOST_OF_TENANT
                assert full or len(chosen) == most
