"""The base of the document's models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(max_length=120)]
Metadata = dict[str, Any]
Role = Literal["picture", "overlay", "caption", "narration", "music", "sfx", "source"]
TrackKind = Literal["video", "audio", "caption"]

KIND_OF_ROLE: dict[str, TrackKind] = {
    "picture": "video",
    "overlay": "video",
    "caption": "caption",
    "narration": "audio",
    "music": "audio",
    "sfx": "audio",
    "source": "audio",
}


class Part(BaseModel):
    """Base of all parts: immutable, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)
