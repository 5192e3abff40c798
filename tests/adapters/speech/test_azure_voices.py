"""The list of voices: read once for all processes of the farm."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis.asyncio import Redis

from adapters.speech.azure import AzureSpeaker
from adapters.speech.azure_voices import FRESH_S
from adapters.vendors.keeping import Keeping
from tests.support.providers.azure_live import AzureDouble
from tests.support.services import Services


class TestKeptForAll:
    async def test_one_process_reads_the_list_for_all(
        self, double: AzureDouble, speaker_of: Callable[..., AzureSpeaker], services: Services
    ) -> None:
        redis = Redis.from_url(services.redis.url)
        try:
            for _ in range(2):
                voices = await speaker_of(shelf=Keeping(redis, double.url)).voices()
                assert voices["en-US-JennyNeural"].styles
            assert len(double.unpaid) == 1
            await speaker_of(shelf=Keeping(redis, f"{double.url} with another key")).voices()
            assert len(double.unpaid) == 2
            older = Keeping(redis, double.url, now=lambda: time.time() + FRESH_S + 1)
            await speaker_of(shelf=older).voices()
            assert len(double.unpaid) == 3
            assert (await speaker_of(shelf=Keeping(redis, double.url)).check()).sentence
            assert len(double.unpaid) == 4
        finally:
            await redis.aclose()
