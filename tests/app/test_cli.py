"""The command line: exit codes, sentences, JSON, the launcher."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from app.cli import COMMANDS
from app.console import FAILED, WRONG
from tests.support import kindled
from tests.support.ports import free_port
from tests.support.services import Services

ROOT = Path(__file__).parents[2]


def vfos(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing but the given settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("VFOS_", "DATABASE_", "REDIS_"))}
    return kindled.run(["app", *arguments], {**clean, **environment}, timeout=60)


class TestUsage:
    def test_help_lists_every_command_and_exit_code(self) -> None:
        done = vfos("--help")
        assert done.returncode == 0
        shown = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ") and line.split()}
        assert set(COMMANDS) <= shown
        assert "exit codes:" in done.stdout

    @pytest.mark.parametrize("arguments", [[], ["nonsense"], ["migrate", "--nonsense"], ["admin"]])
    def test_wrong_arguments_are_2(self, arguments: list[str]) -> None:
        done = vfos(*arguments)
        assert done.returncode == WRONG
        assert "usage: vfos" in done.stderr
        assert "Traceback" not in done.stderr


class TestSettings:
    def test_every_fault_is_said_and_nothing_is_started(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        done = vfos("up", VFOS_HOME=str(home), VFOS_PORT="none", VFOS_SLOTZ="3")
        assert done.returncode == WRONG
        assert done.stderr.splitlines() == [
            "error: VFOS_PORT is “none”: give a whole number from 1 to 65535.",
            "error: VFOS_SLOTZ is not a setting: remove it or correct its name (did you mean VFOS_SLOTS?).",
        ]
        assert not home.exists()

    def test_as_json(self) -> None:
        done = vfos("doctor", "--json", VFOS_PORT="none")
        assert json.loads(done.stdout) == {
            "error": ["VFOS_PORT is “none”: give a whole number from 1 to 65535."],
            "code": WRONG,
        }

    @pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
    def test_a_home_that_cannot_be_written(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        done = vfos("up", VFOS_HOME=str(tmp_path / "home"))
        assert done.returncode == WRONG
        assert "choose another VFOS_HOME" in done.stderr


class TestUnreachable:
    def database(self, port: int) -> dict[str, str]:
        names = {"DATABASE_URL": "vfos_app", "DATABASE_OWNER_URL": "vfos_owner", "DATABASE_SYSTEM_URL": "vfos_system"}
        return {name: f"postgresql://{role}:hunter2@127.0.0.1:{port}/vfos" for name, role in names.items()}

    @pytest.mark.parametrize("command", ["up", "migrate"])
    def test_database(self, command: str, tmp_path: Path) -> None:
        port = free_port()
        done = vfos(command, VFOS_HOME=str(tmp_path), REDIS_URL="redis://127.0.0.1:1/0", **self.database(port))
        assert done.returncode == WRONG
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1
        assert f"127.0.0.1:{port}" in errors[0]
        assert "hunter2" not in done.stderr
        assert "Traceback" not in done.stderr

    def test_redis(self, services: Services, tmp_path: Path) -> None:
        found = services.empty_database()
        urls = {name: value for name, value in found.environment().items() if name.startswith("DATABASE")}
        done = vfos("migrate", VFOS_HOME=str(tmp_path), REDIS_URL=f"redis://127.0.0.1:{free_port()}/0", **urls)
        assert done.returncode == WRONG
        assert "check REDIS_URL and that Redis is running" in done.stderr

    @pytest.mark.parametrize("command", ["web", "pump", "worker"])
    def test_units_without_a_stack_say_how_to_get_one(self, command: str, tmp_path: Path) -> None:
        done = vfos(command, VFOS_HOME=str(tmp_path))
        assert done.returncode == WRONG
        assert "start `vfos up`" in done.stderr


class TestMigrate:
    def test_says_what_was_applied_and_then_nothing(self, services: Services, tmp_path: Path) -> None:
        environment = services.empty_database().using(home=tmp_path, secret_key_file=tmp_path / "key").environment()
        first = json.loads(vfos("migrate", "--json", **environment).stdout)
        assert first["applied"]
        assert json.loads(vfos("migrate", "--json", **environment).stdout) == {"applied": []}

    def test_models_and_migrations_agree(self) -> None:
        done = vfos("migrate", "--check", "--json")
        assert json.loads(done.stdout) == {"differences": []}
        assert done.returncode == 0


class TestOwnerLink:
    def test_an_unknown_workspace_is_named(self, services: Services, tmp_path: Path) -> None:
        environment = services.fresh_database().using(home=tmp_path, secret_key_file=tmp_path / "key").environment()
        done = vfos("admin", "owner-link", "--workspace", "nowhere", **environment)
        assert done.returncode == WRONG
        assert "There is no workspace “nowhere”" in done.stderr
        machine = vfos("admin", "owner-link", "--json", "--workspace", "nowhere", **environment)
        assert json.loads(machine.stdout)["code"] == WRONG


class TestDoctor:
    def test_finds_a_key_that_others_can_read(self, services: Services, tmp_path: Path) -> None:
        key = tmp_path / "key"
        key.write_text("x")
        key.chmod(0o644)
        environment = services.fresh_database().using(home=tmp_path, secret_key_file=key).environment()
        done = vfos("doctor", "--json", **environment)
        report = json.loads(done.stdout)
        states = {finding["part"]: finding["state"] for finding in report["findings"]}
        assert done.returncode == FAILED
        assert not report["healthy"]
        assert states["secret key"] == "fault"
        assert states["database"] == states["redis"] == states["encoder"] == "ok"

    def test_a_healthy_house_is_0(self, services: Services, tmp_path: Path) -> None:
        environment = services.fresh_database().using(home=tmp_path, secret_key_file=tmp_path / "key").environment()
        done = vfos("doctor", **environment)
        assert done.returncode == 0
        assert "✗" not in done.stdout


class TestLauncher:
    def copy(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        shutil.copy(ROOT / "vfos", folder)
        return folder / "vfos"

    def test_says_how_to_set_up(self, tmp_path: Path) -> None:
        done = subprocess.run([self.copy(tmp_path / "a b")], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "make setup" in done.stderr

    def test_works_from_any_folder_through_a_link_and_with_spaces(self, tmp_path: Path) -> None:
        launcher = self.copy(tmp_path / "house with spaces")
        bin_folder = launcher.parent / ".venv" / "bin"
        bin_folder.mkdir(parents=True)
        python = bin_folder / "python"
        python.write_text('#!/bin/sh\nprintf "%s\\n" "$VFOS_HOME" "$PYTHONPATH" "$@"\n')
        python.chmod(0o755)
        link = tmp_path / "vfos-link"
        link.symlink_to(launcher)
        environment = {name: value for name, value in os.environ.items() if name not in {"VFOS_HOME", "PYTHONPATH"}}
        for program in (launcher, link):
            done = subprocess.run(
                [program, "produce", "two words"], capture_output=True, text=True, cwd="/", env=environment, check=False
            )
            root = str(launcher.parent)
            assert done.stdout.splitlines() == [f"{root}/var", root, "-m", "app", "produce", "two words"]
