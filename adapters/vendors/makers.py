"""How each kind of provider is opened, and what names its build. SDKs are loaded when the first one is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapters.egress_rules import Allowance
from adapters.prices.book import PriceBook, make_book, price_book
from adapters.vendors.keeping import Keeping
from domain.catalog.provider_rows import Provider
from domain.catalog.vendors import VENDORS
from domain.production.ports import Checked


class Adapter(Protocol):
    """What every provider's adapter can do beside its work."""

    async def check(self) -> Checked: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Account:
    """What an adapter is opened with. `base_url` is never empty where the kind has one."""

    model: str
    base_url: str
    options: Mapping[str, str]
    key: str = field(repr=False)
    allow: Allowance
    prices: PriceBook
    keeping: Keeping


def account_of(row: Provider, key: str, allow: Allowance, keeping: Keeping) -> Account:
    """Gather what a provider's row says. Raises PriceFault for own prices that cannot be used."""
    vendor = VENDORS[row.kind]
    options = vendor.settle({name: str(value) for name, value in row.options.items()})
    prices = price_book(row.kind) if row.prices is None else make_book(row.prices, f"of {row.name}")
    return Account(row.model or vendor.model, row.base_url or vendor.base_url, options, key, allow, prices, keeping)


def open_anthropic(account: Account) -> Any:
    from adapters.text.anthropic import AnthropicWriter

    effort, cache = account.options["effort"], account.options["cache"]
    return AnthropicWriter(effort=effort, cache=cache, **_shared(account))


def open_openai(account: Account) -> Any:
    from adapters.images.openai import OpenAiImages

    return OpenAiImages(quality=account.options["quality"], **_shared(account))


def open_gemini(account: Account) -> Any:
    from adapters.images.gemini import GeminiImages

    return GeminiImages(size=account.options["size"], version=account.options["version"], **_shared(account))


def open_azure(account: Account) -> Any:
    from adapters.speech.azure import AzureSpeaker

    return AzureSpeaker(
        account.key,
        region=account.options["region"],
        endpoint=account.base_url,
        allow=account.allow,
        prices=account.prices,
        shelf=account.keeping,
    )


def _shared(account: Account) -> dict[str, Any]:
    return {
        "key": account.key,
        "model": account.model,
        "base_url": account.base_url,
        "allow": account.allow,
        "prices": account.prices,
    }


@dataclass(frozen=True)
class Maker:
    """One kind: how it is opened, the options that shape its answers, and the revision of its adapter."""

    open: Callable[[Account], Any]
    shaping: tuple[str, ...] = ()
    revision: int = 1


MAKERS: Mapping[str, Maker] = {
    "anthropic": Maker(open_anthropic, ("effort",)),
    "azure": Maker(open_azure),
    "openai": Maker(open_openai, ("quality",)),
    "gemini": Maker(open_gemini, ("size",)),
}
"""Kind → how it is opened; a kind without a line here cannot be opened yet."""


def build_of(row: Provider) -> str:
    """Name what shapes a provider's answers, without opening it: kind, model, options, revision, another address."""
    vendor, maker = VENDORS[row.kind], MAKERS[row.kind]
    options = vendor.settle({name: str(value) for name, value in row.options.items()})
    parts = [row.model or vendor.model, *(options[name] or "usual" for name in maker.shaping), str(maker.revision)]
    return f"{row.kind}:{'/'.join(part for part in parts if part)}" + (f"@{row.base_url}" if row.base_url else "")
