"""Codes of authenticator apps: right once per step, near in time, and never from anything but six digits."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.signin.codes import STEP_S, matching_step, new_secret, picture, setup_address, spaced
from tenants.secret import Secret

RFC = Secret(base64.b32encode(b"12345678901234567890").decode())
"""The secret of the examples in RFC 6238, appendix B (their last six digits)."""


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_examples_of_the_standard(seconds: int, code: str) -> None:
    assert matching_step(RFC, code, datetime.fromtimestamp(seconds, UTC)) == seconds // STEP_S


@pytest.mark.parametrize(("late", "found"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_of_tolerance(late: int, found: bool) -> None:
    now = datetime(2026, 11, 26, 12, 0, 10, tzinfo=UTC)
    secret = new_secret()
    code = pyotp.TOTP(secret.reveal()).at(now + timedelta(seconds=late * STEP_S))
    assert (matching_step(secret, code, now) is not None) == found
    assert (matching_step(secret, f" {code[:3]} {code[3:]}", now) is not None) == found


@given(st.text(max_size=12).filter(lambda text: not (len("".join(text.split())) == 6 and text.strip().isdigit())))
def test_nothing_else_is_a_code(text: str) -> None:
    assert matching_step(RFC, text, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_digits_of_other_scripts_are_not_read() -> None:
    now = datetime.fromtimestamp(59, UTC)
    assert matching_step(RFC, "287082".translate({ord(str(n)): 0x660 + n for n in range(10)}), now) is None


def test_the_picture_says_what_the_key_says() -> None:
    secret = new_secret()
    address = setup_address(secret, "ada@example.org", "Video Factory OS")
    assert pyotp.parse_uri(address).secret == secret.reveal()
    assert unquote(address).startswith("otpauth://totp/Video Factory OS:ada@example.org?")
    assert spaced(secret).replace(" ", "") == secret.reveal()
    assert picture(address).startswith("data:image/svg+xml")
    assert "<script" not in unquote(picture(address))
