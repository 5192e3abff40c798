"""Money as pages show it: quotes, the cost tab of a job, calls to decide, a workspace's month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.i18n import N_, Tongue
from app.views.marks import kind_name, part_name, said
from domain.production.commands.quote_new_job import Offer
from domain.production.queries.cost import JobMoney, OpenCall, ProjectName, UsageLine, quote_against
from domain.usage.caps import NOTHING, MonthState
from domain.usage.quote import LOCAL
from tenants.principal import Principal

PROVIDERS: Mapping[str, str] = {
    "offline": N_("Offline writer"),
    "espeak": N_("Offline voice"),
    "artboard": N_("Art board"),
    "library": N_("Library"),
    "anthropic": "Anthropic",
    "azure": "Azure Speech",
    "openai": "OpenAI",
    "gemini": "Gemini",
}
CHART_HEIGHT = 96


def counted(tongue: Tongue, unit: str, low: int, high: int) -> str:
    """A count, or a range of it, with its unit."""
    count = tongue.number(high) if low == high else f"{tongue.number(low)}–{tongue.number(high)}"
    words = {
        "tokens": tongue.ngettext("%(count)s token", "%(count)s tokens", high, count=count),
        "characters": tongue.ngettext("%(count)s character", "%(count)s characters", high, count=count),
        "pictures": tongue.ngettext("%(count)s picture", "%(count)s pictures", high, count=count),
        "calls": tongue.ngettext("%(count)s call", "%(count)s calls", high, count=count),
    }
    return words.get(unit, f"{count} {unit}")


def provider_name(tongue: Tongue, provider: str) -> str:
    return said(tongue, PROVIDERS, provider)


def money_range(tongue: Tongue, low: int | None, high: int | None) -> str:
    """Two amounts as a range; one when they are the same, unknown when either is."""
    if low is None or high is None:
        return tongue.money(None)
    if low == high:
        return tongue.money(low)
    return tongue.gettext("%(low)s to %(high)s", low=tongue.money(low), high=tongue.money(high))


# ── A quote ───────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class QuoteRow:
    step: str
    provider: str
    count: str
    likely: str
    range: str


@dataclass(frozen=True)
class QuoteView:
    """A quote beside the form. `free`: nothing is paid; `left`: what the month's budgets have left, if limited."""

    rows: tuple[QuoteRow, ...]
    total: str
    range: str
    free: bool
    complete: bool
    seconds: str
    left: str
    too_much: bool
    lessons: int


def make_quote_view(tongue: Tongue, offer: Offer) -> QuoteView:
    """Build the block from a quote and the budgets it must fit into."""
    body = offer.quote.as_json()
    return QuoteView(
        rows=tuple(_quote_row(tongue, line) for line in body["lines"]),
        total=tongue.money(body["micro_dollars"]),
        range=money_range(tongue, body["low"], body["high"]),
        free=bool(body["complete"]) and body["high"] == 0,
        complete=bool(body["complete"]),
        seconds=tongue.rough(body["seconds"][1]),
        left="" if offer.left is None else tongue.money(offer.left),
        too_much=offer.left is not None and int(body["micro_dollars"]) > offer.left,
        lessons=max((int(line["lessons"]) for line in body["lines"]), default=0),
    )


def _quote_row(tongue: Tongue, line: Mapping[str, Any]) -> QuoteRow:
    low, _, high = line["counts"]
    model = f" · {line['model']}" if line["model"] and line["provider"] not in LOCAL else ""
    return QuoteRow(
        step=kind_name(tongue, str(line["step"])),
        provider=provider_name(tongue, str(line["provider"])) + model,
        count=counted(tongue, str(line["unit"]), int(low), int(high)),
        likely=tongue.money(line["micro_dollars"]),
        range=money_range(tongue, line["low"], line["high"]),
    )


# ── A job's cost tab ──────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class StepCost:
    step: str
    provider: str
    quoted: str
    range: str
    actual: str
    off: str


@dataclass(frozen=True)
class ProviderCost:
    provider: str
    model: str
    done: int
    failed: int
    doubts: int
    in_doubt: int
    actual: str


@dataclass(frozen=True)
class CostTab:
    """What a job was expected to cost and has cost. `cap` is the limit as a form shows it, in dollars."""

    steps: tuple[StepCost, ...]
    providers: tuple[ProviderCost, ...]
    total: str
    estimate: str
    reserved: str
    limit: str
    cap: str
    doubts: int
    free: bool


