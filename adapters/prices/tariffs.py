"""What providers charge, for quotes: the dated price files, and what one picture usually consumes.

Token counts of pictures are those vendors publish for their sizes; a quote learns the rest from finished jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from adapters.prices.book import PriceBook, PriceFault, price_book
from adapters.prices.voices import price_kind
from domain.usage.quote import Range

OPENAI_TOKENS: Mapping[str, tuple[int, int, int]] = {
    "low": (270, 400, 450),
    "medium": (1000, 1500, 1700),
    "high": (4000, 6000, 6700),
    "auto": (1000, 1500, 6700),
}
"""Tokens of a picture of 1024×1536 by quality."""
GEMINI_TOKENS: Mapping[str, int] = {"1K": 1120, "2K": 1120, "4K": 2000}
PORTRAIT = 1024 * 1536


@dataclass(frozen=True)
class PriceFiles:
    """Tariffs from the price files that come with the program; `own` replaces some by a workspace's own."""

    own: Mapping[str, PriceBook] | None = None

    def rates(self, provider: str, model: str, prompt_tokens: int = 0) -> Mapping[str, Fraction | None] | None:
        book = self._book(provider)
        known = book.model(price_kind(model) if provider == "azure" else model) if book else None
        return known.rates(prompt_tokens) if known else None

    def picture(
        self, provider: str, model: str, options: Mapping[str, str], width: int, height: int
    ) -> Mapping[str, Range]:
        if provider == "openai":
            low, likely, high = OPENAI_TOKENS.get(options.get("quality", "medium"), OPENAI_TOKENS["medium"])
            scale = max(1.0, width * height / PORTRAIT)
            return {"image_output": Range(low, likely * scale, high * scale)}
        if provider == "gemini":
            tokens = GEMINI_TOKENS[_gemini_size(options.get("size", "auto"), max(width, height))]
            return {"image_output": Range(tokens, tokens, tokens * 1.1)}
        return {}

    def prompt_unit(self, provider: str) -> str:
        return {"openai": "text_input", "gemini": "input"}.get(provider, "")

    def _book(self, provider: str) -> PriceBook | None:
        if self.own and provider in self.own:
            return self.own[provider]
        try:
            return price_book(provider)
        except PriceFault:
            return None


def _gemini_size(size: str, longest: int) -> str:
    if size in GEMINI_TOKENS:
        return size
    return "1K" if longest <= 1408 else "2K" if longest <= 2752 else "4K"
