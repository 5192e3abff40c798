"""The shipped faces carry the names that styles use for them."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont

from adapters.media.typefaces import FONT_DIR, OTHERS, TYPEFACES, Typeface, chain, fonts_digest

ALL = (*TYPEFACES.values(), *OTHERS)


@pytest.mark.parametrize("face", ALL, ids=[face.file for face in ALL])
def test_file_bears_the_family_name(face: Typeface) -> None:
    font = TTFont(face.path, lazy=True)
    assert font["name"].getDebugName(1) == face.family
    assert (font["OS/2"].usWeightClass == 700) == face.bold


def test_every_file_in_the_folder_is_listed_and_licensed() -> None:
    files = {path.name for path in FONT_DIR.iterdir()}
    assert files == {face.file for face in ALL} | {"OFL.txt"}
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONT_DIR / "OFL.txt").read_text()


def test_digest_is_stable_and_short() -> None:
    assert len(fonts_digest()) == 16
    assert fonts_digest() == fonts_digest()


def test_every_role_has_one_face_of_each_further_script() -> None:
    scripts = {face.family for face in OTHERS}
    for role in TYPEFACES:
        assert sorted(face.family for face in chain(role)) == sorted(scripts)
