"""Price files and exact sums."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.prices.book import FOLDER, PriceFault, price_book, read_prices


class TestShippedFiles:
    @pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
    def test_each_can_be_read_and_is_dated(self, path: Path) -> None:
        book = read_prices(path)
        assert book.provider == path.stem
        assert book.as_of.year >= 2026
        assert book.models


class TestPrices:
    def test_a_known_sum(self) -> None:
        counts = {"input": 1001, "cache_write_5m": 3, "cache_write_1h": 5, "cache_read": 7, "output": 11}
        assert price_book("anthropic").price("claude-sonnet-5-5", counts) == 2002 + 8 + 20 + 1 + 110

    def test_the_band_is_chosen_by_the_whole_prompt(self) -> None:
        book, counts = price_book("anthropic"), {"input": 1000, "output": 1000}
        assert book.price("claude-haiku-5-5", counts, prompt_tokens=100_000) == 600
        assert book.price("claude-haiku-5-5", counts, prompt_tokens=100_001) == 3000

    def test_a_dated_id_has_the_price_of_its_family(self) -> None:
        book = price_book("anthropic")
        assert book.price("claude-haiku-4-5-20251001", {"input": 3}) == 3

    def test_a_part_of_a_micro_dollar_counts_as_one(self) -> None:
        assert price_book("anthropic").price("claude-sonnet-5-5", {"cache_read": 1}) == 1

    @pytest.mark.parametrize(("model", "unit"), [("claude-nowhere", "input"), ("claude-sonnet-5-5", "wishes")])
    def test_what_is_not_known_is_not_free(self, model: str, unit: str) -> None:
        assert price_book("anthropic").price(model, {unit: 1}) is None

    def test_a_null_rate_is_unknown_only_where_it_is_used(self) -> None:
        book = price_book("gemini")
        assert book.price("gemini-nano-banana-2.1", {"input": 8, "image_output": 1120}) is None
        assert book.price("gemini-nano-banana-2.1", {"input": 0, "image_output": 1120}) == 33_600

    def test_where_it_was_computed(self) -> None:
        book = price_book("anthropic")
        assert book.price("claude-sonnet-5-5", {"input": 100}, multiplier="inference_us") == 220
        assert book.price("claude-sonnet-5-5", {"input": 100}, multiplier="inference_mars") is None


class TestFaults:
    @pytest.mark.parametrize(
        "change",
        [
            {"as_of": "yesterday"},
            {"models": {"m": {"bands": []}}},
            {"models": {"m": {"bands": [{"up_to": 5, "rates": {}}]}}},
            {"models": {"m": {"bands": [{"rates": {"input": "-1"}}]}}},
            {"models": {"m": {"bands": [{"rates": {"input": "dear"}}]}}},
            {"models": []},
        ],
    )
    def test_a_faulty_file_is_named(self, tmp_path: Path, change: dict[str, object]) -> None:
        path = tmp_path / "broken.json"
        path.write_text(json.dumps({"provider": "p", "as_of": "2026-01-01", "models": {}} | change))
        with pytest.raises(PriceFault, match=r"broken\.json"):
            read_prices(path)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(PriceFault):
            read_prices(tmp_path / "none.json")
