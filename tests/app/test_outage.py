"""What people and programs are told while the database is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient, Response

from adapters.settings import load
from app.main import build
from app.site import open_site

NOWHERE = "postgresql+psycopg://vfos_app@/vfos?host=%2Fnowhere"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """A browser that was signed in before the database went away."""
    site = open_site(
        load({"VFOS_HOME": str(tmp_path)}).using(
            database_url=NOWHERE, database_system_url=NOWHERE, redis_url="redis://127.0.0.1:1/0"
        )
    )
    cookies = {"vfos_session": "t" * 43}
    async with AsyncClient(transport=ASGITransport(build(site)), base_url="http://site.local", cookies=cookies) as it:
        yield it
    await site.close()


def spoken(answer: Response) -> str:
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The database is restarting"),
        ("pt-BR", "O banco de dados está reiniciando"),
    ],
)
async def test_a_page_says_so_and_comes_back_by_itself(client: AsyncClient, language: str, words: str) -> None:
    answer = await client.get("/w/demo", headers={"Accept": "text/html", "Accept-Language": language})
    assert words in spoken(answer)
    assert "<html" in answer.text
    assert answer.headers["refresh"] == "5"


async def test_a_part_of_a_page_gets_a_box(client: AsyncClient) -> None:
    answer = await client.get("/w/demo", headers={"HX-Request": "true"})
    assert "The database is restarting" in spoken(answer)
    assert "<html" not in answer.text
    assert "refresh" not in answer.headers


async def test_a_program_gets_problem_details(client: AsyncClient) -> None:
    answer = await client.get("/w/demo", headers={"Accept": "application/json"})
    spoken(answer)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "database-away"
    assert "refresh" not in answer.headers


async def test_a_form_is_not_sent_twice(client: AsyncClient) -> None:
    answer = await client.post("/w/demo/p/deep-sky/jobs", data={}, headers={"Sec-Fetch-Site": "same-origin"})
    spoken(answer)
    assert "refresh" not in answer.headers


async def test_pages_answer_to_a_question_for_headers_alone(client: AsyncClient) -> None:
    assert (await client.head("/health/live")).status_code == 200
    assert (await client.head("/sign-in")).status_code != 405
    assert (await client.head("/w/demo/p/deep-sky/jobs/1/events")).status_code == 405
