"""A length that no draft could have is refused before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from domain.catalog.resolution import Chosen
from domain.production.lengths import check_length


def chosen(settings: dict[str, Any], severity: str = "error", kind: str = "reading_time") -> Chosen:
    body = {"validator": kind, "severity": severity, "settings": settings}
    return Chosen("validator", "pace", 1, "digest", body)


@pytest.mark.parametrize(
    ("seconds", "settings", "refused"),
    [
        (10, {"min_seconds": 40, "max_seconds": 90}, True),
        (40, {"min_seconds": 40, "max_seconds": 90}, False),
        (115, {"min_seconds": 40, "max_seconds": 90}, False),
        (125, {"min_seconds": 40, "max_seconds": 90}, True),
        (3600, {"tolerance": 0.3}, False),
        (60, {"min_seconds": "many"}, False),
    ],
)
def test_bounds(seconds: int, settings: dict[str, Any], refused: bool) -> None:
    faults = check_length(seconds, [chosen(settings)])
    assert bool(faults) == refused
    if faults:
        assert faults[0].field == "seconds"
        assert "“pace”" in faults[0].message
        assert "40 to 120 seconds" in faults[0].fix


def test_warnings_and_other_kinds_refuse_nothing() -> None:
    assert check_length(5, [chosen({"min_seconds": 40}, severity="warning"), chosen({}, kind="length")]) == []
