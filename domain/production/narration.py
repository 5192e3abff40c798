"""Narration's own thinking: a sentence becomes a speech request, spoken sentences become one recording.

Times are samples at 48 kHz. Captions show the script's spelling: every shown word of a sentence comes back with
a time, however it was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import gcd
from typing import Any

import numpy as np

from domain.catalog.words import plain
from domain.production.ports import SAMPLE_RATE, SpeechRequest, SpokenSentence, SpokenWord
from domain.production.speech import Mark, Node, Pause, Prosody, SayAs, Speak, Sub, Text, Voice, to_ssml
from domain.production.spoken.kinds import kind_of_token
from domain.production.spoken.reading import Token, read_tokens, tokens_of
from domain.studio.script import Sentence
from timeline.plan import Rate

EDGE_SAMPLES = SAMPLE_RATE * 5 // 1000
"""Length of the fade at both edges of each sentence (5 ms), against clicks."""


@dataclass(frozen=True)
class Delivery:
    """How a voice preset wants things said: the voice, own pronunciations; changes and `degree` in percent."""

    voice: str
    rate: int = 0
    pitch: int = 0
    volume: int = 0
    lexicon: Mapping[str, str] | None = None
    style: str = ""
    degree: int = 100
    role: str = ""
    say_as: bool = True


@dataclass(frozen=True)
class Pauses:
    """The pause map, in milliseconds. `comma` 0 leaves commas to the voice; `lead` and `tail` frame the whole."""

    comma: int = 0
    sentence: int = 320
    paragraph: int = 600
    scene: int = 750
    lead: int = 250
    tail: int = 900


@dataclass(frozen=True)
class Said:
    """A spoken sentence with where it belongs. `paragraph` = a paragraph ends after it."""

    scene: str
    sentence: str
    text: str
    spoken: SpokenSentence
    paragraph: bool = False


# ── Before speaking ───────────────────────────────────────────────────────────────────────────────────────
def speech_request(
    sentence: Sentence, *, language: str, delivery: Delivery, pauses: Pauses | None = None
) -> SpeechRequest:
    """The request for one sentence: a mark `0, 1, …` before each shown word. Raises UnspeakableText."""
    tokens = spoken_tokens(sentence, language, delivery.lexicon or {})
    children = Prosody(
        token_nodes(tokens, pauses or Pauses(), delivery.say_as), delivery.rate, delivery.pitch, delivery.volume
    )
    tree = Speak(language, (Voice(delivery.voice, (children,)),))
    shown = tuple(token.shown for token in tokens)
    voice, style = delivery.voice, delivery.style
    return SpeechRequest(to_ssml(tree), shown, voice, language, style, delivery.degree, delivery.role)


def token_nodes(tokens: Sequence[Token], pauses: Pauses, say_as: bool = True) -> list[Node]:
    """The tree of a sentence's tokens: mark, then the token as it is (Text, SayAs) or as it is said (Sub)."""
    nodes: list[Node] = []
    for number, token in enumerate(tokens):
        nodes.append(Mark(str(number)))
        same = token.spoken == token.shown
        if not same:
            nodes += [Sub(token.spoken, token.shown), Text(" ")]
        elif say_as and (known := kind_of_token(token.shown)):
            before, bare, after, kind, form = known
            nodes += [*([Text(before)] if before else []), SayAs(kind, bare, form), Text(f"{after} ")]
        else:
            nodes.append(Text(f"{token.shown} "))
        if pauses.comma and number < len(tokens) - 1 and token.spoken.endswith((",", ";", ":")):
            nodes.append(Pause(pauses.comma))
    return nodes


def spoken_tokens(sentence: Sentence, language: str, lexicon: Mapping[str, str]) -> list[Token]:
    """Shown tokens and how they are said: the sentence's own spoken form first, then lexicon, then the reader."""
    shown = tokens_of(sentence.text, language)
    if sentence.say and sentence.say.strip() and sentence.say != sentence.text:
        said = read_tokens(tokens_of(sentence.say, language), language)
        return align_spoken(shown, [token.spoken for token in said])
    return with_lexicon(read_tokens(shown, language), lexicon)


def with_lexicon(tokens: Sequence[Token], lexicon: Mapping[str, str]) -> list[Token]:
    """Put own pronunciations in place of single words and of phrases; the longest entry wins."""
    entries = {tuple(core(word) for word in entry.split()): say for entry, say in lexicon.items() if entry.strip()}
    longest = max(map(len, entries), default=0)
    cores, result, at = [core(token.shown) for token in tokens], list[Token](), 0
    while at < len(tokens):
        lengths = range(min(longest, len(tokens) - at), 0, -1)
        found = next((n for n in lengths if tuple(cores[at : at + n]) in entries), 0)
        if not found:
            result.append(tokens[at])
            at += 1
            continue
        last = tokens[at + found - 1].spoken
        ending = last[-1] if last and last[-1] in ".,;:!?…" else ""
        said = (entries[tuple(cores[at : at + found])] + ending).split()
        result += align_spoken([token.shown for token in tokens[at : at + found]], said)
        at += found
    return result


def core(word: str) -> str:
    """A word for comparison: without punctuation, case and accents."""
    return plain(word).strip("\"“”'‘’«»()[].,;:!?…—– ")


