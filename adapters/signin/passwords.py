"""Passwords: what is accepted, argon2id, and the same work for people who exist and people who do not.

The list of common passwords is the one Django ships (BSD-3-Clause, after Royce Williams), six characters and longer.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import re
import unicodedata
from pathlib import Path
from typing import Literal

SHORTEST, LONGEST = 12, 128
AT_ONCE = 2
"""Hashes computed at the same time in one process; each takes 64 MiB."""
TURNS, KIB, LANES = 3, 65536, 2
"""The work of one hash."""
_LIST = Path(__file__).with_name("common-passwords.txt.gz")
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "01234567890")

Fault = Literal["short", "long", "hidden", "personal", "common", "simple"]


def prepare(password: str) -> str:
    """The one form in which a password is hashed: composed characters, nothing cut off."""
    return unicodedata.normalize("NFC", password)


def judge(password: str, *personal: str) -> Fault | None:
    """What is wrong with a new password, or None; `personal`: name and address of the person."""
    text = prepare(password)
    if len(text) < SHORTEST:
        return "short"
    if len(text) > LONGEST:
        return "long"
    if any(unicodedata.category(char) == "Cc" for char in text):
        return "hidden"
    plain = text.casefold()
    if any(len(word) > 3 and word in plain for given in personal for word in re.split(r"[\W_]+", given.casefold())):
        return "personal"
    if _is_simple(plain):
        return "simple"
    return "common" if _is_common(plain) else None


def _is_simple(plain: str) -> bool:
    """One unit said again and again, or a walk along the alphabet or the keyboard."""
    if len(set(plain)) < 5:
        return True
    if any(plain == plain[:size] * (len(plain) // size) for size in range(1, len(plain) // 2 + 1)):
        return True
    pairs = [plain[at : at + 2] for at in range(len(plain) - 1)]
    steps = sum(any(pair in run or pair[::-1] in run for run in _RUNS) for pair in pairs)
    return steps >= len(pairs) * 0.8


def _is_common(plain: str) -> bool:
    """A common password, also with digits and signs around it."""
    known = _common()
    core = plain.strip("0123456789!@#$%&*?._- ")
    return plain in known or core in known or not core


@functools.cache
def _common() -> frozenset[str]:
    return frozenset(gzip.decompress(_LIST.read_bytes()).decode().split("\n"))


class Passwords:
    """Hashes and compares; at most AT_ONCE at a time, outside the event loop."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Answer the argon2id form of a password."""
        async with self._gate:
            return await asyncio.to_thread(_hasher().hash, prepare(password))

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Compare; without a hash the same work is done and the answer is False."""
        async with self._gate:
            same = await asyncio.to_thread(_verify, hashed or _nobody(), prepare(password))
        return same and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return bool(_hasher().check_needs_rehash(hashed))


def _verify(hashed: str, password: str) -> bool:
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return bool(_hasher().verify(hashed, password))
    except (Argon2Error, InvalidHashError):
        return False


@functools.cache
def _hasher():  # type: ignore[no-untyped-def]
    from argon2 import PasswordHasher, Type

    return PasswordHasher(time_cost=TURNS, memory_cost=KIB, parallelism=LANES, type=Type.ID)


@functools.cache
def _nobody() -> str:
    """The hash that belongs to nobody; compared when there is no account."""
    import secrets

    return str(_hasher().hash(secrets.token_urlsafe(24)))
