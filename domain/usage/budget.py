"""Budgets: money is set aside before it is spent, under the caps of job, project and workspace.

A job reserves its quote when it starts; a call holds what it may cost while it is out, first from the reservation, and
what that lacks is reserved on top. Counters (`Budget`) change only under their row locks, taken in the order
workspace → project → job, together with entries that say why (`BudgetEntry`). Months are those of UTC; a job reserves
in the month in which it was last started. Amounts are micro-dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.usage.model import Budget, BudgetEntry, Effect

RANK = {"workspace": 0, "project": 1, "job": 2}


class OverBudget(Exception):
    """Raised when money would be set aside beyond a cap; nothing has been sent.

    `scope` names whose cap it is, `spent` what is spent there, `reserved` what others have set aside, `wanted` what
    was asked for (None: its price is not known).
    """

    def __init__(self, scope: str, cap: int, spent: int, reserved: int, wanted: int | None) -> None:
        self.scope, self.limit, self.spent, self.reserved, self.wanted = scope, cap, spent, reserved, wanted
        aside = f" and {dollars(reserved)} set aside" if reserved else ""
        self.sentence = (
            f"{WHOSE[scope]} {dollars(spent)} spent{aside} of its limit of {dollars(cap)}; "
            f"{NEXT_UNKNOWN if wanted is None else f'the next part may cost {dollars(wanted)}'}."
        )
        super().__init__(self.sentence)

    @property
    def fix(self) -> str:
        """What to do with a job that has stopped: it is paused, so its button says “Resume”."""
        return self.advise("resume the job")

    def advise(self, then: str) -> str:
        """What makes room, and what to do then."""
        return f"{WAYS[self.scope]}, then {then}."


NEXT_UNKNOWN = "what the next part costs is not known"
WHOSE = {"job": "The job has", "project": "The project has this month", "workspace": "The workspace has this month"}
WAYS = {
    "job": "Raise the job's limit",
    "project": "Raise the project's monthly limit or wait for the next month",
    "workspace": "Raise the workspace's monthly limit or wait for the next month",
}


def dollars(micro: int) -> str:
    """An amount for people, with as many digits as small sums need."""
    return f"${micro / 1e6:,.2f}" if micro % 10_000 == 0 or micro >= 1_000_000 else f"${micro / 1e6:,.4f}"


@dataclass(frozen=True)
class Spent:
    """What a job has spent; `unknown` billed calls have no known price and are not in the sum."""

    micro_dollars: int
    calls: int
    unknown: int


@dataclass(frozen=True)
class Bill:
    """What one try of a call was billed; None = its price is not known."""

    micro_dollars: int | None
    units: Mapping[str, int] = field(default_factory=dict)
    effect_key: str | None = None
    step_kind: str = ""
    provider: str = ""
    model: str = ""


@dataclass(frozen=True)
class JobAccount:
    """Whose money a job spends."""

    tenant_id: UUID
    project_id: UUID
    job_id: UUID


def month_of(moment: datetime) -> str:
    """The month of a moment, as budgets name it."""
    return moment.astimezone(UTC).strftime("%Y-%m")


def room_for(counter: Budget, amount: int) -> bool:
    """Whether an amount can still be set aside."""
    return counter.cap is None or counter.reserved + counter.spent + amount <= counter.cap


# ── A job's account ───────────────────────────────────────────────────────────────────────────────────────
async def open_account(session: AsyncSession, account: JobAccount, cap: int | None, amount: int, month: str) -> None:
    """Reserve a job's quote in project and workspace, before its row exists. Raises OverBudget; then no sum moved.

    `write_reservation` adds the entry once the job's row is there.
    """
    await _ensure_month(session, account, month)
    session.add(
        Budget(
            tenant_id=account.tenant_id, scope="job", scope_id=account.job_id, month="", home=month, cap=cap, reserved=0
        )
    )
    await session.flush()
    await _reserve(session, account, amount)


async def write_reservation(session: AsyncSession, account: JobAccount, amount: int, month: str) -> None:
    """Add the entry of a reservation whose counters have moved."""
    if amount:
        await _enter(session, account, month, "reserve", amount)


async def reopen_account(session: AsyncSession, account: JobAccount, quote: int, month: str) -> None:
    """Reserve anew what is left of a job's quote when a job that had ended goes on, in the present month.

    Raises OverBudget.
    """
    await _ensure_month(session, account, month)
    job = (await _lock_job(session, account)) or await _adopt(session, account, month)
    if job.home != month and job.reserved == 0:
        job.home = month
        await session.flush()
    wanted = max(0, min(quote, job.cap if job.cap is not None else quote) - job.spent - job.reserved)
    if wanted:
        await _reserve(session, account, wanted)
        await write_reservation(session, account, wanted, job.home)


async def hold(session: AsyncSession, account: JobAccount, amount: int | None) -> int:
    """Set aside what a call may cost; answer how much of it came on top of the job's reservation.

    The caller records both on the call's row in the same transaction. A call whose price is not known (None) holds
    nothing, and is refused once a cap is reached. Raises OverBudget.
    """
    if amount == 0:
        return 0
    counters = await _lock(session, account)
    if amount is None:
        return _require_unspent(counters)
    job = counters["job"]
    out = await session.scalar(
        select(func.coalesce(func.sum(Effect.held), 0)).where(
            Effect.tenant_id == account.tenant_id, Effect.job_id == account.job_id
        )
    )
    drawn = max(0, amount - max(0, job.reserved - int(out or 0)))
    if drawn:
        await _move(session, counters, drawn)
        await _enter(session, account, job.home, "reserve", drawn)
    return drawn


def _require_unspent(counters: Mapping[str, Budget]) -> int:
    for scope, counter in counters.items():
        if counter.cap is not None and counter.spent >= counter.cap:
            raise OverBudget(scope, counter.cap, counter.spent, counter.reserved, None)
    return 0


async def settle(session: AsyncSession, account: JobAccount, drawn: int, bill: Bill) -> None:
    """Record what a try was billed, and take it out of the reservation; what it drew on top goes back.

    The truth is always recorded, also where it goes beyond a cap.
    """
    amount = bill.micro_dollars
    if drawn or amount:
        counters = await _lock(session, account)
        job = counters["job"]
        back = min(job.reserved, drawn)
        back += min(job.reserved - back, amount or 0)
        _spend(counters.values(), back, amount or 0)
        await session.flush()
        home = job.home
        if back:
            await _enter(session, account, home, "release", back)
    else:
        home = await _home(session, account)
    await _enter(
        session,
        account,
        home,
        "settle",
        amount or 0,
        unpriced=int(amount is None),
        effect_key=bill.effect_key,
        step_kind=bill.step_kind,
        provider=bill.provider,
        model=bill.model,
        units=dict(bill.units),
    )


async def let_go(session: AsyncSession, account: JobAccount, drawn: int) -> None:
    """Give back what a call drew on top of its job's reservation."""
    if drawn:
        await _give_back(session, account, drawn)


