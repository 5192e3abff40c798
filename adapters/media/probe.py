"""What a media file really is, told by its content and never by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from adapters.media.errors import (
    MissingAsset,
    NotAPicture,
    NotASound,
    NotAVideo,
    PictureBroken,
    PictureTooLarge,
)
from adapters.media.ffmpeg import SAFE_CONTAINERS

PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 100_000_000
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": SAFE_CONTAINERS}
_LIMITED = 1


@dataclass(frozen=True)
class PictureFacts:
    """A still: its format and upright size in pixels."""

    kind: Literal["picture"]
    format: str
    width: int
    height: int
    alpha: bool


@dataclass(frozen=True)
class SoundFacts:
    """A sound: rate in Hz, exact length in seconds."""

    kind: Literal["sound"]
    codec: str
    rate: int
    channels: int
    duration: Fraction
    start: Fraction


@dataclass(frozen=True)
class FilmFacts:
    """A moving picture: upright size, exact frame rate and length, colour tags; `sound` if it has any."""

    kind: Literal["film"]
    codec: str
    width: int
    height: int
    rotation: int
    rate: Fraction
    frames: int
    duration: Fraction
    start: Fraction
    pix_fmt: str
    colour: tuple[int, int, int]
    limited: bool
    sound: SoundFacts | None


Facts = PictureFacts | SoundFacts | FilmFacts


def probe(path: Path) -> Facts:
    """Tell a still, a sound and a film apart. Raises NotASound, PictureTooLarge, MissingAsset."""
    try:
        return probe_picture(path)
    except NotAPicture:
        try:
            return probe_film(path)
        except NotAVideo:
            return probe_sound(path)


def probe_picture(path: Path) -> PictureFacts:
    """Read a picture's header only. Raises NotAPicture, PictureTooLarge, MissingAsset."""
    with open_picture(path) as image:
        width, height = image.size
        if image.getexif().get(0x0112, 1) >= 5:
            width, height = height, width
        return PictureFacts("picture", str(image.format), width, height, _has_alpha(image))


