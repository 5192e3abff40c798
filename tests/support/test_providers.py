"""The doubles themselves: control API, planned faults, counts per key."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.providers.anthropic import AnthropicDouble
from tests.support.providers.server import running

BODY = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def double() -> Iterator[AnthropicDouble]:
    made = AnthropicDouble()
    with running(made):
        yield made


def post(url: str, body: Any, **headers: str) -> tuple[int, Any]:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    request = urllib.request.Request(url, json.dumps(body).encode(), named)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def ask(double: AnthropicDouble, body: Any = None, **headers: str) -> tuple[int, Any]:
    usual = {"x_api_key": "k", "anthropic_version": "2026-10-21"}
    return post(f"{double.url}/v1/messages", BODY | (body or {}), **(usual | headers))


class TestControl:
    def test_a_fault_at_the_nth_call(self, double: AnthropicDouble) -> None:
        post(f"{double.url}/_control/fail", {"fault": "overloaded", "at": 2})
        assert [ask(double)[0] for _ in range(3)] == [200, 529, 200]

    def test_a_fault_for_the_next_calls(self, double: AnthropicDouble) -> None:
        post(f"{double.url}/_control/fail", {"fault": "rate_limited", "times": 2, "retry_after": 1})
        assert [ask(double)[0] for _ in range(3)] == [429, 429, 200]

    def test_an_unknown_fault_is_named(self, double: AnthropicDouble) -> None:
        status, told = post(f"{double.url}/_control/fail", {"fault": "nonsense"})
        assert status == 400
        assert "nonsense" in told["error"]

    def test_counts_per_key_and_bills(self, double: AnthropicDouble) -> None:
        for key in ("a", "a", "b"):
            ask(double, idempotency_key=key)
        counted = post(f"{double.url}/_control/fail", {"fault": "slow", "at": 99})[1]
        assert counted["billed_by_key"] == {"a": 2, "b": 1}
        assert counted["micro_dollars"] == double.micro_dollars > 0
        assert post(f"{double.url}/_control/reset", {})[1]["calls"] == 0

    def test_a_dropped_line_after_the_answer_is_billed(self, double: AnthropicDouble) -> None:
        double.fail("drop_after")
        with pytest.raises((ConnectionError, urllib.error.URLError)):
            ask(double)
        assert len(double.billed) == 1


class TestProtocol:
    @pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
    def test_removed_parameters_are_refused_in_the_new_version_only(self, double: AnthropicDouble, name: str) -> None:
        assert ask(double, {name: 1})[0] == 400
        assert ask(double, {name: 1}, anthropic_version="2023-06-01")[0] == 200

    def test_either_key_header(self, double: AnthropicDouble) -> None:
        assert ask(double, x_api_key="", authorization="Bearer k")[0] == 200
        assert ask(double, x_api_key="")[0] == 401
        assert ask(double, x_api_key="revoked")[0] == 401

    def test_an_open_schema_is_refused(self, double: AnthropicDouble) -> None:
        form = {"type": "json_schema", "schema": {"type": "object", "properties": {}}}
        assert ask(double, {"output_config": {"format": form}})[0] == 400

    def test_a_double_that_breaks_says_so(self, double: AnthropicDouble) -> None:
        double.write = lambda body: str(1 / 0)
        status, told = ask(double)
        assert (status, told["error"]["type"]) == (501, "double_is_broken")
        assert double.broken == ["ZeroDivisionError: division by zero"]
