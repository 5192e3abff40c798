"""The JSON Schema (2020-12) of the authoring form, generated from the models and widened by the short forms."""

from __future__ import annotations

import json
from typing import Any

from timeline.authoring import LAYOUT_FIELDS
from timeline.captions.effects import EFFECTS
from timeline.document import Document
from timeline.easing import EASINGS
from timeline.profiles import PROFILES
from timeline.transitions import TRANSITIONS

Schema = dict[str, Any]
_TIME: Schema = {"type": ["string", "number"]}


def document_schema() -> Schema:
    """Answer the schema of documents as people and programs may write them."""
    schema = Document.model_json_schema(by_alias=True, mode="validation")
    parts = schema["$defs"]
    _widen_placement(parts)
    _widen_clip(parts)
    _widen_words(parts)
    schema["properties"]["profiles"]["items"] = {"enum": list(PROFILES)}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Answer the schema as a text to publish."""
    return json.dumps(document_schema(), indent=1, ensure_ascii=False) + "\n"


def _widen_placement(parts: Schema) -> None:
    """Modes need not be written; bare words and times are enough."""
    parts["Extent"].pop("required")
    parts["Place"] = {"anyOf": [{"const": "follow"}, parts["Place"]]}
    parts["Extent"] = {"anyOf": [_TIME, parts["Extent"]]}
    parts["DuckBy"] = {"anyOf": [{"enum": parts["DuckBy"]["properties"]["by"]["enum"]}, parts["DuckBy"]]}
    parts["Sequence"]["properties"]["duration"] = {"anyOf": [{"const": "auto"}, _TIME, {"type": "null"}]}


def _widen_clip(parts: Schema) -> None:
    """Layout fields and fades may stand directly on an item, pairs may be objects."""
    layout = parts["Layout"]["properties"]
    for name in ("focus", "position", "size"):
        layout[name] = {"anyOf": [layout[name], _pair_object("wh" if name == "size" else "xy")]}
    clip = parts["Clip"]["properties"]
    clip |= {name: layout[name] for name in LAYOUT_FIELDS}
    clip |= {"fade_in": _TIME, "fade_out": _TIME}
    contents = ("asset", "text", "color")
    parts["Clip"]["oneOf"] = [
        {"required": [name], "properties": {name: {"type": ["string", "number"]}}} for name in contents
    ]


def _pair_object(names: str) -> Schema:
    return {"type": "object", "properties": {name: {} for name in names}, "additionalProperties": False}


def _widen_words(parts: Schema) -> None:
    """Words of open sets are listed, so that editors can offer them."""
    ease: Schema = {"anyOf": [{"enum": list(EASINGS)}, {"type": "string", "pattern": r"^cubic-bezier\(.*\)$"}]}
    ease["anyOf"].append({"type": "array", "minItems": 4, "maxItems": 4})
    parts["Motion"]["properties"]["ease"] = parts["Transition"]["properties"]["ease"] = ease
    parts["Transition"]["properties"]["transition"] = {"enum": list(TRANSITIONS)}
    parts["Track"]["properties"]["effect"] = {"enum": list(EFFECTS)}
