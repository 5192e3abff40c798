"""How API keys are written (pure): `vf_live_<8 id>_<32 base62><6 CRC32>`.

The checksum tells a mistyped or made-up key from a real one without asking the database; it proves nothing. The id
names the key in lists and logs; the 32 signs after it are the secret (190 bits).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass

from tenants.secret import Secret

SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "vf_live_"
_ID, _SECRET, _SUM = 8, 32, 6
_KEY = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{_ID}}})_([0-9A-Za-z]{{{_SECRET}}})([0-9A-Za-z]{{{_SUM}}})")


@dataclass(frozen=True)
class WrittenKey:
    """A key as it is given out once: `public_id` may be shown for ever, `text` never again."""

    public_id: str
    text: Secret

    @property
    def hash(self) -> str:
        """The form in which it is kept."""
        return key_hash(self.text)


def make_key() -> WrittenKey:
    """A fresh, random key."""
    public_id = "".join(secrets.choice(SIGNS) for _ in range(_ID))
    body = f"{PREFIX}{public_id}_{''.join(secrets.choice(SIGNS) for _ in range(_SECRET))}"
    return WrittenKey(public_id, Secret(body + checksum(body)))


def read_key(text: str) -> WrittenKey | None:
    """Read a key; None for everything that cannot be one."""
    found = _KEY.fullmatch(text) if text.isascii() else None
    if found is None or checksum(text[:-_SUM]) != found[3]:
        return None
    return WrittenKey(found[1], Secret(text))


def checksum(body: str) -> str:
    """CRC-32 of a text in six signs of base 62."""
    number, signs = zlib.crc32(body.encode()), ""
    for _ in range(_SUM):
        number, place = divmod(number, len(SIGNS))
        signs = SIGNS[place] + signs
    return signs


def key_hash(text: Secret) -> str:
    """SHA-256 of a whole key."""
    return hashlib.sha256(text.reveal().encode()).hexdigest()
