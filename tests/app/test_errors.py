"""The table of errors: nothing that a person can cause is said to be our fault."""

from __future__ import annotations

import inspect

import pytest

from app.errors import FAILED, answer_for
from domain.production import errors as production


@pytest.mark.parametrize("kind", [production.InvalidInput, production.WrongState, production.NotFound])
def test_what_a_command_refuses_is_never_our_fault(kind: type[production.ProductionError]) -> None:
    family = [one for _, one in inspect.getmembers(production, inspect.isclass) if issubclass(one, kind)]
    assert family
    for one in family:
        assert answer_for(one.__new__(one)) is not FAILED
