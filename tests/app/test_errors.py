"""The table of errors: nothing that a person can cause is said to be our fault."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import FAILED, answer_for
from app.i18n import Tongue
from app.views.refusals import REFUSALS, say_refusal
from domain.production import commands
from domain.production import errors as production


@pytest.mark.parametrize("kind", [production.InvalidInput, production.WrongState, production.NotFound])
def test_what_a_command_refuses_is_never_our_fault(kind: type[production.ProductionError]) -> None:
    family = [one for _, one in inspect.getmembers(production, inspect.isclass) if issubclass(one, kind)]
    assert family
    for one in family:
        assert answer_for(one.__new__(one)) is not FAILED


def refusals() -> Iterator[str]:
    """The names of refusals that commands give."""
    for file in Path(commands.__path__[0]).glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("WrongState", "_refused"):
                yield from (str(one.value) for one in call.args[1:2] if isinstance(one, ast.Constant))


def test_every_refusal_has_its_sentence() -> None:
    assert set(refusals()) == REFUSALS.keys()


def test_a_refusal_is_said_in_the_readers_language() -> None:
    error = production.WrongState("Job #7 is succeeded and cannot be paused.", "pause", number=7, state="succeeded")
    said = say_refusal(Tongue("pt-BR"), error)
    assert said == "O trabalho nº 7 não pode ser pausado neste estado: concluído."
    assert say_refusal(Tongue("en"), production.WrongState("", "pause-workspace")) == "The workspace is paused already."
