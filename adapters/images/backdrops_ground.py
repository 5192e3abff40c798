"""Backdrops of lines and land: horizons, ridges, orbits, waves, contours and bent space."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from adapters.images.palette import Colour, mix
from adapters.images.surface import Floats, Surface

Points = npt.NDArray[np.floating]
"""Corners of a path, (n, 2), in pixels."""


def _fall(surface: Surface, *shares: float) -> None:
    """A sky from dark (top) to light (bottom): `shares` of the way from ground over deep to mid."""
    palette = surface.palette
    _, y = surface.soft_grid()
    stops = [
        mix(palette.ground, palette.deep, share) if share <= 1 else mix(palette.deep, palette.mid, share - 1)
        for share in shares
    ]
    surface.ramp(stops, np.asarray(y / surface.height, np.float32))


def horizon(surface: Surface) -> None:
    """The edge of a world from orbit: thin air, a rising sun, and the night above."""
    palette, rng = surface.palette, surface.rng
    wide = surface.width > surface.height
    _fall(surface, 0.0, 0.3, 0.9, 1.3)
    surface.stars(1.1, bright=7)
    radius = surface.width * (1.15 if wide else 1.5)
    across = surface.width * rng.uniform(0.4, 0.6)
    top = surface.height * (0.66 if wide else 0.7)
    down = top + radius
    x, y = surface.soft_grid()
    far = np.hypot(x - across, y - down) / radius - 1
    sun = across + radius * rng.uniform(0.16, 0.24) * (1 if wide or rng.random() < 0.5 else -1)
    sun_y = down - np.sqrt(max(radius**2 - (sun - across) ** 2, 1.0))
    near = np.exp(-((np.abs(x - sun) / (surface.width * 0.42)) ** 1.3))
    air = np.exp(-np.clip(far, 0, None) * 26) * (0.25 + 0.75 * near)
    surface.add(np.asarray(air, np.float32), palette.mid, 1.1)
    surface.add(np.asarray(np.exp(-np.clip(far, 0, None) * 80) * (0.2 + 0.8 * near), np.float32), palette.accent, 0.9)
    edge = surface.grow(np.asarray(far, np.float32))
    ground = np.clip(-edge * np.float32(radius / 1.5), 0, 1)
    surface.cover(ground, mix(palette.ground, palette.deep, 0.18))
    relief = surface.clouds(min(surface.width, surface.height) * 0.3, 6, 0.55, stretch=2.5)
    lit = np.exp(np.clip(far, -1, 0) * 16) * (0.15 + 0.85 * near) * (0.3 + 0.7 * relief)
    surface.add(surface.grow(np.asarray(lit, np.float32)) * ground, palette.mid, 0.8)
    rim = np.exp(-((np.clip(np.abs(edge), 0, 1) * radius / (surface.unit * 3.4)) ** 1.3))
    surface.add(rim * surface.grow(np.asarray(0.12 + 0.88 * near, np.float32)), palette.ink, 0.95)
    surface.glow(sun, sun_y, surface.unit * 330, palette.accent, 0.42, 1.0)
    surface.glow(sun, sun_y, surface.unit * 96, palette.second, 0.75, 1.2)
    surface.glow(sun, sun_y, surface.unit * 46, palette.ink, 1.0, 1.4)
    streak = np.exp(-np.abs(y - sun_y) / (surface.unit * 5)) * np.exp(-np.abs(x - sun) / (surface.unit * 330))
    surface.add(np.asarray(streak, np.float32), palette.ink, 0.5)


def _ridge(surface: Surface, roughness: float) -> Floats:
    """Heights of a mountain line, 0 to 1, one for each column."""
    columns = np.arange(surface.width, dtype=np.float32)
    heights = np.zeros_like(columns)
    amount, length = 1.0, surface.width * surface.rng.uniform(0.4, 0.7)
    while length > 6 * surface.unit:
        count = int(surface.width / length) + 4
        knots = surface.rng.random(count).astype(np.float32)
        place = columns / length + surface.rng.random()
        index = place.astype(int)
        share = place - index
        smooth = share if amount < 0.5 else share * share * (3 - 2 * share)
        heights += amount * (knots[index] * (1 - smooth) + knots[index + 1] * smooth)
        amount *= roughness
        length /= 2.1
    heights -= heights.min()
    return np.asarray(heights / max(float(heights.max()), 1e-6), np.float32)


def mountains(surface: Surface) -> None:
    """Ridge behind ridge fading into haze beneath a low sun."""
    palette = surface.palette
    wide = surface.width > surface.height
    _fall(surface, 0.25, 0.9, 1.55, 2.0)
    surface.stars(0.7, within=np.asarray(np.clip(1 - surface.soft_grid()[1] / surface.height * 2.2, 0, 1), np.float32))
    across, line = surface.centre[0], surface.height * (0.6 if wide else 0.66)
    surface.glow(across, line, surface.unit * 620, palette.mid, 0.8, 1.3)
    surface.glow(across, line, surface.unit * 300, palette.accent, 0.4, 1.2)
    disc = surface.lines([np.array([[across, line - surface.unit * 60]] * 2)], surface.unit * 150)
    surface.cover(disc, mix(palette.second, palette.ink, 0.55), 0.96)
    surface.glow(across, line - surface.unit * 60, surface.unit * 140, mix(palette.second, palette.ink, 0.4), 0.55, 1.3)
    layers = 6
    for layer in range(layers):
        near = layer / (layers - 1)
        base = line + (surface.height * 1.02 - line) * (0.02 + near**1.25 * 0.86)
        rise = surface.height * (0.09 + 0.09 * near)
        top = base - _ridge(surface, 0.46 + 0.08 * near) * rise
        outline = np.stack([np.arange(surface.width), top], axis=-1)
        corners = np.array([[surface.width, surface.height + 9], [0, surface.height + 9]])
        mask = surface.shape(np.concatenate([outline, corners]))
        hazy = mix(mix(palette.mid, palette.accent, 0.3), palette.ground, near**0.6 * 0.97)
        first = max(int(top.min()) - 2, 0)
        share, patch = mask[first:, :, None], surface.pixels[first:]
        patch += share * (np.asarray(hazy, np.float32) - patch)
        down = np.arange(first, surface.height, dtype=np.float32)[:, None, None]
        mist = np.clip((down - base + rise * 0.2) / (surface.height * 0.16), 0, 1) * np.float32((1 - near) * 0.19)
        patch += mist * share * np.asarray(palette.accent, np.float32) * (1 - patch)


def orbits(surface: Surface) -> None:
    """Tilted orbits round a small sun, with worlds on their way."""
    palette, rng = surface.palette, surface.rng
    size = min(surface.width, surface.height)
    _fall(surface, 0.25, 0.8, 0.5)
    across, down = surface.centre
    surface.glow(across, down, size * 0.55, palette.mid, 0.7, 1.2)
    surface.stars(0.8, bright=4)
    tilt, lean = rng.uniform(0.3, 0.46), rng.uniform(-0.32, 0.32)
    round_ = np.linspace(0, 2 * np.pi, 400)
    reach, rings = size * 0.13, np.zeros((surface.height, surface.width), np.float32)
    worlds = []
    for number in range(8):
        ring_x, ring_y = reach * np.cos(round_), reach * tilt * np.sin(round_)
        path = np.stack(
            [
                across + ring_x * np.cos(lean) - ring_y * np.sin(lean),
                down + ring_x * np.sin(lean) + ring_y * np.cos(lean),
            ],
            axis=-1,
        )
        shade = (0.3 + 0.7 * (0.5 + 0.5 * np.sin(round_ + number * 1.7))) * (1 - number / 13)
        bright = surface.grow(_round_shade(surface, np.asarray(shade, np.float32), lean, tilt))
        rings += surface.lines([path], max(1.0, surface.unit * 1.6)) * bright
        if number:
            place = path[int(rng.integers(400))]
            worlds.append((float(place[0]), float(place[1]), surface.unit * rng.uniform(8, 27), number))
        reach *= rng.uniform(1.3, 1.42)
    surface.add(rings, palette.accent, 0.7)
    for x, y, radius, number in worlds:
        _world(surface, x, y, radius, (across, down), number)
    surface.glow(across, down, surface.unit * 230, palette.accent, 0.4, 1.1)
    surface.glow(across, down, surface.unit * 100, palette.second, 0.85, 1.2)
    surface.glow(across, down, surface.unit * 44, palette.ink, 1.0, 1.8)


def _round_shade(surface: Surface, shade: Floats, lean: float, tilt: float) -> Floats:
    """Spread a run of brightness round the focus (one value for each direction on the tilted plane)."""
    x, y = surface.soft_grid()
    dx, dy = x - surface.centre[0], y - surface.centre[1]
    along, aside = dx * np.cos(lean) + dy * np.sin(lean), (dy * np.cos(lean) - dx * np.sin(lean)) / tilt
    place = (np.arctan2(aside, along) / (2 * np.pi) % 1) * (len(shade) - 1)
    return np.asarray(shade[place.astype(int)], np.float32)


def _world(surface: Surface, x: float, y: float, radius: float, sun: tuple[float, float], number: int) -> None:
    half = int(radius * 1.3) + 3
    x0, y0 = int(x) - half, int(y) - half
    if x0 < 0 or y0 < 0 or x0 + 2 * half > surface.width or y0 + 2 * half > surface.height:
        return
    rows, columns = np.mgrid[y0 : y0 + 2 * half, x0 : x0 + 2 * half].astype(np.float32)
    px, py = (columns - x) / radius, (rows - y) / radius
    far = np.hypot(px, py)
    inside = np.clip((1 - far) * radius + 0.5, 0, 1)[..., None]
    length = max(float(np.hypot(sun[0] - x, sun[1] - y)), 1.0)
    to_sun = ((sun[0] - x) / length, (sun[1] - y) / length)
    light = np.clip(px * to_sun[0] + py * to_sun[1] + 0.55 * np.sqrt(np.clip(1 - far**2, 0, 1)) + 0.1, 0.04, 1)
    base = mix(surface.palette.accent if number % 2 else surface.palette.second, surface.palette.ink, 0.25)
    patch = surface.pixels[y0 : y0 + 2 * half, x0 : x0 + 2 * half]
    patch += inside * (light[..., None] * np.asarray(base, np.float32) - patch)


def waves(surface: Surface) -> None:
    """A signal drawn again and again, line before line, swelling at the focus."""
    palette, rng = surface.palette, surface.rng
    wide = surface.width > surface.height
    _fall(surface, 0.35, 0.75, 1.15)
    across, _ = surface.centre
    surface.glow(across, surface.height * 0.8, surface.width * 0.4, palette.mid, 0.7, 1.4)
    columns = np.linspace(-0.02, 1.02, 420)
    count, ribbons = (34 if wide else 44), []
    top, bottom = (0.5, 1.03) if wide else (0.55, 1.02)
    middle = surface.focus[0]
    for number in range(count):
        near = number / (count - 1)
        base = surface.height * (top + (bottom - top) * near**1.15)
        bell = np.exp(-(((columns - middle - rng.uniform(-0.05, 0.05)) / (0.16 + 0.07 * near)) ** 2))
        line = np.zeros_like(columns)
        for frequency in (7, 13, 24, 41):
            line += np.abs(np.sin(frequency * columns * 3.1 + rng.uniform(0, 6.283))) ** 1.5 * rng.uniform(0.2, 1) / 2.6
        height = line * bell * surface.height * 0.13 + np.sin(columns * 9 + number * 0.35) * surface.unit * 5
        path = np.stack([columns * surface.width, base - height], axis=-1)
        foot = np.array([[surface.width * 1.02, surface.height + 30], [-0.02 * surface.width, surface.height + 30]])
        below = mix(palette.ground, palette.deep, 0.6 - 0.5 * near)
        colour = mix(below, mix(palette.accent, palette.second, near), 0.4 + 0.55 * near)
        ribbons.append((np.concatenate([path, foot]), path, below, colour, surface.unit * (1.5 + 1.3 * near)))
    _paint_ribbons(surface, ribbons)


def _paint_ribbons(surface: Surface, ribbons: list[tuple[Points, Points, Colour, Colour, float]]) -> None:
    """Paint ribbons front after back: (outline, upper edge, fill, edge colour, thickness)."""
    canvas = np.clip(surface.pixels * 255, 0, 255).astype(np.uint8)
    for outline, edge, fill, colour, thickness in ribbons:
        points = [np.round(path * 16).astype(np.int32).reshape(-1, 1, 2) for path in (outline, edge)]
        cv2.fillPoly(canvas, points[:1], [round(part * 255) for part in fill], cv2.LINE_AA, 4)
        ink = [round(part * 255) for part in colour]
        cv2.polylines(canvas, points[1:], False, ink, max(1, round(thickness)), cv2.LINE_AA, 4)
    painted = surface.shape(ribbons[0][0])[..., None]
    tops = np.any(canvas != np.clip(surface.pixels * 255, 0, 255).astype(np.uint8), axis=-1)[..., None]
    drawn = np.maximum(painted, tops)
    surface.pixels += drawn * (canvas.astype(np.float32) / np.float32(255) - surface.pixels)


def contours(surface: Surface) -> None:
    """Soft fields of colour with the fine height lines of a map."""
    palette, rng = surface.palette, surface.rng
    size = min(surface.width, surface.height)
    x, y = surface.soft_grid()
    warp = surface.clouds(size * 1.1, 3) - 0.5
    surface.ramp((palette.ground, palette.deep, palette.mid), np.asarray(0.25 + 0.3 * warp, np.float32))
    for number, colour in enumerate((palette.mid, palette.second, palette.accent, palette.mid)):
        cx = surface.width * (surface.focus[0] + rng.uniform(-0.22, 0.22))
        cy = surface.height * (surface.focus[1] + rng.uniform(-0.3, 0.3))
        away = np.hypot(x - cx, y - cy) / (size * rng.uniform(0.3, 0.5)) + warp * 0.8
        surface.add(
            np.asarray(np.exp(-(np.clip(away, 0, None) ** 2)), np.float32), colour, 0.75 if number % 3 == 0 else 0.4
        )
    height = surface.grow(surface.clouds(size * 0.75, 2, 0.35)) * np.float32(15)
    slope_y, slope_x = np.gradient(height)
    steep = np.hypot(slope_x, slope_y) + 1e-5
    distance = np.abs(height - np.round(height)) / steep
    line = np.clip(surface.unit * 0.9 + 0.5 - distance, 0, 1) * np.clip(steep * surface.unit * 160 - 0.25, 0, 1)
    strong = np.where(np.round(height) % 4 == 0, 0.75, 0.34)
    surface.add(np.asarray(line * strong, np.float32), palette.ink, 0.42)


def well(surface: Surface) -> None:
    """A net of space pulled down by a glowing mass."""
    palette = surface.palette
    wide = surface.width > surface.height
    _fall(surface, 0.15, 0.5, 1.1, 0.7)
    surface.stars(0.9, within=np.asarray(np.clip(1.2 - surface.soft_grid()[1] / surface.height, 0, 1), np.float32))
    mass_x, depth = (surface.focus[0] - 0.5) * 3.4, 1.0
    skyline, scale = surface.height * (0.46 if wide else 0.55), surface.height * (0.46 if wide else 0.34)

    def place(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        pull = 1.15 * depth / (1 + ((u - mass_x) ** 2 + (v - 1.15) ** 2) * 5.5)
        distance = 0.55 + v
        across = surface.width / 2 + u * scale * 1.15 / distance * 1.5
        down = skyline + scale * (0.42 + pull) / distance
        return np.stack([across, down], axis=-1)

    fine = np.linspace(0, 1, 160)
    net = np.zeros((surface.height, surface.width), np.float32)
    for v in np.linspace(-0.3, 3.4, 32):
        row = place(fine * 14 - 7, np.full(160, v))
        net += surface.lines([row], max(1.0, surface.unit * 1.4)) * np.float32(np.exp(-max(v, 0.0) * 0.62))
    surface.add(net, palette.accent, 0.75)
    along = np.linspace(-0.3, 3.4, 180)
    paths = [place(np.full(180, u), along) for u in np.linspace(-7, 7, 71)]
    mask = surface.lines(paths, max(1.0, surface.unit * 1.3))
    _, y = surface.soft_grid()
    fade = np.clip((y - skyline) / (surface.height * 0.36), 0.08, 1)
    surface.add(mask * surface.grow(np.asarray(fade, np.float32)), palette.accent, 0.5)
    sun = place(np.array([mass_x]), np.array([1.15]))[0]
    top = float(sun[1]) - surface.unit * 120
    surface.glow(float(sun[0]), top, surface.unit * 420, palette.mid, 0.9, 1.1)
    surface.glow(float(sun[0]), top, surface.unit * 150, palette.second, 0.6, 1.2)
    disc = surface.lines([np.array([[sun[0], top]] * 2)], surface.unit * 104)
    surface.cover(disc, mix(palette.second, palette.ink, 0.6))
    surface.glow(float(sun[0]), top, surface.unit * 84, palette.ink, 0.6, 1.6)
