"""Pages of money: the quote beside the form, calls to decide, limits, a workspace's month."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from httpx import AsyncClient
from sqlalchemy import func, select, update

from app.i18n import Tongue
from app.site import Site
from app.views.cost import make_cost
from app.views.money import dollars_text, make_quote_view, money_range, read_dollars
from domain.dispatch.flows import drop_ready
from domain.dispatch.model import Step
from domain.production.commands.create_job import create_job
from domain.production.commands.new_job import NewJob
from domain.production.commands.quote_new_job import Offer
from domain.production.model import Job
from domain.usage.budget import Bill, JobAccount, find_drift, hold, settle
from domain.usage.caps import MonthState
from domain.usage.model import Budget, Effect
from domain.usage.quote import Quote, QuoteLine
from tenants.model import AuditEntry
from tests.app.conftest import Person, sign_in
from tests.support.scripted import open_scripted

EN, PT = Tongue("en"), Tongue("pt-BR")


@pytest_asyncio.fixture(scope="module")
async def paula(site: Site, browser: Callable[[], AsyncClient]) -> AsyncIterator[Person]:
    """The owner of a workspace with the demo's whole catalogue."""
    studio = await open_scripted(site.settings, site.units, site.store, "studio")
    async with browser() as client:
        yield await sign_in(client, site, studio, "Paula")


class TestCard:
    @pytest.mark.parametrize(("providers", "free"), [(["offline", "espeak"], True), (["anthropic", "espeak"], False)])
    def test_a_job_of_providers_is_no_draft_before_its_first_call(self, providers: list[str], free: bool) -> None:
        quote = {"lines": [{"provider": name} for name in providers]}
        assert make_cost(EN, [], None, quote).free is free


def form(**changes: str) -> dict[str, str]:
    usual = {"topic": "Why stars twinkle", "recipe": "quick", "language": "en", "seconds": "60"}
    return {**usual, "idem_key": "key-of-money-1", **changes}


async def doubtful(site: Site, person: Person, calls: int = 1, fallback: str = "artboard") -> tuple[int, list[str]]:
    """A paused job with calls in doubt; its number and their keys."""
    async with site.units.open(person.space.owner) as unit:
        job = await create_job(unit, NewJob("deep-sky", "quick", "In doubt", cost_limit=5_000_000))
        step = (await unit.session.scalars(select(Step).where(Step.job_id == job.id, Step.kind == "script"))).one()
        account = JobAccount(job.tenant_id, job.project_id, job.id)
        keys = [f"{job.id}-{place}" for place in range(calls)]
        for key in keys:
            unit.session.add(
                Effect(
                    effect_key=key, job_id=job.id, step_id=step.id, step_kind="script", provider="anthropic",
                    model="claude-sonnet-5-5", request_hash="0", state="in_doubt", fence=1, likely=42_000, doubts=1,
                    tries=1, fallback=fallback, error="The line was lost.", held=60_000,
                    drawn=await hold(unit.session, account, 60_000), sent_at=func.now(),
                )
            )  # fmt: skip
            await unit.session.flush()
        waits = {"state": "held", "error_class": "InDoubt", "error": {"sentence": "Lost."}}
        await unit.session.execute(update(Step).where(Step.id == step.id).values(**waits))
        await unit.session.execute(update(Job).where(Job.id == job.id).values(state="paused", control="pause"))
        await drop_ready(unit.session, job.tenant_id, {step.pool: 1})
        return job.number, keys


