"""The failures told in docs/providers.md are those the adapters raise."""

from __future__ import annotations

from tests.support.failure_table import PAGE, failures, placed


async def test_the_page_tells_every_failure_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert placed(page, await failures()) == page, "renew it: python -m tests.support.failure_table"
