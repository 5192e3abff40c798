"""Make the faces for scripts beside Latin, Greek and Cyrillic from the files of the Noto families.

    python -m benchmarks typefaces FOLDER     FOLDER holds NotoSansArabic-Bold.ttf …, NotoSansCJK-Bold.ttc (any depth)

Debian packages fonts-noto-core and fonts-noto-cjk bring these files (`apt-get download`, `dpkg-deb -x`). Three things
are changed, as their licence allows: characters that the main face has are left out; of the ideographs those of
GB 2312, Big5 (level 1), JIS X 0208 and all modern Hangul stay, with their national forms; and lines get the height of
the main face, so that mixed lines share one baseline.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from adapters.media.typefaces import FONT_DIR, OTHERS, TYPEFACES

COLLECTION = "NotoSansCJK-Bold.ttc"
SIMPLIFIED = 2
"""Which face of the collection is the main one; the others' forms are reached through the language of a text."""
IDEOGRAPH_FEATURES = ["ccmp", "locl", "calt", "liga", "kern", "ljmo", "vjmo", "tjmo"]


def encoded(codec: str, first: int, last: int, low: int = 0xA1) -> set[int]:
    """Code points of the two-byte characters of an encoding whose first byte lies in [first, last]."""
    found: set[int] = set()
    for lead in range(first, last + 1):
        for trail in range(low, 0xFF):
            try:
                found |= {ord(char) for char in bytes([lead, trail]).decode(codec)}
            except UnicodeDecodeError:
                continue
    return found


def ideographs() -> set[int]:
    """Code points of Chinese, Japanese and Korean writing in everyday use."""
    blocks = (range(0x3000, 0x3040), range(0x3130, 0x3190), range(0xAC00, 0xD7A4), range(0xFF00, 0xFFEF))
    national = encoded("gb2312", 0xA1, 0xF7) | encoded("big5", 0xA1, 0xC6, 0x40) | encoded("euc_jp", 0xA1, 0xF4)
    return national.union(*blocks)


def make(source: Path, target: Path, wanted: Iterable[int] | None, taken: frozenset[int]) -> None:
    """Write a face with the wanted characters (default: all) that are not taken."""
    number = SIMPLIFIED if source.suffix == ".ttc" else -1
    with TTFont(source, fontNumber=number, lazy=True) as font:
        options = subset.Options(layout_features=IDEOGRAPH_FEATURES if wanted else ["*"], hinting=False)
        options.name_IDs, options.name_languages = [0, 1, 2, 3, 4, 5, 6, 13, 14], [0x409]
        options.drop_tables += ["vmtx", "vhea", "VORG", "BASE", "STAT"]
        kept = set(wanted if wanted is not None else font.getBestCmap()) - taken | {0x20}
        maker = subset.Subsetter(options)
        maker.populate(unicodes=kept)
        maker.subset(font)
        _set_heights(font)
        font["head"].modified = font["head"].created
        font.recalcTimestamp = False
        font.save(target)


def _set_heights(font: TTFont) -> None:
    """Give a face the line height of the main one."""
    with TTFont(TYPEFACES["bold"].path, lazy=True) as main:
        em, above, below = main["head"].unitsPerEm, main["OS/2"].usWinAscent, main["OS/2"].usWinDescent
    own = font["head"].unitsPerEm
    ascent, descent = round(above * own / em), round(below * own / em)
    font["OS/2"].usWinAscent, font["OS/2"].usWinDescent = ascent, descent
    font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap = ascent, -descent, 0


def main(argv: Sequence[str]) -> int:
    """Make every file of OTHERS."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(argv)
    with TTFont(TYPEFACES["bold"].path, lazy=True) as font:
        taken = frozenset(font.getBestCmap())
    for face in OTHERS:
        ideographic = face.file == "NotoSansCJK-Bold.otf"
        source = next(given.folder.rglob(COLLECTION if ideographic else face.file))
        make(source, FONT_DIR / face.file, ideographs() if ideographic else None, taken)
        print(f"{face.file}  {(FONT_DIR / face.file).stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
