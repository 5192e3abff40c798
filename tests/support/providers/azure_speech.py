"""What both doubles of Azure Speech know: voices, SSML as the service reads it, what it bills, and how it sounds.

Speech is a burst of tone for each word, at whole milliseconds, so that tests can find every word in the sound.
"""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

RATE = 48_000
NANO_PER_CHARACTER = 16_000
LEAD_MS, TAIL_MS, LETTER_MS, GAP_MS = 50, 200, 40, 30
SPEECH, XML = "{http://www.w3.org/2001/10/synthesis}", "{http://www.w3.org/XML/1998/namespace}"
MSTTS = ("{http://www.w3.org/2001/mstts}", "{https://www.w3.org/2001/mstts}")
INSIDE = {f"{SPEECH}{name}" for name in ("voice", "prosody", "break", "say-as", "sub", "emphasis", "lang", "p", "s")}
INSIDE |= {f"{space}{name}" for space in MSTTS for name in ("express-as", "silence")}


def voice(
    name: str, gender: str, *, styles: Sequence[str] = (), roles: Sequence[str] = (), kind: str = "Neural"
) -> Any:
    """A row of the list of voices, as the service writes it."""
    locale = "-".join(name.split("-")[:2])
    label = re.sub(r"Neural$|Multilingual", "", name.split("-")[2])
    row: dict[str, Any] = {
        "Name": f"Microsoft Server Speech Text to Speech Voice ({locale}, {name.split('-')[2]})",
        "DisplayName": label,
        "LocalName": label,
        "ShortName": name,
        "Gender": gender,
        "Locale": locale,
        "SampleRateHertz": "48000",
        "VoiceType": "Neural",
        "Status": "GA",
        "WordsPerMinute": "150",
    }
    return row | ({"StyleList": list(styles)} if styles else {}) | ({"RolePlayList": list(roles)} if roles else {})


VOICES = [
    voice("pt-BR-FranciscaNeural", "Female", styles=["calm"]),
    voice("pt-BR-AntonioNeural", "Male"),
    voice("pt-BR-ThalitaMultilingualNeural", "Female"),
    voice("en-US-JennyNeural", "Female", styles=["assistant", "chat", "cheerful", "newscast", "sad", "whispering"]),
    voice("en-US-GuyNeural", "Male", styles=["newscast", "cheerful"]),
    voice("zh-CN-XiaomoNeural", "Female", styles=["calm", "cheerful"], roles=["Girl", "OlderAdultMale"]),
    voice("en-GB-SoniaNeural", "Female", styles=["cheerful", "sad"]),
]
NAMES = {row["ShortName"] for row in VOICES}
MUTE = "en-GB-SoniaNeural"
"""A voice that tells no word times."""


@dataclass(frozen=True)
class Said:
    """Speech: its PCM, and its words and punctuation as (text, offset, duration) in milliseconds."""

    pcm: bytes
    words: tuple[tuple[str, int, int], ...]
    voice: str


def fault_of(ssml: str) -> str:
    """What the service would refuse in SSML; empty when nothing."""
    if len(ssml.encode()) > 65_536:
        return "The SSML is larger than 64 kB."
    try:
        root = ElementTree.fromstring(ssml)
    except ElementTree.ParseError as error:
        return f"The SSML is not valid XML: {error}"
    if root.tag != f"{SPEECH}speak" or not root.get("version") or not root.get(f"{XML}lang"):
        return "speak needs version, xmlns and xml:lang."
    voices = list(root)
    if not voices or any(child.tag != f"{SPEECH}voice" for child in voices) or (root.text or "").strip():
        return "Only voice elements may stand in speak."
    if unknown := [child.get("name") for child in voices if child.get("name") not in NAMES]:
        return f"Unsupported voice {unknown[0]}."
    if strange := [element.tag for element in root.iter() if element is not root and element.tag not in INSIDE]:
        return f"The element {strange[0].rpartition('}')[2]} is not supported."
    return "" if "".join(root.itertext()).strip() else "The input has nothing to speak."


def billed(ssml: str) -> int:
    """Characters the service bills: text and markup inside voice elements, ideographs twice."""
    inner = "".join(re.findall(r"<voice\b[^>]*>(.*?)</voice>", ssml, re.DOTALL))
    return len(inner) + sum(1 for character in inner if "\u3400" <= character <= "\u9fff")


def say(ssml: str) -> Said:
    """Speak SSML: one burst of tone for each word; punctuation is silence with a time of its own."""
    root = ElementTree.fromstring(ssml)
    name = str(next(iter(root)).get("name"))
    parts = [np.zeros(RATE * LEAD_MS // 1000, dtype=np.int16)]
    words: list[tuple[str, int, int]] = []
    at = LEAD_MS
    for number, text in enumerate(re.findall(r"\w+(?:['’-]\w+)*|[^\w\s]", _said(root))):
        spoken = text[0].isalnum()
        lasts = LETTER_MS * len(text) if spoken else 60
        words.append((text, at, lasts))
        parts.append(_burst(lasts, number) if spoken else np.zeros(RATE * lasts // 1000, dtype=np.int16))
        parts.append(np.zeros(RATE * GAP_MS // 1000, dtype=np.int16))
        at += lasts + GAP_MS
    parts.append(np.zeros(RATE * TAIL_MS // 1000, dtype=np.int16))
    return Said(np.concatenate(parts).astype("<i2").tobytes(), tuple(words), name)


def _said(element: ElementTree.Element) -> str:
    said = element.get("alias") if element.tag == f"{SPEECH}sub" else element.text
    return (said or "") + "".join(_said(child) + (child.tail or "") for child in element)


def _burst(milliseconds: int, number: int) -> Any:
    time = np.arange(RATE * milliseconds // 1000) / RATE
    return np.rint(9000 * np.cos(2 * np.pi * (180 + 40 * (number % 5)) * time)).astype(np.int16)


def wav(pcm: bytes, rate: int = RATE) -> bytes:
    """PCM as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return out.getvalue()
