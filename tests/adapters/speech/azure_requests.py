"""Sentences to speak in tests of Azure Speech."""

from __future__ import annotations

from typing import Any

from domain.production.narration import Delivery, speech_request
from domain.production.ports import SpeechRequest
from domain.studio.script import Sentence

VOICE = "pt-BR-FranciscaNeural"
ORDER = "0123456789abcdef" * 2 + "01234567"


def ask(text: str, voice: str = VOICE, language: str = "pt-BR", **delivery: Any) -> SpeechRequest:
    """A request as the narrate step makes it."""
    return speech_request(Sentence(id="s", text=text), language=language, delivery=Delivery(voice, **delivery))
