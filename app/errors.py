"""The one table from errors to answers: status, what people read, and the same as problem details (RFC 9457)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from litestar import Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.response import Redirect

from app.i18n import N_, Tongue
from app.session import known_visitor, tongue_of, trace_of
from app.site import AnyRequest, site_of
from app.views.refusals import REFUSALS, say_refusal
from app.views.shell import look_of
from domain.catalog.library import NoSuchPicture
from domain.catalog.projects import ProjectGone
from domain.production import errors as production
from tenants.outage import is_away
from tenants.principal import Forbidden

log = structlog.get_logger(__name__)


class PageError(Exception):
    """Base of the errors of pages."""


class Missing(PageError):
    """Raised for what does not exist and, in the same words, for what belongs to somebody else."""


class SignedOut(PageError):
    """Raised when a page needs somebody signed in."""


class Forged(PageError):
    """Raised when an unsafe request does not prove that it comes from our own page."""


class Archived(PageError):
    """Raised when something would be changed in a workspace that is archived or about to be deleted."""


class TooOften(PageError):
    """Raised when somebody knocks too often; `seconds` until the next try is heard."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Stale(PageError):
    """Raised when a sensitive act needs a fresh proof of identity; `back` is the page to return to."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class NeedsFactor(PageError):
    """Raised when a workspace asks for a second factor and the person has none."""


class Tied(PageError):
    """Raised when a session that one workspace's own provider has begun is used for anything but that workspace."""


class TooLarge(PageError):
    """Raised when a body is larger than any form can be."""


@dataclass(frozen=True)
class Answer:
    """An error as people read it: title, what to do; `code` is stable."""

    status: int
    code: str
    title: str
    text: str


MISSING = Answer(
    404,
    "not-found",
    N_("There is nothing here"),
    N_("The address may be mistyped, or the thing was removed, or it belongs to another workspace."),
)
FAILED = Answer(
    500,
    "internal",
    N_("Something broke on our side"),
    N_("Nothing you entered was changed. Try again; if it stays, tell us the reference below."),
)
AWAY = Answer(
    503,
    "database-away",
    N_("The database is restarting"),
    N_("This page tries again by itself in a few seconds. Nothing is lost: films that are being made go on."),
)
FACTORS = "/settings/factors"
"""Where a person sets up a second factor."""
AGAIN_S = 5
"""A page that met an absent database is asked for again after so many seconds."""
TABLE: tuple[tuple[type[Exception], Answer], ...] = (
    (Missing, MISSING),
    (NotFoundException, MISSING),
    (production.NotFound, MISSING),
    (NoSuchPicture, MISSING),
    (ProjectGone, MISSING),
    (
        Archived,
        Answer(
            409,
            "archived",
            N_("This workspace is archived"),
            N_("It can be read but not changed. An owner or admin can bring it back in the workspace settings."),
        ),
    ),
    (
        SignedOut,
        Answer(
            401,
            "signed-out",
            N_("You are signed out"),
            N_("Sign in again to go on; you will be brought back to this page."),
        ),
    ),
    (
        Forged,
        Answer(
            403,
            "forged",
            N_("This request was not accepted"),
            N_("It did not come from a page of this session. Reload the page and try again."),
        ),
    ),
    (
        Forbidden,
        Answer(
            403,
            "forbidden",
            N_("Your role does not allow this"),
            N_("Ask an owner or admin of the workspace."),
        ),
    ),
    (
        production.WrongState,
        Answer(
            409,
            "wrong-state",
            N_("This cannot be done now"),
            N_("The job has changed meanwhile. Reload the page to see how it stands."),
        ),
    ),
    (
        production.InvalidInput,
        Answer(
            422,
            "invalid",
            N_("Something in this cannot be used"),
            N_("Nothing was changed. Go back, look over what you entered and try again."),
        ),
    ),
    (
        TooOften,
        Answer(429, "too-often", N_("Too many tries"), N_("Wait a moment, then try again.")),
    ),
    (
        Stale,
        Answer(
            403,
            "confirm",
            N_("Please confirm that it is you"),
            N_("This needs a fresh proof of who you are. Nothing was changed."),
        ),
    ),
    (
        NeedsFactor,
        Answer(
            403,
            "second-factor",
            N_("This workspace asks for a second factor"),
            N_("Set up a passkey or an authenticator app in your personal settings, then come back."),
        ),
    ),
    (
        Tied,
        Answer(
            403,
            "tied",
            N_("This session opens one workspace only"),
            N_(
                "You came in through a workspace’s own sign-in, which does not reach your account. "
                "Sign out and come in another way to do this."
            ),
        ),
    ),
    (
        TooLarge,
        Answer(
            413,
            "too-large",
            N_("That is too much at once"),
            N_("The form holds more than 512 kB. Shorten what you entered."),
        ),
    ),
    (
        MethodNotAllowedException,
        Answer(405, "method", N_("This page cannot do that"), N_("Go back and use the buttons of the page.")),
    ),
    (
        ValidationException,
        Answer(400, "bad-request", N_("The request was not understood"), N_("Go back, reload the page and try again.")),
    ),
    (
        ClientException,
        Answer(400, "bad-request", N_("The request was not understood"), N_("Go back, reload the page and try again.")),
    ),
)
"""First match wins, by class."""


