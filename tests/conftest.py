"""Fixtures every test may use."""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from adapters.logs import SHARED
from adapters.settings import Settings
from adapters.signin import passwords
from tests.support.services import Services

# A busy machine is no fault of the code: properties are judged by their answers, not by their time.
hypothesis.settings.register_profile("steady", deadline=None)
hypothesis.settings.load_profile("steady")

# What is collected lives to the end: to look through it again and again for garbage takes a tenth of the time.
gc.set_threshold(50_000, 20, 50)

# Tracebacks as the product writes them: the library's own way draws every variable of every frame, for seconds.
structlog.configure(processors=[*SHARED, structlog.processors.KeyValueRenderer()])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: whoever is done early then takes short ones, and no core waits at the end."""
    items.sort(
        key=lambda item: 0 if item.get_closest_marker("flow") else 1 if item.get_closest_marker("browser") else 2
    )


def pytest_collection_finish() -> None:
    """The collected tests are nobody's garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """A password takes a millisecond here; tests/adapters/test_passwords.py looks at the real work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "TURNS", 1)
        patch.setattr(passwords, "KIB", 64)
        yield


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """One embedded PostgreSQL and one Redis for the whole run."""
    # The short path keeps sockets inside; as root the service account must be able to pass through it.
    home = Path(tempfile.mkdtemp(prefix="vfos-test-"))
    running = Services.start(home)
    yield running
    running.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def database(services: Services) -> Settings:
    """Settings of a fresh, migrated database for this module."""
    return services.fresh_database()