async def close_account(session: AsyncSession, account: JobAccount) -> Spent:
    """Give back all that a job has not spent; calls that are out hold nothing more."""
    # Calls before counters: the order in which everybody locks them. One that was sent and never heard of again,
    # because another took its place after a crash, is not hidden.
    await session.execute(
        update(Effect)
        .where(
            Effect.tenant_id == account.tenant_id,
            Effect.job_id == account.job_id,
            Effect.state == "sent",
            Effect.policy == "once",
        )
        .values(state="in_doubt", doubts=Effect.doubts + 1, error="The worker was lost while the call was out.")
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(Effect)
        .where(Effect.tenant_id == account.tenant_id, Effect.job_id == account.job_id, Effect.held > 0)
        .values(held=0, drawn=0)
        .execution_options(synchronize_session=False)
    )
    counters = await _lock(session, account)
    job = counters["job"]
    if job.reserved:
        home, left = job.home, job.reserved
        _spend(counters.values(), left, 0)
        await session.flush()
        await _enter(session, account, home, "release", left)
    return await spent_by(session, account.tenant_id, account.job_id)


async def spent_by(session: AsyncSession, tenant_id: UUID, job_id: UUID) -> Spent:
    """Add up what a job's calls were billed, failed ones too."""
    billed = or_(Effect.state == "done", Effect.micro_dollars.is_not(None), Effect.unpriced > 0)
    row = await session.execute(
        select(
            func.coalesce(func.sum(Effect.micro_dollars), 0),
            func.count().filter(billed),
            func.count().filter(Effect.unpriced > 0),
        ).where(Effect.tenant_id == tenant_id, Effect.job_id == job_id)
    )
    total, calls, unknown = row.one()
    return Spent(int(total or 0), calls, unknown)


