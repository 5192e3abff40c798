"""Real units of this machine: started because work waits, told to drain, and never stopped in the middle of a step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.database import make_engines
from domain.dispatch.capacity import BadOrder
from domain.dispatch.crew import crew, order_drain
from domain.dispatch.recount import recount
from domain.dispatch.scaling import CALM_S, Bounds, Memory
from tests.support.farm import Farm, holds
from tests.support.line import Workspace, open_workspace
from tests.support.services import Services
from workers import autoscale
from workers.autoscale import Autoscaler

pytestmark = pytest.mark.flow


@pytest.fixture
async def farm(services: Services, tmp_path: Path) -> AsyncIterator[tuple[Farm, Workspace]]:
    chosen = services.fresh_database().using(home=tmp_path, lease_seconds=6, grace_seconds=30)
    engines = make_engines(chosen, "command")
    workspace = await open_workspace(engines.units(), "scaled")
    made = Farm(chosen, workspace.units, workspace.principal)
    yield made, workspace
    made.end()
    await engines.dispose()


async def test_units_come_with_work_and_drain_after_it(
    farm: tuple[Farm, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, workspace = farm
    monkeypatch.setenv("LINE_GATE", str(line.gate))
    monkeypatch.setenv("LINE_CALLS", str(line.home / "calls"))
    said: list[dict[str, object]] = []
    scaler = Autoscaler(
        line.settings,
        line.units,
        Bounds(0, 2, {"io": 1, "cpu": 2}),
        ("-m", "tests.support.unit", "io:1,cpu:2"),
        lambda _words, data: said.append(data),
    )
    try:
        assert (await scaler.look()) is not None
        assert scaler.working == []
        job = await workspace.order("slow whales!")
        await scaler.look()  # the pools are known once a unit has joined; the first look only notes the wish
        scaler.memory = Memory(firm=1)
        await line.until(30, lambda: _started(scaler))
        await line.until(60, lambda: holds(line.running_steps("render"), 2))
        # Nothing more is wanted of this machine: the unit is told to drain, and its two steps go on.
        scaler.bounds = Bounds(0, 2, {"gpu": 1})
        scaler.memory = Memory(0, -CALM_S)
        (unit,) = scaler.working
        await scaler.look()
        assert (scaler.working, scaler.draining) == ([], [unit])
        await line.until(20, lambda: _is(line, "draining"))
        assert await line.running_steps("render") == 2
        line.gate.touch()
        assert await asyncio.wait_for(unit.wait(), 30) == 0
        assert await line.outcomes(job.id, "render") == ["succeeded", "succeeded"]
        await scaler.look()
        assert [line["event"] for line in said] == ["start", "drain", "drained"]
    finally:
        await scaler.end_all()
    assert await recount(line.units) == 0


async def _started(scaler: Autoscaler) -> bool:
    await scaler.look()
    return bool(scaler.working)


async def _is(line: Farm, state: str) -> bool:
    return [hand.state for hand in await crew(line.units)] == [state]


async def test_a_unit_told_to_drain_hears_of_it_and_ends_after_its_steps(farm: tuple[Farm, Workspace]) -> None:
    """The order goes through the database, so it reaches workers of every machine; SIGTERM then gives the grace."""
    line, workspace = farm
    process = line.worker()
    job = await workspace.order("slow whales!")
    await line.until(60, lambda: holds(line.running_steps("render"), 2))
    (hand,) = await crew(line.units)
    assert (hand.state, sorted(step.kind for step in hand.steps)) == ("active", ["render", "render"])
    assert (await order_drain(line.units, hand.name, "ops")).id == hand.id
    with pytest.raises(BadOrder, match="already"):
        await order_drain(line.units, hand.name, "ops")
    with pytest.raises(BadOrder, match="no worker"):
        await order_drain(line.units, "nowhere:1", "ops")
    (hand,) = await crew(line.units)
    assert (hand.state, hand.drain_by) == ("draining", "ops")
    # With thirty seconds of grace a deploy does not cost the steps either: they end by themselves.
    process.terminate()
    line.gate.touch()
    assert await asyncio.to_thread(process.wait, 30) == 0
    assert await line.outcomes(job.id, "render") == ["succeeded", "succeeded"]
    assert await crew(line.units) == []
    await line.until(5, lambda: holds(recount(line.units), 0))


class TestCommandLine:
    def test_senseless_bounds_are_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert autoscale.main(["--min", "3", "--max", "2"]) == 2
        assert "--min" in capsys.readouterr().err
        assert autoscale.main(["--pools", "io:0"]) == 2

    def test_both_ways_to_say_a_move(self, capsys: pytest.CaptureFixture[str]) -> None:
        data: dict[str, Any] = {"event": "start", "pid": 7}
        autoscale.as_json("started unit 7", data)
        autoscale.plainly("started unit 7", data)
        first, second = capsys.readouterr().out.splitlines()
        assert json.loads(first) == data
        assert second.endswith("  started unit 7")
