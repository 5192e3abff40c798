"""Uploads come out upright, small enough, in sRGB and without metadata; what is no picture is refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from adapters.images.normalise import (
    LARGEST_KEPT,
    MAX_BYTES,
    PictureRefused,
    hash_distance,
    normalise,
    perceptual_hash,
)


def photo(width: int = 320, height: int = 200, seed: int = 1) -> Image.Image:
    """A picture with large shapes, so that its perceptual hash means something."""
    noise = np.random.default_rng(seed).random((5, 8, 3)) * 255
    return Image.fromarray(noise.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 10))
        + chunk(b"IEND", b"")
    )


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (b"", "not a picture"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture"),
            (b"MZ" + b"\0" * 4000, "not a picture"),
            (b"\0" * (MAX_BYTES + 1), "MB"),
            (png_header(30_000, 3_000), "30000 × 3000"),
            (png_header(11_000, 11_000), "megapixels"),
            (png_header(60_000, 60_000), "megapixels"),
            (encode(photo(40, 40), "PNG"), "at least 64"),
        ],
    )
    def test_one_clear_sentence(self, data: bytes, says: str) -> None:
        with pytest.raises(PictureRefused) as refused:
            normalise(data, "moon.png")
        assert says in refused.value.sentence
        assert refused.value.sentence.startswith("moon.png ")

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_half_a_file_is_damaged(self, kind: str) -> None:
        whole = encode(photo(900, 700), kind)
        with pytest.raises(PictureRefused, match=r"damaged|not a picture"):
            normalise(whole[: len(whole) // 3])


class TestResult:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
    def test_every_readable_format_becomes_a_jpeg(self, kind: str) -> None:
        result = normalise(encode(photo(), kind))
        again = Image.open(io.BytesIO(result.data))
        assert (again.format, again.mode, again.size) == ("JPEG", "RGB", (320, 200))
        assert (result.width, result.height, result.media_type) == (320, 200, "image/jpeg")
        assert result.original_format == kind

    def test_same_bytes_same_result(self) -> None:
        data = encode(photo(), "PNG")
        assert normalise(data) == normalise(data)

    def test_turned_upright_and_stripped(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        exif[0x010E] = "where I live"
        result = normalise(encode(photo(), "JPEG", exif=exif.tobytes(), comment=b"secret", dpi=(300, 300)))
        again = Image.open(io.BytesIO(result.data))
        assert (result.width, result.height) == (200, 320)
        assert not again.getexif()
        assert "comment" not in again.info
        assert b"where I live" not in result.data
        assert b"secret" not in result.data

    def test_transparency_stays_a_png(self) -> None:
        image = photo().convert("RGBA")
        image.putalpha(Image.linear_gradient("L").resize(image.size))
        result = normalise(encode(image, "PNG"))
        again = Image.open(io.BytesIO(result.data))
        assert (result.media_type, again.mode) == ("image/png", "RGBA")
        assert again.getpixel((10, 0))[3] == 0  # type: ignore[index]

    def test_an_opaque_alpha_channel_is_dropped(self) -> None:
        assert normalise(encode(photo().convert("RGBA"), "PNG")).media_type == "image/jpeg"

    def test_colour_profile_is_applied(self) -> None:
        lab_like = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        plain = normalise(encode(photo(), "PNG"))
        tagged = normalise(encode(photo(), "PNG", icc_profile=lab_like))
        broken = normalise(encode(photo(), "PNG", icc_profile=b"no profile at all"))
        assert hash_distance(plain.phash, tagged.phash) <= 2
        assert broken.data == plain.data
        assert "icc_profile" not in Image.open(io.BytesIO(tagged.data)).info

    @pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "I;16"])
    def test_every_mode_becomes_eight_bit_colour(self, mode: str) -> None:
        image = photo().convert("L").convert(mode) if mode != "I;16" else None
        if image is None:
            ramp = np.linspace(0, 65535, 320 * 200).reshape(200, 320).astype(np.uint16)
            image = Image.fromarray(ramp)
        kind = "TIFF" if mode in ("CMYK", "I;16") else "PNG"
        again = Image.open(io.BytesIO(normalise(encode(image, kind)).data))
        low, high = again.convert("L").getextrema()
        assert again.mode in ("RGB", "RGBA")
        assert high - low > 60  # type: ignore[operator]

    def test_an_animation_gives_its_first_frame(self) -> None:
        frames = [photo(seed=1), photo(seed=9)]
        data = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
        assert hash_distance(normalise(data).phash, perceptual_hash(frames[0])) <= 4

    def test_very_large_pictures_are_reduced(self) -> None:
        result = normalise(encode(photo(6000, 1500), "JPEG"))
        assert (result.width, result.height) == (LARGEST_KEPT, 1024)


class TestPerceptualHash:
    def test_look_alikes_are_near_and_others_far(self) -> None:
        one, other = photo(seed=3), photo(seed=4)
        smaller = normalise(encode(one.resize((160, 100)), "JPEG", quality=60)).phash
        assert hash_distance(perceptual_hash(one), smaller) <= 6
        assert hash_distance(perceptual_hash(one), perceptual_hash(other)) >= 16
