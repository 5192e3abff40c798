"""Azure Speech as a double, a speaker on it, and requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from adapters.egress_rules import Allowance
from adapters.speech.azure import AzureSpeaker
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.server import running

ALLOW = Allowance.parse("127.0.0.1")


@pytest.fixture(scope="module")
def module_double() -> Iterator[AzureDouble]:
    made = AzureDouble()
    with running(made):
        yield made


@pytest.fixture
def double(module_double: AzureDouble) -> AzureDouble:
    module_double.reset()
    return module_double


@pytest.fixture
async def speaker_of(double: AzureDouble) -> AsyncIterator[Callable[..., AzureSpeaker]]:
    made: list[AzureSpeaker] = []

    def make(key: str = "k", **options: Any) -> AzureSpeaker:
        made.append(AzureSpeaker(key, endpoint=double.url, allow=ALLOW, **options))
        return made[-1]

    yield make
    for speaker in made:
        await speaker.close()


@pytest.fixture
def speaker(speaker_of: Callable[..., AzureSpeaker]) -> AzureSpeaker:
    return speaker_of()
