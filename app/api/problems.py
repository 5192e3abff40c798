"""Refusals of the API as problem details (RFC 9457), in English, with a code that stays the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException, SerializationException, ValidationException
from litestar.params import QueryParameter

from app.api.shapes import MEDIA, Problem, ProblemFault
from app.errors import AGAIN_S, AWAY, FAILED, TooOften, answer_for, note
from app.session import trace_of
from app.site import AnyRequest
from domain.production.errors import Fault, InvalidInput, WrongState
from tenants.key_rules import REASONS, ApiKeyRefused
from tenants.principal import Forbidden

BEARER = {"WWW-Authenticate": 'Bearer realm="Video Factory OS"'}


class ApiProblem(Exception):
    """Raised when a program's request is refused; `code` is stable, `detail` says what to do.

    `faults`: all that is wrong at once, each with its place. `reason`: the rule that a wrong state breaks.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        faults: Sequence[ProblemFault] = (),
        reason: str | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.headers, self.faults, self.reason = dict(headers or {}), list(faults), reason


def no_key() -> ApiProblem:
    """Nothing was shown."""
    detail = "Send an API key as “Authorization: Bearer vf_live_…”. Cookies are not read here."
    return ApiProblem(401, "no-key", "An API key is needed", detail, BEARER)


def wrong_key() -> ApiProblem:
    """What was shown is not a key of ours: mistyped, made up, or unknown."""
    detail = "Check that the whole key was copied, or make a new one in the workspace settings."
    return ApiProblem(401, "invalid-key", "This API key is not valid", detail, BEARER)


def refused_key(refusal: ApiKeyRefused) -> ApiProblem:
    """Why a key does not open; only whoever holds all of it is told more than that it is not valid."""
    if refusal.reason == "unknown":
        return wrong_key()
    if refusal.reason == "network":
        return ApiProblem(403, "key-network", "Not from this network", REASONS["network"])
    return ApiProblem(401, f"key-{refusal.reason}", "This API key has ended", REASONS[refusal.reason], BEARER)


def two_credentials() -> ApiProblem:
    """A key and a session's cookie together: it is not clear who asks."""
    detail = "Send the key without the cookie of a browser's session."
    return ApiProblem(400, "two-credentials", "A key or a session, not both", detail)


def lacks(refusal: Forbidden) -> ApiProblem:
    """The key's rights, or those its maker has now, do not reach."""
    detail = f"It needs “{refusal.permission}”: a right of the key, and of the person who made it."
    return ApiProblem(403, "forbidden", "The key may not do this", detail)


def invalid(faults: Sequence[ProblemFault]) -> ApiProblem:
    """Something in the body cannot be used: every fault at once."""
    detail = " ".join(fault.detail for fault in faults)
    return ApiProblem(422, "invalid", "Something in this cannot be used", detail, faults=faults)


def not_yet(what: str) -> ApiProblem:
    """A part of a job that is still to be made."""
    detail = f"The {what} has not been made yet. Follow the job's events, then ask again."
    return ApiProblem(409, "not-yet", "Not made yet", detail)


def pointed(faults: Iterable[Fault]) -> list[ProblemFault]:
    """Faults of a command with the place of their field in the body."""
    return [ProblemFault(detail=f"{one.message} {one.fix}", pointer=pointer(one.field.split("."))) for one in faults]


def pointer(path: Iterable[object]) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


# ── From any error ────────────────────────────────────────────────────────────────────────────────────────
DETAILS: Mapping[str, str] = {
    "not-found": "There is no such thing in this workspace, or it is out of reach of this key.",
    "archived": "This workspace is archived: it can be read but not changed.",
    "bad-request": "The body must have the form that the OpenAPI document names.",
    "too-often": "Wait for the seconds in Retry-After, then go on.",
    "too-large": "The body is larger than 512 kB.",
    "method": "This address does not take that verb; the OpenAPI document says which it takes.",
    "internal": "Nothing was changed. Try again; if it stays, tell us the reference in trace_id.",
    "database-away": "The database is restarting. Ask again in a few seconds; nothing is lost.",
}
"""Code → what a program's maker should read; pages say the same to people."""


