"""What `vfos produce` says when there is no film."""

from __future__ import annotations

from uuid import uuid4

from app.commands.produce import why_not
from app.follow import Snapshot
from domain.dispatch.claim import Claim
from domain.production.failures import KEPT, judge
from domain.production.ports import ProviderRefused

CLAIM = Claim(uuid4(), uuid4(), uuid4(), uuid4(), "io", "narrate", "", 2, 5, 1.0, 4, False)


def test_the_step_what_is_kept_and_what_to_do_are_said() -> None:
    error = judge(CLAIM, ProviderRefused("azure", "The voice is unknown.", fix="Choose another voice.")).error
    assert why_not(Snapshot(3, "Whales", "failed", error, 1.0, ())) == [
        "narrate: The voice is unknown.",
        KEPT,
        "Choose another voice.",
    ]


def test_a_job_that_ended_without_an_error_says_how() -> None:
    assert why_not(Snapshot(3, "Whales", "cancelled", None, 1.0, ())) == ["Job #3 ended as cancelled."]
