"""The picture maker that always works: procedural art boards, without a key and without a network."""

from __future__ import annotations

import asyncio
import io

from PIL import Image

from adapters.images.boards import paint
from domain.production.ports import MadePicture, PictureRequest, ProviderRefused, Usage

JPEG_QUALITY = 93
SMALLEST, LARGEST = 64, 4320
VERSION = "artboard/1"
"""Raise it when equal requests would give other pixels."""


class ArtBoard:
    """Paints boards of typography, light and noise; the same request always gives the same bytes."""

    name = "artboard"
    build = VERSION

    async def make(self, request: PictureRequest) -> MadePicture:
        """Paint in a thread (numpy and OpenCV release the interpreter); raises ProviderRefused."""
        return await asyncio.to_thread(make_board, request)


def make_board(request: PictureRequest) -> MadePicture:
    """Paint and encode one board, 1.15 times as large as asked for; raises ProviderRefused."""
    if not all(SMALLEST <= side <= LARGEST for side in (request.width, request.height)):
        raise ProviderRefused(
            ArtBoard.name,
            f"A board of {request.width} × {request.height} pixels cannot be painted.",
            fix=f"Choose a profile with sides between {SMALLEST} and {LARGEST} pixels.",
        )
    board = paint(request)
    buffer = io.BytesIO()
    Image.fromarray(board.pixels).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    height, width = board.pixels.shape[:2]
    return MadePicture(
        data=buffer.getvalue(),
        media_type="image/jpeg",
        width=width,
        height=height,
        provider=ArtBoard.name,
        usage=Usage({"pictures": 1}, 0),
        licence="CC0 1.0",
        credit="Art board painted for this film",
        request_id=f"{VERSION}:{board.backdrop}:{board.palette}",
        draft=True,
    )
