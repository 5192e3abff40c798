"""Reading what people say of a provider to sign in with, in a form or on the command line: every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.egress_rules import Allowance
from adapters.signin.kinds import KINDS, lets_everyone, microsoft_issuer
from adapters.signin.port import check_address
from tenants.names import is_name
from tenants.secret import Secret
from tenants.signin_rules import JOINABLE, NEWCOMERS, Newcomers, SignInRefused, WayForm, read_domains

FIELDS = frozenset({"kind", "name", "place", "client_id", "secret", "newcomers", "domains", "role"})
NAME_LIMIT, ID_LIMIT, SECRET_LIMIT = 60, 255, 4096


@dataclass(frozen=True)
class ReadWay:
    """A form as it was read; `faults` are (field, code) and `words` says more of some."""

    form: WayForm
    secret: Secret
    faults: list[tuple[str, str]]
    words: dict[str, str] = field(default_factory=dict)


def read_way(values: Mapping[str, str], allow: Allowance, *, new: bool) -> ReadWay:
    """Read and check a provider; a new one needs its secret."""
    faults: list[tuple[str, str]] = [("", "field") for name in values if name not in FIELDS]
    words: dict[str, str] = {}
    kind = values.get("kind", "")
    if kind not in KINDS:
        kind = "oidc"
        faults.append(("kind", "kind"))
    issuer, code = read_issuer(kind, values.get("place", "").strip(), allow)
    if code:
        faults.append(("place", code))
    name = " ".join(values.get("name", "").split())
    if not is_name(name, NAME_LIMIT):
        faults.append(("name", "name"))
    client_id = values.get("client_id", "").strip()
    if not 0 < len(client_id) <= ID_LIMIT or not client_id.isascii() or not client_id.isprintable() or " " in client_id:
        faults.append(("client_id", "client_id"))
    newcomers, domains = _read_newcomers(values, kind, issuer, faults, words)
    role = values.get("role", "viewer")
    if role not in JOINABLE:
        faults.append(("role", "role"))
    secret = _read_secret(values.get("secret", "").strip(), new, faults)
    return ReadWay(WayForm(kind, name, issuer, client_id, newcomers, domains, role), secret, faults, words)


def read_issuer(kind: str, place: str, allow: Allowance) -> tuple[str, str]:
    """The issuer a kind has at a place, and what is wrong with it."""
    if kind == "google":
        return KINDS[kind].issuer, ""
    if kind == "microsoft":
        issuer = microsoft_issuer(place)
        return issuer, "" if issuer else "directory"
    if kind == "github":
        place = (place or KINDS[kind].issuer).rstrip("/")
    try:
        return check_address(place, allow), "issuer" if "?" in place or len(place) > ID_LIMIT else ""
    except SignInRefused:
        return "", "issuer"


def _read_newcomers(
    values: Mapping[str, str], kind: str, issuer: str, faults: list[tuple[str, str]], words: dict[str, str]
) -> tuple[Newcomers, list[str]]:
    said = values.get("newcomers", "invited")
    if said not in NEWCOMERS:
        faults.append(("newcomers", "newcomers"))
        return "invited", []
    newcomers: Newcomers = said
    domains, bad = read_domains(values.get("domains", ""))
    if bad:
        faults.append(("domains", "domains"))
        words["domains"] = bad
    elif newcomers == "domains" and not domains:
        faults.append(("domains", "domains_missing"))
    if newcomers == "everyone" and not lets_everyone(kind, issuer):
        faults.append(("newcomers", "everyone"))
    return newcomers, domains


def _read_secret(text: str, new: bool, faults: list[tuple[str, str]]) -> Secret:
    if new and not text:
        faults.append(("secret", "secret"))
    if len(text) > SECRET_LIMIT or not text.isascii() or not (text + "x").isprintable() or " " in text:
        faults.append(("secret", "secret_form"))
    return Secret(text)