class TestQuote:
    async def test_the_form_shows_what_the_job_should_cost(self, paula: Person) -> None:
        page = await paula.get(f"{paula.space.base}/new?recipe=quick")
        assert re.search(r'<div class="fields" hx-post="[^"]*/jobs/quote" hx-trigger="change', page.text)
        assert "Everything is made on this machine; nothing is paid." in page.text
        assert page.text.count('<th scope="row">') == 3

    async def test_the_block_follows_the_choices(self, paula: Person) -> None:
        asked, partial = {"recipe": "quick", "language": "en"}, {"HX_Request": "true", "HX_Request_Type": "partial"}
        short = await paula.post(f"{paula.space.base}/quote", {**asked, "seconds": "60"}, **partial)
        long = await paula.post(f"{paula.space.base}/quote", {**asked, "seconds": "600"}, **partial)
        assert short.text.lstrip().startswith('<section class="card quote"')
        counts = [re.search(r"([\d,]+)–([\d,]+) characters", page.text) for page in (short, long)]
        low, high = (int(found[2].replace(",", "")) for found in counts if found)
        assert abs(high - 10 * low) < 10  # each is rounded

    @pytest.mark.parametrize("wrong", [{"recipe": "nope"}, {"seconds": "7"}, {"language": "xx"}])
    async def test_choices_that_make_no_job_have_no_quote(self, paula: Person, wrong: dict[str, str]) -> None:
        asked = {"recipe": "quick", "topic": "🪐" * 3_000, **wrong}
        page = await paula.post(f"{paula.space.base}/quote", asked, HX_Request_Type="partial")
        assert page.status_code == 200
        assert "There is an estimate when" in page.text

    async def test_without_script_the_form_is_estimated_and_not_started(self, site: Site, paula: Person) -> None:
        async with site.units.open(paula.space.owner) as unit:
            before = await unit.session.scalar(select(func.count()).select_from(Job))
        page = await paula.post(paula.space.base, form(only_quote="yes", seconds="120", cost_limit="3.50"))
        assert page.status_code == 200
        assert "Why stars twinkle</textarea>" in page.text
        assert 'value="3.50"' in page.text
        async with site.units.open(paula.space.owner) as unit:
            assert await unit.session.scalar(select(func.count()).select_from(Job)) == before

    async def test_a_limit_is_kept_with_the_job(self, site: Site, paula: Person) -> None:
        answer = await paula.post(paula.space.base, form(cost_limit="2,5", idem_key="key-of-money-2"))
        assert answer.status_code == 303
        number = int(answer.headers["location"].rsplit("/", 1)[1])
        async with site.units.open(paula.space.owner) as unit:
            job = (await unit.session.scalars(select(Job).where(Job.number == number))).one()
            cap = await unit.session.scalar(select(Budget.cap).where(Budget.scope_id == job.id))
        assert (job.cost_limit, cap) == (2_500_000, 2_500_000)

    async def test_a_limit_that_is_no_amount_is_refused(self, paula: Person) -> None:
        page = await paula.post(paula.space.base, form(cost_limit="a lot"))
        assert page.status_code == 422
        assert "Write an amount in dollars" in page.text

    def test_unknown_is_said_and_too_much_too(self) -> None:
        known = QuoteLine("narrate", "azure", "v", "characters", (900, 1000, 1200), (1, 1, 1), (1, 2_000_000, 3), 2)
        unknown = QuoteLine("script", "mystery", "m", "tokens", (1, 2, 3), (1, 1, 3), None, None)
        offer = Offer(Quote((known, unknown)), MonthState(1_500_000, 0, 0), MonthState(None, 0, 0))
        view = make_quote_view(EN, offer)
        assert (view.complete, view.too_much, view.left) == (False, True, "$1.50")
        assert [row.likely for row in view.rows] == ["$2.00", "unknown"]


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "micro"),
        [("", None), ("25", 25_000_000), ("12.50", 12_500_000), ("0,0042", 4200), (" US$ 3 ", 3_000_000), ("0", 0)],
    )
    def test_read(self, text: str, micro: int | None) -> None:
        assert read_dollars(text) == micro
        assert read_dollars(dollars_text(micro)) == micro

    @pytest.mark.parametrize("text", ["-1", "1e3", "1.2.3", "1,000.50", "abc", "٣", "99999999", "1.2345678", "NaN"])
    def test_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".*"):
            read_dollars(text)

    def test_ranges(self) -> None:
        assert money_range(EN, 1_000_000, 2_000_000) == "$1.00 to $2.00"
        assert money_range(PT, 4200, 4200) == "US$\xa00,0042"
        assert money_range(EN, None, 3) == "unknown"


