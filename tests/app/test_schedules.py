"""Schedules on their pages: made, refused, run now once, paused, removed, audited."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from app.i18n import Tongue
from app.pages.schedules import check_time, read_time
from app.views.schedules import say_rule
from domain.production.model import Schedule
from tenants.model import AuditEntry
from tests.app.conftest import Person

BASE = "/w/northlight/p/deep-sky/schedules"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def form(**changes: str) -> dict[str, str]:
    tomorrow = datetime.now(ZoneInfo("America/Sao_Paulo")) + timedelta(days=1)
    good = {
        "topic": "What the sky shows this week",
        "recipe": "documentary",
        "language": "en",
        "cost_limit": "",
        "at": f"{tomorrow:%Y-%m-%dT%H:%M}",
        "zone": "America/Sao_Paulo",
        "repeat": "daily",
        "idem_key": "schedule-form-1",
    }
    return {**good, **changes}


async def rows(person: Person) -> list[Schedule]:
    async with person.space.units.open(person.space.owner) as unit:
        return list((await unit.session.execute(select(Schedule).order_by(Schedule.created_at))).scalars())


@pytest.fixture
async def none_yet(marina: Person) -> None:
    async with marina.space.units.open(marina.space.owner) as unit:
        await unit.session.execute(delete(Schedule).where(Schedule.tenant_id == marina.space.tenant_id))


class TestForm:
    async def test_keeps_what_was_wished_and_says_when_next(self, marina: Person, none_yet: None) -> None:
        assert (await marina.get(f"{BASE}/new")).status_code == 200
        answer = await marina.post(BASE, form())
        assert answer.headers["location"] == f"{BASE}?done=added"
        (row,) = await rows(marina)
        assert (row.repeat, row.zone, row.made_by_name) == ("daily", "America/Sao_Paulo", "Marina")
        text = (await marina.get(f"{BASE}?done=added")).text
        assert "What the sky shows this week" in text
        assert "Every day, time of America/Sao Paulo" in text
        assert len(re.findall(r"<time datetime", text)) == 3
        assert "What the sky shows this week" in (await marina.get("/w/northlight/queue")).text

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"at": "2020-01-01T09:00"}, "This time has passed already."),
            ({"at": "2099-01-01T09:00"}, "more than a year away"),
            ({"at": "tomorrow"}, "Give a date and a time"),
            ({"at": "2030-01-01T09:00+02:00"}, "Give a date and a time"),
            ({"zone": "Mars/Olympus"}, "Choose one of the entries"),
            ({"repeat": "yearly"}, "Choose one of the entries"),
            ({"topic": " "}, "The topic is empty"),
            ({"recipe": "nobody"}, "This recipe does not exist"),
            ({"surprise": "1"}, "no field"),
        ],
    )
    async def test_senseless_ones_are_refused_and_nothing_is_kept(
        self, marina: Person, none_yet: None, changes: dict[str, str], said: str
    ) -> None:
        answer = await marina.post(BASE, form(**changes))
        assert answer.status_code == 422
        assert said in answer.text
        assert await rows(marina) == []

    async def test_chosen_days_move_the_first_time_to_one_of_them(self, marina: Person, none_yet: None) -> None:
        tomorrow = datetime.now(ZoneInfo("America/Sao_Paulo")) + timedelta(days=1)
        wanted = (tomorrow.weekday() + 2) % 7
        await marina.post(BASE, form(repeat="weekly", **{f"d{wanted}": "1"}))
        (row,) = await rows(marina)
        assert row.days == [wanted]
        assert row.next_at is not None
        assert row.next_at.astimezone(ZoneInfo("America/Sao_Paulo")).weekday() == wanted


class TestActs:
    async def test_what_cannot_start_now_is_said_and_changes_nothing(self, marina: Person, none_yet: None) -> None:
        await marina.post(BASE, form())
        (row,) = await rows(marina)
        # The little recipe of this workspace names presets that it does not have, which the page must say.
        refused = await marina.post(f"{BASE}/{row.id}/run", {"key": "one"})
        assert refused.status_code == 422
        assert "It did not start." in refused.text
        assert (await rows(marina))[0].last_number is None

    async def test_pause_resume_and_remove_are_audited(self, marina: Person, none_yet: None) -> None:
        await marina.post(BASE, form())
        (row,) = await rows(marina)
        for act, done in (("pause", "paused"), ("resume", "resumed"), ("remove", "removed")):
            answer = await marina.post(f"{BASE}/{row.id}/{act}", {})
            assert answer.headers["location"] == f"{BASE}?done={done}"
            assert answer.status_code == 303
            if act != "remove":
                assert (await marina.post(f"{BASE}/{row.id}/{act}", {})).status_code == 409
        assert (await marina.post(f"{BASE}/{row.id}/remove", {})).status_code == 404
        assert (await marina.post(f"{BASE}/{row.id}/explode", {})).status_code == 404
        async with marina.space.units.open(marina.space.owner) as unit:
            mine = select(AuditEntry.action).where(AuditEntry.object_id == str(row.id)).order_by(AuditEntry.seq)
            acts = list((await unit.session.execute(mine)).scalars())
        assert acts == ["schedule.added", "schedule.paused", "schedule.resumed", "schedule.removed"]

    async def test_those_of_others_are_not_there(self, marina: Person, stranger: Person, none_yet: None) -> None:
        await marina.post(BASE, form())
        (row,) = await rows(marina)
        assert (await stranger.post(f"/w/southwind/p/deep-sky/schedules/{row.id}/remove", {})).status_code == 404
        assert len(await rows(marina)) == 1


class TestWords:
    @pytest.mark.parametrize(
        ("values", "english", "portuguese"),
        [
            ({"repeat": "weekly", "days": [0, 4]}, "Every week: Mon, Fri, time of UTC", "Toda semana: seg., sex."),
            ({"repeat": "monthly", "days": [31]}, "Every month on day 31, time of UTC", "Todo mês no dia 31"),
            ({"repeat": "once", "days": []}, "Once, time of UTC", "Uma vez"),
        ],
    )
    def test_rules(self, values: dict[str, Any], english: str, portuguese: str) -> None:
        row = Schedule(zone="UTC", **values)
        assert say_rule(Tongue("en"), row) == english
        assert say_rule(Tongue("pt-BR"), row).startswith(portuguese)

    def test_a_local_time_is_read_in_its_zone(self) -> None:
        values = {"at": "2026-03-02T09:00", "zone": "America/Sao_Paulo", "repeat": "once"}
        assert read_time(values).astimezone(UTC) == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
        assert check_time(Tongue("en"), values, NOW) == []