def align_spoken(shown: Sequence[str], said: Sequence[str]) -> list[Token]:
    """Spread spoken words over shown ones in order: equal words pair up, the rest share by place."""
    matcher = SequenceMatcher(None, [core(word) for word in shown], [core(word) for word in said], autojunk=False)
    tokens: list[Token] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            tokens += [Token(word, spoken) for word, spoken in zip(shown[a:b], said[c:d], strict=True)]
        elif kind == "insert" and tokens:
            tokens[-1] = Token(tokens[-1].shown, " ".join([tokens[-1].spoken, *said[c:d]]))
        elif kind == "insert":
            continue
        else:
            tokens += share(shown[a:b], said[c:d])
    head = next((said[c:d] for kind, _, _, c, d in matcher.get_opcodes()[:1] if kind == "insert"), ())
    if head and tokens:
        tokens[0] = Token(tokens[0].shown, " ".join([*head, tokens[0].spoken]))
    return tokens


def share(shown: Sequence[str], said: Sequence[str]) -> list[Token]:
    """Spread spoken words over shown ones by place; a shown word may end up silent, none is lost."""
    cuts = [round(number * len(said) / len(shown)) for number in range(len(shown) + 1)]
    return [Token(word, " ".join(said[cuts[n] : cuts[n + 1]])) for n, word in enumerate(shown)]


# ── After speaking ────────────────────────────────────────────────────────────────────────────────────────
def frame_step(fps: Rate) -> int:
    """The smallest number of samples that is a whole number of frames: 1600 at 30 fps, 8008 at 30000/1001."""
    return SAMPLE_RATE * fps.den // gcd(fps.num, SAMPLE_RATE * fps.den)


def join_narration(said: Sequence[Said], pauses: Pauses, fps: Rate, *, language: str) -> tuple[bytes, dict[str, Any]]:
    """Join spoken sentences into one recording: mono 16-bit 48 kHz PCM, and the narration document.

    Each scene ends on a frame boundary that is also a whole sample; word times increase and never overlap.
    """
    if not said:
        raise ValueError("there is nothing to join")
    pieces: list[np.ndarray[Any, np.dtype[np.int16]]] = [silence(pauses.lead)]
    at, step = len(pieces[0]), frame_step(fps)
    scenes: list[dict[str, Any]] = [{"id": said[0].scene, "start": 0, "end": 0}]
    sentences: list[dict[str, Any]] = []
    for number, part in enumerate(said):
        sound = faded(np.frombuffer(part.spoken.pcm, dtype="<i2"))
        sentences.append(placed(part, at, len(sound)))
        following = said[number + 1] if number + 1 < len(said) else None
        gap = silence(pause_after(part, following, pauses))
        at += len(sound) + len(gap)
        if following is None or following.scene != part.scene:
            filling = -at % step
            gap = np.concatenate([gap, np.zeros(filling, dtype=np.int16)])
            at += filling
            scenes[-1]["end"] = at
            if following is not None:
                scenes.append({"id": following.scene, "start": at, "end": at})
        pieces += [sound, gap]
    first = said[0].spoken
    document = {
        "sample_rate": SAMPLE_RATE,
        "samples": at,
        "voice": first.voice,
        "language": language,
        "provider": first.provider,
        "scenes": scenes,
        "sentences": sentences,
    }
    return np.concatenate(pieces).astype("<i2").tobytes(), document


def pause_after(part: Said, following: Said | None, pauses: Pauses) -> int:
    """Milliseconds of silence after a sentence."""
    if following is None:
        return pauses.tail
    if following.scene != part.scene:
        return pauses.scene
    return pauses.paragraph if part.paragraph else pauses.sentence


def silence(milliseconds: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Digital silence."""
    return np.zeros(SAMPLE_RATE * max(0, milliseconds) // 1000, dtype=np.int16)


def faded(sound: np.ndarray[Any, np.dtype[np.int16]]) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The sound with 5 ms raised-cosine fades at both edges."""
    length = min(EDGE_SAMPLES, len(sound) // 2)
    if not length:
        return sound
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)
    shaped = sound.astype(np.float64)
    shaped[:length] *= ramp
    shaped[-length:] *= ramp[::-1]
    rounded: np.ndarray[Any, np.dtype[np.int16]] = np.rint(shaped).astype(np.int16)
    return rounded


def placed(part: Said, start: int, length: int) -> dict[str, Any]:
    """A sentence's entry of the narration document, its words' times moved to the recording."""
    return {
        "id": part.sentence,
        "scene": part.scene,
        "start": start,
        "end": start + length,
        "text": part.text,
        "words": [
            {"text": word.text, "start": start + word.start, "end": start + word.end, "source": word.source}
            for word in orderly(part.spoken.words, length)
        ],
    }


def orderly(words: Sequence[SpokenWord], length: int) -> list[SpokenWord]:
    """Words with times inside the sentence, each end at or before the next start; no word is lost."""
    starts, latest = list[int](), 0
    for word in words:
        latest = min(max(word.start, latest), length)
        starts.append(latest)
    limits = [*starts[1:], length]
    return [
        SpokenWord(word.text, start, max(start, min(word.end, limit)), word.source)
        for word, start, limit in zip(words, starts, limits, strict=True)
    ]
