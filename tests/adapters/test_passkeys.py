"""Passkeys: who we are to browsers, and that every answer that does not hold is refused in one way."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.signin.passkeys import (
    Party,
    PasskeyRefused,
    ask_known,
    ask_new,
    believe_known,
    believe_new,
    party_at,
    read_answer,
)
from tenants.passkeys import KnownKey
from tests.support.authenticator import PRESENT, VERIFIED, Device

ORIGIN, HOST = "https://films.example.org", "films.example.org"
PARTY = Party(HOST, ORIGIN)
ADA = uuid4()


def challenge() -> bytes:
    return secrets.token_bytes(32)


def enrolled(**changes: object) -> tuple[Device, KnownKey]:
    device = Device(ORIGIN, HOST)
    for name, value in changes.items():
        setattr(device, name, value)
    made = believe_new(PARTY, read_answer(device.create(ask_new(PARTY, challenge(), ADA, "ada", []))))
    return device, KnownKey(ADA, made.credential, made.public_key, made.sign_count)


@pytest.mark.parametrize(
    ("public", "header", "party"),
    [
        ("https://films.example.org", "x", Party(HOST, ORIGIN)),
        ("https://films.example.org:8443", "x", Party(HOST, f"{ORIGIN}:8443")),
        ("http://films.example.org", "x", None),
        ("https://192.0.2.7", "x", None),
        ("https://[2001:db8::1]", "x", None),
        ("", "localhost:8000", Party("localhost", "http://localhost:8000")),
        ("", "app.localhost", Party("app.localhost", "http://app.localhost")),
        ("", "127.0.0.1:8000", None),
        ("", "films.example.org", None),
        ("", "localhost.evil.example", None),
        ("", "", None),
    ],
)
def test_who_we_are(public: str, header: str, party: Party | None) -> None:
    assert party_at(public, header) == party


def test_an_honest_device_is_believed_each_time() -> None:
    device, key = enrolled()
    for count in (1, 2):
        answer = read_answer(device.get(ask_known(PARTY, challenge())))
        assert (answer.person, answer.credential) == (ADA, key.credential)
        assert believe_known(PARTY, answer, key) == count
        key = replace(key, sign_count=count)


LIES: dict[str, Callable[[Device], None]] = {
    "another page": lambda device: setattr(device, "origin", "https://films.example.org.evil.example"),
    "another port": lambda device: setattr(device, "origin", f"{ORIGIN}:444"),
    "no TLS": lambda device: setattr(device, "origin", "http://films.example.org"),
    "another host": lambda device: setattr(device, "host", "evil.example"),
    "nobody there": lambda device: setattr(device, "flags", VERIFIED),
    "nobody verified": lambda device: setattr(device, "flags", PRESENT),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused_when_a_passkey_is_made(lie: str) -> None:
    device = Device(ORIGIN, HOST)
    LIES[lie](device)
    with pytest.raises(PasskeyRefused):
        believe_new(PARTY, read_answer(device.create(ask_new(PARTY, challenge(), ADA, "ada", []))))


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused_when_it_is_used(lie: str) -> None:
    device, key = enrolled()
    LIES[lie](device)
    with pytest.raises(PasskeyRefused):
        believe_known(PARTY, read_answer(device.get(ask_known(PARTY, challenge()))), key)


class TestKnown:
    def test_a_counter_that_does_not_move_on_is_a_copy(self) -> None:
        device, key = enrolled()
        answer = read_answer(device.get(ask_known(PARTY, challenge())))
        for seen in (1, 5):
            with pytest.raises(PasskeyRefused):
                believe_known(PARTY, answer, replace(key, sign_count=seen))

    def test_another_device_s_signature(self) -> None:
        device, key = enrolled()
        other, _ = enrolled(credential=device.credential)
        with pytest.raises(PasskeyRefused):
            believe_known(PARTY, read_answer(other.get(ask_known(PARTY, challenge()))), key)

    def test_another_person_s_handle(self) -> None:
        device, key = enrolled()
        answer = read_answer(device.get(ask_known(PARTY, challenge())))
        with pytest.raises(PasskeyRefused):
            believe_known(PARTY, answer, replace(key, user_id=uuid4()))

    def test_an_answer_of_one_kind_does_not_pass_as_the_other(self) -> None:
        device, key = enrolled()
        with pytest.raises(PasskeyRefused):
            believe_known(PARTY, read_answer(device.create(ask_new(PARTY, challenge(), ADA, "ada", []))), key)
        with pytest.raises(PasskeyRefused):
            believe_new(PARTY, read_answer(device.get(ask_known(PARTY, challenge()))))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "response", "x"]), inner),
    max_leaves=6,
)


@given(st.text(max_size=60) | json_values.map(json.dumps))
def test_whatever_a_browser_sends_is_refused_politely(text: str) -> None:
    with pytest.raises(PasskeyRefused):
        read_answer(text)


@given(st.data())
def test_a_damaged_answer_never_breaks_us(data: st.DataObject) -> None:
    device, key = ENROLLED
    body = json.loads(device.get(ask_known(PARTY, challenge())))
    part = data.draw(st.sampled_from(["authenticatorData", "signature", "clientDataJSON"]))
    body["response"][part] = data.draw(st.text(alphabet="AZaz09-_", max_size=30) | st.none() | st.integers())
    with pytest.raises(PasskeyRefused):
        believe_known(PARTY, read_answer(json.dumps(body)), key)


ENROLLED = enrolled()
