"""Imports run one way, decisions stay pure, and the timeline library stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = (
    "tenants/roles.py",
    "tenants/redact.py",
    "domain/catalog/bodies.py",
    "domain/studio/script.py",
    "domain/studio/edits.py",
    "domain/studio/history.py",
    "domain/production/pressing.py",
    "domain/usage/quote.py",
    "domain/dispatch/policy.py",
    "domain/dispatch/states.py",
    "domain/production/states.py",
    "domain/production/graph.py",
    "domain/production/matching.py",
    "domain/production/composing.py",
)
"""Modules that only decide: no rows, no clock of their own, no I/O."""
IMPURE = {"sqlalchemy", "asyncio", "subprocess", "socket", "psycopg", "os", "time", "pathlib"}


def imports_of(path: Path) -> set[str]:
    """The top-level packages a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}:{node.lineno} imports relatively"
            found.add((node.module or "").split(".")[0])
    return found


def test_contracts_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code = lint_imports(no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_every_package_is_under_contract() -> None:
    known = {"app", "tenants", "domain", "timeline", "adapters", "workers"}
    outside = {"tests", "benchmarks", "migrations", "templates", "static"}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - outside == known


@pytest.mark.parametrize("module", DECISIONS)
def test_decisions_are_pure(module: str) -> None:
    assert imports_of(ROOT / module) & IMPURE == set()


def test_the_timeline_library_loads_nothing_of_the_product() -> None:
    script = (
        "import sys, pkgutil, importlib, timeline\n"
        "for m in pkgutil.walk_packages(timeline.__path__, 'timeline.'): importlib.import_module(m.name)\n"
        "rooms = {'app','adapters','domain','tenants','workers','sqlalchemy','numpy','cv2','structlog','asyncio'}\n"
        "print(sorted(rooms & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["tenants", "domain", "timeline", "adapters", "workers", "app", "migrations"])
def test_no_relative_imports(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        imports_of(path)
