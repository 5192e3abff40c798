"""From a recipe's graph to nodes: bridges over fan-outs, faults, what rests on what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.bodies import RecipeStep
from domain.production.graph import check_graph, downstream, make_nodes

LINE = [
    RecipeStep(kind="script", gate=True),
    RecipeStep(kind="narrate", needs=["script"]),
    RecipeStep(kind="illustrate", needs=["script"]),
    RecipeStep(kind="compose", needs=["narrate", "illustrate"]),
    RecipeStep(kind="render", needs=["compose"]),
    RecipeStep(kind="mux", needs=["render"]),
]
KINDS = {step.kind for step in LINE}


class TestCheck:
    def test_a_good_line(self) -> None:
        assert check_graph(LINE, KINDS) == []

    def test_every_fault(self) -> None:
        bad = [RecipeStep(kind="paint", needs=["mux"]), RecipeStep(kind="mux"), RecipeStep(kind="mux")]
        told = [fault.message for fault in check_graph(bad, KINDS)]
        assert told == [
            "Step “paint” is not a kind of step.",
            "Step “mux” is listed twice.",
            "Step “paint” needs “mux”, which is not listed before it.",
        ]


class TestNodes:
    def test_fan_out_is_bridged(self) -> None:
        nodes = {node.kind: node for node in make_nodes(LINE, {"render": True}, wizard=False)}
        assert "render" not in nodes
        assert nodes["mux"].needs == ("compose",)
        assert nodes["compose"].needs == ("narrate", "illustrate")

    def test_gates_only_in_wizard_mode(self) -> None:
        assert [n.kind for n in make_nodes(LINE, {}, wizard=True) if n.gate] == ["script"]
        assert not any(n.gate for n in make_nodes(LINE, {}, wizard=False))

    def test_order_is_kept(self) -> None:
        ordinals = [node.ordinal for node in make_nodes(LINE, {"render": True}, wizard=False)]
        assert ordinals == sorted(set(ordinals))


NEEDS = {step.kind: step.needs for step in LINE}


class TestRests:
    def test_downstream(self) -> None:
        assert downstream(NEEDS, "narrate") == {"compose", "render", "mux"}
        assert downstream(NEEDS, "mux") == set()

    @given(st.dictionaries(st.integers(0, 8), st.sets(st.integers(0, 8)), max_size=9))
    def test_exactly_what_needs_it_rests_on_it(self, graph: dict[int, set[int]]) -> None:
        # Needs may only point backwards, as check_graph demands.
        needs = {str(n): [str(m) for m in ms if m < n] for n, ms in graph.items()}
        for node in needs:
            below = downstream(needs, node)
            assert below == {one for one, wanted in needs.items() if {node, *below} & set(wanted)}
