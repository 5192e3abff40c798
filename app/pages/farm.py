"""The farm, for its operators: pools, workers, shares and tiers of all workspaces; for others it does not exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from litestar import Response, get, post

from adapters.queue.names import work_channel
from app.errors import Missing
from app.forms import read_form
from app.i18n import N_, Tongue
from app.live_page import PageStream
from app.pages.settings import personal_page, visitor_of
from app.room import go
from app.session import csrf_of, token_of, tongue_of
from app.site import AnyRequest, Site, site_of
from app.views.farm import Farm, make_farm
from domain.dispatch.capacity import BadOrder, pause_pool, resume_pool, set_tier, shares
from domain.dispatch.crew import crew, order_drain
from domain.insight.farm import read_numbers
from tenants.directory import load_visitor
from tenants.people import Visitor

log = structlog.get_logger(__name__)

BLOCKS = {"f-pools": "pools", "f-workers": "workers", "f-forecasts": "forecasts"}
"""What changes by itself; the forms of the tiers stand outside."""
DONE = {
    "paused": N_("The pool is paused. What runs may finish; everybody who waits reads the reason."),
    "resumed": N_("The pool goes on."),
    "drained": N_("The worker takes nothing more and ends when its steps have ended."),
    "tier": N_("The workspace has its new share. It counts from the next step on."),
}


REFUSALS = {
    "reason": N_("A pause needs a reason that people can read."),
    "pool": N_("There is no such pool."),
    "not_paused": N_("This pool is not paused."),
    "tier": N_("There is no such tier."),
    "limit": N_("The limit must be a whole number from 1 to 10,000."),
    "workspace": N_("There is no such workspace."),
    "worker": N_("There is no such worker any more."),
    "draining": N_("This worker is draining already."),
}
"""What makes an order senseless, by the codes of BadOrder."""


@dataclass(frozen=True)
class Desk:
    """One request of an operator."""

    request: AnyRequest
    site: Site
    visitor: Visitor
    tongue: Tongue

    @classmethod
    async def enter(cls, request: AnyRequest) -> Desk:
        """Let an operator in. Raises SignedOut, Missing."""
        visitor = await visitor_of(request)
        if not visitor.person.operates_farm:
            raise Missing
        return cls(request, site_of(request), visitor, tongue_of(request, visitor))

    async def read(self) -> Farm:
        """Read the whole page."""
        units = self.site.units
        seen, workers, parts = await read_numbers(units), await crew(units), await shares(units)
        return make_farm(self.tongue, seen, workers, parts, self.site.clock.now())

    async def page(self, refused: str = "", status: int = 200) -> Response[str]:
        done = self.request.query_params.get("done", "")
        return await personal_page(
            self.request,
            self.visitor,
            "farm/farm.html",
            status,
            farm=await self.read(),
            refused=refused,
            done=self.tongue.gettext(DONE[done]) if done in DONE and not refused else "",
        )


@get("/farm")
async def show_farm(request: AnyRequest) -> Response[str]:
    """The farm as it is."""
    desk = await Desk.enter(request)
    return await desk.page()


@get("/farm/events")
async def stream_farm(request: AnyRequest) -> Response[Any]:
    """Open the page's stream."""
    desk = await Desk.enter(request)

    async def read() -> dict[str, Any]:
        return {"farm": await desk.read(), "csrf": csrf_of(token_of(request))}

    async def may() -> bool:
        visitor = await load_visitor(desk.site.units, token_of(request))
        return visitor is not None and visitor.person.operates_farm

    stream = PageStream(desk.site, desk.tongue, "farm/farm.html", BLOCKS, (work_channel(),), read, may)
    return stream.response()


Order = Callable[[Desk, Mapping[str, str]], Awaitable[str]]


async def _pause(desk: Desk, values: Mapping[str, str]) -> str:
    await pause_pool(desk.site.units, values.get("pool", ""), values.get("reason", ""), desk.visitor.person.name)
    return "paused"


async def _resume(desk: Desk, values: Mapping[str, str]) -> str:
    await resume_pool(desk.site.units, values.get("pool", ""))
    return "resumed"


async def _drain(desk: Desk, values: Mapping[str, str]) -> str:
    await order_drain(desk.site.units, values.get("worker", ""), desk.visitor.person.name)
    return "drained"


async def _tier(desk: Desk, values: Mapping[str, str]) -> str:
    given = values.get("limit", "").strip()
    limit = None
    if given:
        if not given.lstrip("-").isdecimal() or len(given) > 9:
            raise BadOrder(f"The limit “{given[:20]}” is not a whole number.", "limit")
        limit = int(given)
    by = desk.visitor.person.name
    await set_tier(desk.site.units, values.get("workspace", ""), values.get("tier", ""), limit, by)
    return "tier"


ORDERS: Mapping[str, Order] = {"pause": _pause, "resume": _resume, "drain": _drain, "tier": _tier}
"""Word in the address → what is done; it answers the word for the page."""


@post("/farm/{order:str}")
async def give_order(request: AnyRequest) -> Response[Any]:
    """Pause or resume a pool, drain a worker, give a workspace its tier; a senseless order changes nothing."""
    desk = await Desk.enter(request)
    order = str(request.path_params["order"])
    if order not in ORDERS:
        raise Missing
    values = await read_form(request)
    try:
        done = await ORDERS[order](desk, values)
    except BadOrder as error:
        said = [desk.tongue.gettext(REFUSALS[code]) for code in error.codes if code in REFUSALS]
        return await desk.page(" ".join(said) or str(error), 422)
    log.info("farm.order", order=order, by=str(desk.visitor.person.id), **_told(values))
    return go(request, f"/farm?done={done}")


def _told(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values[name][:80] for name in ("pool", "worker", "workspace", "tier", "limit") if values.get(name)}
