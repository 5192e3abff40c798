"""A fault that goes on is said once, then now and then with its count; the wall clock's jumps are noticed."""

from __future__ import annotations

import logging

import pytest
import structlog
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from adapters.logs import LibraryLines, hold_repeats, shorten_outages
from adapters.repeats import KEPT, Repeats
from tenants.outage import is_away


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class TestRepeats:
    def test_said_once_then_with_its_count(self) -> None:
        clock = Clock()
        repeats = Repeats(30.0, clock)
        assert [repeats.times("lost") for _ in range(4)] == [1, 0, 0, 0]
        assert repeats.times("other") == 1
        clock.now = 31.0
        assert repeats.times("lost") == 4
        clock.now = 62.0
        assert repeats.times("lost") == 1

    def test_remembers_so_many_lines_and_no_more(self) -> None:
        repeats = Repeats(30.0, Clock())
        for number in range(KEPT + 1):
            repeats.times(number)
        assert (repeats.times(0), repeats.times(KEPT)) == (1, 0)


class TestChain:
    def test_only_what_goes_wrong_is_held_back(self) -> None:
        for _ in range(3):
            assert hold_repeats(None, "info", {"level": "info", "event": "said again"})
        line = {"level": "warning", "event": "test.only_here", "timestamp": "1"}
        assert hold_repeats(None, "warning", dict(line)) == line
        with pytest.raises(structlog.DropEvent):
            hold_repeats(None, "warning", line | {"timestamp": "2"})

    def test_an_absent_database_needs_no_traceback(self) -> None:
        error = absent()
        assert shorten_outages(None, "error", {"exc_info": error}) == {"error": "the database is away"}
        other = {"exc_info": ValueError("x")}
        assert shorten_outages(None, "error", dict(other)) == other

    def test_the_same_rules_for_libraries(self) -> None:
        error = absent()
        record = logging.LogRecord("lib", logging.ERROR, "", 0, "gone only here", (), (type(error), error, None))
        assert LibraryLines().filter(record)
        assert record.exc_info is None
        assert not LibraryLines().filter(record)


def absent() -> OperationalError:
    with pytest.raises(OperationalError) as caught:
        create_engine("postgresql+psycopg://nobody@/x?host=%2Fnowhere").connect()
    return caught.value


class TestAway:
    def test_told_from_other_faults_also_through_others(self) -> None:
        error = absent()
        wrapped = RuntimeError("while writing")
        wrapped.__cause__ = error
        assert is_away(error)
        assert is_away(wrapped)
        assert not is_away(RuntimeError("plain"))
        assert not is_away(None)

    def test_a_refused_statement_is_no_outage(self) -> None:
        class Full(Exception):
            sqlstate = "53100"

        class Starting(Exception):
            sqlstate = "57P03"

        assert not is_away(OperationalError("insert", {}, Full()))
        assert is_away(OperationalError("select", {}, Starting()))
