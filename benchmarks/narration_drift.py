"""How far words drift from their sound in half an hour spoken by Azure's double, and whether its bill is the price.

python -m benchmarks narration_drift
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from adapters.egress_rules import Allowance
from adapters.speech.azure import AzureSpeaker
from domain.production.narration import Delivery, Pauses, Said, join_narration, speech_request
from domain.production.ports import SAMPLE_RATE, SpokenSentence
from domain.studio.script import Sentence
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.server import running
from timeline.plan import Rate

MINUTES = 30
FPS = Rate(num=30, den=1)
FRAME = SAMPLE_RATE * FPS.den // FPS.num
VOICE = "pt-BR-FranciscaNeural"


def sentences(minutes: float) -> list[Sentence]:
    """Sentences of varied length for about so many minutes of the double's speech."""
    texts = (
        "Em {n} noites claras, a Lua cheia ilumina vales que ninguém visitou.",
        "A luz leva 1,3 segundo até nós; a conversa tem um eco.",
        "Nas crateras do polo sul, onde o Sol nunca entra, há gelo de água há bilhões de anos.",
        "Quanto custa chegar lá? Cerca de R$ 500 milhões por missão, dizem os engenheiros.",
    )
    count = round(minutes * 60 / 3.6)
    return [Sentence(id=f"s{n}", text=texts[n % len(texts)].format(n=n + 2)) for n in range(count)]


async def narrated(double: AzureDouble, minutes: float) -> tuple[bytes, dict[str, Any], int]:
    """The recording, its document, and what the groups cost in micro-dollars."""
    speaker = AzureSpeaker("k", endpoint=double.url, allow=Allowance.parse("127.0.0.1"))
    wanted = sentences(minutes)
    requests = [speech_request(one, language="pt-BR", delivery=Delivery(VOICE)) for one in wanted]
    said: list[Said] = []
    cost = 0
    for number, group in enumerate(speaker.groups(requests)):
        answer = await speaker.speak_group([requests[place] for place in group], f"{number:040x}")
        await speaker.forget(f"{number:040x}")
        cost += answer.usage.micro_dollars or 0
        for place, spoken in zip(group, answer.sentences, strict=True):
            assert isinstance(spoken, SpokenSentence)
            said.append(Said(f"scene-{place // 5}", wanted[place].id, wanted[place].text, spoken))
    await speaker.close()
    pcm, document = join_narration(said, Pauses(), FPS, language="pt-BR")
    return pcm, document, cost


def errors(pcm: bytes, document: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each word, samples between its time and the nearest beginning of sound."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, dtype="<i2")) > 300)
    quiet = SAMPLE_RATE * 15 // 1000
    onsets = np.append(loud[:1], loud[1:][np.diff(loud) > quiet])
    starts = np.asarray([word["start"] for sentence in document["sentences"] for word in sentence["words"]])
    after = np.clip(np.searchsorted(onsets, starts), 1, len(onsets) - 1)
    nearest = np.minimum(np.abs(onsets[after] - starts), np.abs(onsets[after - 1] - starts))
    return np.asarray(nearest, dtype=np.int64)


def main(argv: Sequence[str]) -> int:
    """Measure; answers 1 when a word is more than a frame away or the price is not the bill."""
    double, began = AzureDouble(), time.process_time()
    with running(double):
        pcm, document, cost = asyncio.run(narrated(double, float(argv[0]) if argv else MINUTES))
        billed = double.micro_dollars
    away = errors(pcm, document)
    tenth = max(1, len(away) // 10)
    print(f"{document['samples'] / SAMPLE_RATE / 60:.1f} minutes, {len(away)} words, {len(double.calls)} orders")
    print(f"largest error {away.max()} samples = {away.max() / FRAME:.3f} frames at 30 a second")
    print(f"mean of the first tenth {away[:tenth].mean():.1f}, of the last {away[-tenth:].mean():.1f} samples")
    print(f"price {cost} micro-dollars, billed {billed}; {time.process_time() - began:.1f} CPU seconds")
    return int(away.max() > FRAME or cost != billed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