# ── Caps ──────────────────────────────────────────────────────────────────────────────────────────────────
async def set_job_cap(session: AsyncSession, account: JobAccount, cap: int | None, month: str) -> int | None:
    """Set a job's cap; answer the earlier one. A cap below what is spent stops the job before its next call."""
    job = await _lock_job(session, account) or await _adopt(session, account, month)
    before, job.cap = job.cap, cap
    true_up(job)
    await session.flush()
    return before


async def set_month_cap(
    session: AsyncSession, tenant_id: UUID, scope: str, scope_id: UUID, cap: int | None, month: str
) -> int | None:
    """Set the monthly cap of a workspace or project, for this month and those to come; answer the earlier one."""
    for name in ("", month):
        row = {"tenant_id": tenant_id, "scope": scope, "scope_id": scope_id, "month": name}
        await session.execute(upsert(Budget).values(row).on_conflict_do_nothing())
    rows = await session.scalars(
        select(Budget)
        .where(Budget.tenant_id == tenant_id, Budget.scope == scope, Budget.scope_id == scope_id)
        .where(Budget.month.in_(("", month)))
        .order_by(Budget.month)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    before = None
    for counter in rows:
        before = counter.cap if counter.month == "" else before
        counter.cap = cap
        true_up(counter)
    await session.flush()
    return before


# ── Checking ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Drift:
    """A counter that is not the sum of its entries."""

    scope: str
    scope_id: UUID
    month: str
    reserved: int
    spent: int
    entries_reserved: int
    entries_spent: int


async def find_drift(session: AsyncSession, tenant_id: UUID) -> list[Drift]:
    """Compare every counter of a tenant with the sum of its entries; empty when all agree."""
    counters = await session.execute(
        select(Budget.scope, Budget.scope_id, Budget.month, Budget.reserved, Budget.spent).where(
            Budget.tenant_id == tenant_id, or_(Budget.scope == "job", Budget.month != "")
        )
    )
    sums = await _sums(session, tenant_id)
    known = {(scope, scope_id, month): (reserved, spent) for scope, scope_id, month, reserved, spent in counters}
    nothing = (0, 0)
    return [
        Drift(*key, *known.get(key, nothing), *sums.get(key, nothing))
        for key in sorted(known.keys() | sums.keys(), key=str)
        if known.get(key, nothing) != sums.get(key, nothing)
    ]


async def _sums(session: AsyncSession, tenant_id: UUID) -> dict[tuple[str, UUID, str], tuple[int, int]]:
    signed = case((BudgetEntry.kind == "reserve", BudgetEntry.micro_dollars), else_=-BudgetEntry.micro_dollars)
    reserved = func.sum(signed).filter(BudgetEntry.kind != "settle")
    spent = func.sum(BudgetEntry.micro_dollars).filter(BudgetEntry.kind == "settle")
    rows = await session.execute(
        select(
            BudgetEntry.job_id, BudgetEntry.project_id, BudgetEntry.month, func.coalesce(reserved, 0),
            func.coalesce(spent, 0),
        )
        .where(BudgetEntry.tenant_id == tenant_id)
        .group_by(BudgetEntry.job_id, BudgetEntry.project_id, BudgetEntry.month)
    )  # fmt: skip
    sums: dict[tuple[str, UUID, str], tuple[int, int]] = {}
    for job_id, project_id, month, aside, paid in rows:
        own = (("job", job_id, ""), ("project", project_id, month)) if job_id else ()
        for key in (*own, ("workspace", tenant_id, month)):
            before = sums.get(key, (0, 0))
            sums[key] = (before[0] + int(aside), before[1] + int(paid))
    return sums


# ── Rows ──────────────────────────────────────────────────────────────────────────────────────────────────
async def _ensure_month(session: AsyncSession, account: JobAccount, month: str) -> None:
    """Make the month's counters of a job's workspace and project from the standing caps."""
    places = {"workspace": account.tenant_id, "project": account.project_id}
    await ensure_month(session, account.tenant_id, places, month)


async def ensure_month(session: AsyncSession, tenant_id: UUID, places: Mapping[str, UUID], month: str) -> None:
    """Make a month's counters from the standing caps. `places`: scope → whose."""
    standing = await session.execute(
        select(Budget.scope, Budget.cap).where(
            Budget.tenant_id == tenant_id, Budget.scope_id.in_(tuple(places.values())), Budget.month == ""
        )
    )
    caps = {row.scope: row.cap for row in standing}
    rows = [
        {"tenant_id": tenant_id, "scope": scope, "scope_id": scope_id, "month": month, "cap": caps.get(scope)}
        for scope, scope_id in places.items()
    ]
    await session.execute(upsert(Budget).values(rows).on_conflict_do_nothing())


async def _lock(session: AsyncSession, account: JobAccount) -> dict[str, Budget]:
    """Lock a job's three counters, always in the same order; answer them by scope."""
    home = await _home(session, account)
    rows = await session.scalars(
        select(Budget)
        .where(Budget.tenant_id == account.tenant_id)
        .where(
            or_(
                and_(Budget.scope == "workspace", Budget.scope_id == account.tenant_id, Budget.month == home),
                and_(Budget.scope == "project", Budget.scope_id == account.project_id, Budget.month == home),
                and_(Budget.scope == "job", Budget.scope_id == account.job_id, Budget.month == ""),
            )
        )
        .order_by(case(RANK, value=Budget.scope))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.scope: row for row in rows}


async def _lock_job(session: AsyncSession, account: JobAccount) -> Budget | None:
    return await session.get(
        Budget, (account.tenant_id, "job", account.job_id, ""), with_for_update=True, populate_existing=True
    )


async def _adopt(session: AsyncSession, account: JobAccount, month: str) -> Budget:
    """Open the counter of a job that was made before there were any."""
    await _ensure_month(session, account, month)
    row = Budget(tenant_id=account.tenant_id, scope="job", scope_id=account.job_id, month="", home=month, cap=None)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    return row


async def _home(session: AsyncSession, account: JobAccount) -> str:
    """The month a job reserves in; opens its counter where there is none."""
    found = await session.scalar(
        select(Budget.home).where(
            Budget.tenant_id == account.tenant_id, Budget.scope == "job", Budget.scope_id == account.job_id
        )
    )
    return str(found) if found is not None else (await _adopt(session, account, month_of(datetime.now(UTC)))).home


async def _reserve(session: AsyncSession, account: JobAccount, amount: int) -> None:
    if amount:
        await _move(session, await _lock(session, account), amount)


async def _move(session: AsyncSession, counters: Mapping[str, Budget], amount: int) -> None:
    """Set an amount aside in every counter, or in none. Raises OverBudget for the narrowest that is full."""
    for scope in ("job", "project", "workspace"):
        counter = counters[scope]
        if not room_for(counter, amount):
            assert counter.cap is not None
            raise OverBudget(scope, counter.cap, counter.spent, counter.reserved, amount)
    for counter in counters.values():
        counter.reserved += amount
    await session.flush()


async def _give_back(session: AsyncSession, account: JobAccount, amount: int) -> None:
    counters = await _lock(session, account)
    job = counters["job"]
    home, back = job.home, min(job.reserved, amount)
    if back:
        _spend(counters.values(), back, 0)
        await session.flush()
        await _enter(session, account, home, "release", back)


def _spend(counters: Iterable[Budget], back: int, amount: int) -> None:
    for counter in counters:
        counter.reserved -= back
        counter.spent += amount
        true_up(counter)


def true_up(counter: Budget) -> None:
    """Say how far truth is beyond the cap."""
    counter.overrun = 0 if counter.cap is None else max(0, counter.reserved + counter.spent - counter.cap)


async def _enter(session: AsyncSession, account: JobAccount, month: str, kind: str, amount: int, **more: Any) -> None:
    row = {"job_id": account.job_id, "project_id": account.project_id, "month": month, "kind": kind}
    await session.execute(insert(BudgetEntry).values(tenant_id=account.tenant_id, **row, micro_dollars=amount, **more))
