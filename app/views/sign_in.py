"""Signing in through providers as pages show it: buttons, refusals, and the form of a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from adapters.signin.doors import BACK, back_handle
from adapters.signin.kinds import KINDS, Kind, directory_of, lets_everyone
from app.forms import FormFault
from app.i18n import N_, Tongue
from app.views.marks import Mark
from app.views.members import ROLE_NAMES
from app.views.settings import Option
from tenants.signin import IdentityLine
from tenants.signin_model import SignInProvider
from tenants.signin_providers import way_of
from tenants.signin_rules import JOINABLE, NEWCOMERS, Newcomers, Reason, Way

REFUSED: Mapping[Reason, str] = {
    "gone": N_("This sign-in took too long, was used already, or began in another browser. Begin again."),
    "denied": N_("The sign-in was cancelled at the provider. Begin again, or come in another way."),
    "provider": N_(
        "The provider did not answer as it should. Try again in a moment; if it stays, tell the person who set it up."
    ),
    "keys": N_("The provider has changed its keys. Try again in half a minute."),
    "token": N_(
        "The provider’s answer could not be trusted, so nobody was signed in. Begin again; "
        "if it stays, tell the person who set it up."
    ),
    "off": N_("This way in is switched off at the moment. Come in another way, or ask the person who set it up."),
    "unknown": N_(
        "Nobody here knows this account yet. Open the link of an invitation, "
        "or sign in as before and link the account under “Sign-in and sessions”."
    ),
    "address": N_(
        "Somebody with this e-mail address is here already. Sign in as before, "
        "then link this account under “Sign-in and sessions”."
    ),
    "removed": N_("This account belongs to no member of the workspace. Ask an owner or admin for an invitation."),
    "locked": N_("This account is locked here. Ask the people who run this installation."),
    "other": N_("That was another account. Use the one that is linked to you."),
    "stale": N_("The provider did not ask who you are again. Try again and sign in there afresh."),
    "taken": N_("This account is linked to somebody else here. Unlink it there first, or choose another."),
    "last": N_("This is your only way in. Set a password or link another account first."),
    "invitation": N_("The invitation is not valid any more. Ask the person who sent it for a new one."),
}
KIND_NOTES: Mapping[str, str] = {
    "google": N_("Google accounts and Google Workspace."),
    "github": N_("Accounts of github.com or of a GitHub server of your own."),
    "microsoft": N_("Microsoft Entra ID, one directory or any, and personal accounts."),
    "oidc": N_("Any other provider that speaks OpenID Connect: Keycloak, Okta, Auth0, Authentik …"),
}
KIND_LABELS: Mapping[str, str] = {"oidc": N_("Another provider")}
NEWCOMER_NAMES: Mapping[Newcomers, str] = {
    "invited": N_("Nobody: by invitation only"),
    "domains": N_("People of these domains"),
    "everyone": N_("Everybody whom the provider signs in"),
}
NEWCOMER_NOTES: Mapping[Newcomers, str] = {
    "invited": N_("Members link the account themselves, or come by an invitation."),
    "domains": N_("The provider must say that the address is proved."),
    "everyone": N_("Only for a provider of your own organisation."),
}
FAULTS: Mapping[str, str] = {
    "kind": N_("Choose one of the kinds of the list."),
    "name": N_("Give it a name of 1 to 60 visible characters. It stands on the button."),
    "issuer": N_("This is no issuer. Write it exactly as the provider does, like https://login.example.org."),
    "directory": N_("Give the directory id, such as 72f988bf-86f1-41af-91ab-2d7cd011db47, or organizations."),
    "client_id": N_("Copy the client id from the provider. It has no blanks."),
    "secret": N_("Paste the client secret of the provider."),
    "secret_form": N_("The secret holds blanks or characters that no secret has. Copy it again."),
    "newcomers": N_("Choose one of the list."),
    "everyone": N_("Anybody can have an account there. Name domains, or let in invited people only."),
    "domains": N_("“%(words)s” cannot be used. Name domains of your own like example.org, none of public mail."),
    "domains_missing": N_("Name at least one domain, or let in invited people only."),
    "role": N_("Choose one of the list."),
    "many": N_("There are as many providers as there can be. Remove one first."),
    "field": N_("The form has a field that it should not have. Open it again."),
}


def told(tongue: Tongue, reason: str) -> str:
    """The sentence of a refusal; empty for a word that is none."""
    sentence = next((text for known, text in REFUSED.items() if known == reason), "")
    return tongue.gettext(sentence) if sentence else ""


def tell_faults(
    tongue: Tongue, faults: Sequence[tuple[str, str]], words: Mapping[str, str] | None = None
) -> list[FormFault]:
    """Faults of a form, in words."""
    said = words or {}
    return [FormFault(name, tongue.gettext(FAULTS[code], words=said.get(name, ""))) for name, code in faults]


@dataclass(frozen=True)
class Button:
    """A provider on the door: where its sign-in begins."""

    label: str
    href: str


def make_buttons(ways: Sequence[Way], base: str, path: str, more: str = "") -> list[Button]:
    """Buttons whose sign-in begins under `base` and ends at `path`."""
    query = "&".join(part for part in (f"next={quote(path, safe='/')}" if path not in ("", "/") else "", more) if part)
    return [Button(way.name, f"{base}/{way.slug}{'?' if query else ''}{query}") for way in ways]


@dataclass(frozen=True)
class IdentityRow:
    """One's own identity."""

    issuer: str
    subject: str
    provider: str
    label: str
    used_at: datetime
    used: str


