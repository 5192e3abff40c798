"""`vfos admin sign-in` and the care of its secrets: added from standard input, asked for real, never echoed."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.settings import Settings
from adapters.wiring import Runtime, build_runtime
from app.commands import admin, secrets
from app.console import DONE, FAILED, CommandError, Console
from tenants.directory import create_tenant
from tests.support.identity import CLIENT, SECRET, IdentityProvider
from tests.support.providers.server import running

Command = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def idp() -> Iterator[IdentityProvider]:
    double = IdentityProvider()
    with running(double):
        yield double


def within(settings: Settings, work: Callable[[Runtime], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        runtime = build_runtime(settings)
        try:
            return await work(runtime)
        finally:
            await runtime.close()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def house(database: Settings, idp: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation with a workspace and a key file of its own."""
    key = tmp_path_factory.mktemp("keys") / "secret.key"
    settings = database.using(egress_allow=urlsplit(idp.url).netloc, secret_key_file=key)
    within(settings, lambda runtime: create_tenant(runtime.units, "lab", "Lab"))
    return settings


@pytest.fixture
def command(house: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    def run(*words: str, secret: str = "", module: Any = admin) -> tuple[int, Any]:
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        monkeypatch.setattr("sys.stdin", io.StringIO(secret))
        code = module.run(parser.parse_args(words), house, Console(json=True))
        out = capsys.readouterr().out
        assert SECRET not in out
        return code, json.loads(out)

    return run


def test_added_tested_switched_and_removed(command: Command, idp: IdentityProvider) -> None:
    given = ("--kind", "oidc", "--name", "Our login", "--issuer", idp.url, "--client-id", CLIENT)
    code, made = command(
        "sign-in", "add", *given, "--newcomers", "everyone", "--workspace", "lab", secret=f"{SECRET}\n"
    )
    assert (code, made["provider"]) == (DONE, "our-login")
    assert made["redirect_uri"].endswith("/sign-in/back/our-login")
    code, tested = command("sign-in", "test", "our-login")
    assert (code, tested["ok"], f"{idp.url} answers" in tested["said"]) == (DONE, True, True)
    idp.said = {"issuer": "https://other.example"}
    assert command("sign-in", "test", "our-login")[0] == FAILED
    assert command("sign-in", "disable", "our-login")[1] == {"provider": "our-login", "enabled": False}
    [line] = command("sign-in", "list")[1]["providers"]
    assert (line["joins"], line["enabled"], line["tested"]) == ("lab", False, False)
    code, rotated = command("rotate-kek", module=secrets)
    assert (code, rotated["kek"], rotated["renewed"]) == (DONE, 2, 1)
    assert command("verify", module=secrets) == (DONE, {"opened": 1, "broken": [], "people": []})
    assert command("sign-in", "remove", "our-login")[1] == {"removed": "our-login"}
    with pytest.raises(CommandError, match="no provider"):
        command("sign-in", "remove", "our-login")


def test_every_fault_is_told_at_once(command: Command) -> None:
    with pytest.raises(CommandError) as raised:
        command("sign-in", "add", "--kind", "microsoft", "--issuer", "my company", "--client-id", "a b")
    for words in ("directory id", "Copy the client id", "Paste the client secret"):
        assert words in str(raised.value)
    with pytest.raises(CommandError, match="name the one that newcomers join"):
        command(
            "sign-in", "add", "--kind", "google", "--client-id", "x", "--newcomers", "domains", "--domains",
            "example.org", secret=SECRET,
        )  # fmt: skip
