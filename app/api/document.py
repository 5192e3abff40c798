"""The API's own description (OpenAPI 3.1): made from the handlers, so that it says what they take and answer."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from typing import Any

from litestar import Litestar, Response, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.serialization import encode_json
from pydantic import BaseModel

from app.api import shapes
from app.api.routes import API_HANDLERS
from app.site import AnyRequest

PREFIX = "/api/v1"
VERSION = "1.0.0"
"""Of the API: the first number is that of its addresses, the second grows with what is added."""
ABOUT = (
    "Run a channel without a browser. Send a key as `Authorization: Bearer vf_live_…`; keys are made under API keys in "
    "the menu of a workspace, and everything is about that workspace. Moments are in UTC, money in micro-dollars "
    "(1,000,000 = US$ 1); null is what is not known. Refusals are problem details (RFC 9457) with a `code` that stays "
    "the same, and every fault with its place. A key may ask 300 times a minute, 60 of them at once; each answer tells "
    "in `RateLimit` how many are left. docs/api.md begins with a walk of five minutes."
)
KEY = SecurityScheme(type="http", scheme="bearer", bearer_format="vf_live_…", description="An API key.")
TAGS = {
    "Key": "Which workspace a key opens, and what it may do there.",
    "Projects": "Channels and brands, and what their films can be made with.",
    "Pictures": "The library of a project.",
    "Jobs": "Films being made: order, follow, steer.",
    "Script": "Read what is said, and change it.",
    "Artifacts": "What a job has made.",
    "Approvals": "Questions that wait for a decision.",
    "Events": "What happens, in its order.",
}


LIMITS = [shapes.LEFT, shapes.POLICY]
FORMS: Mapping[str, Any] = {
    "addPictures": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": 50},
                        "licence": {"type": "string", "description": "Under which the pictures may be shown."},
                        "credit": {"type": "string", "description": "Who made them."},
                        "caption:en": {"type": "string", "description": "What is seen; a field for each language."},
                        "tags:en": {"type": "string", "description": "Words they are found by, between commas."},
                        "focus_x": {"type": "string", "description": "Percent from the left of what matters."},
                        "focus_y": {"type": "string", "description": "Percent from the top."},
                    },
                }
            }
        },
    }
}
"""Bodies that are read as they arrive, so that no handler declares them."""


@get("/api/v1/openapi.json", opt={"api": True}, sync_to_thread=True)
def show_document(request: AnyRequest) -> Response[bytes]:
    """The description of the API; the same for everybody."""
    return Response(written(), media_type="application/json", headers={"Cache-Control": "public, max-age=300"})


@lru_cache
def written() -> bytes:
    """The document as it is sent."""
    return encode_json(document())


def document() -> dict[str, Any]:
    """Make the document from a second, silent application of the same handlers."""
    config = OpenAPIConfig(
        title="Video Factory OS",
        version=VERSION,
        description=ABOUT,
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "key": SecurityScheme(
                    type="http", scheme="bearer", bearer_format="vf_live_…", description="An API key."
                )
            }
        ),
        security=[{"key": []}],
        tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        render_plugins=[JsonRenderPlugin()],
        path="/schema",
    )
    handlers = [_without_head(handler) for handler in API_HANDLERS]
    silent = Litestar(
        [Router(PREFIX, route_handlers=handlers, response_headers=LIMITS)], openapi_config=config, logging_config=None
    )
    made: dict[str, Any] = silent.openapi_schema.to_schema()
    for path in made["paths"].values():
        for operation in path.values():
            _tidy(operation)
    for name, schema in made["components"]["schemas"].items():
        _close(name, schema)
    return dict(_renamed(made))


def _without_head(handler: Any) -> Any:
    """A HEAD is answered wherever a GET is; it says nothing of its own."""
    alone = copy(handler)
    alone.http_methods = set(handler.http_methods) - {"HEAD"}
    return alone


def _tidy(operation: dict[str, Any]) -> None:
    """The same in every process; and what is sent is never null: a parameter is left out, and so may a body be."""
    for answer in operation["responses"].values():
        if answer.get("headers"):
            answer["headers"] = dict(sorted(answer["headers"].items()))
    if operation["operationId"] in FORMS:
        operation["requestBody"] = FORMS[operation["operationId"]]
        return
    for parameter in operation.get("parameters", ()):
        parameter["schema"], _ = _given(parameter["schema"])
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["schema"], optional = _given(content["schema"])
        operation["requestBody"]["required"] = not optional


def _given(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """A schema without null, and whether it had it."""
    kinds = schema.get("oneOf", [])
    if {"type": "null"} not in kinds:
        return schema, False
    return {**kinds[0], **{name: value for name, value in schema.items() if name != "oneOf"}}, True


def _close(name: str, schema: dict[str, Any]) -> None:
    """A shape says what it is; what is sent has no other fields, what is answered may get more in time."""
    model = _models().get(name)
    if model is None:
        return
    schema.setdefault("description", " ".join((model.__doc__ or "").split()))
    if issubclass(model, shapes.Sent):
        schema["additionalProperties"] = False


def _renamed(part: Any) -> Any:
    """Shapes are called by their thing alone."""
    if isinstance(part, dict):
        return {name.removesuffix("Shape"): _renamed(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_renamed(value) for value in part]
    return part.removesuffix("Shape") if isinstance(part, str) else part


@lru_cache
def _models() -> dict[str, type[BaseModel]]:
    """Every shape by its name."""
    found: dict[str, type[BaseModel]] = {}
    left: list[type[BaseModel]] = [shapes.Shape]
    while left:
        model = left.pop()
        found[model.__name__] = model
        left += model.__subclasses__()
    return found
