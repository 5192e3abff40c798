"""Between the first factor and the session: the cookie of a waiting sign-in, and codes that count once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from adapters.signin.codes import matching_step
from app.door import welcome
from app.forms import FormFault
from app.i18n import Tongue
from app.session import browser_of
from app.site import AnyConnection, AnyRequest, Site, site_of
from app.throttle import SECOND, knock
from tenants import entrance, factors
from tenants.letters import tell_person

log = structlog.get_logger(__name__)

PATH = "/sign-in/second"
SECURE_NAME = "__Host-vfos-step"
PLAIN_NAME = "vfos_step"


def step_token(connection: AnyConnection) -> str:
    """The token of the sign-in that waits in this browser, or nothing."""
    return connection.cookies.get(_name(site_of(connection)), "")


def step_cookie(site: Site, token: str) -> Cookie:
    """The cookie of a waiting sign-in; without a token, the one that takes it away."""
    age = int(factors.SECOND.total_seconds()) if token else 0
    return Cookie(
        key=_name(site), value=token, path="/", httponly=True, secure=site.secure, samesite="strict", max_age=age
    )


def _name(site: Site) -> str:
    return SECURE_NAME if site.secure else PLAIN_NAME


async def admit(request: AnyRequest, user_id: UUID, methods: Sequence[str], path: str) -> Response[Any]:
    """Let a person in who has given one factor; whoever has a second one is asked for it first."""
    site = site_of(request)
    if not (await factors.factors_of(site.units, user_id)).any:
        token = await entrance.let_in(site.units, user_id, methods, browser_of(request))
        return await welcome(request, token, path)
    token = await factors.open_second_step(site.units, user_id, methods, path)
    response: Response[Any] = Redirect(PATH, status_code=303)
    response.set_cookie(step_cookie(site, token))
    return response


async def try_codes(request: AnyRequest, tongue: Tongue, user_id: UUID, values: Mapping[str, str]) -> str | FormFault:
    """Use up the code of the app, or a recovery code; answer the method, or what is wrong. Raises TooOften."""
    await knock(request, (f"second:{user_id}", SECOND))
    recovery = values.get("recovery", "").strip()[:100]
    if not recovery:
        return await _try_app(request, tongue, user_id, values.get("code", "")[:20])
    site = site_of(request)
    if not await factors.take_code(site.units, user_id, recovery, browser_of(request).address):
        text = tongue.gettext("This is not one of your unused recovery codes. Each works once.")
        return FormFault("recovery", text)
    await tell_person(site.units, user_id, "code-used")
    return "recovery"


async def _try_app(request: AnyRequest, tongue: Tongue, user_id: UUID, code: str) -> str | FormFault:
    site = site_of(request)
    row = await factors.app_of(site.units, user_id)
    step = matching_step(site.runtime.personal.open_app(row), code, site.clock.now()) if row else None
    if step is None:
        text = tongue.gettext("This code is not right. Type the six digits that your app shows now.")
        return FormFault("code", text)
    if not await factors.take_step(site.units, user_id, step):
        return FormFault("code", tongue.gettext("This code was used already. Wait for the next one."))
    return "app"
