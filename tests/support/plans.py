"""Small render plans with generated pictures and sounds, for trials of the renderer."""

from __future__ import annotations

import hashlib
import wave
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from domain.production.ports import Assets
from timeline.plan import (
    AssStyle,
    Blend,
    Box,
    Colour,
    Cue,
    CueWord,
    Duck,
    Encoding,
    Key,
    Motion,
    Output,
    Overlay,
    Rate,
    RenderPlan,
    Segment,
    Shot,
    Sound,
    SoundMix,
    TextState,
    Window,
)

RATE = 48_000
CAPTION_STYLE = AssStyle(
    name="caption",
    value="Inter Extra Bold,{size},&H00FFFFFF,&H00FFFFFF,&H00101010,&H80000000,"
    "0,0,0,0,100,100,0,0,1,{line},{line},2,0,0,0,1",
)


@dataclass
class Studio:
    """Makes asset files in a folder and remembers them by their content hash."""

    folder: Path
    paths: dict[str, Path] = field(default_factory=dict)

    def keep(self, path: Path) -> str:
        key = hashlib.sha256(path.read_bytes()).hexdigest()
        self.paths[key] = path
        return key

    @property
    def assets(self) -> Assets:
        return Assets(self.paths)

    def picture(self, seed: int = 1, size: tuple[int, int] = (640, 360), name: str = "") -> str:
        path = self.folder / (name or f"picture-{seed}-{size[0]}x{size[1]}.png")
        Image.fromarray(scenery(seed, size)).save(path)
        return self.keep(path)

    def logo(self, size: tuple[int, int] = (48, 48)) -> str:
        y, x = np.mgrid[0 : size[1], 0 : size[0]]
        away = np.hypot((x + 0.5) / size[0] - 0.5, (y + 0.5) / size[1] - 0.5)
        image = np.zeros((size[1], size[0], 4), np.uint8)
        image[..., :3] = (250, 90, 60)
        image[..., 3] = np.clip((0.5 - away) * size[0], 0, 1) * 255
        path = self.folder / f"logo-{size[0]}.png"
        Image.fromarray(image).save(path)
        return self.keep(path)

    def sound(self, name: str, samples: NDArray[np.float64]) -> str:
        """Mono (n,) or stereo (n, 2) in −1..1 as a 16-bit WAV."""
        path = self.folder / f"{name}.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(samples.ndim)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
        return self.keep(path)