def make_cost_tab(tongue: Tongue, money: JobMoney, quote: Mapping[str, Any]) -> CostTab:
    """Build the tab; one call without a known price makes the sum unknown."""
    rows = quote_against(quote, money.lines)
    paid = sum(line.micro_dollars for line in money.lines)
    known = quote.get("complete", True)
    return CostTab(
        steps=tuple(
            StepCost(
                step=kind_name(tongue, row.step),
                provider=provider_name(tongue, row.provider),
                quoted=tongue.money(row.likely) if row.quoted else tongue.gettext("not foreseen"),
                range=money_range(tongue, row.low, row.high) if row.quoted and row.likely else "",
                actual=tongue.money(row.actual),
                off=_signed(tongue, row.off) if row.quoted and row.calls else "",
            )
            for row in rows
        ),
        providers=tuple(
            ProviderCost(
                provider_name(tongue, line.provider),
                line.model,
                line.done,
                line.failed,
                line.doubts,
                line.in_doubt,
                tongue.money(None if line.unpriced else line.micro_dollars),
            )
            for line in money.lines
        ),
        total=tongue.money(None if money.unknown else paid),
        estimate=money_range(tongue, quote.get("low"), quote.get("high")) if known else tongue.money(None),
        reserved=tongue.money(money.reserved),
        limit=tongue.money(money.cap) if money.cap is not None else "",
        cap=dollars_text(money.cap),
        doubts=sum(line.doubts for line in money.lines),
        free=paid == 0 and not money.unknown,
    )


def _signed(tongue: Tongue, amount: int | None) -> str:
    if amount is None:
        return ""
    return f"+{tongue.money(amount)}" if amount > 0 else f"−{tongue.money(-amount)}" if amount < 0 else tongue.money(0)


# ── Amounts in forms ──────────────────────────────────────────────────────────────────────────────────────
LARGEST_DOLLARS = 1_000_000


def dollars_text(micro: int | None) -> str:
    """An amount as a form's field shows it: plain dollars, empty for none."""
    return "" if micro is None else f"{micro / 1e6:.6f}".rstrip("0").rstrip(".")


def read_dollars(text: str) -> int | None:
    """The micro-dollars of a field ("2.50", "2,50", "$2.50"). Raises ValueError; empty = None."""
    bare = text.strip().removeprefix("US").removeprefix("$").strip().replace(",", ".")
    if not bare:
        return None
    whole, _, part = bare.partition(".")
    if not (whole + part).isascii() or not (whole + part).isdigit() or len(part) > 6 or len(whole) > 7:
        raise ValueError(text)
    micro = int(whole or "0") * 1_000_000 + int((part + "000000")[:6])
    if micro > LARGEST_DOLLARS * 1_000_000:
        raise ValueError(text)
    return micro


# ── Calls to decide ───────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Doubt:
    """A call in doubt as the page asks about it."""

    key: str
    step: str
    provider: str
    model: str
    sent_at: datetime | None
    said: str
    price: str
    fallback: str


def make_doubts(tongue: Tongue, calls: Sequence[OpenCall]) -> list[Doubt]:
    """The calls with what a repeat costs and what would take their place."""
    return [
        Doubt(
            key=call.key,
            step=kind_name(tongue, call.step) + (f" {part_name(tongue, call.shard)}" if call.shard else ""),
            provider=provider_name(tongue, call.provider),
            model=call.model,
            sent_at=call.sent_at,
            said=call.said,
            price=tongue.money(call.likely),
            fallback=provider_name(tongue, call.fallback) if call.fallback else "",
        )
        for call in calls
    ]


# ── A workspace's month ───────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Bar:
    """A day of the chart; `y` and `height` in units of its view box."""

    x: int
    y: int
    height: int
    label: str


@dataclass(frozen=True)
class SumRow:
    name: str
    calls: str
    spent: str
    reserved: str = ""
    cap: str = ""
    field: str = ""
    value: str = ""
    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True)
