"""Reading what people say of a provider, in a form or on the command line: every fault at once, never a key in it."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from adapters.egress_rules import Allowance, EgressRefused, check_addresses, denial
from adapters.prices.book import PriceFault, make_book
from domain.catalog.vendors import ProviderForm, find_faults
from tenants.secret import Secret

FIELDS = frozenset({"kind", "name", "model", "base_url", "key", "per_minute", "concurrent", "prices"})
OPTION = "option_"
KEY_LIMIT, PRICES_LIMIT = 4096, 100_000


@dataclass(frozen=True)
class Read:
    """A form as it was read; `faults` are (field, code) and `words` says more of some codes."""

    form: ProviderForm
    key: Secret
    faults: list[tuple[str, str]]
    words: Mapping[str, str] = field(default_factory=dict)


def read_provider(values: Mapping[str, str], allow: Allowance) -> Read:
    """Read and check the fields of a provider."""
    words: dict[str, str] = {}
    faults = [("", "field") for name in values if name not in FIELDS and not name.startswith(OPTION)]
    per_minute, concurrent = _whole(values, "per_minute", faults), _whole(values, "concurrent", faults)
    form = ProviderForm(
        kind=values.get("kind", ""),
        name=" ".join(values.get("name", "").split()),
        model=values.get("model", "").strip(),
        base_url=values.get("base_url", "").strip(),
        options={name.removeprefix(OPTION): text.strip() for name, text in values.items() if name.startswith(OPTION)},
        per_minute=per_minute,
        concurrent=concurrent,
        prices=_prices(values.get("prices", ""), faults, words),
    )
    faults += find_faults(form)
    if form.base_url and not any(name == "base_url" for name, _ in faults):
        faults += [("base_url", code) for code in _unreachable(form.base_url, allow, words)]
    key = values.get("key", "").strip()
    if len(key) > KEY_LIMIT or not key.isascii() or not (key + "x").isprintable() or " " in key:
        faults.append(("key", "key_form"))
    return Read(form, Secret(key), faults, words)


def _whole(values: Mapping[str, str], name: str, faults: list[tuple[str, str]]) -> int | None:
    text = values.get(name, "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 7:
        return int(text)
    faults.append((name, name))
    return None


def _prices(text: str, faults: list[tuple[str, str]], words: dict[str, str]) -> Mapping[str, Any] | None:
    if not text.strip():
        return None
    try:
        if len(text) > PRICES_LIMIT:
            raise ValueError(f"more than {PRICES_LIMIT} characters")
        content = json.loads(text)
        make_book(content, "given")
    except (PriceFault, ValueError, RecursionError) as fault:
        faults.append(("prices", "prices"))
        words["prices"] = " ".join(str(fault).split())[:200]
        return None
    return dict(content)


def _unreachable(url: str, allow: Allowance, words: dict[str, str]) -> list[str]:
    """Addresses that requests would not be sent to, as far as that can be told without looking a name up."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        nowhere = ipaddress.IPv4Address("0.0.0.0")  # noqa: S104 compared, not bound
        plain = parts.scheme == "http" and not allow.permits(host, nowhere, port)
        return ["url_plain"] if plain else []
    try:
        check_addresses(host, port, [str(address)], allow)
    except EgressRefused:
        words["base_url"] = str(address)
        return ["url_refused" if denial(address) else "url_port"]
    return ["url_plain"] if parts.scheme == "http" and not allow.permits(host, address, port) else []
