"""A warm child: kept between requests, replaced when lost, gone when idle."""

from collections.abc import Iterator

import psutil
import pytest

from adapters.warm_child import ChildLost, WarmChild


@pytest.fixture
def child() -> Iterator[WarmChild]:
    warm = WarmChild("tests.support.echo_child", answer_s=30)
    yield warm
    warm.close()


class TestWarmChild:
    def test_one_process_serves_many_requests(self, child: WarmChild):
        answers = [child.ask({"text": f"número {number}"}) for number in range(3)]
        assert [body.decode() for _, body in answers] == ["número 0", "número 1", "número 2"]
        assert len({header["pid"] for header, _ in answers}) == 1

    def test_a_request_that_cannot_be_served_leaves_it_alive(self, child: WarmChild):
        header, body = child.ask({"wrong": 1})
        assert header["error"]
        assert body == b""
        assert child.ask({"text": "still here"})[1] == b"still here"

    def test_a_lost_child_is_replaced_once_then_told(self, child: WarmChild):
        first = child.ask({"text": "a"})[0]["pid"]
        psutil.Process(first).kill()
        assert child.ask({"text": "b"})[0]["pid"] != first
        with pytest.raises(ChildLost):
            child.ask({"die": True})

    def test_it_ends_when_nobody_asks(self):
        warm = WarmChild("tests.support.echo_child", answer_s=30, idle_s=0.05)
        process = psutil.Process(warm.ask({"text": "a"})[0]["pid"])
        assert process.wait(10) is not None or not process.is_running()
        assert warm.ask({"text": "again"})[1] == b"again"
        warm.close()
