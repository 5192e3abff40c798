"""The steps of a recipe in its form: one row for each kind of step, ticked when the recipe has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.bodies.entries import Trouble
from domain.catalog.bodies import RecipeStep
from domain.production.pipeline import STEP_KINDS
from domain.production.recipe_check import StepFault, check_steps, sort_steps

TICKS: Mapping[str, str] = {
    "gate": "gate",
    "fallbackgate": "gate_on_fallback",
    "optional": "optional",
}
"""Field of a row → field of the step."""
FIELDS = ("step", "needs", *TICKS, "pool", "other", "after")
TEXT_LIMIT = 200
FIELD_OF: Mapping[str, str] = {"pool": "pool", "wait": "after", "optional": "optional", "twice": "step"}
"""Code of a fault → the field it is shown at; all others at what the step needs."""


def kinds_shown(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """The rows of the form: the recipe's steps in their order, then the kinds it does without."""
    own = [str(step["kind"]) for step in steps]
    return [*own, *(kind for kind in STEP_KINDS if kind not in own)]


def show_steps(steps: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The steps of a body as the values of the form."""
    values = {f"after-{kind}": "60" for kind in STEP_KINDS}
    for step in steps:
        kind = step["kind"]
        values |= {f"step-{kind}": "1", f"needs-{kind}": ", ".join(step.get("needs", ()))}
        values |= {f"{name}-{kind}": "1" for name, field in TICKS.items() if step.get(field)}
        values |= {f"pool-{kind}": step.get("pool", ""), f"other-{kind}": step.get("fallback", "")}
        values[f"after-{kind}"] = str(step.get("fallback_after", 60))
    return values


def step_fields(kinds: Sequence[str]) -> set[str]:
    return {f"{name}-{kind}" for name in FIELDS for kind in kinds}


def read_steps(kinds: Sequence[str], values: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[Trouble]]:
    """The steps that a form describes, each after what it needs, and everything wrong with them."""
    troubles: list[Trouble] = []
    steps = [_read(kind, values, troubles) for kind in kinds if values.get(f"step-{kind}")]
    if not steps:
        return [], [Trouble("steps", "steps")]
    troubles += [
        Trouble(f"{FIELD_OF.get(fault.code, 'needs')}-{fault.kind}", f"step-{fault.code}", _words(fault))
        for fault in check_steps(steps, STEP_KINDS.keys())
    ]
    return [step.model_dump(mode="json") for step in sort_steps(steps)], troubles


def _words(fault: StepFault) -> dict[str, object]:
    return {"step": fault.kind, **fault.words}


def _read(kind: str, values: Mapping[str, str], troubles: list[Trouble]) -> RecipeStep:
    given = {name: values.get(f"{name}-{kind}", "").strip() for name in FIELDS}
    for name in ("needs", "pool", "other"):
        if len(given[name]) > TEXT_LIMIT or not given[name].isprintable():
            troubles.append(Trouble(f"{name}-{kind}", "long", {"high": TEXT_LIMIT, "count": len(given[name])}))
            given[name] = ""
    after = given["after"] or "60"
    if not (after.isascii() and after.isdigit() and len(after) < 7):
        troubles.append(Trouble(f"after-{kind}", "number"))
        after = "60"
    return RecipeStep(
        kind=kind,
        needs=list(dict.fromkeys(filter(None, (part.strip() for part in given["needs"].split(","))))),
        pool=given["pool"],
        fallback=given["other"],
        fallback_after=int(after),
        **{field: bool(given[name]) for name, field in TICKS.items()},
    )
