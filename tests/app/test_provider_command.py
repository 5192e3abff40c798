"""`vfos admin provider` and the doctor's look at providers: added from standard input, asked for real, never echoed."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
from collections.abc import Callable, Iterator

import pytest

from adapters.settings import Settings
from adapters.wiring import build_runtime
from app.commands import admin
from app.commands.doctor import healthy, line
from app.console import DONE, FAILED, CommandError, Console
from app.health import providers
from tenants.directory import create_tenant
from tests.support.hired import all_doubles
from tests.support.providers.anthropic import AnthropicDouble
from tests.support.providers.server import running

KEY = "sk-ant-command-line-key-0123456789"
Command = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def claude() -> Iterator[AnthropicDouble]:
    double = AnthropicDouble()
    with running(double):
        yield double


@pytest.fixture(scope="module")
def house(database: Settings) -> Settings:
    """An installation with a workspace."""
    settings = database.using(egress_allow="127.0.0.1")

    async def make() -> None:
        runtime = build_runtime(settings)
        await create_tenant(runtime.units, "lab", "Lab")
        await runtime.close()

    asyncio.run(make())
    return settings


@pytest.fixture
def command(house: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    parser = argparse.ArgumentParser()
    admin.add_arguments(parser)

    def run(*words: str, key: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(key))
        given = parser.parse_args(["provider", *words, "--workspace", "lab"])
        code = admin.run(given, house, Console(json=True))
        return code, capsys.readouterr().out

    return run


def test_added_tested_seen_by_the_doctor_and_removed(
    command: Command, house: Settings, claude: AnthropicDouble
) -> None:
    add = ["add", "--kind", "anthropic", "--base-url", claude.url, "--option", "effort=low"]
    code, said = command(*add, key=KEY + "\n")
    assert (code, json.loads(said)["provider"]) == (DONE, "anthropic")
    code, said = command("test", "anthropic")
    assert (code, json.loads(said)["request_id"]) == (DONE, "req_models")
    (finding,) = providers(house)
    assert (finding.state, finding.what.startswith("lab · Anthropic: Anthropic answered")) == ("ok", True)
    assert KEY not in command("list")[1] + repr(finding)
    command("remove", "anthropic")
    assert json.loads(command("list")[1])["providers"] == []
    assert [finding.state for finding in providers(house)] == ["note"]


def test_the_doctor_is_content_with_all_four(command: Command, house: Settings) -> None:
    with all_doubles() as doubles:
        for kind, double in doubles.items():
            tail = "/v1" if kind == "openai" else ""
            assert command("add", "--kind", kind, "--base-url", double.url + tail, key=KEY + "\n")[0] == DONE
        findings = providers(house)
    assert [(one.state, one.fix) for one in findings] == [("ok", "")] * 4
    assert healthy(findings)
    said = "\n".join(line(one, Console(io.StringIO())) for one in findings)
    for name in ("Anthropic", "Azure Speech", "Gemini", "OpenAI"):
        assert f"lab · {name}: {name} answered; the key may use " in said
    assert KEY not in said
    assert not any(double.billed for double in doubles.values())
    for slug in ("anthropic", "azure-speech", "gemini", "openai"):
        command("remove", slug)


def test_a_refused_key_is_a_fault_for_the_doctor(command: Command, house: Settings, claude: AnthropicDouble) -> None:
    command("add", "--kind", "anthropic", "--name", "Old", "--base-url", claude.url, key="revoked")
    assert command("test", "old")[0] == FAILED
    (finding,) = providers(house)
    assert (finding.state, "does not accept the key" in finding.what) == ("fault", True)
    command("remove", "old")


def test_every_fault_is_named(command: Command) -> None:
    with pytest.raises(CommandError) as raised:
        command("add", "--kind", "azure", "--per-minute", "x", "--option", "voice_en=a b", "--base-url", "ftp://x")
    for name in ("per_minute:", "option_voice_en:", "base_url:"):
        assert name in str(raised.value)


def test_a_choice_of_what_is_not_there(command: Command) -> None:
    with pytest.raises(CommandError, match="There is no project “nowhere”"):
        command("choose", "--project", "nowhere")
    with pytest.raises(CommandError, match="no provider “nobody”"):
        command("test", "nobody")
