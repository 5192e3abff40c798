"""The farm's numbers: Prometheus' text, JSON, nothing else, and nothing of a single workspace."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace

import pytest
from sqlalchemy import update

from adapters.database import make_engines
from adapters.settings import Settings
from domain.dispatch.capacity import PoolNeed
from domain.dispatch.crew import PoolCount
from domain.dispatch.farm import join_farm
from domain.dispatch.model import Step
from domain.dispatch.recount import recount
from domain.insight.farm import FarmNumbers, Gauge, gauges, prometheus, read_numbers
from domain.production.upkeep import Truth
from tests.support.line import open_workspace
from workers.metrics import Teller

NONE = Truth(0, 0.0, 0.0)


async def ask(server: asyncio.Server, request: str) -> tuple[str, str]:
    """Send raw bytes; answer status line and body."""
    host, port = server.sockets[0].getsockname()[:2]
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(request.encode())
    writer.write_eof()
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return head.partition("\r\n")[0], body


class TestText:
    def test_labels_are_escaped_and_every_measure_says_what_it_means(self) -> None:
        text = prometheus([Gauge("vfos_x", "What it is.", [({"pool": 'a"b\\c\nd'}, 1.5), ({}, 2)])])
        assert text == '# HELP vfos_x What it is.\n# TYPE vfos_x gauge\nvfos_x{pool="a\\"b\\\\c\\nd"} 1.5\nvfos_x 2\n'

    def test_what_is_not_known_is_left_out(self) -> None:
        need = PoolNeed("io", 1, 2.0, 0, 0.0, 2, 3.0, 30.0, 1)
        seen = FarmNumbers({"io": need}, {"gpu": PoolCount(dead=2)}, NONE, {"active": 1}, 0.0)
        text = prometheus(gauges(seen))
        assert "ratio" not in text
        assert "drift" not in text
        assert 'vfos_pool_dead_steps{pool="gpu"} 2' in text
        counted = prometheus(gauges(replace(seen, drift={"flows": (0, 2)})))
        assert 'vfos_counter_drift{counter="flows"} 0' in counted
        assert '# TYPE vfos_counter_drift_total counter\nvfos_counter_drift_total{counter="flows"} 2' in counted
        told = prometheus(gauges(FarmNumbers({}, {}, Truth(100, 0.91, 0.2), {}, 0.0)))
        assert "vfos_forecast_before_p90_ratio 0.91" in told


class TestTeller:
    async def test_scraped_over_a_real_connection(self, database: Settings) -> None:
        engines = make_engines(database)
        units = engines.units()
        workspace = await open_workspace(units, "secret-studio")
        await workspace.order("counted")
        await join_farm(units, "here", "boot", 1, {"io": 2}, "1")
        async with units.open(workspace.principal) as unit:
            await unit.session.execute(update(Step).where(Step.kind == "mux").values(state="dead"))
        await recount(units)
        server = await Teller(lambda: read_numbers(units)).serve("127.0.0.1:0")
        assert server is not None
        async with server:
            status, text = await ask(server, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status == "HTTP/1.1 200 OK"
            for line in (
                'vfos_pool_ready_steps{pool="io"} 1',
                'vfos_pool_slots{pool="io"} 2',
                'vfos_pool_desired_slots{pool="io"} 1',
                'vfos_pool_dead_steps{pool="cpu"} 1',
                'vfos_workers{state="active"} 1',
                'vfos_counter_drift{counter="needs"} 0',
                "vfos_shunned_hosts 0",
            ):
                assert line in text.splitlines()
            assert all(re.fullmatch(r"# .+|[a-z_0-9]+(\{[^}]*\})? [-+0-9.e]+", line) for line in text.splitlines())
            _, body = await ask(server, "GET /metrics.json?x=1 HTTP/1.1\r\n\r\n")
            assert json.loads(body)["pools"]["io"]["desired"] == 1
            assert "secret-studio" not in text + body
            assert str(workspace.tenant_id) not in text + body
            assert (await ask(server, "GET /other HTTP/1.1\r\n\r\n"))[0].split()[1] == "404"
            assert (await ask(server, "POST /metrics HTTP/1.1\r\n\r\n"))[0].split()[1] == "405"
            for nonsense in ("hello\r\n\r\n", "GET /metrics HTTP/1.1\r\n" + "A: b\r\n" * 100, "x" * 9000):
                assert await ask(server, nonsense) == ("", "")
        await engines.dispose()

    async def test_an_absent_database_is_said(self) -> None:
        async def away() -> FarmNumbers:
            raise OSError("gone")

        server = await Teller(away).serve("127.0.0.1:0")
        assert server is not None
        async with server:
            assert (await ask(server, "GET /metrics HTTP/1.1\r\n\r\n"))[0].split()[1] == "503"
            taken = "127.0.0.1:" + str(server.sockets[0].getsockname()[1])
            assert await Teller(away).serve(taken) is None


@pytest.mark.parametrize("bind", ["9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x", ":9464"])
def test_a_senseless_address_is_refused_at_the_start(bind: str) -> None:
    from adapters.settings import SettingsError, load

    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:9464"):
        load({"VFOS_METRICS_BIND": bind})
