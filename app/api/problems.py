"""Refusals of the API as problem details (RFC 9457), in English, with a code that stays the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response

from app.errors import convert
from app.site import AnyRequest
from tenants.key_rules import REASONS, ApiKeyRefused
from tenants.principal import Forbidden

MEDIA = "application/problem+json"
BEARER = {"WWW-Authenticate": 'Bearer realm="Video Factory OS"'}


class ApiProblem(Exception):
    """Raised when a program's request is refused; `code` is stable, `detail` says what to do."""

    def __init__(
        self, status: int, code: str, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.headers = dict(headers or {})


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


def answer_problem(request: AnyRequest, error: Exception) -> Response[Any]:
    """Turn a refusal into problem details; everything else goes the way of the pages' errors."""
    if isinstance(error, Forbidden):
        error = lacks(error)
    if not isinstance(error, ApiProblem):
        return convert(request, error)
    body = {
        "type": f"urn:vfos:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
    }
    return Response(body, status_code=error.status, media_type=MEDIA, headers=error.headers)
