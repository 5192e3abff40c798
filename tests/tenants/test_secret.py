"""A secret does not show itself, and redaction catches what slipped into text."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from tenants.redact import redact, redact_secrets
from tenants.secret import MASK, Secret

VALUE = "correct horse battery staple"
SECRET = Secret(VALUE)


class TestSecret:
    @pytest.mark.parametrize(
        "show",
        [
            repr,
            str,
            "{}".format,
            "{!r:>40}".format,
            "{:>40}".format,
            lambda s: f"{s}",
            lambda s: repr([s, {"a": s}]),
        ],
    )
    def test_showing_gives_a_mask(self, show: Callable[[Secret], str]) -> None:
        assert VALUE not in show(SECRET)
        assert MASK in show(SECRET)

    @pytest.mark.parametrize("leave", [pickle.dumps, json.dumps, copy.copy, lambda s: "".join([s]), list, vars])
    def test_leaving_memory_is_refused(self, leave: Callable[[Any], object]) -> None:
        with pytest.raises(TypeError):
            leave(SECRET)

    def test_reveal_and_compare(self) -> None:
        assert SECRET.reveal() == VALUE
        assert Secret(VALUE) == SECRET != Secret("other")
        assert SECRET != VALUE
        assert not Secret("")


class TestRedact:
    @pytest.mark.parametrize(
        "text",
        [
            "call with sk-ant-api03-abcdefghijklmnop failed",
            "Authorization: Bearer abcdefghij.klmn-op",
            "postgresql://vfos_app:hunter22@db.example.org/vfos",
            "key vf_live_a1b2c3d4_e5f6g7h8i9 was used",
            "AKIAIOSFODNN7EXAMPLE",
            "https://x.blob.core.windows.net/c?sv=1&sig=aGVsbG8%3D&se=2",
            "token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ],
    )
    def test_telling_shapes(self, text: str) -> None:
        cleaned = redact(text)
        assert MASK in cleaned
        for part in ("abcdefghij", "hunter22", "e5f6g7h8i9", "IOSFODNN", "aGVsbG8", "eyJzdWIi", "MfKQ9"):
            assert part not in cleaned

    def test_telling_names_at_any_depth(self) -> None:
        line = {
            "provider": {"api_key": "abc", "region": "westeurope"},
            "list": [{"Set-Cookie": "sid=1"}],
            "raw": SECRET,
        }
        assert redact(line) == {
            "provider": {"api_key": MASK, "region": "westeurope"},
            "list": [{"Set-Cookie": MASK}],
            "raw": MASK,
        }

    def test_what_is_not_secret_stays(self) -> None:
        line = {
            "input_tokens": 1200,
            "event": "step.done",
            "password_set": True,
            "address": "http://localhost:8000/w/a",
        }
        assert redact(line) == line

    def test_a_bottomless_value_ends(self) -> None:
        loop: dict[str, Any] = {}
        loop["again"] = loop
        assert "…" in str(redact(loop))

    def test_in_the_log_even_inside_a_traceback(self) -> None:
        lines: list[str] = []
        chain = [structlog.processors.format_exc_info, redact_secrets, structlog.processors.JSONRenderer()]
        log = structlog.wrap_logger(structlog.PrintLogger(_Sink(lines)), processors=chain)  # type: ignore[arg-type]
        try:
            raise ValueError("refused sk-ant-api03-abcdefghijklmnop")
        except ValueError:
            log.exception("call_failed", token="abc", key=SECRET)
        assert "call_failed" in lines[0]
        assert not any(part in lines[0] for part in ("abcdefghijklmnop", '"abc"', VALUE))


class _Sink:
    """A file that keeps what is printed."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, text: str) -> None:
        self._lines.append(text)

    def flush(self) -> None:
        return None
