"""Names: whatever people call something can be read."""

from __future__ import annotations

import pytest

from tenants.names import is_blank, is_name


@pytest.mark.parametrize(
    "text",
    ["Deep Sky", "東京", "Ω", "№ 7", "*", "é", "e\u0301", "x\u3164", "👩\u200d🚀", "🏳\ufe0f\u200d🌈", "می\u200cخواهم"],
)
def test_what_can_be_seen_is_a_name(text: str) -> None:
    assert is_name(text, 20)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\ufffd",
        "\ufffd\ufffd",
        "\u200b",
        "\u3164",
        "\u115f\u1160",
        "\u2800",
        "\u0301",
        "\ufe0f",
        "\u2060\u00ad",
    ],
)
def test_what_cannot_is_none(text: str) -> None:
    assert is_blank(text)
    assert not is_name(text, 20)


@pytest.mark.parametrize("text", ["a\u202eb", "a\x1bb", "a\nb", "x" * 21, "a\u200db", "क\u200d", "\u200d🚀"])
def test_what_steers_a_page_or_is_too_long_is_none(text: str) -> None:
    assert not is_name(text, 20)
