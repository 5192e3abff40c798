"""Azure's live synthesis through the vendor's SDK, for short texts and previews; one try and one line per text.

The SDK repeats a text by itself when its line breaks before any sound has come, which would be paid twice: that is
switched off. Word events arrive on other threads and after the result, so they are read once completion is reported.
A text that went out whole and was not answered raises OutcomeUnknown. All times are samples at 48 kHz.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from adapters.egress import Caps, Resolve, resolve_host
from adapters.egress_rules import Allowance, EgressRefused, check_addresses
from adapters.outcomes import FAILURES, Said
from adapters.speech.azure_line import failed
from adapters.speech.azure_ssml import LABEL, NAME
from adapters.speech.azure_zip import Heard
from domain.production.ports import ProviderError
from domain.production.provider_errors import BadRequest, Unavailable

TICKS_TO_SAMPLES = (3, 625)
"""A tick is 100 ns: 48,000 / 10,000,000."""
STOP_S = 5.0
_STATE = re.compile(r"USP state: (\w+)")
_TOLD = re.compile(r"Error details: (.*?)(?:\s*USP state:|$)", re.DOTALL | re.I)
_CODE = re.compile(r"\((\d{3})\)|Error code: (\d{4})")
BY_CODE: Mapping[str, str] = {
    "401": "auth",
    "403": "auth",
    "404": "gone",
    "429": "rate_limited",
    "1007": "bad_request",
    "1008": "quota",
}
"""Statuses of a refused line and codes of a closed one; 1008 is how the service says that a limit is used up."""
BY_NAME: Mapping[str, str] = {
    "AuthenticationFailure": "auth",
    "Forbidden": "auth",
    "BadRequest": "bad_request",
    "TooManyRequests": "rate_limited",
    "ServiceUnavailable": "transient",
    "ServiceError": "transient",
}
"""The SDK's cancellation codes; those not listed say nothing about what became of the text."""


@dataclass(frozen=True)
class LiveSaid:
    """Mono 16-bit 48 kHz PCM, its words (None = the voice told none), and the service's id of the turn."""

    pcm: bytes
    words: tuple[Heard, ...] | None
    request_id: str


@dataclass
class Turn:
    """What is known of a text while it is spoken; written from the SDK's threads."""

    done: threading.Event = field(default_factory=threading.Event)
    connected: bool = False
    request_id: str = ""
    words: list[Heard] = field(default_factory=list)


