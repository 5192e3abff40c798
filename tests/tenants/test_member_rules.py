"""Who may change whom: the whole table, and what must always hold."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.member_rules import NARROWABLE, RANK, MemberRefused, check_change, check_leave, check_offer
from tenants.roles import GRANTS, ROLES, Role

roles = st.sampled_from(ROLES)


def reason(call: object, *given: object) -> str:
    try:
        call(*given)  # type: ignore[operator]
    except MemberRefused as refusal:
        return refusal.reason
    return ""


def test_a_stronger_role_holds_all_of_a_weaker_one() -> None:
    for above, below in itertools.pairwise(ROLES):
        assert GRANTS[below] < GRANTS[above]
        assert RANK[below] < RANK[above]


@pytest.mark.parametrize(
    ("actor", "present", "wanted", "owners", "expected"),
    [
        ("owner", "owner", "admin", 2, ""),
        ("owner", "owner", "admin", 1, "last-owner"),
        ("owner", "owner", None, 1, "last-owner"),
        ("owner", "owner", "owner", 1, ""),
        ("owner", "viewer", "owner", 1, ""),
        ("admin", "owner", "viewer", 2, "rank"),
        ("admin", "owner", None, 2, "rank"),
        ("admin", "viewer", "owner", 1, "rank"),
        ("admin", "admin", "viewer", 1, ""),
        ("admin", "operator", None, 1, ""),
    ],
)
def test_changes(actor: Role, present: Role, wanted: Role | None, owners: int, expected: str) -> None:
    assert reason(check_change, actor, present, wanted, owners) == expected


@given(roles, roles, st.one_of(st.none(), roles), st.integers(1, 5))
def test_nobody_rises_above_themselves_and_an_owner_stays(
    actor: Role, present: Role, wanted: Role | None, owners: int
) -> None:
    if reason(check_change, actor, present, wanted, owners) == "":
        assert RANK[present] <= RANK[actor]
        assert wanted is None or RANK[wanted] <= RANK[actor]
        assert owners - (present == "owner") + (wanted == "owner") >= 1


@given(roles, st.integers(1, 3))
def test_the_last_owner_does_not_leave(present: Role, owners: int) -> None:
    assert (reason(check_leave, present, None, owners) == "last-owner") == (present == "owner" and owners == 1)


@given(roles, roles, st.booleans())
def test_offers(actor: Role, offered: Role, narrowed: bool) -> None:
    refused = reason(check_offer, actor, offered, narrowed)
    assert (refused == "") == (RANK[offered] <= RANK[actor] and (not narrowed or offered in NARROWABLE))
