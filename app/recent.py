"""Sensitive acts need a fresh proof of who one is."""

from __future__ import annotations

from app.errors import Stale
from app.site import AnyRequest, site_of
from tenants.entrance import RECENT
from tenants.people import Visitor


def is_recent(request: AnyRequest, visitor: Visitor) -> bool:
    """Whether the person has proved who they are a short while ago."""
    return site_of(request).clock.now() - visitor.authenticated_at < RECENT


def require_recent(request: AnyRequest, visitor: Visitor, back: str) -> None:
    """Raise Stale unless the proof is fresh; `back` is the page the person comes back to."""
    if not is_recent(request, visitor):
        raise Stale(back)
