"""Uploaded pictures made safe and equal: upright, sRGB, 8 bit, without metadata, within limits.

    PictureRefused(ValueError): the upload cannot be used; `sentence` says why and what to do

Limits are checked on the header, before a single pixel is decoded, so that a small file cannot unfold into gigabytes.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from adapters.images.limits import MAX_BYTES, MAX_PIXELS, MAX_SIDE, MEGAPIXELS, MIN_SIDE

LARGEST_KEPT = 4096
"""Longer sides are reduced to this many pixels: enough for a 4K film with room to zoom."""
JPEG_QUALITY = 92
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
READABLE = "JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF"

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class PictureRefused(ValueError):
    """Raised when an upload is not a usable picture; the sentence is safe to show.

    `code` and `facts` say the same to programs and to other languages.
    """

    def __init__(self, sentence: str, code: str = "damaged", **facts: int) -> None:
        super().__init__(sentence)
        self.sentence, self.code, self.facts = sentence, code, facts


@dataclass(frozen=True)
class NormalPicture:
    """A clean picture (JPEG, or PNG where transparency matters); `phash` is 16 hex digits, equal for look-alikes."""

    data: bytes
    media_type: str
    width: int
    height: int
    sha256: str
    phash: str
    original_format: str


def normalise(data: bytes, name: str = "The file") -> NormalPicture:
    """Check an upload and answer it upright, in sRGB, re-encoded and stripped; raises PictureRefused.

    The same bytes always give the same result. An animation gives its first frame.
    """
    if len(data) > MAX_BYTES:
        raise PictureRefused(
            f"{name} has {len(data) / 1048576:.0f} MB; pictures may have up to {MAX_BYTES // 1048576} MB.",
            "bytes",
        )
    image = _open_checked(data, name)
    original = image.format or ""
    try:
        image.seek(0)
        image.load()
        upright = ImageOps.exif_transpose(image)
        clean = _to_srgb(upright)
    except (OSError, SyntaxError, ValueError, MemoryError, EOFError, Image.DecompressionBombError) as error:
        raise PictureRefused(f"{name} is damaged and cannot be decoded; please export it again.") from error
    if max(clean.size) > LARGEST_KEPT:
        clean.thumbnail((LARGEST_KEPT, LARGEST_KEPT), Image.Resampling.LANCZOS)
    return _encode(clean, original)


def _open_checked(data: bytes, name: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused(
            f"{name} has more than {MEGAPIXELS} megapixels; please make it smaller.", "pixels"
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise PictureRefused(f"{name} is not a picture we can read ({READABLE}).", "unreadable") from error
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureRefused(
            f"{name} measures {width} × {height} pixels; up to {MEGAPIXELS} megapixels and "
            f"{MAX_SIDE} pixels a side are allowed. Please make it smaller.",
            "size",
            width=width,
            height=height,
        )
    if min(width, height) < MIN_SIDE:
        raise PictureRefused(
            f"{name} measures {width} × {height} pixels; at least {MIN_SIDE} pixels a side are needed.",
            "small",
            width=width,
            height=height,
        )
    return image


def _to_srgb(image: Image.Image) -> Image.Image:
    """Answer RGB or RGBA, 8 bit; embedded colour profiles are applied, 16-bit greys are scaled."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        image = _scale_deep_grey(image)
    transparent = image.has_transparency_data
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L", "RGBA"):
        image = _apply_profile(image, profile)
    return image.convert("RGBA" if transparent else "RGB")


def _scale_deep_grey(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    top = 65535.0 if image.mode.startswith("I") and values.max(initial=0) > 255 else max(values.max(initial=0), 1.0)
    return Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8))


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert to sRGB; a broken profile is ignored, as browsers do."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    if converted is None:
        return image
    if alpha:
        converted.putalpha(alpha)
    return converted


def _encode(image: Image.Image, original: str) -> NormalPicture:
    buffer = io.BytesIO()
    opaque = image.mode == "RGB" or image.getchannel("A").getextrema()[0] == 255
    bare = Image.new("RGB" if opaque else "RGBA", image.size)
    bare.paste(image.convert(bare.mode))
    if opaque:
        bare.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    else:
        bare.save(buffer, "PNG", optimize=False, compress_level=6)
    data = buffer.getvalue()
    return NormalPicture(
        data=data,
        media_type="image/jpeg" if opaque else "image/png",
        width=bare.width,
        height=bare.height,
        sha256=hashlib.sha256(data).hexdigest(),
        phash=perceptual_hash(bare),
        original_format=original,
    )


def perceptual_hash(image: Image.Image) -> str:
    """Answer 64 bits (16 hex digits) that change little when a picture is scaled or re-encoded.

    Signs of the lowest 8×8 cosine frequencies of a 32×32 grey version against their median.
    """
    small = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float64)
    steps = np.arange(32)
    basis = np.cos(np.pi * (2 * steps[None, :] + 1) * np.arange(8)[:, None] / 64)
    frequencies = (basis @ small @ basis.T).ravel()
    bits = frequencies > np.median(frequencies[1:])
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"


def hash_distance(one: str, other: str) -> int:
    """Count the differing bits of two perceptual hashes: 0 equal, ≤ 8 look-alike, about 32 unrelated."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
