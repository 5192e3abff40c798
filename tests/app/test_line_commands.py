"""`vfos workers`, `vfos queue` and `vfos admin operator` on a real database."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from types import ModuleType

import pytest

from adapters.settings import Settings
from adapters.wiring import build_runtime
from app.commands import admin, queue, workers
from app.console import DONE, CommandError, Console
from domain.dispatch.farm import join_farm
from tenants.directory import create_tenant
from tests.support.people import add_person

Command = Callable[..., str]


@pytest.fixture(scope="module")
def house(database: Settings) -> Settings:
    """An installation with a workspace, a person and a worker."""

    async def make() -> None:
        runtime = build_runtime(database)
        tenant = await create_tenant(runtime.units, "lab", "Lab")
        await add_person(runtime.units, tenant, "viewer", name="Vera", email="vera@example.org")
        await join_farm(runtime.units, "render-01", "boot", 4711, {"io": 2}, "1")
        await runtime.close()

    asyncio.run(make())
    return database


@pytest.fixture
def command(house: Settings, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(module: ModuleType, *words: str, as_json: bool = True) -> str:
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        assert module.run(parser.parse_args(words), house, Console(json=as_json)) == DONE
        return capsys.readouterr().out

    return run


class TestWorkers:
    def test_are_listed_and_told_to_drain_once(self, command: Command) -> None:
        (one,) = json.loads(command(workers, "list"))["workers"]
        assert (one["name"], one["state"], one["pools"], one["steps"]) == ("render-01:4711", "active", ["io:2"], [])
        assert json.loads(command(workers, "drain", "render-01:4711"))["draining"] is True
        words = command(workers, "list", as_json=False)
        assert "render-01:4711" in words
        assert "draining" in words
        for unit in ("render-01:4711", "nowhere:1"):
            with pytest.raises(CommandError):
                command(workers, "drain", unit)

    @pytest.mark.parametrize("words", [("--min", "3", "--max", "2"), ("--max", "0"), ("--min", "-1")])
    def test_senseless_bounds_start_nothing(self, command: Command, words: tuple[str, ...]) -> None:
        with pytest.raises(CommandError, match="--min"):
            command(workers, "autoscale", *words)


class TestQueue:
    def test_status_for_programs_and_scrapers(self, command: Command) -> None:
        told = json.loads(command(queue, "status"))
        assert told["pools"]["io"]["desired"] == 0
        assert told["drift"] == {}
        assert "vfos_pool_desired_slots{pool=" in command(queue, "status", "--prometheus", as_json=False)

    def test_a_senseless_tier_changes_nothing(self, command: Command) -> None:
        for words in (("lab", "gold"), ("lab", "pro", "--max-running", "-1"), ("nobody", "pro")):
            with pytest.raises(CommandError):
                command(queue, "tier", *words)
        assert json.loads(command(queue, "tier", "lab", "pro"))["max_running"] == 12


class TestOperators:
    def test_are_named_and_taken_back(self, command: Command) -> None:
        assert json.loads(command(admin, "operator", "list"))["operators"] == []
        assert json.loads(command(admin, "operator", "add", "vera@example.org"))["changed"] is True
        (one,) = json.loads(command(admin, "operator", "list"))["operators"]
        assert one["name"] == "Vera"
        assert json.loads(command(admin, "operator", "remove", "vera@example.org"))["operates_farm"] is False
        for words in (("add",), ("add", "nobody@example.org")):
            with pytest.raises(CommandError):
                command(admin, "operator", *words)
