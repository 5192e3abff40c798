"""The picture maker that always works: procedural art boards, without a key and without a network."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from adapters.warm_child import ChildLost, WarmChild
from domain.production.ports import MadePicture, PictureRequest, ProviderBusy, ProviderRefused, Usage

ANSWER_SECONDS = 120.0
SMALLEST, LARGEST = 64, 4320
VERSION = "artboard/1"
"""Raise it when equal requests would give other pixels."""


class ArtBoard:
    """Paints boards of typography, light and noise; the same request always gives the same bytes.

    Painting happens in `adapters.images.artboard_process`, started on first use and ended when idle.
    """

    name = "artboard"
    model = ""
    build = VERSION

    def __init__(self) -> None:
        self._child = WarmChild("adapters.images.artboard_process", answer_s=ANSWER_SECONDS)

    async def make(self, request: PictureRequest) -> MadePicture:
        """Paint one board, 1.15 times as large as asked for. Raises ProviderRefused, ProviderBusy."""
        if not all(SMALLEST <= side <= LARGEST for side in (request.width, request.height)):
            raise ProviderRefused(
                self.name,
                f"A board of {request.width} × {request.height} pixels cannot be painted.",
                fix=f"Choose a profile with sides between {SMALLEST} and {LARGEST} pixels.",
            )
        try:
            header, data = await asyncio.to_thread(self._child.ask, dataclasses.asdict(request))
        except ChildLost as fault:
            sentence = f"The painter of art boards stopped working twice on one board ({fault})."
            raise ProviderBusy(self.name, sentence, fix="Run the step again.") from None
        if "refused" in header:
            raise ProviderRefused(self.name, header["refused"], fix=header["fix"])
        if "error" in header:
            raise ProviderRefused(self.name, f"The board could not be painted: {header['error']}.")
        return read_board(header, data)

    def close(self) -> None:
        """End the child process; the next board starts a new one."""
        self._child.close()


def read_board(header: dict[str, Any], data: bytes) -> MadePicture:
    """Answer the picture from the painter's answer."""
    return MadePicture(
        data=data,
        media_type="image/jpeg",
        width=header["width"],
        height=header["height"],
        provider=ArtBoard.name,
        usage=Usage({"pictures": 1}, 0),
        licence="CC0 1.0",
        credit="Art board painted for this film",
        request_id=f"{VERSION}:{header['backdrop']}:{header['palette']}",
        draft=True,
    )
