"""Passwords: what is accepted, and that nobody's takes as long as somebody's."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from adapters.signin import passwords as passwords_module
from adapters.signin.passwords import Passwords, judge


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("elevenchars", "short"),
        ("correct horse battery", None),
        ("Nuvem-azul-de-março", None),
        ("🌙 lua 🌙 mar 🌙 sol", None),
        ("x" * 129, "long"),
        ("abc\x07defghijklmnop", "hidden"),
        ("marina-is-here-now", "personal"),
        ("northlight-and-more", "personal"),
        ("aaaaaaaaaaaaaaa", "simple"),
        ("abcabcabcabcabc", "simple"),
        ("qwertyuiopasdf", "simple"),
        ("123456789012345", "simple"),
        ("password1234!", "common"),
        ("!!sunshine2024", "common"),
        ("q1w2e3r4t5y6", "common"),
    ],
)
def test_judged(password: str, fault: str | None) -> None:
    assert judge(password, "Marina Rocha", "marina@northlight.example") == fault


@pytest.fixture
def real_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hashes as the product makes them."""
    for name, value in {"TURNS": 3, "KIB": 65536}.items():
        monkeypatch.setattr(passwords_module, name, value)
    forget()
    yield
    forget()


def forget() -> None:
    passwords_module._hasher.cache_clear()
    passwords_module._nobody.cache_clear()


def test_the_product_s_work_is_64_mib_three_times() -> None:
    """As a process of the product has it; the tests themselves work less."""
    code = "from adapters.signin.passwords import _hasher; print(_hasher().hash('x'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=2$")


@pytest.mark.usefixtures("real_work")
async def test_nobody_s_password_takes_the_same_work() -> None:
    passwords = Passwords()
    hashed = await passwords.hash("correct horse battery")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=2$")
    assert await passwords.matches(hashed, "correct horse battery")
    assert not await passwords.matches(hashed, "correct horse batterY")
    assert not await passwords.matches(None, "correct horse battery")
    assert not passwords.outdated(hashed)

    async def took(given: str | None) -> float:
        began = time.process_time()
        await passwords.matches(given, "wrong horse battery")
        return time.process_time() - began

    known = statistics.median([await took(hashed) for _ in range(3)])
    unknown = statistics.median([await took(None) for _ in range(3)])
    assert 0.4 < unknown / known < 2.5


async def test_composed_and_decomposed_letters_are_the_same_password() -> None:
    passwords = Passwords()
    assert await passwords.matches(await passwords.hash("março e abril e maio"), "março e abril e maio")


async def test_at_most_two_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes 64 MiB: many people signing in wait for each other instead of filling the memory."""
    lock, pair, now, most = threading.Lock(), threading.Barrier(passwords_module.AT_ONCE, timeout=30), 0, 0

    def count(_hashed: str, _password: str) -> bool:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        pair.wait()
        with lock:
            now -= 1
        return True

    monkeypatch.setattr(passwords_module, "_verify", count)
    passwords = Passwords()
    await asyncio.gather(*(passwords.matches("x", "y") for _ in range(6)))
    assert most == passwords_module.AT_ONCE
