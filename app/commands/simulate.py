"""Run a farm on paper: the real sharing policy over a virtual clock, for a scenario file.

Prints waits, shares, the Jain index of evenness and overtakings. Examples are in benchmarks/scenarios.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from adapters.settings import Settings
from app.console import DONE, WRONG, CommandError, Console, span

LARGEST = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The scenario file."""
    parser.add_argument("scenario", type=Path, help="a YAML file, such as benchmarks/scenarios/weights.yaml")


def run(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Simulate and print."""
    from pydantic import ValidationError

    from domain.dispatch.simulator import Scenario, simulate

    try:
        scenario = Scenario.model_validate(_read(arguments.scenario))
    except ValidationError as error:
        raise CommandError(*_faults(arguments.scenario, error), code=WRONG) from error
    outcome = simulate(scenario)
    lines = [
        f"{scenario.name or arguments.scenario.stem}: {len(scenario.tenants)} tenants, {scenario.slots} slots, "
        f"{span(outcome.seconds)} of farm time, {outcome.busy:.0%} busy, Jain index {outcome.jain:.3f}",
        f"{'tenant':<20} {'started':>8} {'seconds':>10} {'wait p50':>10} {'p95':>10} {'max':>10} "
        f"{'at once':>8} {'inversions':>11}",
    ]
    for name, told in outcome.tenants.items():
        lines.append(
            f"{name[:20]:<20} {told.started:>8} {told.seconds:>10.1f} {told.wait_p50:>10.1f} {told.wait_p95:>10.1f} "
            f"{told.wait_max:>10.1f} {told.most_running:>8} {told.inversions:>11}"
        )
    console.result({"scenario": scenario.name, **outcome.as_json()}, *lines)
    return DONE


def _read(path: Path) -> Any:
    import yaml

    try:
        text = path.read_bytes()[: LARGEST + 1]
    except OSError as error:
        raise CommandError(f"{path}: cannot be read ({error.strerror}).", code=WRONG) from error
    if len(text) > LARGEST:
        raise CommandError(f"{path}: larger than a scenario can be ({LARGEST:,} bytes).", code=WRONG)
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: this is not YAML ({str(error).splitlines()[0]}).", code=WRONG) from error


def _faults(path: Path, error: Any) -> list[str]:
    """One sentence per fault, with its place in the file."""
    return [
        f"{path}: {'.'.join(str(part) for part in fault['loc']) or 'the file'}: "
        f"{fault['msg'].removeprefix('Value error, ')}."
        for fault in error.errors()
    ]
