"""Where embedded services keep data and sockets, and who owns them when we are root."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from adapters.embedded.process import ServiceError

SOCKET_PATH_BYTES = 100
"""Kernels allow 104 to 108 bytes for the path of a unix socket; this leaves room for the ending zero."""
CANDIDATES = ("vfos", "postgres", "nobody")
"""Accounts that may run the services when the program is started as root, best first."""


def service_user(wanted: str) -> str:
    """The account for the services: empty (ourselves) unless we are root. Raises ServiceError."""
    if os.name != "posix" or os.geteuid() != 0:
        return ""
    import pwd

    for name in (wanted,) if wanted else CANDIDATES:
        try:
            if pwd.getpwnam(name).pw_uid != 0:
                return name
        except KeyError:
            continue
    raise ServiceError(
        f"PostgreSQL does not run as root and there is no account {wanted or 'vfos, postgres or nobody'}: "
        "make one, name it in VFOS_SERVICE_USER, or start as an ordinary user."
    )


def socket_folder(home: Path, name: str) -> Path:
    """A folder whose sockets have short enough paths: inside `home`, else one of our own in the temporary folder."""
    inside = home / "run" / name
    if len(os.fsencode(inside)) + len("/.s.PGSQL.5432.lock") <= SOCKET_PATH_BYTES and "," not in str(inside):
        return inside
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"vfos-{os.geteuid()}-{mark}-{name}"


def private_folder(path: Path, user: str) -> None:
    """Make a folder only its owner may enter. Raises ServiceError when another account got there first."""
    path.mkdir(parents=True, exist_ok=True)
    owner = owner_id(user)
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
        raise ServiceError(f"The folder {path} belongs to another account: remove it and start again.")
    if found.st_uid != owner:
        os.chown(path, owner, -1)
    path.chmod(0o700)


def owner_id(user: str) -> int:
    """The numeric account that owns the services' files."""
    if not user:
        return os.geteuid()
    import pwd

    return pwd.getpwnam(user).pw_uid


def open_the_way(targets: list[Path], user: str, tell: Callable[[str], None]) -> None:
    """Let the service account pass through the folders above `targets` (search permission only), and say which."""
    if not user:
        return
    closed: list[Path] = []
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        for folder in target.absolute().parents:
            if not folder.stat().st_mode & stat.S_IXOTH and folder not in closed:
                closed.append(folder)
    for folder in closed:
        folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    if closed:
        names = ", ".join(str(folder) for folder in reversed(closed))
        tell(f"Started as root: PostgreSQL and Redis run as “{user}”, which may now pass through {names}.")