def scenery(seed: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A colourful picture with soft shapes, fine grain and hard edges, the same for the same seed."""
    random = np.random.default_rng(seed)
    w, h = size
    y, x = np.mgrid[0:h, 0:w].astype(np.float64) / max(w, h)
    image = np.stack([np.full((h, w), level) for level in random.uniform(60, 150, 3)], axis=-1)
    for _ in range(12):
        cx, cy, radius = random.uniform(0, 1), random.uniform(0, h / max(w, h)), random.uniform(0.05, 0.3)
        inside = np.clip((radius - np.hypot(x - cx, y - cy)) * max(w, h) + 0.5, 0, 1)[..., None]
        image = image * (1 - inside * 0.7) + random.uniform(0, 255, 3) * inside * 0.7
    image += random.normal(0, 6, (h, w, 1))
    return image.clip(0, 255).astype(np.uint8)


def speech(seconds: float, seed: int = 3) -> NDArray[np.float64]:
    """Something like speech: a buzzing source through moving formants, in syllables."""
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = np.cumsum(110 + 20 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    voice = sum(np.sin(2 * np.pi * k * pitch) / k * (1 + np.sin(2 * np.pi * (0.9 + k / 9) * t)) for k in range(1, 18))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * t + random.uniform(0, 1)) + 0.6, 0, 1)
    return np.asarray(voice * syllables * 0.12)


def music(seconds: float) -> NDArray[np.float64]:
    """A stereo chord that swells."""
    t = np.arange(int(seconds * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.18, 329.63)) / 3
    return np.stack([chord * (0.35 + 0.1 * np.sin(t)), chord * (0.35 + 0.1 * np.cos(t))], axis=1)


def zoom(start: str, end: str, frames: int, offset: int = 0) -> Motion:
    """A camera path between two centred windows of the given width (fractions)."""

    def window(width: str) -> Window:
        edge = f"{(1 - float(width)) / 2:.6f}"
        return Window(x=edge, y=edge, w=width, h=width)

    return Motion(
        start=window(start), end=window(end), item_frames=frames, offset=offset, ease=("0.4", "0", "0.6", "1")
    )


def caption(text: str, at: tuple[int, int], first: int, frames: int, **more: Any) -> TextState:
    return TextState(style="caption", events=(f"{{\\pos({at[0]},{at[1]})}}{text}",), first=first, frames=frames, **more)


def later(shot: Shot, offset: int) -> Shot:
    """The same shot seen from a later frame of its item."""
    assert shot.motion is not None
    return shot.model_copy(update={"motion": shot.motion.model_copy(update={"offset": offset})})


def small_plan(
    studio: Studio,
    size: tuple[int, int] = (320, 180),
    body: int = 30,
    cross: int = 8,
    fps: Rate | None = None,
) -> RenderPlan:
    """Two moving shots with a crossfade, a framed third with a hard cut, logo, captions, speech and music."""
    rate = fps or Rate(num=30)
    w, h = size
    a, b = studio.picture(1, (w * 2, h * 2)), studio.picture(2, (w * 2, h * 2))
    c = studio.picture(5, (h, h))
    item = body + cross
    shot_a = Shot(asset=a, motion=zoom("1", "0.87", item))
    shot_b = Shot(asset=b, motion=zoom("0.87", "1", item + body))
    late_a, late_b = later(shot_a, body), later(shot_b, cross)
    line = max(1, h // 120)
    logo = Overlay(
        asset=studio.logo((h // 5 & ~1, h // 5 & ~1)),
        box=Box(x=9, y=7, w=h // 5 & ~1, h=h // 5 & ~1),
        first=0,
        frames=body,
    )
    logo = logo.model_copy(update={"opacity": (Key(frame=0, value="0"), Key(frame=10, value="0.9"))})
    at = (w // 2, h * 9 // 10)
    states = tuple(
        caption(
            " ".join(f"{{\\1c&H40C8FF&}}{word}{{\\r}}" if i == k else word for i, word in enumerate(WORDS)),
            at,
            k * (body // 3),
            body // 3,
        )
        for k in range(3)
    )
    segments = (
        Segment(
            index=0,
            kind="body",
            start=0,
            frames=body,
            picture=shot_a,
            overlays=(logo,),
            captions=states,
            items=("a",),
        ),
        Segment(
            index=1,
            kind="transition",
            start=body,
            frames=cross,
            picture=Blend(transition="crossfade", a=late_a, b=shot_b, length=cross),
            items=("a", "b"),
        ),
        Segment(index=2, kind="body", start=item, frames=body, picture=late_b, captions=states, items=("b",)),
        Segment(
            index=3,
            kind="body",
            start=item + body,
            frames=body,
            picture=Shot(asset=c, fit="contain", motion=zoom("1", "0.92", body)),
            items=("c",),
        ),
    )
    frames = item + 2 * body
    return RenderPlan(
        title="Small",
        language="en",
        output=Output(profile="small", width=w, height=h, rate=rate, encoding=Encoding(gop=30)),
        frames=frames,
        segments=segments,
        sound=small_mix(studio, frames, rate),
        cues=cues(frames, rate),
        styles=(CAPTION_STYLE.model_copy(update={"value": CAPTION_STYLE.value.format(size=h // 9, line=line)}),),
        assets={key: "image/png" if path.suffix == ".png" else "audio/wav" for key, path in studio.paths.items()},
    )


def samples_of(frames: int, rate: Rate) -> int:
    return round(frames * RATE * rate.den / rate.num)


WORDS = ("Light", "travels", "far")


def spoken(frames: int, rate: Rate) -> list[tuple[int, int]]:
    """When the three words are said: in the middle half of the film, with a pause after each."""
    total = samples_of(frames, rate)
    step = total // 6
    return [(total // 4 + k * step, total // 4 + k * step + step * 7 // 10) for k in range(3)]


def cues(frames: int, rate: Rate) -> tuple[Cue, ...]:
    """One cue over the middle of the film."""
    said = spoken(frames, rate)
    words = tuple(CueWord(text=text, start=a, end=b) for text, (a, b) in zip(WORDS, said, strict=True))
    return (Cue(start=said[0][0], end=said[-1][1], lines=(" ".join(WORDS),), words=words),)


def small_mix(studio: Studio, frames: int, rate: Rate) -> SoundMix:
    """Speech in the middle half over a bed that repeats and steps back."""
    total = samples_of(frames, rate)
    said = spoken(frames, rate)
    begin, end = said[0][0], said[-1][1]
    talk = speech((end - begin) / RATE)
    for (_, stop), (start, _) in pairwise(said):
        talk[stop - begin : start - begin] = 0
    voice = studio.sound("voice", talk)
    bed = studio.sound("bed", music(1.7))
    return SoundMix(
        samples=total,
        sounds=(
            Sound(asset=voice, bus="narration", start=begin, samples=end - begin),
            Sound(
                asset=bed,
                bus="music",
                start=0,
                samples=total,
                loop=True,
                gain_mdb=-18000,
                fade_in=9600,
                fade_out=24000,
            ),
        ),
        ducks=(
            Duck(
                bus="music",
                amount_mdb=-12000,
                attack=3840,
                hold=9600,
                release=16800,
                lookahead=2880,
                speech=tuple(said),
            ),
        ),
    )


__all__ = [
    "Colour",
    "Studio",
    "caption",
    "cues",
    "music",
    "samples_of",
    "scenery",
    "small_mix",
    "small_plan",
    "speech",
    "zoom",
]
