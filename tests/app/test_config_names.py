"""Every field of a prompt or preset has a name that people read in their language."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from app.views.config import FIELD_NAMES
from domain.catalog.bodies import PromptBody, SsmlPreset, VideoPreset, VoicePreset


@pytest.mark.parametrize("body", [PromptBody, VoicePreset, SsmlPreset, VideoPreset])
def test_fields_are_named(body: type[BaseModel]) -> None:
    assert body.model_fields.keys() - FIELD_NAMES.keys() == set()
