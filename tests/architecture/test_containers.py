"""The container files name only what exists: programs, paths, settings, roles."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.settings import TABLE, load
from app import cli
from app.cli import COMMANDS
from tenants.rls import APP, OWNER, SYSTEM
from workers.main import read_pools

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}
SETTINGS = {entry.name for entry in TABLE}


def test_what_is_copied_and_started_is_in_the_tree() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.M)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []
    (program,) = re.findall(r'^ENTRYPOINT \["(.+?)"\]', DOCKERFILE, re.M)
    assert (ROOT / program).stat().st_mode & 0o111
    assert re.findall(r'^CMD \["(.+?)"\]', DOCKERFILE, re.M)[0] in COMMANDS


def test_it_does_not_run_as_root_and_brings_no_data_along() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M) == ["vfos"]
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"var", ".venv", ".git"} <= {line.strip("/") for line in ignored}


@pytest.mark.parametrize("name", OURS)
def test_a_part_is_started_with_a_command_and_settings_that_exist(name: str) -> None:
    service = OURS[name]
    command, *arguments = service["command"]
    assert command in COMMANDS
    if "--pools" in arguments:
        read_pools(arguments[arguments.index("--pools") + 1], int(arguments[arguments.index("--slots") + 1]))
    environment = {key: _filled(str(value)) for key, value in service["environment"].items()}
    assert set(environment) <= SETTINGS
    assert load(environment).bind == "0.0.0.0"
    assert set(service["depends_on"]) <= set(COMPOSE["services"])


def test_the_image_sets_only_settings() -> None:
    named = re.findall(r"(VFOS_\w+)=", DOCKERFILE)
    assert named
    assert set(named) <= SETTINGS


def test_the_roles_are_those_of_the_program() -> None:
    made = re.findall(r"CREATE ROLE (\w+)", COMPOSE["configs"]["roles"]["content"])
    assert set(made) == {OWNER, APP, SYSTEM}


def _filled(value: str) -> str:
    return re.sub(r"\$\{\w+(?::\?[^}]*|:-([^}]*))?\}", lambda found: found[1] or "secret", value)


UNITS = sorted((ROOT / "docs" / "operations").glob("*.service"))


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_file_starts_a_command_with_settings_that_exist_and_waits_for_its_end(path: Path) -> None:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(path.read_text())
    service = parser["Service"]
    _, command, *arguments = service["ExecStart"].split()
    assert command in COMMANDS
    cli.parser(command).parse_args([command, *(word.replace("%i", "io") for word in arguments)])
    named = dict(line.removeprefix("Environment=").split("=", 1) for line in path.read_text().splitlines()
                 if line.startswith("Environment="))  # fmt: skip
    assert set(named) <= SETTINGS
    grace = int(named.get("VFOS_GRACE_SECONDS", "0"))
    assert int(service["TimeoutStopSec"]) > grace + 10
    if grace:
        assert service["KillMode"] == "mixed"  # what a unit has started is not told to end before the unit is


def test_every_program_has_a_unit_file_and_workers_in_containers_get_their_grace() -> None:
    assert {path.name for path in UNITS} == {
        "vfos-web.service",
        "vfos-pump.service",
        "vfos-worker@.service",
        "vfos-autoscale.service",
    }
    for name, service in OURS.items():
        if name.startswith("worker-"):
            seconds = int(service["environment"]["VFOS_GRACE_SECONDS"])
            assert int(service["stop_grace_period"].removesuffix("s")) > seconds + 10
