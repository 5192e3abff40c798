"""Key-encryption keys: where they come from. The newest version seals, every version opens.

A ring is text: one `version:key` per line or comma, the key being 32 random bytes in base64.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tenants.secret import MASK

KEY_BYTES = 32


class KeyFault(Exception):
    """Raised when the keys cannot be read or a needed version is missing; the message says how to mend it."""


@dataclass(frozen=True)
class KeyRing:
    """Keys by version (1, 2, …). Never shown."""

    keys: Mapping[int, bytes] = field(repr=False)

    @property
    def current(self) -> int:
        """The version that seals."""
        return max(self.keys)

    def key(self, version: int) -> bytes:
        """The key of a version. Raises KeyFault."""
        try:
            return self.keys[version]
        except KeyError:
            raise KeyFault(
                f"Secrets are sealed with key version {version}, which is not here: "
                "give back the key file (or VFOS_SECRET_KEYS) they were made with."
            ) from None

    def extended(self) -> KeyRing:
        """A ring with one more, random, version."""
        return KeyRing({**self.keys, self.current + 1: secrets.token_bytes(KEY_BYTES)})

    def write(self) -> str:
        """The ring as text; only ever for the key file."""
        return "".join(f"{version}:{base64.b64encode(key).decode()}\n" for version, key in sorted(self.keys.items()))

    def __str__(self) -> str:
        return f"KeyRing(versions {sorted(self.keys)}, {MASK})"


def read_ring(text: str) -> KeyRing:
    """Read a ring from text. Raises KeyFault naming every fault, never a key."""
    keys: dict[int, bytes] = {}
    faults: list[str] = []
    for number, entry in enumerate((part.strip() for part in text.replace("\n", ",").split(",")), start=1):
        if not entry:
            continue
        version, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not version.isascii() or not version.isdigit() or int(version) < 1:
            faults.append(f"entry {number} has no version")
        elif len(key) != KEY_BYTES:
            faults.append(f"entry {number} is not 32 bytes in base64")
        elif int(version) in keys:
            faults.append(f"version {version} is there twice")
        else:
            keys[int(version)] = key
    if faults or not keys:
        raise KeyFault(
            f"The secret keys cannot be read ({'; '.join(faults) or 'there is none'}): write `1:` and the output of "
            "`openssl rand -base64 32`, one version per line."
        )
    return KeyRing(keys)


def load_ring(path: Path, given: str = "") -> KeyRing:
    """Answer the ring given as text, else that of the key file, made now (mode 0600) if missing. Raises KeyFault."""
    if given.strip():
        return read_ring(given)
    try:
        return _read_file(path)
    except FileNotFoundError:
        pass
    ring = KeyRing({1: secrets.token_bytes(KEY_BYTES)})
    try:
        # Linked, not renamed: of two first starts at once, one wins and the other reads the winner's key.
        _write_file(path, ring, replace=False)
    except FileExistsError:
        return _read_file(path)
    return ring


def save_ring(path: Path, ring: KeyRing) -> None:
    """Replace the key file in one step; the old one is whole until the new one is on disk."""
    _write_file(path, ring, replace=True)


def _read_file(path: Path) -> KeyRing:
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(100_000)
    except (PermissionError, IsADirectoryError, UnicodeDecodeError) as fault:
        raise KeyFault(f"The key file {path} cannot be read ({type(fault).__name__}): check it.") from fault
    if mode & 0o077:
        raise KeyFault(f"The key file {path} can be read by others (mode {mode:04o}): run `chmod 600` on it.")
    return read_ring(text)


def _write_file(path: Path, ring: KeyRing, *, replace: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(ring.write())
            file.flush()
            os.fsync(file.fileno())
        if replace:
            making.replace(path)
        else:
            os.link(making, path)
        _sync_folder(path.parent)
    finally:
        making.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
