"""What people read of each kind of failure, and whether it is tried again."""

from __future__ import annotations

import errno
import json
from uuid import uuid4

import pytest

from domain.dispatch.claim import Claim
from domain.production.failures import judge
from domain.production.ports import ProviderBusy, ProviderRefused
from domain.usage.budget import OverBudget
from domain.usage.effects import InDoubt
from timeline.faults import Fault, TimelineError

CLAIM = Claim(uuid4(), uuid4(), uuid4(), uuid4(), "io", "narrate", "", 2, 5, 1.0, 4, False)


class OwnWords(Exception):
    """An error of a step that brings its own sentence."""

    sentence, fix = "Scene 3 has no picture.", "Upload one."


class TestJudge:
    @pytest.mark.parametrize(
        ("error", "transient", "sentence"),
        [
            (ProviderBusy("azure", "The service is busy."), True, "The service is busy."),
            (ProviderRefused("azure", "The voice is unknown."), False, "The voice is unknown."),
            (
                InDoubt("azure", "2026-01-01 10:00 UTC"),
                False,
                "A call to Azure Speech was sent at 2026-01-01 10:00 UTC",
            ),
            (
                OverBudget("job", 1_000_000, 900_000, 0, 250_000),
                False,
                "The job has $0.90 spent of its limit of $1.00; the",
            ),
            (OSError(errno.ENOSPC, "No space left"), True, "The disk is full in staging"),
            (OSError(errno.EDQUOT, "quota"), True, "The disk is full in staging"),
            (OwnWords(), False, "Scene 3 has no picture."),
        ],
    )
    def test_known(self, error: Exception, transient: bool, sentence: str) -> None:
        verdict = judge(CLAIM, error)
        assert verdict.transient is transient
        assert verdict.error["sentence"].startswith(sentence)
        assert verdict.error["step"] == "narrate"
        assert verdict.error["next"]
        assert verdict.error["kept"]

    def test_a_fault_of_the_timeline_is_told_in_its_own_words_and_not_tried_again(self) -> None:
        missing = Fault(code="E_GLYPH", message="The face Inter has no glyph for 宇.", fix="Leave it out.")
        verdict = judge(CLAIM, TimelineError([missing, missing]))
        assert not verdict.transient
        assert "The face Inter has no glyph for 宇." in verdict.error["sentence"]
        assert "1 more" in verdict.error["sentence"]
        assert verdict.error["next"].startswith("Leave it out.")

    def test_the_providers_wish_is_passed_on(self) -> None:
        assert judge(CLAIM, ProviderBusy("azure", "Busy.", retry_after=17.0)).retry_after == 17.0

    def test_nothing_inner_is_shown_of_the_unforeseen(self) -> None:
        verdict = judge(CLAIM, RuntimeError("secret in /srv/keys"))
        assert "secret" not in json.dumps(verdict.error)
        assert verdict.error["trace"] in verdict.error["sentence"]
        assert verdict.transient
