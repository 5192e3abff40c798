"""From the SDK's errors to ours: by status and error type, with the service's own words."""

from __future__ import annotations

from collections.abc import Mapping

import anthropic
import httpx2

from adapters.egress_rules import EgressRefused
from adapters.outcomes import FAILURES, Said, from_transport, retry_after
from domain.production.ports import ProviderError, Usage
from domain.production.provider_errors import with_usage

NAME, LABEL = "anthropic", "Anthropic"

BY_TYPE: Mapping[str, str] = {
    "invalid_request_error": "bad_request",
    "authentication_error": "auth",
    "billing_error": "quota",
    "permission_error": "auth",
    "not_found_error": "gone",
    "request_too_large": "bad_request",
    "rate_limit_error": "rate_limited",
    "conflict_error": "transient",
    "timeout_error": "transient",
    "timeout": "transient",
    "api_error": "transient",
    "overloaded_error": "transient",
}
"""The service's error types; they decide before the status, which is 200 for an error inside a stream."""

BY_STATUS: Mapping[int, str] = {
    400: "bad_request",
    401: "auth",
    402: "quota",
    403: "auth",
    404: "gone",
    408: "transient",
    409: "transient",
    413: "bad_request",
    422: "bad_request",
    429: "rate_limited",
}
SPEND_LIMIT = "enforced_spend_limit_reached"
"""A 429 that no waiting helps before the month ends."""


def from_sdk(error: Exception, model: str, request_id: str = "", usage: Usage | None = None) -> ProviderError:
    """Judge whatever the SDK or the line below it raised. `usage`: what the stream had reported until then."""
    if isinstance(error, anthropic.APIStatusError):
        return with_usage(_from_status(error, model, request_id), usage)
    if not isinstance(error, anthropic.APIConnectionError | httpx2.HTTPError | EgressRefused):
        said = Said(NAME, LABEL, "The answer is not of the form the service promises.", request_id)
        return with_usage(FAILURES["partial"](said), usage)
    return with_usage(from_transport(NAME, LABEL, error, request_id), usage)


def _from_status(error: anthropic.APIStatusError, model: str, request_id: str) -> ProviderError:
    said = Said(
        NAME,
        LABEL,
        words=error.api_message or "",
        request_id=error.request_id or request_id,
        retry_after=retry_after(error.response.headers),
        asked=f"the model “{model}”",
    )
    return FAILURES[_kind(error)](said)


def _kind(error: anthropic.APIStatusError) -> str:
    if error.error_code == SPEND_LIMIT:
        return "quota"
    if known := BY_TYPE.get(error.type or ""):
        return known
    if error.status_code >= 500:
        return "transient"
    return BY_STATUS.get(error.status_code, "partial" if error.status_code < 400 else "bad_request")
