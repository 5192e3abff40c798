"""What is sealed for people: bound to its row and use, and renewed with the key."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tenants.challenges import challenge_holds, make_challenge
from tenants.factor_model import AppFactor
from tenants.keyring import KeyFault, KeyRing
from tenants.passkeys import CHALLENGE
from tenants.personal import Box, PersonalBroken, PersonalVault
from tenants.secret import Secret

RING = KeyRing({1: secrets.token_bytes(32)})
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def row_of(box: Box, user_id: object) -> AppFactor:
    return AppFactor(user_id=user_id, key_version=box.key_version, nonce=box.nonce, sealed=box.sealed)


class TestSeals:
    def test_a_box_opens_in_its_row_only(self) -> None:
        ada, bob, vault = uuid4(), uuid4(), PersonalVault(RING)
        box = vault.seal_app(ada, Secret("JBSWY3DPEHPK3PXP"))
        assert vault.open_app(row_of(box, ada)).reveal() == "JBSWY3DPEHPK3PXP"
        assert b"JBSWY3DP" not in box.sealed
        with pytest.raises(PersonalBroken):
            vault.open_app(row_of(box, bob))
        with pytest.raises(PersonalBroken):
            PersonalVault(KeyRing({1: secrets.token_bytes(32)})).open_app(row_of(box, ada))
        with pytest.raises(KeyFault):
            PersonalVault(KeyRing({2: secrets.token_bytes(32)})).open_app(row_of(box, ada))

    def test_a_running_program_learns_a_key_made_meanwhile(self) -> None:
        new, ada = RING.extended(), uuid4()
        box = PersonalVault(new).seal_app(ada, Secret("later"))
        assert PersonalVault(RING, lambda: new).open_app(row_of(box, ada)).reveal() == "later"


class TestChallenges:
    def test_it_holds_for_its_use_and_time_only(self) -> None:
        vault = PersonalVault(RING)
        made = make_challenge(vault, "sign-in", NOW)
        assert challenge_holds(vault, "sign-in", made, NOW)
        assert challenge_holds(vault, "sign-in", made, NOW + CHALLENGE)
        assert not challenge_holds(vault, "sign-in", made, NOW + CHALLENGE + timedelta(seconds=1))
        assert not challenge_holds(vault, "confirm abc", made, NOW)
        assert made != make_challenge(vault, "sign-in", NOW)

    def test_nobody_else_can_make_or_change_one(self) -> None:
        vault = PersonalVault(RING)
        made = make_challenge(vault, "sign-in", NOW)
        foreign = make_challenge(PersonalVault(KeyRing({1: secrets.token_bytes(32)})), "sign-in", NOW)
        changed = [bytes([*made[:place], made[place] ^ 1, *made[place + 1 :]]) for place in (0, 7, 20, 40, 63)]
        for wrong in (b"", b"x" * 31, foreign, made[:-1], made + b"x", *changed):
            assert not challenge_holds(vault, "sign-in", wrong, NOW)

    def test_it_survives_a_new_key(self) -> None:
        made = make_challenge(PersonalVault(RING), "sign-in", NOW)
        new = RING.extended()
        assert challenge_holds(PersonalVault(new), "sign-in", made, NOW)
        assert challenge_holds(
            PersonalVault(RING, lambda: new), "sign-in", make_challenge(PersonalVault(new), "sign-in", NOW), NOW
        )