def answer_for(error: Exception) -> Answer:
    """Find the answer to an error; what is not in the table is our own fault."""
    if isinstance(error, HTTPException) and error.status_code == 413:
        error = TooLarge()
    found = next((answer for kind, answer in TABLE if isinstance(error, kind)), FAILED)
    return AWAY if found is FAILED and is_away(error) else found


def convert(request: AnyRequest, error: Exception) -> Response[Any]:
    """Turn any exception into a page, a small box (partial requests) or problem details (JSON)."""
    answer = answer_for(error)
    trace = trace_of(request)
    note(request, answer, error)
    visitor = known_visitor(request)
    tongue = tongue_of(request, visitor)
    values: dict[str, Any] = {
        "title": tongue.gettext(answer.title),
        "text": _said(tongue, answer, error),
        "trace": trace if answer is FAILED else "",
        "status": answer.status,
        "me": visitor.person if visitor else None,
        "csrf": "",
        "sign_in": _way_back(request) if isinstance(error, SignedOut) else "",
    }
    if isinstance(error, Stale | NeedsFactor) and _wanted(request) != "problem":
        return _lead(request, f"/confirm?next={quote(error.back, safe='/')}" if isinstance(error, Stale) else FACTORS)
    response = RENDERERS[_wanted(request)](request, answer, values)
    if answer is AWAY:
        response.headers.update(_again(request))
    if isinstance(error, TooOften):
        response.headers["Retry-After"] = str(math.ceil(error.seconds))
    return response


def note(request: AnyRequest, answer: Answer, error: Exception) -> None:
    """Put into the log what is no fault of the caller's."""
    if answer is FAILED:
        log.error(
            "request.failed", trace=trace_of(request), method=request.method, route=_route(request), exc_info=error
        )
    if answer is AWAY:
        log.warning("request.no_database")


def _said(tongue: Tongue, answer: Answer, error: Exception) -> str:
    """What people read; the errors of production say in English exactly what is wrong."""
    if tongue.language == "en" and isinstance(error, production.InvalidInput):
        return " ".join(f"{fault.message} {fault.fix}" for fault in error.faults)
    if isinstance(error, production.WrongState) and (tongue.language == "en" or error.refusal in REFUSALS):
        return error.sentence if tongue.language == "en" else say_refusal(tongue, error)
    return tongue.gettext(answer.text)


def _lead(request: AnyRequest, path: str) -> Response[Any]:
    """Send the browser to the page where what is missing can be given."""
    if request.headers.get("hx-request"):
        return Response("", headers={"HX-Redirect": path}, media_type="text/html")
    return Redirect(path, status_code=303)


def _way_back(request: AnyRequest) -> str:
    """The door, with the page asked for behind it."""
    return f"/sign-in?next={quote(request.scope['path'], safe='/')}" if request.method == "GET" else "/sign-in"


def _again(request: AnyRequest) -> dict[str, str]:
    """When to come back. Only a page that was asked for is asked for again; a form is never sent twice."""
    headers = {"Retry-After": str(AGAIN_S), "Cache-Control": "no-store"}
    if request.method == "GET" and _wanted(request) == "page":
        headers["Refresh"] = str(AGAIN_S)
    return headers


def _route(request: AnyRequest) -> str:
    return str(request.scope.get("path_template", ""))


def _wanted(request: AnyRequest) -> str:
    if str(request.scope["path"]).startswith("/api/"):
        return "problem"
    if request.headers.get("hx-request"):
        return "box"
    accept = request.headers.get("accept", "")
    if "application/json" in accept or "application/problem+json" in accept:
        return "problem"
    return "page"


def _page(request: AnyRequest, answer: Answer, values: dict[str, Any]) -> Response[Any]:
    site, visitor = site_of(request), known_visitor(request)
    values |= {"shell": None, "look": look_of(visitor.person if visitor else None)}
    body = site.templates.page("errors/page.html", tongue_of(request, visitor), values)
    return Response(body, status_code=answer.status, media_type="text/html")


def _box(request: AnyRequest, answer: Answer, values: dict[str, Any]) -> Response[Any]:
    site, visitor = site_of(request), known_visitor(request)
    values |= {"shell": None, "look": look_of(None)}
    body = site.templates.block("errors/page.html", "box", tongue_of(request, visitor), values)
    return Response(
        body,
        status_code=answer.status,
        media_type="text/html",
        headers={"Vary": "HX-Request-Type"},
    )


def _problem(_request: AnyRequest, answer: Answer, values: dict[str, Any]) -> Response[Any]:
    body = {
        "type": f"urn:vfos:problem:{answer.code}",
        "title": values["title"],
        "status": answer.status,
        "detail": values["text"],
        "code": answer.code,
    }
    if values["trace"]:
        body["trace_id"] = values["trace"]
    return Response(body, status_code=answer.status, media_type="application/problem+json")


RENDERERS: dict[str, Callable[[AnyRequest, Answer, dict[str, Any]], Response[Any]]] = {
    "page": _page,
    "box": _box,
    "problem": _problem,
}