class LiveSynthesis:
    """Live synthesis of one speech resource."""

    def __init__(
        self, key: str, url: str, allow: Allowance | None, caps: Caps, *, resolve: Resolve = resolve_host
    ) -> None:
        self._key, self._url, self._allow, self._caps = key, url, allow or Allowance(), caps
        self._resolve = resolve

    async def say(self, ssml: str) -> LiveSaid:
        """Speak one text. Raises the errors of domain/production/provider_errors.py."""
        await self._check_place()
        return await asyncio.to_thread(self._say, ssml)

    async def _check_place(self) -> None:
        """The SDK dials by itself, so its address is checked here first; without TLS only where it is allowed."""
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)
        try:
            async with asyncio.timeout(self._caps.connect_seconds):
                found = await self._resolve(host, port)
            check_addresses(host, port, found, self._allow)
            if parts.scheme != "wss":
                self._require_named(host, port, found)
        except EgressRefused as refused:
            raise BadRequest(NAME, refused.sentence, fix=refused.fix) from refused
        except (OSError, UnicodeError, TimeoutError) as error:
            sentence = f"{LABEL} could not be reached; nothing was sent."
            raise Unavailable(NAME, sentence, fix="Nothing to do: it is tried again by itself.") from error

    def _require_named(self, host: str, port: int, found: list[str]) -> None:
        """Where TLS does not prove who answers, public addresses must be named by the operator as well."""
        if not all(self._allow.permits(host, ip_address(address.partition("%")[0]), port) for address in found):
            fix = "Give an address that begins with https://, or have the operator allow this one in VFOS_EGRESS_ALLOW."
            raise EgressRefused(f"{host}:{port} is not asked without encryption.", fix)

    def _say(self, ssml: str) -> LiveSaid:
        import azure.cognitiveservices.speech as sdk

        turn = Turn()
        synthesizer = sdk.SpeechSynthesizer(speech_config=self._config(sdk), audio_config=None)
        line = sdk.Connection.from_speech_synthesizer(synthesizer)
        unhook = _hook(synthesizer, line, turn, sdk)
        try:
            future = synthesizer.speak_ssml_async(ssml)
            if not turn.done.wait(self._caps.seconds):
                _stop(synthesizer)
                raise FAILURES["unknown"](
                    Said(NAME, LABEL, "No answer came in the time a call may take.", turn.request_id)
                )
            result = future.get()
            return self._read(result, turn, sdk)
        finally:
            # A handler that is called while Python ends would take the whole process down.
            unhook()
            line.close()

    def _config(self, sdk: Any) -> Any:
        config = sdk.SpeechConfig(endpoint=self._url, subscription=self._key)
        config.set_speech_synthesis_output_format(sdk.SpeechSynthesisOutputFormat.Raw48Khz16BitMonoPcm)
        config.set_property_by_name("SpeechSynthesis_MaxRetryTimes", "0")
        silence = str(round(self._caps.seconds * 1000))
        config.set_property_by_name("SpeechSynthesis_FrameTimeoutInterval", silence)
        return config

    def _read(self, result: Any, turn: Turn, sdk: Any) -> LiveSaid:
        if result.reason != sdk.ResultReason.SynthesizingAudioCompleted:
            details = result.cancellation_details
            code = details.error_code.name if details else ""
            raise cancelled(code, str(details.error_details) if details else "", turn.connected, result.result_id)
        pcm: bytes = result.audio_data
        if len(pcm) < 2:
            raise FAILURES["partial"](Said(NAME, LABEL, "The answer holds no sound.", result.result_id))
        words = tuple(sorted(turn.words, key=lambda word: word.start)) or None
        return LiveSaid(pcm[: len(pcm) // 2 * 2], words, result.result_id)


def _hook(synthesizer: Any, line: Any, turn: Turn, sdk: Any) -> Callable[[], None]:
    """Listen to a synthesizer; answers how to stop listening."""

    def word(event: Any) -> None:
        if event.boundary_type != sdk.SpeechSynthesisBoundaryType.Sentence:
            turn.words.append(heard(event.text, event.audio_offset, event.duration.total_seconds()))

    def started(event: Any) -> None:
        turn.request_id = event.result.result_id

    def connected(_: Any) -> None:
        turn.connected = True

    def done(_: Any) -> None:
        turn.done.set()

    signals = (
        (synthesizer.synthesis_word_boundary, word),
        (synthesizer.synthesis_started, started),
        (synthesizer.synthesis_completed, done),
        (synthesizer.synthesis_canceled, done),
        (line.connected, connected),
    )
    for signal, handler in signals:
        signal.connect(handler)

    def unhook() -> None:
        for signal, _ in signals:
            signal.disconnect_all()

    return unhook


def _stop(synthesizer: Any) -> None:
    """Give a text up that takes too long; the SDK's own stop may hang as well."""
    stopping = threading.Thread(target=lambda: synthesizer.stop_speaking_async().get(), daemon=True)
    stopping.start()
    stopping.join(STOP_S)


def heard(text: str, ticks: int, seconds: float) -> Heard:
    """A word event in samples."""
    numerator, denominator = TICKS_TO_SAMPLES
    lasts = round(seconds * 10_000_000)
    return Heard(text, ticks * numerator // denominator, (ticks + lasts) * numerator // denominator)


def cancelled(code: str, details: str, connected: bool, request_id: str) -> ProviderError:
    """The error of a cancelled synthesis: by what the line or the service said, and how far the text had got."""
    state = (match := _STATE.search(details)) and match[1]
    told = match[1].split("\n")[0] if (match := _TOLD.search(details)) else ""
    told = "" if told.startswith("WS_ERROR") else told
    said = Said(NAME, LABEL, told, request_id, asked="live synthesis at this address")
    # From here on the service works on the text, and bills it whatever happens.
    if connected and state in ("TurnStarted", "ReceivingData"):
        return FAILURES["unknown"](said)
    number = next((one or other for one, other in _CODE.findall(details)), "")
    if kind := BY_CODE.get(number) or BY_NAME.get(code):
        return failed(kind, said)
    if connected:
        return FAILURES["unknown"](said)
    sentence = f"{LABEL} could not be reached; nothing was sent."
    return Unavailable(NAME, sentence, request_id=request_id, fix="Nothing to do: it is tried again by itself.")