class TestDoubts:
    async def test_the_page_asks_with_price_and_fallback(self, site: Site, paula: Person) -> None:
        number, [key] = await doubtful(site, paula)
        page = await paula.get(f"{paula.space.base}/{number}")
        for text in (
            "One call waits for your decision",
            "about $0.0420",
            "Art board takes its place",
            "The line was lost.",
        ):
            assert text in page.text
        answer = await paula.post(f"{paula.space.base}/{number}/calls", {"call": key, "decision": "repeat"})
        assert answer.status_code == 303
        async with site.units.open(paula.space.owner) as unit:
            effect = await unit.session.get(Effect, (paula.space.tenant_id, key))
            job = (await unit.session.scalars(select(Job).where(Job.number == number))).one()
            audits = list(await unit.session.scalars(select(AuditEntry).where(AuditEntry.object_id == key)))
            assert await find_drift(unit.session, paula.space.tenant_id) == []
        assert effect is not None
        assert (effect.state, effect.decision, effect.decided_by_name, effect.held) == ("failed", "repeat", "Paula", 0)
        assert (job.control, job.state) == ("none", "queued")
        assert [line.action for line in audits] == ["call.repeat"]

    async def test_of_two_who_decide_at_once_one_is_told(self, site: Site, paula: Person) -> None:
        number, [key] = await doubtful(site, paula)
        path = f"{paula.space.base}/{number}/calls"
        asked = [paula.post(path, {"call": key, "decision": decision}) for decision in ("repeat", "skip")]
        answers: list[Any] = await asyncio.gather(*asked)
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        loser = next(answer for answer in answers if answer.status_code == 409)
        assert "has been decided already by Paula" in loser.text
        async with site.units.open(paula.space.owner) as unit:
            lines = await unit.session.scalars(select(AuditEntry).where(AuditEntry.object_id == key))
            assert len(list(lines)) == 1

    async def test_the_job_goes_on_after_the_last_decision_only(self, site: Site, paula: Person) -> None:
        number, keys = await doubtful(site, paula, calls=2)
        for key, control in zip(keys, ("pause", "none"), strict=True):
            await paula.post(f"{paula.space.base}/{number}/calls", {"call": key, "decision": "skip"})
            async with site.units.open(paula.space.owner) as unit:
                assert await unit.session.scalar(select(Job.control).where(Job.number == number)) == control

    async def test_nothing_takes_the_place_of_a_script(self, site: Site, paula: Person) -> None:
        number, [key] = await doubtful(site, paula, fallback="")
        page = await paula.get(f"{paula.space.base}/{number}")
        assert "takes its place" not in page.text
        answer = await paula.post(f"{paula.space.base}/{number}/calls", {"call": key, "decision": "skip"})
        assert answer.status_code == 409

    async def test_a_call_of_another_job_is_missing(self, site: Site, paula: Person) -> None:
        _, [key] = await doubtful(site, paula)
        answer = await paula.post(f"{paula.space.base}/1/calls", {"call": key, "decision": "repeat"})
        assert answer.status_code == 404


class TestCostTab:
    async def test_quote_and_actual_stand_side_by_side(self, marina: Person) -> None:
        page = await marina.get(f"{marina.space.base}/3/cost")
        for text in ("Quote and actual cost", "not foreseen", "$1.62", "$2.41", "Calls by provider", 'value="6"'):
            assert text in page.text

    async def test_a_limit_is_raised_and_the_job_goes_on(self, site: Site, paula: Person) -> None:
        number, _ = await doubtful(site, paula, calls=0)
        wrong = await paula.post(f"{paula.space.base}/{number}/limit", {"limit": "much"})
        assert "Write an amount" in (await paula.get(wrong.headers["location"])).text
        await paula.post(f"{paula.space.base}/{number}/limit", {"limit": "9", "resume": "yes"})
        async with site.units.open(paula.space.owner) as unit:
            job = (await unit.session.scalars(select(Job).where(Job.number == number))).one()
            line = (await unit.session.scalars(select(AuditEntry).where(AuditEntry.object_id == str(job.id)))).one()
        assert (job.cost_limit, job.control) == (9_000_000, "none")
        assert (line.action, line.after) == ("job.limit", {"limit": 9_000_000})


class TestUsage:
    async def test_a_month_by_project_provider_and_day(self, site: Site, marina: Person) -> None:
        async with site.units.open(marina.space.owner) as unit:
            job = (await unit.session.scalars(select(Job).where(Job.number == 1))).one()
            account = JobAccount(job.tenant_id, job.project_id, job.id)
            await settle(unit.session, account, 0, Bill(1_250_000, {"characters": 9}, provider="azure", model="=v"))
            await settle(unit.session, account, 0, Bill(None, provider="mystery"))
        page = await marina.get("/w/northlight/usage")
        for text in ("$1.25", "Azure Speech", "Deep Sky", "1 call of unknown price", "Spent by day:"):
            assert text in page.text
        sheet = await marina.get("/w/northlight/usage.csv")
        assert sheet.headers["content-type"].startswith("text/csv")
        rows = sheet.text.splitlines()
        assert rows[0] == "day,project,provider,model,calls,calls_of_unknown_price,usd"
        assert any(row.endswith("deep-sky,azure,'=v,1,0,1.250000") for row in rows)
        empty = await marina.get("/w/northlight/usage?month=2031-02")
        assert "Nothing has been paid in this month" in empty.text

    async def test_limits_are_set_all_or_none(self, site: Site, marina: Person) -> None:
        wrong = await marina.post("/w/northlight/usage/limits", {"workspace": "40", "project_deep-sky": "x"})
        assert wrong.status_code == 422
        assert 'aria-invalid="true"' in wrong.text
        await marina.post("/w/northlight/usage/limits", {"workspace": "40", "project_deep-sky": "30"})
        page = await marina.get("/w/northlight/usage")
        assert 'name="workspace" type="text" inputmode="decimal" autocomplete="off" value="40"' in page.text
        await marina.post("/w/northlight/usage/limits", {"workspace": "", "project_deep-sky": ""})
        async with site.units.open(marina.space.owner) as unit:
            assert set(await unit.session.scalars(select(Budget.cap).where(Budget.scope != "job"))) == {None}
            assert await find_drift(unit.session, marina.space.tenant_id) == []
