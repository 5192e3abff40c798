"""The table of errors: nothing that a person can cause is said to be our fault."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import FAILED, answer_for
from app.i18n import Tongue
from app.views.refusals import REFUSALS, say_refusal
from domain.production import errors as production

ROOT = Path(__file__).parents[2]
KEPT = frozenset({"azure"})
"""Names, which stay as they are."""


@pytest.mark.parametrize("kind", [production.InvalidInput, production.WrongState, production.NotFound])
def test_what_a_command_refuses_is_never_our_fault(kind: type[production.ProductionError]) -> None:
    family = [one for _, one in inspect.getmembers(production, inspect.isclass) if issubclass(one, kind)]
    assert family
    for one in family:
        assert answer_for(one.__new__(one)) is not FAILED


DECIDED = [production.Decided(state, by) for state in ("approved", "expired", "void", "changed") for by in ("", "Ada")]
NAMED: list[production.WrongState] = [*DECIDED, production.Outdated(3, 4)]
"""Refusals that name themselves."""


def refusals() -> Iterator[tuple[str, set[str]]]:
    """Every refusal that the domain gives: its name and the values it brings; "" where it has no name."""
    for file in ROOT.joinpath("domain").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in ("WrongState", "_refused"):
                named = {keyword.arg or "" for keyword in call.keywords}
                given = named if ast.unparse(call.func) == "WrongState" else {"number", "state"}
                yield from ((name, given) for name in names(call))
    yield from ((error.refusal, set(error.values)) for error in NAMED)


def names(call: ast.Call) -> list[str]:
    """What the second argument can be; a helper's own parameter is given where the helper is called."""
    match call.args[1] if len(call.args) > 1 else None:
        case ast.Constant(value=str(name)):
            return [name]
        case ast.JoinedStr(values=[ast.Constant(value=str(begin)), *_]):
            return [name for name in REFUSALS if name.startswith(begin)]
        case ast.Name(id="refusal"):
            return []
    return [""]


def test_every_refusal_has_its_sentence() -> None:
    given = list(refusals())
    assert {name for name, _ in given} == REFUSALS.keys()
    for name, values in given:
        assert set(re.findall(r"%\((\w+)\)", REFUSALS[name])) <= values, name


VALUES = {
    "number": 7,
    "name": "Zoé",
    "state": "succeeded",
    "step": "narrate",
    "steps": ["render", "mux"],
    "step_state": "running",
    "provider": "azure",
    "spent": 1_000_000,
    "reserved": 0,
    "limit": 2_000_000,
    "most": "2.000",
    "wanted": 1_500_000,
}


@pytest.mark.parametrize("name", REFUSALS)
def test_no_refusal_is_english_in_portuguese(name: str) -> None:
    said = say_refusal(Tongue("pt-BR"), production.WrongState("", name, **VALUES))
    ours = REFUSALS[name] + " running done voice video assemble"
    assert words(said) & words(re.sub(r"%\(\w+\)s", "", ours)) <= KEPT, said
    assert "%(" not in said


def words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 2}


def test_a_refusal_is_said_in_the_readers_language() -> None:
    error = production.WrongState("Job #7 is succeeded and cannot be paused.", "pause", number=7, state="succeeded")
    said = say_refusal(Tongue("pt-BR"), error)
    assert said == "O trabalho nº 7 não pode ser pausado neste estado: concluído."
    assert say_refusal(Tongue("en"), production.WrongState("", "pause-workspace")) == "The workspace is paused already."
