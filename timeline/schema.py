"""The JSON Schema (2020-12) of the authoring form, generated from the models and widened by the short forms."""

from __future__ import annotations

import json
from typing import Any

from timeline.authoring import CONTENTS, LAYOUT_FIELDS
from timeline.captions.effects import EFFECTS
from timeline.document import Document
from timeline.easing import EASINGS
from timeline.effects import EFFECTS as LOOK_EFFECTS
from timeline.looks import TIME_EFFECTS
from timeline.presets import CAMERA, ENTRANCES
from timeline.profiles import PROFILES
from timeline.stage import SHAPES
from timeline.transitions import TRANSITIONS

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_BARE: dict[str, Schema] = {
    "GradientFill": {"type": "array", "items": _TEXT, "minItems": 2},
    "Figure": {"enum": list(SHAPES)},
    "Progress": _TEXT,
    "Waveform": _TEXT,
    "QrCode": {"type": ["string", "number"]},
    "Tone": {"type": ["string", "number"]},
    "EffectUse": {
        "anyOf": [
            {"enum": [*LOOK_EFFECTS, *TIME_EFFECTS]},
            {
                "type": "object",
                "required": ["effect"],
                "properties": {"effect": {"enum": [*LOOK_EFFECTS, *TIME_EFFECTS]}},
            },
        ]
    },
}
_TIME: Schema = {"type": ["string", "number"]}


def document_schema() -> Schema:
    """Answer the schema of documents as people and programs may write them."""
    schema = Document.model_json_schema(by_alias=True, mode="validation")
    parts = schema["$defs"]
    _widen_placement(parts)
    _widen_clip(parts)
    _widen_words(parts)
    profile = schema["properties"]["profiles"]["items"]
    schema["properties"]["profiles"]["items"] = {"anyOf": [{"enum": list(PROFILES)}, profile]}
    schema["properties"].pop("bound")
    schema["properties"]["root"] = {"type": "string"}
    schema["required"] = ["schema"]
    schema["anyOf"] = [{"required": ["sequence"]}, {"required": ["sequences"]}]
    _allow_references(schema)
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
    """Layout fields and fades may stand directly on an item, pairs may be objects, generators bare values."""
    layout = parts["Layout"]["properties"]
    for name in ("focus", "position", "size"):
        layout[name] = {"anyOf": [layout[name], _pair_object("wh" if name == "size" else "xy")]}
    layout["crop"] = {"anyOf": [layout["crop"], _pair_object("ltrb")]}
    layout["shadow"] = {"anyOf": [layout["shadow"], {"type": "boolean"}]}
    for owner in ("Clip", "ProfileChange"):
        parts[owner]["properties"] |= {name: layout[name] for name in LAYOUT_FIELDS}
    clip = parts["Clip"]["properties"]
    clip |= {"fade_in": _TIME, "fade_out": _TIME, "silence": {"type": "boolean"}}
    clip["kind"] = {"enum": ["clip", "nest"]}
    contents = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in CONTENTS]
    parts["Clip"]["oneOf"] = [*contents, {"required": ["silence"]}]
    for name, bare in _BARE.items():
        parts[name] = {"anyOf": [bare, parts[name]]}


def _allow_references(schema: Schema) -> None:
    """A reference to a variable may stand in the place of any field of an item."""
    reference = {"type": "object", "properties": {"var": {"type": "string"}}, "required": ["var"]}
    schema["$defs"]["Reference"] = {**reference, "additionalProperties": False}
    for owner in ("Clip", "Gap", "Transition", "Track", "Sequence"):
        fields = schema["$defs"][owner]["properties"]
        for name, field in fields.items():
            if name not in ("kind", "items", "tracks"):
                fields[name] = {"anyOf": [field, {"$ref": "#/$defs/Reference"}]}


def _pair_object(names: str) -> Schema:
    return {"type": "object", "properties": {name: {} for name in names}, "additionalProperties": False}


def _widen_words(parts: Schema) -> None:
    """Words of open sets are listed, so that editors can offer them."""
    ease: Schema = {"anyOf": [{"enum": list(EASINGS)}, {"type": "string", "pattern": r"^cubic-bezier\(.*\)$"}]}
    ease["anyOf"].append({"type": "array", "minItems": 4, "maxItems": 4})
    held: Schema = {"anyOf": [{"const": "hold"}, *ease["anyOf"]]}
    parts["Keyframe"]["properties"]["ease"] = held
    parts["Animation"]["properties"]["ease"] = ease
    parts["Animation"]["properties"]["preset"] = {"anyOf": [{"enum": list(ENTRANCES)}, {"type": "null"}]}
    parts["Motion"]["properties"]["ease"] = parts["Transition"]["properties"]["ease"] = ease
    parts["Transition"]["properties"]["transition"] = {"enum": list(TRANSITIONS)}
    parts["Motion"] = {"anyOf": [{"enum": list(CAMERA)}, parts["Motion"]]}
    parts["Track"]["properties"]["effect"] = {"enum": list(EFFECTS)}
