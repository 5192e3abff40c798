"""Byte ranges: the standard's cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ranges import Span, Unsatisfiable, read_range

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-99", Span(0, 100)),
        ("bytes=900-", Span(900, 100)),
        ("bytes=-100", Span(900, 100)),
        ("bytes=-5000", Span(0, 1000)),
        ("bytes=990-5000", Span(990, 10)),
        ("bytes=0-0", Span(0, 1)),
        ("bytes = 0 - 0", Span(0, 1)),
        (None, None),
        ("bytes=5-2", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
    ],
)
def test_ranges_of_1000_bytes(header: str | None, span: Span | None) -> None:
    assert read_range(header, None, ETAG, 1000) == span


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", f"bytes={'9' * 40}-"])
def test_ranges_outside_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(header, None, ETAG, 1000)


def test_another_version_gets_the_whole_file() -> None:
    assert read_range("bytes=0-1", '"old"', ETAG, 1000) is None
    assert read_range("bytes=0-1", ETAG, ETAG, 1000) == Span(0, 2)


@given(st.integers(1, 10_000), st.integers(0, 20_000), st.integers(0, 20_000))
def test_a_span_lies_inside_the_file(size: int, first: int, last: int) -> None:
    try:
        span = read_range(f"bytes={first}-{last}", None, ETAG, size)
    except Unsatisfiable:
        assert first >= size
        return
    if span is None:
        assert last < first
    else:
        assert (span.start, span.last) == (first, min(last, size - 1))
