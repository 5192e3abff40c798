"""Draw the Deep Sky wordmark: `python make_logo.py INTER_BOLD.otf` writes deep-sky.png beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

OUT = Path(__file__).with_name("deep-sky.png")
SIZE, OVER = (960, 240), 4
MARGIN = 12
WHITE = (255, 255, 255, 255)


def spark(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, waist: float) -> None:
    """A star of four points, like the ones a telescope's spider vanes draw."""
    points = [(x, y - radius), (x + waist, y - waist), (x + radius, y), (x + waist, y + waist)]
    points += [(x, y + radius), (x - waist, y + waist), (x - radius, y), (x - waist, y - waist)]
    draw.polygon(points, fill=255)


def mark(side: int) -> Image.Image:
    """An open dish holding a star: a ring cut by a gap, and a spark in it."""
    mask = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(mask)
    width = round(side * 0.085)
    draw.ellipse((width, width, side - width, side - width), outline=255, width=width)
    gap = Image.new("L", (side, side), 255)
    ImageDraw.Draw(gap).pieslice((-side, -side, 2 * side, 2 * side), -68, -22, fill=0)
    mask = ImageChops.multiply(mask, gap)
    draw = ImageDraw.Draw(mask)
    spark(draw, side * 0.5, side * 0.5, side * 0.27, side * 0.055)
    spark(draw, side * 0.845, side * 0.155, side * 0.13, side * 0.026)
    return mask


def main() -> None:
    width, height = SIZE[0] * OVER, SIZE[1] * OVER
    shape = Image.new("L", (width, height), 0)
    side = round(height * 0.74)
    shape.paste(mark(side), (round(height * 0.08), (height - side) // 2))
    font = ImageFont.truetype(sys.argv[1], round(height * 0.5))
    draw = ImageDraw.Draw(shape)
    draw.text((round(height * 1.02), height // 2), "Deep Sky", font=font, fill=255, anchor="lm", features=["kern"])
    shape = shape.resize(SIZE, Image.Resampling.LANCZOS)
    logo = Image.new("RGBA", SIZE, (255, 255, 255, 0))
    logo.putalpha(shape)
    left, top, right, bottom = shape.point(lambda level: 255 if level > 8 else 0).getbbox() or (0, 0, *SIZE)
    logo = logo.crop((left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN))
    logo.save(OUT, optimize=True)


if __name__ == "__main__":
    main()
