"""What the door (tenants/directory.py) answers: people, their seats, their sessions, and its refusals."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenants.principal import Principal
from tenants.roles import Role


class DirectoryError(Exception):
    """Base of what can go wrong at the door; the message is safe to show."""


class LinkRefused(DirectoryError):
    """Raised when an owner link is unknown, used or out of date; which of them is not told."""

    def __init__(self) -> None:
        super().__init__("This link is not valid any more. Ask for a new one with `vfos admin owner-link`.")


class SlugRefused(DirectoryError):
    """Raised when a workspace cannot have this address."""


_EMAIL = re.compile(r"[^@\s\x00-\x1f<>()\[\],;:\\\"]{1,64}@[^@\s\x00-\x1f<>()\[\],;:\\\"/]{1,189}")


def clean_email(text: str) -> str | None:
    """An address in the one form in which it is stored and compared; None when it cannot be one."""
    found = unicodedata.normalize("NFKC", text).strip().lower()
    return found if _EMAIL.fullmatch(found) and ".." not in found and not found.endswith(".") else None


@dataclass(frozen=True)
class Person:
    """A signed-in person and how they like their pages; `operates_farm`: they may steer what serves all workspaces."""

    id: UUID
    name: str
    email: str | None
    language: str
    theme: str
    density: str
    time_zone: str
    shortcuts: bool = True
    operates_farm: bool = False
    mail_approvals: bool = False


@dataclass(frozen=True)
class Seat:
    """A person's membership, with the workspace's names; `projects` narrows it (None = all).

    `second_factor`: the workspace lets nobody in by a password alone.
    """

    tenant_id: UUID
    slug: str
    name: str
    role: Role
    projects: frozenset[UUID] | None
    archived_at: datetime | None = None
    delete_after: datetime | None = None
    second_factor: bool = False
    paused_reason: str | None = None
    paused_by: str | None = None


@dataclass(frozen=True)
class Visitor:
    """A live session: who, since when, and where they may go.

    `strong`: they have a second factor, or came through a provider of the company, which asks for its own.
    `only`: the one workspace the session opens, if it is tied to one.
    """

    person: Person
    session_hash: str
    authenticated_at: datetime
    expires_at: datetime
    seats: tuple[Seat, ...]
    strong: bool = False
    only: UUID | None = None

    def barred(self, seat: Seat) -> bool:
        """Whether the workspace asks for a second factor that this person has not set up."""
        return seat.second_factor and not self.strong

    def seat(self, slug: str) -> Seat | None:
        """The seat in a workspace, or None: unknown and foreign are the same answer."""
        return next((seat for seat in self.seats if seat.slug == slug), None)

    def principal(self, slug: str, trace_id: str = "", address: str = "") -> Principal | None:
        """The principal this person is in a workspace, or None; also None where a second factor is missing."""
        seat = self.seat(slug)
        if seat is None or self.barred(seat):
            return None
        return Principal(
            tenant_id=seat.tenant_id,
            kind="person",
            role=seat.role,
            actor_id=self.person.id,
            name=self.person.name,
            projects=seat.projects,
            trace_id=trace_id,
            address=address,
        )


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: `token` is the cookie's value, shown this once."""

    token: str
    user_id: UUID
    tenant_id: UUID
    slug: str


@dataclass(frozen=True)
class SessionLine:
    """One of a person's sessions as they see it; `handle` names it for ending it."""

    handle: str
    created_at: datetime
    last_seen_at: datetime
    address: str
    agent: str
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Browser:
    """Where a request came from, as shown to the person later."""

    address: str = ""
    agent: str = ""