def make_identities(tongue: Tongue, lines: Sequence[IdentityLine], now: datetime) -> list[IdentityRow]:
    return [
        IdentityRow(
            line.issuer, line.subject, _kind_name(tongue, KINDS[line.kind], line.issuer), line.label, line.used_at,
            tongue.moment(line.used_at, now),
        )
        for line in lines
    ]  # fmt: skip


def _kind_name(tongue: Tongue, kind: Kind, issuer: str) -> str:
    return issuer.partition("://")[2] if kind.word == "oidc" else kind.label


@dataclass(frozen=True)
class KindCard:
    """A kind as the form shows it. `place`: what its address field is called, empty when it has none."""

    word: str
    label: str
    note: str
    place: str = ""
    place_help: str = ""


def make_kind(tongue: Tongue, kind: Kind) -> KindCard:
    place, help_text = {
        "google": ("", ""),
        "github": (N_("Server"), N_("Empty = github.com; else the address of your own GitHub server.")),
        "microsoft": (
            N_("Directory"),
            N_("The directory (tenant) id of your organisation; organizations, common or consumers for more."),
        ),
        "oidc": (N_("Issuer"), N_("Exactly as the provider writes it, a slash at the end included.")),
    }[kind.word]
    return KindCard(
        kind.word,
        tongue.gettext(KIND_LABELS.get(kind.word, kind.label)),
        tongue.gettext(KIND_NOTES[kind.word]),
        tongue.gettext(place) if place else "",
        tongue.gettext(help_text) if help_text else "",
    )


@dataclass(frozen=True)
class WayCard:
    """A provider in the workspace's list."""

    slug: str
    href: str
    name: str
    kind: str
    issuer: str
    newcomers: str
    mark: Mark
    enabled: bool
    tested_at: datetime | None
    tested: str
    said: str


def make_way(tongue: Tongue, row: SignInProvider, base: str, now: datetime) -> WayCard:
    mark = Mark("idle", "ban", tongue.gettext("Switched off"))
    if row.enabled:
        mark = {
            True: Mark("ok", "circle-check", tongue.gettext("Works")),
            False: Mark("bad", "circle-alert", tongue.gettext("Test failed")),
            None: Mark("wait", "circle-dashed", tongue.gettext("Not tested")),
        }[row.tested_ok]
    newcomers = tongue.gettext(next(text for word, text in NEWCOMER_NAMES.items() if word == row.newcomers))
    if row.newcomers == "domains":
        newcomers = ", ".join(row.domains)
    return WayCard(
        row.slug, f"{base}/{row.slug}", row.name, make_kind(tongue, KINDS[row.kind]).label, row.issuer, newcomers, mark,
        row.enabled, row.tested_at, tongue.moment(row.tested_at, now) if row.tested_at else "", row.tested_said,
    )  # fmt: skip


def values_of(row: SignInProvider) -> dict[str, str]:
    """A provider as its form shows it; the secret is never among it."""
    place = {"microsoft": directory_of(row.issuer), "google": ""}.get(row.kind, row.issuer)
    return {
        "kind": row.kind,
        "name": row.name,
        "place": place,
        "client_id": row.client_id,
        "newcomers": row.newcomers,
        "domains": ", ".join(row.domains),
        "role": row.role,
    }


def make_choices(tongue: Tongue, kind: str, issuer: str = "") -> dict[str, list[Option]]:
    """What can be chosen in the form of a kind."""
    open_to_all = lets_everyone(kind, issuer)
    return {
        "newcomers": [
            Option(word, tongue.gettext(NEWCOMER_NAMES[word]), tongue.gettext(NEWCOMER_NOTES[word]))
            for word in NEWCOMERS
            if word != "everyone" or open_to_all
        ],
        "role": [Option(role, tongue.gettext(ROLE_NAMES[role])) for role in ROLE_NAMES if role in JOINABLE],
    }


def return_address(site: str, row: SignInProvider) -> str:
    """What is registered at the provider."""
    return f"{site}{BACK}{back_handle(way_of(row))}"
