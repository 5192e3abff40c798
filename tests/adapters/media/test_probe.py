"""What a file is, told by its content."""

from __future__ import annotations

import struct
import subprocess
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adapters.media import ffmpeg
from adapters.media.errors import MissingAsset, NotAPicture, NotASound, PictureBroken, PictureTooLarge
from adapters.media.probe import FilmFacts, PictureFacts, SoundFacts, load_picture, probe, probe_picture
from tests.adapters.media.conftest import Made
from tests.support.clips import counting, write_clip
from tests.support.plans import Studio, music


class TestPictures:
    def test_size_is_upright(self, tmp_path: Path) -> None:
        path = tmp_path / "turned.jpg"
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (60, 40), "#336699").save(path, exif=exif)
        facts = probe_picture(path)
        assert (facts.width, facts.height) == (40, 60)
        assert load_picture(path, 100).shape == (60, 40, 3)

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
    def test_every_mode_becomes_rgb(self, tmp_path: Path, mode: str) -> None:
        path = tmp_path / ("p.tif" if mode == "CMYK" else "p.png")
        Image.new(mode, (20, 10)).save(path)
        assert load_picture(path, 100).shape == (10, 20, 4 if mode in ("RGBA", "LA") else 3)

    def test_sixteen_bits_keep_their_brightness(self, tmp_path: Path) -> None:
        Image.fromarray(np.full((8, 8), 32_768, np.uint16)).save(tmp_path / "p.png")
        assert int(load_picture(tmp_path / "p.png", 8)[0, 0, 0]) == pytest.approx(128, abs=1)

    def test_a_header_that_claims_too_much_is_refused_before_decoding(self, tmp_path: Path) -> None:
        header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
        chunk = b"IHDR" + header
        data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        idat = b"IDAT"
        data += struct.pack(">I", 0) + idat + struct.pack(">I", zlib.crc32(idat))
        (tmp_path / "bomb.png").write_bytes(data)
        with pytest.raises(PictureTooLarge, match="at most 100 million"):
            probe(tmp_path / "bomb.png")

    def test_cut_off(self, studio: Studio, tmp_path: Path) -> None:
        path = studio.paths[studio.picture(1)]
        (tmp_path / "cut.png").write_bytes(path.read_bytes()[:5000])
        with pytest.raises(PictureBroken, match=r"cut\.png is damaged"):
            load_picture(tmp_path / "cut.png", 100)

    @pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
    def test_not_a_picture(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "p.png").write_bytes(content)
        with pytest.raises(NotAPicture):
            probe_picture(tmp_path / "p.png")


class TestProbe:
    def test_picture(self, studio: Studio) -> None:
        assert probe(studio.paths[studio.logo()]) == PictureFacts("picture", "PNG", 48, 48, alpha=True)

    def test_sound_is_exact(self, studio: Studio) -> None:
        facts = probe(studio.paths[studio.sound("a", music(1.5)[:71_999])])
        assert isinstance(facts, SoundFacts)
        assert (facts.rate, facts.channels, facts.duration) == (48_000, 2, Fraction(71_999, 48_000))

    async def test_film(self, made: Made) -> None:
        facts = probe(made.film)
        assert isinstance(facts, FilmFacts)
        assert facts.frames == made.plan.frames

    def test_pixels_that_are_not_square_count(self, tmp_path: Path) -> None:
        facts = probe(write_clip(tmp_path / "wide.mp4", counting(2), aspect=Fraction(4, 3)))
        assert isinstance(facts, FilmFacts)
        assert (facts.width, facts.height) == (85, 36)

    def test_a_turned_film_is_measured_upright(self, tmp_path: Path) -> None:
        plain, turned = write_clip(tmp_path / "plain.mp4", counting(2)), tmp_path / "turned.mp4"
        argv = [*ffmpeg.QUIET, "-display_rotation:v:0", "90", "-i", str(plain), "-c", "copy", str(turned)]
        subprocess.run([ffmpeg.binary(), *argv], check=True, capture_output=True, timeout=30)
        facts = probe(turned)
        assert isinstance(facts, FilmFacts)
        assert (facts.width, facts.height, facts.rotation) == (36, 64, 270)

    @pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "ts"])
    def test_the_length_of_every_container(self, tmp_path: Path, ending: str) -> None:
        facts = probe(write_clip(tmp_path / f"clip.{ending}", counting(24)))
        assert isinstance(facts, FilmFacts)
        assert float(facts.duration) == pytest.approx(0.96, abs=0.04)

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"words", "no picture, film or sound"),
            (b"", "is empty"),
            (b"ffconcat version 1.0\nfile a.mp4\n", "a list of other files"),
            (b"#EXTM3U\na.ts\n", "a list of other files"),
            (b"\0\0\0\x18ftypmp42" + bytes(200), "cut off or damaged"),
        ],
    )
    def test_neither(self, tmp_path: Path, content: bytes, said: str) -> None:
        (tmp_path / "x.mp4").write_bytes(content)
        with pytest.raises(NotASound, match=rf"x\.mp4.* {said}"):
            probe(tmp_path / "x.mp4")

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(MissingAsset):
            probe(tmp_path / "none.png")
