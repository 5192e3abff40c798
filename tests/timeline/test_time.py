"""Exact time: what is read, and how it is snapped."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.time import (
    MAX_SECONDS,
    BadTime,
    format_decimal,
    format_time,
    frames_to_samples,
    parse_moment,
    round_half_up,
    snap_frame,
)
from timeline.values import read_number, write_number

NTSC = Fraction(30000, 1001)


class TestParse:
    @pytest.mark.parametrize(
        ("written", "seconds"),
        [
            ("5", Fraction(5)),
            ("0.1", Fraction(1, 10)),
            ("-.5", Fraction(-1, 2)),
            ("1001/30000", Fraction(1001, 30000)),
            ("00:01:30.250", Fraction(361, 4)),
            ("01:30", Fraction(90)),
            ("250ms", Fraction(1, 4)),
            ("12345678ticks", Fraction(12345678, 10_000_000)),
            ("1.5s", Fraction(3, 2)),
            (7, Fraction(7)),
            (Decimal("0.30"), Fraction(3, 10)),
        ],
    )
    def test_reads_what_people_write_exactly(self, written, seconds):
        assert parse_moment(written).at(Fraction(30)) == seconds

    def test_frames_become_seconds_at_the_rate(self):
        assert parse_moment("45f").at(NTSC) == Fraction(45 * 1001, 30000)

    @pytest.mark.parametrize(
        "written",
        [
            "",
            "abc",
            "1/0",
            "1:2:3:4",
            "00:61:00",
            "1e5",
            "0x10",
            "9" * 50,
            "999999999",
            0.1,
            True,
            None,
            [],
            "∞",
            "1 2",
        ],
    )
    def test_refuses_what_is_no_time(self, written):
        with pytest.raises(BadTime):
            parse_moment(written)

    @pytest.mark.parametrize(
        "hostile", [Decimal("1e999999999"), Decimal("NaN"), Decimal("-Infinity"), pytest.param(10**5000, id="huge")]
    )
    def test_refuses_hostile_numbers_at_once(self, hostile):
        with pytest.raises(BadTime):
            parse_moment(hostile)

    @given(st.fractions(min_value=-1000, max_value=1000, max_denominator=10**9))
    def test_canonical_form_reads_back(self, value):
        assert parse_moment(format_time(value)).seconds == value

    @given(st.text(max_size=50))
    def test_any_text_is_a_time_or_refused(self, text):
        with suppress(BadTime):
            assert abs(parse_moment(text).at(NTSC)) <= MAX_SECONDS * 40


class TestSnap:
    @given(st.fractions(min_value=-100, max_value=100))
    def test_half_goes_up(self, value):
        rounded = round_half_up(value)
        assert rounded - Fraction(1, 2) <= value < rounded + Fraction(1, 2)

    @given(st.lists(st.fractions(min_value=0, max_value=10, max_denominator=1000), min_size=1, max_size=50))
    def test_errors_never_add_up(self, lengths):
        edges = [sum(lengths[:count], Fraction(0)) for count in range(len(lengths) + 1)]
        frames = [snap_frame(edge, NTSC) for edge in edges]
        assert sum(b - a for a, b in pairwise(frames)) == snap_frame(edges[-1], NTSC)

    @given(st.fractions(min_value=0, max_value=100, max_denominator=48_000), st.integers(-2000, 2000))
    def test_moving_by_whole_frames_moves_the_snapped_edge_as_much(self, time, frames):
        assert snap_frame(time + frames / NTSC, NTSC) == snap_frame(time, NTSC) + frames

    def test_five_ntsc_frames_are_whole_samples(self):
        assert frames_to_samples(5, NTSC, 48_000) == 8008


@given(st.fractions(min_value=-1000, max_value=1000))
def test_decimals_are_within_half_a_unit(value):
    assert abs(Fraction(format_decimal(value)) - value) <= Fraction(1, 2_000_000)


class TestNumbers:
    @pytest.mark.parametrize(
        ("written", "text"), [("1/3", "1/3"), ("0.5", "0.5"), (2, "2"), ("24000/1001", "24000/1001")]
    )
    def test_are_exact_and_read_back(self, written, text):
        assert write_number(read_number(written)) == text
        assert read_number(text) == read_number(written)

    def test_nothing_is_divided_by_zero(self):
        with pytest.raises(ValueError, match="divides by zero"):
            read_number("1/0")