def open_picture(path: Path) -> Image.Image:
    """Open a picture without decoding it, refusing what is none and what is too large."""
    if not path.is_file():
        raise MissingAsset(f"The picture {path.name} is not there.", fix="Add the picture again.")
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        image = Image.open(path, formats=PICTURE_FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise NotAPicture(
            f"The file {path.name} is not a picture we can read.",
            fix=f"Use one of {', '.join(PICTURE_FORMATS)}.",
        ) from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise PictureTooLarge(
            f"The picture {path.name} has {width} × {height} pixels; at most {MAX_PIXELS // 10**6} million are read.",
            fix="Scale it down first; 3840 pixels on the long side are plenty.",
        )
    return image


def load_picture(path: Path, at_least: int) -> NDArray[np.uint8]:
    """Decode a picture upright as RGB or RGBA (H, W, 3|4); a large JPEG is decoded no finer than needed.

    `at_least` is the length in pixels that both sides must keep if they have it. Raises PictureBroken.
    """
    with open_picture(path) as image:
        if image.format == "JPEG":
            image.draft("RGB", (at_least, at_least))
        try:
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            mode = "RGBA" if _has_alpha(image) else "RGB"
            eight = _eight_bit(image) if image.mode.startswith("I") or image.mode == "F" else image
            return np.asarray(eight if eight.mode == mode else eight.convert(mode))
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise PictureBroken(
                f"The picture {path.name} is damaged: {str(error)[:120]}.",
                fix="Save it again and add it once more.",
            ) from error


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _eight_bit(image: Image.Image) -> Image.Image:
    """Sixteen-bit grey to eight; Pillow's own conversion clips instead of scaling."""
    values = np.asarray(image).astype(np.float32)
    top = 65535.0 if values.max(initial=0) > 255 else 255.0
    return Image.fromarray((values * (255.0 / top) + 0.5).clip(0, 255).astype(np.uint8))


def open_media(path: Path, error: type[NotAVideo] | type[NotASound]) -> Any:
    """Open a local file with only demuxers that stay inside it. Raises MissingAsset or the given error."""
    if not path.is_file():
        raise MissingAsset(f"The file {path.name} is not there.")
    try:
        return av.open(str(path), options=OPEN_OPTIONS)
    except (av.FFmpegError, ValueError) as fault:
        sentence, fix = _unreadable(path)
        raise error(sentence, fix=fix) from fault


def _unreadable(path: Path) -> tuple[str, str]:
    """What to say about a file that cannot be opened, by its first bytes, and what to do."""
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith((b"#EXTM3U", b"ffconcat", b"\xef\xbb\xbf#EXTM3U", b"<?xml", b"[playlist]")):
        return f"The file {path.name} is a list of other files, not a film or sound itself.", "Add the file it names."
    if not head:
        return f"The file {path.name} is empty.", "Save it again and add it once more."
    if head[4:8] == b"ftyp":
        return f"The film {path.name} is cut off or damaged: its index is missing.", "Copy or save it again, whole."
    fix = (
        "Pictures are read as JPEG, PNG or WebP, films as MP4, MOV, MKV or WebM, sounds as WAV, MP3, M4A, OGG or FLAC."
    )
    return f"The file {path.name} is damaged or no picture, film or sound that we can read.", fix


def probe_film(path: Path) -> FilmFacts:
    """Read a film's container and stream headers. Raises NotAVideo, MissingAsset."""
    with open_media(path, NotAVideo) as box:
        if not box.streams.video:
            raise NotAVideo(f"The file {path.name} has no moving picture.")
        stream = box.streams.video[0]
        code = stream.codec_context
        if not code.width or not stream.time_base:
            raise NotAVideo(f"The picture stream of {path.name} tells no size.")
        rotation, aspect = _turn(box, stream), stream.sample_aspect_ratio or code.sample_aspect_ratio
        coded = round(code.width * Fraction(aspect or 1)), int(code.height)
        size = coded[::-1] if rotation in (90, 270) else coded
        return FilmFacts(
            kind="film",
            codec=code.name,
            width=size[0],
            height=size[1],
            rotation=rotation,
            rate=Fraction(stream.average_rate or 0),
            frames=int(stream.frames),
            duration=_length(path, stream),
            start=Fraction(stream.start_time or 0) * stream.time_base,
            pix_fmt=str(code.pix_fmt),
            colour=(int(code.color_primaries), int(code.color_trc), int(code.colorspace)),
            limited=int(code.color_range) == _LIMITED,
            sound=_sound(path, box),
        )


def probe_sound(path: Path) -> SoundFacts:
    """Read a sound's headers. Raises NotASound, MissingAsset."""
    with open_media(path, NotASound) as box:
        facts = _sound(path, box)
    if facts is None:
        raise NotASound(f"The file {path.name} has no sound.")
    return facts


def has_picture(path: Path) -> bool:
    """Whether a file holds a moving picture beside its sound (a cover picture is none)."""
    with open_media(path, NotASound) as box:
        return any(not stream.disposition & av.stream.Disposition.attached_pic for stream in box.streams.video)


def _sound(path: Path, box: Any) -> SoundFacts | None:
    if not box.streams.audio:
        return None
    stream = box.streams.audio[0]
    code = stream.codec_context
    return SoundFacts(
        kind="sound",
        codec=code.name,
        rate=int(code.sample_rate),
        channels=int(code.channels),
        duration=_length(path, stream),
        start=Fraction(stream.start_time or 0) * stream.time_base,
    )


def _turn(box: Any, stream: Any) -> int:
    """Clockwise turn in degrees that makes the picture upright; only decoded frames tell it."""
    try:
        first = next(box.decode(stream), None)
    except (av.FFmpegError, ValueError):
        return 0
    return -int(getattr(first, "rotation", 0) or 0) % 360


def _length(path: Path, stream: Any) -> Fraction:
    """How long a stream lasts, in seconds: as its header says, as its tag says (Matroska), or to its last packet."""
    if stream.duration:
        return Fraction(stream.duration * stream.time_base)
    tag = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if tag:
        return int(tag[1]) * 3600 + int(tag[2]) * 60 + Fraction(tag[3])
    with open_media(path, NotASound) as box:
        packets = [p for p in box.demux(box.streams[stream.index]) if p.pts is not None]
    if not packets:
        return Fraction(0)
    last = max(packets, key=lambda packet: packet.pts)
    begin = min(packet.pts for packet in packets)
    return Fraction((last.pts + (last.duration or 0) - begin) * stream.time_base)
