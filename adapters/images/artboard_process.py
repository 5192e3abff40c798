"""The process that paints art boards: requests as JSON lines on standard input, answers as a JSON line and a JPEG."""

from __future__ import annotations

import io
import sys
from typing import Any

from PIL import Image

from adapters.images.boards import paint
from adapters.warm_child import answers_line, serve
from domain.production.ports import PictureRequest, ProviderRefused

JPEG_QUALITY = 93


def make_board(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Paint and encode one board; a refusal is part of the answer."""
    try:
        board = paint(PictureRequest(**request))
    except ProviderRefused as refused:
        return {"refused": refused.sentence, "fix": refused.fix}, b""
    buffer = io.BytesIO()
    Image.fromarray(board.pixels).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    height, width = board.pixels.shape[:2]
    header = {"width": width, "height": height, "backdrop": board.backdrop, "palette": board.palette}
    return header, buffer.getvalue()


if __name__ == "__main__":
    serve(sys.stdin.buffer, answers_line(), make_board)
