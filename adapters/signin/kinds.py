"""The kinds of providers people sign in with; one line each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Spoken = Literal["oidc", "github"]
MICROSOFT = "https://login.microsoftonline.com"
ANY_DIRECTORY = frozenset({"common", "organizations"})
"""Directories of Microsoft that stand for many: each token names its own."""
PERSONAL_DIRECTORY = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The one directory of all personal Microsoft accounts."""
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Kind:
    """How a kind is spoken to. `issuer` is fixed unless empty or `own_server`; `again` asks for a fresh proof.

    `closed`: everybody it signs in belongs to one organisation, so all of them may be let in as newcomers.
    `max_age` makes it say when; 0 would send people round in circles at providers that count milliseconds.
    `tells_when`: it says when the person proved who they are, and must for a fresh proof.
    """

    word: str
    label: str
    spoken: Spoken = "oidc"
    issuer: str = ""
    own_server: bool = False
    scope: str = "openid email profile"
    again: Mapping[str, str] = field(default_factory=lambda: {"prompt": "login", "max_age": "60"})
    tells_when: bool = True
    closed: bool = True


KINDS: Mapping[str, Kind] = {
    kind.word: kind
    for kind in (
        Kind("google", "Google", issuer="https://accounts.google.com", closed=False, tells_when=False,
             again={"prompt": "select_account"}),
        Kind("github", "GitHub", spoken="github", issuer="https://github.com", own_server=True, closed=False,
             tells_when=False, scope="read:user user:email", again={"prompt": "select_account"}),
        Kind("microsoft", "Microsoft"),
        Kind("oidc", "OpenID Connect"),
    )
}  # fmt: skip


def microsoft_issuer(directory: str) -> str:
    """The issuer of a directory (tenant id, `organizations`, `common` or `consumers`); empty when it cannot be one."""
    wanted = directory.strip().lower()
    wanted = PERSONAL_DIRECTORY if wanted == "consumers" else wanted
    return f"{MICROSOFT}/{wanted}/v2.0" if wanted in ANY_DIRECTORY or GUID.fullmatch(wanted) else ""


def directory_of(issuer: str) -> str:
    """The directory in an issuer of Microsoft."""
    return urlsplit(issuer).path.strip("/").partition("/")[0]


def names_many(kind: str, issuer: str) -> bool:
    """Whether the issuer stands for many directories."""
    return kind == "microsoft" and directory_of(issuer) in ANY_DIRECTORY


def lets_everyone(kind: str, issuer: str) -> bool:
    """Whether a provider is closed enough to let everybody in whom it signs in."""
    return KINDS[kind].closed and not names_many(kind, issuer) and directory_of(issuer) != PERSONAL_DIRECTORY


def serves(kind: str, issuer: str, found: str) -> bool:
    """Whether a provider of this kind and issuer speaks for identities of the issuer `found`."""
    return found == issuer or (names_many(kind, issuer) and found.startswith(f"{MICROSOFT}/"))


def issuer_of(kind: str, issuer: str, claims: Mapping[str, object]) -> str:
    """The issuer a token must name: the configured one, with Microsoft's many directories the token's own."""
    if not names_many(kind, issuer):
        return issuer
    directory = str(claims.get("tid", ""))
    return f"{MICROSOFT}/{directory}/v2.0" if GUID.fullmatch(directory) else ""


def vouched_domain(kind: str, claims: Mapping[str, object], email: str | None, verified: bool) -> str:
    """The domain a provider vouches for, empty for none.

    Google: `hd`, because a private Google account may bear an address of a company that its owner has left.
    """
    if kind == "google":
        return str(claims.get("hd", "")).lower()
    return email.rpartition("@")[2] if email and verified else ""


def is_verified(kind: str, claims: Mapping[str, object]) -> bool:
    """Whether the e-mail address of claims is proved.

    Microsoft: anybody can write any address into a directory of their own; only `xms_edov` says that it is theirs.
    """
    said = claims.get("xms_edov" if kind == "microsoft" else "email_verified")
    return said is True or (isinstance(said, str) and said in ("true", "1")) or (kind == "microsoft" and said == 1)
