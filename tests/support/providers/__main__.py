"""Run the doubles by hand: `python -m tests.support.providers [--anthropic 9101] [--openai 9102] [--gemini 9103]
[--azure 9104]`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Mapping

from tests.support.providers.anthropic import AnthropicDouble
from tests.support.providers.azure_live import AzureDouble
from tests.support.providers.gemini import GeminiDouble
from tests.support.providers.openai import OpenAiDouble
from tests.support.providers.server import Double, listening

DOUBLES: Mapping[str, tuple[type[Double], int, str]] = {
    "anthropic": (AnthropicDouble, 9101, ""),
    "openai": (OpenAiDouble, 9102, "/v1"),
    "gemini": (GeminiDouble, 9103, ""),
    "azure": (AzureDouble, 9104, ""),
}
"""Name → class, usual port, and what follows the address in a provider's base URL."""


async def serve(ports: Mapping[str, int]) -> None:
    """Serve until stopped."""
    places: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        for name, port in ports.items():
            kind, _, tail = DOUBLES[name]
            double = await stack.enter_async_context(listening(kind(), port))
            places.append(double.url.removeprefix("http://"))
            sys.stdout.write(f"{name:<10} base URL {double.url}{tail}   control {double.url}/_control\n")
        allow = ",".join(places)
        sys.stdout.write(f"Allow them with VFOS_EGRESS_ALLOW={allow}; any key works but wrong, revoked and expired.\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Read the ports and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.providers", description=__doc__)
    for name, (_, port, _) in DOUBLES.items():
        parser.add_argument(f"--{name}", type=int, default=port, metavar="PORT")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(vars(parser.parse_args())))


if __name__ == "__main__":
    main()
