"""Log lines of ours and of libraries go through one chain; no secret comes out of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from adapters import settings
from adapters.logs import configure_logs
from tenants.secret import Secret

KEY = "sk-ant-api03-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers, level, configured = logging.root.handlers[:], logging.root.level, structlog.get_config()
    yield
    structlog.configure(**configured)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def speak() -> None:
    """Say the same through our logger and a library's, with a traceback whose frames hold a key."""
    secret = Secret(KEY)
    try:
        raise ValueError(f"refused: {KEY}")
    except ValueError:
        structlog.get_logger("ours").exception("call_failed", api_key=KEY, secret=secret, tokens=12)
        logging.getLogger("library").exception("retry with %s", KEY)
    structlog.get_logger("ours").debug("too small to be shown")
    logging.getLogger("library").info("nor this")


class TestLogs:
    def test_for_machines(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(settings.load({"VFOS_LOG_FORMAT": "json"}))
        speak()
        shown = capsys.readouterr().err
        ours, library = [json.loads(line) for line in shown.splitlines()]
        assert (ours["event"], ours["level"], ours["tokens"]) == ("call_failed", "error", 12)
        assert library["level"] == "error"
        assert "Traceback" in ours["exception"]
        assert "Traceback" in library["exception"]
        assert KEY not in shown

    def test_for_people(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(settings.load({}))
        speak()
        shown = capsys.readouterr().err
        assert shown.startswith("error    call_failed  api_key=•••  secret=•••  tokens=12\nTraceback")
        assert "error    retry with •••" in shown
        assert KEY not in shown

    def test_level(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(settings.load({"VFOS_LOG_LEVEL": "debug"}))
        speak()
        assert "too small to be shown" in capsys.readouterr().err
