"""How the log and a quote's counts read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.i18n import Tongue
from app.views.job import say_kept
from app.views.log import Grouping
from app.views.marks import maker_name, part_name
from app.views.money import counted
from app.views.writing import make_writing
from domain.dispatch.model import Step
from domain.production.log_queries import LogLine
from tenants.records import uuid7

ENGLISH, PORTUGUESE = Tongue("en"), Tongue("pt-BR")


@pytest.mark.parametrize(
    ("state", "attempt", "word"),
    [
        ("running", 1, "running"),
        ("dead", 1, "failed"),
        ("ready", 1, "earlier attempt"),
        ("blocked", 1, "earlier attempt"),
        ("running", 2, "earlier attempt"),
    ],
)
def test_an_attempt_that_is_over_does_not_wait_in_the_queue(state: str, attempt: int, word: str) -> None:
    step = Step(id=uuid7(), kind="script", shard="", state=state, attempt=attempt)
    line = LogLine(1, step.id, 1, "", "info", "", "Asking the writer")
    assert Grouping(ENGLISH, {step.id: step}, datetime.now(UTC)).mark_of(line).word == word


def told(number: int, group: str, text: str, level: str = "info", attempt: int = 1) -> LogLine:
    return LogLine(number, uuid7(), attempt, "", level, group, text)


def test_a_draft_is_read_while_it_is_written_with_what_sent_the_last_one_back() -> None:
    first = [
        told(1, "", "Asking"),
        told(2, "draft 1", "# The Sun"),
        told(3, "draft 1", "# Light"),
        told(4, "draft 1", "It shines."),
    ]
    writing = make_writing(ENGLISH, first)
    assert writing is not None
    assert (writing.title, writing.note, writing.faults) == ("The Sun", "", ())
    assert [(piece.heading, piece.text) for piece in writing.pieces] == [(True, "Light"), (False, "It shines.")]
    back = [told(5, "rounds", "Round 1: anthropic answered"), told(6, "rounds", "silent at s1: say something", "warn")]
    again = make_writing(ENGLISH, [*first, *back, told(7, "draft 2", "# The Sun again")])
    assert again is not None
    assert (again.title, again.note, again.pieces) == ("The Sun again", "Draft 2", ())
    assert again.faults == ("silent at s1: say something",)
    assert make_writing(ENGLISH, [*first, told(8, "", "Asking", attempt=2)]) is None


@pytest.mark.parametrize(
    ("group", "english", "portuguese"),
    [
        ("rounds", "Script · rounds", "Roteiro · rodadas"),
        ("draft 2", "Script · draft 2", "Roteiro · rascunho 2"),
        ("findings", "Script · findings", "Roteiro · achados"),
        ("s3", "Script · s3", "Roteiro · s3"),
    ],
)
def test_groups_that_are_words_are_said_in_the_readers_language(group: str, english: str, portuguese: str) -> None:
    step = Step(id=uuid7(), kind="script", shard="", state="running", attempt=1)
    line = told(1, group, "Round 1")
    for tongue, title in ((ENGLISH, english), (PORTUGUESE, portuguese)):
        assert Grouping(tongue, {step.id: step}, datetime.now(UTC)).title(step, line) == title


def test_parts_and_programs_have_names_and_people_keep_theirs() -> None:
    assert [part_name(PORTUGUESE, shard) for shard in ("sound", "003")] == ["som", "003"]
    assert [maker_name(PORTUGUESE, name) for name in ("command line", "", "Ada")] == [
        "linha de comando",
        "a fábrica",
        "Ada",
    ]


def test_nothing_finished_is_nothing_kept() -> None:
    assert say_kept(ENGLISH, 0) == ""
    assert say_kept(PORTUGUESE, 2) == "Mantidos: os resultados de 2 etapas concluídas."


@pytest.mark.parametrize(
    ("tongue", "unit", "low", "high", "said"),
    [
        (ENGLISH, "calls", 1, 1, "1 call"),
        (ENGLISH, "pictures", 1, 3, "1–3 pictures"),
        (PORTUGUESE, "calls", 1, 1, "1 chamada"),
        (PORTUGUESE, "characters", 700, 1200, "700–1.200 caracteres"),
    ],
)
def test_counts_agree_with_their_units(tongue: Tongue, unit: str, low: int, high: int, said: str) -> None:
    assert counted(tongue, unit, low, high) == said