class UsageView:
    """A month: the sum, its bars, and tables by project, provider and day. `outside`: what belongs to no project."""

    month: str
    earlier: str
    later: str
    total: str
    unpriced: int
    calls: int
    workspace: SumRow
    projects: tuple[SumRow, ...]
    outside: SumRow | None
    providers: tuple[SumRow, ...]
    days: tuple[SumRow, ...]
    bars: tuple[Bar, ...]
    said: str


def make_usage(
    tongue: Tongue,
    month: str,
    now: str,
    lines: Sequence[UsageLine],
    projects: Sequence[ProjectName],
    states: Mapping[tuple[str, UUID], MonthState],
    principal: Principal,
) -> UsageView:
    """Build the page of a month (`YYYY-MM`); `now` is the present one."""
    everything = tongue.gettext("Workspace") if principal.projects is None else tongue.gettext("Your projects")
    by_day: dict[str, list[UsageLine]] = {}
    for line in lines:
        by_day.setdefault(line.day.isoformat(), []).append(line)
    spent = sum(line.micro_dollars for line in lines)
    outside = [line for line in lines if not line.project]
    days = tuple(
        _sum_row(tongue, tongue.short_day(date.fromisoformat(day)), found) for day, found in sorted(by_day.items())
    )
    return UsageView(
        month=month,
        earlier=_shifted(month, -1),
        later=_shifted(month, 1) if month < now else "",
        total=tongue.money(spent),
        unpriced=sum(line.unpriced for line in lines),
        calls=sum(line.calls for line in lines),
        workspace=_capped(
            tongue, everything, "workspace", lines, states.get(("workspace", principal.tenant_id), NOTHING)
        ),
        projects=tuple(
            _capped(
                tongue,
                project.name,
                f"project_{project.slug}",
                [line for line in lines if line.project == project.slug],
                states.get(("project", project.id), NOTHING),
            )
            for project in projects
        ),
        outside=_sum_row(tongue, tongue.gettext("Listening to voices"), outside) if outside else None,
        providers=tuple(
            _sum_row(tongue, provider_name(tongue, provider) + (f" · {model}" if model else ""), found)
            for (provider, model), found in _grouped(lines)
        ),
        days=days,
        bars=_bars(by_day),
        said=tongue.gettext("Spent by day: %(days)s", days=", ".join(f"{d.name} {d.spent}" for d in days) or "–"),
    )


def _grouped(lines: Sequence[UsageLine]) -> list[tuple[tuple[str, str], list[UsageLine]]]:
    groups: dict[tuple[str, str], list[UsageLine]] = {}
    for line in lines:
        groups.setdefault((line.provider, line.model), []).append(line)
    return sorted(groups.items(), key=lambda pair: -sum(line.micro_dollars for line in pair[1]))


def _sum_row(tongue: Tongue, name: str, lines: Sequence[UsageLine]) -> SumRow:
    unknown = sum(line.unpriced for line in lines)
    note = (
        tongue.ngettext("%(num)s call of unknown price", "%(num)s calls of unknown price", unknown) if unknown else ""
    )
    spent = tongue.money(sum(line.micro_dollars for line in lines))
    return SumRow(name, tongue.number(sum(line.calls for line in lines)), spent, note=note)


def _capped(tongue: Tongue, name: str, field: str, lines: Sequence[UsageLine], state: MonthState) -> SumRow:
    row = _sum_row(tongue, name, lines)
    cap = state.cap
    return SumRow(
        name=name,
        calls=row.calls,
        spent=row.spent,
        reserved=tongue.money(state.reserved) if state.reserved else "",
        cap="" if cap is None else tongue.money(cap),
        field=field,
        value=dollars_text(cap),
        done=0 if not cap else min(state.spent + state.reserved, cap),
        total=cap or 0,
        note=row.note,
    )


def _bars(by_day: Mapping[str, Sequence[UsageLine]]) -> tuple[Bar, ...]:
    sums = {int(day[8:]): sum(line.micro_dollars for line in lines) for day, lines in by_day.items()}
    most = max(sums.values(), default=0)
    if not most:
        return ()
    heights = {day: max(1, CHART_HEIGHT * amount // most) if amount else 0 for day, amount in sums.items()}
    return tuple(
        Bar((day - 1) * 20, CHART_HEIGHT - heights.get(day, 0), heights.get(day, 0), str(day)) for day in range(1, 32)
    )


def _shifted(month: str, by: int) -> str:
    year, number = int(month[:4]), int(month[5:]) - 1 + by
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"
