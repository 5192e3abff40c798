"""Whether a recipe's steps make a film, decided without running anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.bodies import RecipeStep
from domain.catalog.demo.content import demo_workspace
from domain.production import pipeline
from domain.production.graph import check_graph
from domain.production.pipeline import STEP_KINDS
from domain.production.recipe_check import READS, check_steps, sort_steps

LINE = {
    "script": [], "narrate": ["script"], "illustrate": ["script"], "compose": ["narrate", "illustrate"],
    "render": ["compose"], "mux": ["render"], "check": ["mux"], "package": ["check"],
}  # fmt: skip


def line(**changes: object) -> list[RecipeStep]:
    """The usual steps, some with other fields."""
    return [
        RecipeStep.model_validate({"kind": kind, "needs": needs, **dict(changes.get(kind, {}))})  # type: ignore[call-overload]
        for kind, needs in LINE.items()
    ]


def told(steps: list[RecipeStep]) -> list[tuple[str, str]]:
    return [(fault.kind, fault.code) for fault in check_steps(steps, STEP_KINDS)]


class TestCheckSteps:
    def test_every_recipe_of_the_demo_is_good(self) -> None:
        for item in demo_workspace().of_kind("recipe"):
            assert told([RecipeStep.model_validate(step) for step in item.body["steps"]]) == []

    @pytest.mark.parametrize(
        ("changes", "faults"),
        [
            ({"mux": {"needs": ["rendr"]}}, [("mux", "unknown")]),
            ({"script": {"needs": ["package"]}}, [("script", "circle")]),
            ({"script": {"needs": ["script"]}}, [("script", "circle")]),
            ({"compose": {"needs": ["narrate"]}}, [("compose", "reads"), ("package", "reads")]),
            ({"render": {"optional": True}}, [("render", "optional")]),
            ({"check": {"optional": True}}, []),
            ({"render": {"pool": "gpu.nvenc", "fallback": "cpu", "fallback_after": 0}}, [("render", "wait")]),
            ({"render": {"pool": "G!"}}, [("render", "pool")]),
        ],
    )
    def test_each_fault_has_its_place(self, changes: dict[str, object], faults: list[tuple[str, str]]) -> None:
        assert told(line(**changes)) == faults

    def test_what_is_not_there_is_named_with_what_is_like_it(self) -> None:
        unknown = check_steps(line(mux={"needs": ["rendr"]}), STEP_KINDS)[0]
        assert (unknown.words["name"], unknown.words["near"]) == ("rendr", "render")
        assert told([RecipeStep(kind="dream")]) == [("dream", "unknown")]
        assert told([RecipeStep(kind="narrate", needs=["script"])]) == [("narrate", "absent")]
        assert ("script", "twice") in told([*line(), RecipeStep(kind="script")])

    def test_the_way_round_a_circle_is_shown(self) -> None:
        (fault,) = check_steps(line(narrate={"needs": ["compose"]}), STEP_KINDS)
        assert fault.words["way"] == "narrate → compose → narrate"

    @given(st.permutations(line()))
    def test_whatever_the_order_sorted_steps_can_be_made_into_a_job(self, steps: list[RecipeStep]) -> None:
        assert told(steps) == []
        assert check_graph(sort_steps(steps), STEP_KINDS) == []

    @given(
        st.dictionaries(st.sampled_from(list(LINE)), st.lists(st.sampled_from([*LINE, "x"]), max_size=4), min_size=1)
    )
    def test_it_ends_with_any_needs_and_passes_nothing_that_a_job_refuses(self, needs: dict[str, list[str]]) -> None:
        steps = [RecipeStep(kind=kind, needs=names) for kind, names in needs.items()]
        if not check_steps(steps, STEP_KINDS):
            assert check_graph(sort_steps(steps), STEP_KINDS) == []


def test_the_table_of_what_steps_read_is_what_they_read() -> None:
    """A step that begins to read another result must be named in READS."""
    for kind in STEP_KINDS:
        text = (Path(pipeline.__file__).parent / f"{kind}.py").read_text()
        read = set(re.findall(r'work\.inputs\["(\w+)"\]', text))
        if "load_plan" in text:
            read.add("compose")
        assert read <= set(READS.get(kind, ())), kind
