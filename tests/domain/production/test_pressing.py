"""From a composed draft to a plan: edits of a job on the way, and what does not fit named."""

from __future__ import annotations

from typing import Any

import pytest

from domain.production.pressing import describe_unfit, press
from domain.production.recut import recut
from domain.production.spec import TimelineChange
from tests.support.specs import make_spec
from tests.timeline.editing.test_operations import film
from tests.timeline.making import FONTS
from timeline.faults import TimelineError
from timeline.plan import RenderPlan

Pressed = tuple[RenderPlan, list[str]]


def pressed(*operations: dict[str, Any]) -> Pressed:
    spec = make_spec(timeline_edits=[TimelineChange(operation=operation, by="Ana") for operation in operations])
    made = press(film(), spec, FONTS, "build")
    return made.plan, [describe_unfit(unfit) for unfit in made.unfit]


def remade(before: RenderPlan, after: RenderPlan) -> list[tuple[str, ...]]:
    made = {*(segment.key for segment in before.segments), before.sound.key}
    return [change.items for change in recut(make_spec(), before, after, made, {}).made]


class TestPress:
    def test_without_edits_the_film_is_as_composed(self) -> None:
        plan, unfit = pressed()
        assert (len(plan.segments), unfit) == (4, [])

    def test_an_edit_that_cannot_be_shown_is_left_out_and_named(self) -> None:
        """A text without a face for it resolves, and is found out only when the film is compiled."""
        plan, unfit = pressed(
            {"op": "text", "item": "title", "text": "\U0001f680"},
            {"op": "motion", "item": "c", "motion": "drift"},
            {"op": "delete", "item": "gone"},
        )
        assert [line.split(":")[0] for line in unfit] == ["text of title (edit 1)", "delete of gone (edit 3)"]
        assert remade(pressed()[0], plan) == [("c",)]

    def test_an_operation_of_a_newer_program_is_refused(self) -> None:
        with pytest.raises(TimelineError):
            pressed({"op": "fly"})

    def test_the_colour_of_captions_reaches_the_plan(self) -> None:
        plan, _ = pressed({"op": "captions", "effect": "highlight", "accent": "#ff0000"})
        assert plan.styles != pressed()[0].styles or remade(pressed()[0], plan)


class TestRecut:
    @pytest.mark.parametrize(
        ("operation", "again"),
        [
            ({"op": "motion", "item": "c", "motion": "drift"}, [("c",)]),
            ({"op": "gain", "item": "bed", "gain_db": "-20"}, []),
            # The camera path of b goes on through its new transition, so all of b is drawn anew.
            (
                {"op": "transition", "item": "b", "kind": "wipe", "frames": 8},
                [("a", "a>b", "b"), ("b",), ("b", "cut-b", "c"), ("c",)],
            ),
            (
                {"op": "asset", "item": "c", "sha256": "f" * 64, "width": 1920, "height": 1080},
                [("c",)],
            ),
        ],
    )
    def test_only_what_is_touched_is_made_again(self, operation: dict[str, Any], again: list[tuple[str, ...]]) -> None:
        assert remade(pressed()[0], pressed(operation)[0]) == again

    def test_what_was_planned_but_never_made_counts(self) -> None:
        plan = pressed()[0]
        found = recut(make_spec(), plan, plan, set(), {})
        assert (len(found.made), found.kept, found.comparison.sound_kept) == (4, 0, False)
        assert {change.why for change in found.made} == {"never made"}

    def test_time_grows_with_what_is_made(self) -> None:
        plan = pressed()[0]
        everything = {*(segment.key for segment in plan.segments), plan.sound.key}
        kept, made = [recut(make_spec(), plan, plan, known, {}).seconds for known in (everything, set[str]())]
        assert 0 < kept < made
