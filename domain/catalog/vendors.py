"""The kinds of providers there are: what each is for, how it is called, and what can be set about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tenants.names import is_name

PORTS = ("writer", "narrator", "images")
"""What a provider does for a film: write its script, speak it, make its pictures."""
NAME_LIMIT, MODEL_LIMIT, URL_LIMIT = 80, 100, 300
PER_MINUTE, CONCURRENT = (1, 6000), (1, 100)
MODEL = re.compile(r"[\w.:/@-]{1,100}", re.ASCII)
WORD = re.compile(r"[\w.-]{1,80}", re.ASCII)


@dataclass(frozen=True)
class Option:
    """Something a provider lets one choose; without `choices` it is a word of one's own. `needed`: never empty."""

    name: str
    default: str = ""
    choices: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True)
class Vendor:
    """One kind of provider. `models`: those it is known to offer (any other may be named); empty = it has none."""

    kind: str
    port: str
    label: str
    base_url: str
    models: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    key_page: str = ""

    @property
    def model(self) -> str:
        """The model that is used unless another is named."""
        return self.models[0] if self.models else ""

    def settle(self, options: Mapping[str, str]) -> dict[str, str]:
        """Every option's value: as given, else as usual."""
        return {option.name: options.get(option.name, "") or option.default for option in self.options}


VENDORS: Mapping[str, Vendor] = {
    "anthropic": Vendor(
        kind="anthropic",
        port="writer",
        label="Anthropic",
        base_url="https://api.anthropic.com",
        models=("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-fable-5-1"),
        options=(
            Option("effort", "", ("", "low", "medium", "high", "xhigh", "max")),
            Option("cache", "5m", ("5m", "1h", "off")),
        ),
        key_page="platform.claude.com → API keys",
    ),
    "azure": Vendor(
        kind="azure",
        port="narrator",
        label="Azure Speech",
        base_url="",
        models=("neural",),
        options=(
            Option("region"),
            Option("voice_en", "en-US-JennyNeural"),
            Option("voice_pt", "pt-BR-FranciscaNeural"),
        ),
        key_page="portal.azure.com → Speech service → Keys and Endpoint",
    ),
    "openai": Vendor(
        kind="openai",
        port="images",
        label="OpenAI",
        base_url="https://api.openai.com/v1",
        models=("gpt-image-2.5-flare", "gpt-image-2"),
        options=(Option("quality", "medium", ("low", "medium", "high", "auto")),),
        key_page="platform.openai.com → API keys",
    ),
    "gemini": Vendor(
        kind="gemini",
        port="images",
        label="Gemini",
        base_url="https://generativelanguage.googleapis.com",
        models=("gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image", "gemini-3-pro-image"),
        options=(Option("size", "auto", ("auto", "1K", "2K", "4K")), Option("version", "v1", ("v1", "v1beta"))),
        key_page="aistudio.google.com → API keys",
    ),
}
"""Kind → what it is."""


@dataclass(frozen=True)
class ProviderForm:
    """What a person says of a provider. Empty model and address: the vendor's own; None limits: none."""

    kind: str
    name: str
    model: str = ""
    base_url: str = ""
    options: Mapping[str, str] = ()  # type: ignore[assignment]
    per_minute: int | None = None
    concurrent: int | None = None
    prices: Mapping[str, object] | None = None


def find_faults(form: ProviderForm) -> list[tuple[str, str]]:
    """Everything wrong with a form, as (field, code); the codes are told in words by app/views/providers.py."""
    vendor = VENDORS.get(form.kind)
    if vendor is None:
        return [("kind", "kind")]
    faults = []
    if not is_name(form.name, NAME_LIMIT):
        faults.append(("name", "name"))
    if form.model and not MODEL.fullmatch(form.model):
        faults.append(("model", "model"))
    if form.base_url and (code := url_fault(form.base_url)):
        faults.append(("base_url", code))
    faults += [(f"option_{name}", "option") for name in _wrong_options(vendor, dict(form.options or {}))]
    if form.per_minute is not None and not PER_MINUTE[0] <= form.per_minute <= PER_MINUTE[1]:
        faults.append(("per_minute", "per_minute"))
    if form.concurrent is not None and not CONCURRENT[0] <= form.concurrent <= CONCURRENT[1]:
        faults.append(("concurrent", "concurrent"))
    return faults


def _wrong_options(vendor: Vendor, given: Mapping[str, str]) -> list[str]:
    known = {option.name: option for option in vendor.options}
    wrong = [name for name in given if name not in known]
    for name, option in known.items():
        value = given.get(name, "")
        if option.choices:
            bad = bool(value) and value not in option.choices
        else:
            bad = not value if option.needed and not option.default else False
            bad = bad or (bool(value) and not WORD.fullmatch(value))
        wrong += [name] if bad else []
    return wrong


def url_fault(text: str) -> str:
    """What is wrong with a provider's address, as a code; empty when nothing is."""
    try:
        parts = urlsplit(text)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return "url"
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if len(text) > URL_LIMIT or not text.isprintable() or any(sign.isspace() for sign in text) or not port_is_sound:
        return "url"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "url"
    return "" if plain else "url_parts"


def make_slug(name: str, taken: Iterable[str]) -> str:
    """A short name from a full one, unlike those that are taken."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") or "provider"
    used, slug, number = set(taken), base, 2
    while slug in used or slug in RESERVED:
        slug, number = f"{base}-{number}", number + 1
    return slug


RESERVED = frozenset({"new", "offline", "espeak", "artboard", "library"})
"""Short names that stand for something else in addresses and recipes."""


def sorted_kinds() -> Sequence[Vendor]:
    """All kinds, in the order of the ports."""
    return sorted(VENDORS.values(), key=lambda vendor: PORTS.index(vendor.port))
