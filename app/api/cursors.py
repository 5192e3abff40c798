"""Cursors of lists: opaque, and of use only with the workspace and filter they were made for."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any
from uuid import UUID

from app.api.problems import ApiProblem

SIGNS = 12


def write_cursor(tenant_id: UUID, wanted: Any, last: UUID) -> str:
    """The cursor after the entry `last` of a list narrowed to `wanted`."""
    return base64.urlsafe_b64encode(_bound(tenant_id, wanted, last) + last.bytes).decode().rstrip("=")


def read_cursor(tenant_id: UUID, wanted: Any, cursor: str) -> UUID | None:
    """The entry after which a list goes on; None without a cursor. Raises ApiProblem for one of another list."""
    if not cursor:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        last = UUID(bytes=raw[SIGNS:])
    except (binascii.Error, ValueError):
        raise _refused() from None
    if raw[:SIGNS] != _bound(tenant_id, wanted, last):
        raise _refused()
    return last


def _bound(tenant_id: UUID, wanted: Any, last: UUID) -> bytes:
    return hashlib.sha256(f"{tenant_id}\n{wanted!r}\n{last}".encode()).digest()[:SIGNS]


def _refused() -> ApiProblem:
    detail = "Give back `next` as it was answered, with the same filter; or leave it out to begin anew."
    return ApiProblem(400, "cursor", "This cursor is not of this list", detail)