async def only_known(request: AnyRequest) -> None:
    """Refuse parameters that an operation does not have: a mistyped filter must not find all. Raises ApiProblem."""
    known = {
        field.kwarg_definition.name or name
        for name, field in request.route_handler.parsed_fn_signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }
    if unknown := sorted(set(request.query_params) - known):
        said = f"Known are: {', '.join(sorted(known))}" if known else "This operation takes none"
        raise misread([(name[:60], f"There is no such parameter. {said}") for name in unknown])


async def well_formed(request: AnyRequest) -> None:
    """Look at what is asked before an operation begins. Raises ApiProblem; JSON nested without end is none."""
    await only_known(request)
    if "data" in request.route_handler.parsed_fn_signature.parameters and await request.body():
        try:
            await request.json()
        except (SerializationException, RecursionError):
            raise ApiProblem(400, "bad-request", "The request was not understood", DETAILS["bad-request"]) from None


def answer_problem(request: AnyRequest, error: Exception) -> Response[Any]:
    """Turn any error into problem details."""
    problem = problem_of(error)
    trace = trace_of(request) if problem.code == FAILED.code else None
    if problem.status >= 500:
        note(request, answer_for(error), error)
    body = Problem(
        type=f"urn:vfos:problem:{problem.code}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        reason=problem.reason,
        errors=problem.faults,
        trace_id=trace,
    )
    shown = body.model_dump(mode="json", exclude_none=True, exclude=None if body.errors else {"errors"})
    return Response(shown, status_code=problem.status, media_type=MEDIA, headers=problem.headers)


def problem_of(error: Exception) -> ApiProblem:
    """The problem that an error stands for; what is not known is our own fault."""
    match error:
        case ApiProblem():
            return error
        case Forbidden():
            return lacks(error)
        case InvalidInput():
            return invalid(pointed(error.faults))
        case WrongState():
            return ApiProblem(
                409, "wrong-state", "This cannot be done now", error.sentence, reason=error.refusal or None
            )
        case ValidationException():
            return _misread(error)
    return _known(error)


def _known(error: Exception) -> ApiProblem:
    answer = answer_for(error)
    headers: dict[str, str] = {}
    if isinstance(error, TooOften):
        headers["Retry-After"] = str(math.ceil(error.seconds))
    if answer is AWAY:
        headers["Retry-After"] = str(AGAIN_S)
    if isinstance(error, HTTPException) and error.headers:
        headers |= error.headers
    return ApiProblem(answer.status, answer.code, answer.title, DETAILS.get(answer.code, answer.text), headers)


def _misread(error: ValidationException) -> ApiProblem:
    """What does not have the form that the document names: of the body 422, of the address and headers 400."""
    inside = getattr(error.__cause__, "errors", None)
    if isinstance(inside, list):
        return invalid([_body_fault(one) for one in inside])
    given = error.extra if isinstance(error.extra, list) else []
    if any(one.get("key") == "data" for one in given):
        return ApiProblem(400, "bad-request", "The request was not understood", DETAILS["bad-request"])
    return misread([(str(one.get("key", "")), str(one.get("message", ""))) for one in given])


def misread(faults: Sequence[tuple[str, str]]) -> ApiProblem:
    """Parameters of the address or headers, as (name, what is wrong)."""
    found = [ProblemFault(detail=f"{message}.", parameter=NAMES.get(name, name)) for name, message in faults]
    detail = " ".join(f"{fault.parameter}: {fault.detail}" for fault in found) or "See the OpenAPI document."
    return ApiProblem(400, "bad-request", "The request was not understood", detail, faults=found)


NAMES: Mapping[str, str] = {"states": "state", "if_match": "If-Match", "idempotency_key": "Idempotency-Key"}
"""Names of our own for parameters whose names are taken."""


def _body_fault(found: Mapping[str, Any]) -> ProblemFault:
    """A fault of the body's form, without the value that was given."""
    path = [part for part in found["loc"] if part != "data"] if found["loc"][:1] == ("data",) else found["loc"]
    said = "Input should be an object" if found["type"] == "model_type" else found["msg"].removeprefix("Value error, ")
    return ProblemFault(detail=f"{said.rstrip('.')}.", pointer=pointer(path))
