"""Backdrops of the sky: clouds of gas, galaxies, worlds and light."""

from __future__ import annotations

import numpy as np

from adapters.images.palette import mix
from adapters.images.surface import SOFT, Floats, Surface


def _sky(surface: Surface, lift: float = 0.35) -> None:
    """A dark sky that is a little lighter towards the focus."""
    palette = surface.palette
    x, y = surface.soft_grid()
    across, down = surface.centre
    away = np.hypot(x - across, (y - down) * 1.2) / (0.75 * np.hypot(surface.width, surface.height))
    stops = (mix(palette.deep, palette.mid, lift), palette.deep, palette.ground)
    surface.ramp(stops, np.asarray(away**0.8, np.float32))


def nebula(surface: Surface) -> None:
    """Folded clouds of glowing gas with dark lanes before a field of stars."""
    palette, size = surface.palette, min(surface.width, surface.height)
    _sky(surface, 0.1)
    warp, other = surface.clouds(size * 0.7, 4), surface.clouds(size * 0.55, 5)
    x, y = surface.soft_grid()
    across, down = surface.centre
    away = np.hypot((x - across) / surface.width * 1.1, (y - down) / surface.height) / 0.62
    body = np.exp(-((away + (warp - 0.5) * 0.9) ** 2) * 1.7)
    wisps = surface.clouds(size * 0.42, 6, 0.58)
    ridges = 1 - np.abs(2 * surface.clouds(size * 0.5, 5, 0.55) - 1)
    surface.stars(0.8, within=np.asarray(1 - 0.5 * body, np.float32), bright=0)
    surface.add(np.asarray(body * (0.25 + 0.75 * wisps) ** 1.6, np.float32), palette.mid, 1.15)
    surface.add(np.asarray(body**1.5 * np.clip(other * 1.5 - 0.55, 0, 1), np.float32), palette.second, 0.62)
    surface.add(np.asarray(body**1.3 * ridges**5 * wisps, np.float32), palette.accent, 0.85)
    surface.add(np.asarray(body**4 * wisps, np.float32), palette.ink, 0.3)
    lanes = np.clip((surface.clouds(size * 0.38, 5, 0.6) - 0.6) * 3.2, 0, 1) * np.clip(body * 1.6, 0, 1)
    surface.cover(np.asarray(lanes, np.float32), palette.ground, 0.6)
    surface.stars(0.35, bright=9)


def galaxy(surface: Surface) -> None:
    """A spiral galaxy, tilted, with a warm heart, bright arms, dust and companions."""
    palette, rng = surface.palette, surface.rng
    size = min(surface.width, surface.height)
    _sky(surface, 0.05)
    surface.stars(0.9, bright=0)
    turn, tilt = rng.uniform(-0.6, 0.6), rng.uniform(0.42, 0.62)
    x, y = surface.soft_grid()
    across, down = surface.centre
    dx, dy = x - across, y - down
    flat_x = dx * np.cos(turn) + dy * np.sin(turn)
    flat_y = (dy * np.cos(turn) - dx * np.sin(turn)) / tilt
    radius = np.hypot(flat_x, flat_y) / (size * 0.5)
    ripple = surface.clouds(size * 0.22, 6, 0.6)
    swirl = np.arctan2(flat_y, flat_x) - np.log(radius + 0.04) * rng.uniform(3.0, 3.7) + (ripple - 0.5) * 1.1
    arms = (0.5 + 0.5 * np.cos(2 * swirl)) ** 2.4
    faint = (0.5 + 0.5 * np.cos(2 * swirl + 2.2)) ** 4
    disc = np.exp(-radius * 2.5)
    light = disc * (0.1 + 1.5 * arms * (0.35 + 0.65 * ripple) + 0.35 * faint)
    dust = np.clip((0.5 + 0.5 * np.cos(2 * swirl - 0.8)) ** 6 * 1.2, 0, 1) * np.clip(1 - radius, 0, 1) * ripple
    surface.add(np.asarray(np.clip(disc * 0.7, 0, 1), np.float32), palette.mid, 0.8)
    surface.add(np.asarray(np.clip(light * 1.9, 0, 1), np.float32), palette.accent, 0.95)
    surface.cover(np.asarray(np.clip(dust, 0, 1), np.float32), palette.ground, 0.62)
    knots = np.clip(arms * ripple * 2.6 - 1.25, 0, 1) * np.exp(-((radius - 0.45) ** 2) * 7)
    surface.add(np.asarray(knots, np.float32), palette.second, 0.6)
    heart = np.exp(-((np.hypot(flat_x, flat_y * (1 + tilt) / 2) / (size * 0.085)) ** 1.15))
    surface.add(np.asarray(heart, np.float32), mix(palette.second, palette.ink, 0.55), 1.0)
    near = np.asarray(np.clip(light * 2.2, 0, 1) * np.clip(radius * 3, 0, 1), np.float32)
    surface.stars(5.0, within=near, bright=0)
    surface.stars(0.2, bright=7)


def starfield(surface: Surface) -> None:
    """A deep field: hundreds of small galaxies of every tilt and colour among a few stars."""
    palette, rng = surface.palette, surface.rng
    _sky(surface, 0.0)
    haze = surface.clouds(min(surface.width, surface.height) * 0.8, 4)
    surface.add(np.asarray(haze**2, np.float32), palette.mid, 0.25)
    surface.stars(1.5, bright=0)
    tints = (palette.accent, palette.second, palette.ink, mix(palette.second, palette.ink, 0.4), palette.accent)
    for number in range(190):
        reach = surface.unit * (3.2 + min(rng.pareto(1.6) * 3.4, 34.0))
        if number < 3:
            reach = surface.unit * rng.uniform(44, 62)
        x, y = rng.uniform(0, surface.width), rng.uniform(0, surface.height)
        if number < 3:
            x = surface.centre[0] + number * surface.width * rng.uniform(-0.17, 0.17)
            y = surface.centre[1] + number * surface.height * rng.uniform(-0.17, 0.17)
        tint = tints[int(rng.integers(len(tints)))]
        _smudge(surface, x, y, reach, rng.uniform(0, np.pi), rng.uniform(0.2, 1.0), tint, number < 3)
    surface.stars(0.12, bright=8)


def _smudge(
    surface: Surface,
    x: float,
    y: float,
    reach: float,
    turn: float,
    flat: float,
    tint: tuple[float, float, float],
    spiral: bool,
) -> None:
    """One small galaxy: an elliptical glow, with arms when it is large."""
    half = int(reach * 2.6) + 2
    left, top = int(x) - half, int(y) - half
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + 2 * half, surface.width), min(top + 2 * half, surface.height)
    if x1 - x0 < 3 or y1 - y0 < 3:
        return
    rows, columns = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    dx, dy = columns - np.float32(x), rows - np.float32(y)
    along = dx * np.cos(turn) + dy * np.sin(turn)
    aside = (dy * np.cos(turn) - dx * np.sin(turn)) / (flat if not spiral else max(flat, 0.45))
    radius = np.hypot(along, aside) / reach
    light = np.exp(-(radius**0.9) * 2.6)
    if spiral:
        swirl = np.arctan2(aside, along) - np.log(radius + 0.08) * 3.1
        light = np.exp(-radius * 2.3) * (0.25 + 1.1 * (0.5 + 0.5 * np.cos(2 * swirl)) ** 1.6)
        light = light + np.exp(-((radius * 7) ** 1.3))
    light *= np.clip((2.5 - radius) * 1.2, 0, 1)
    patch = surface.pixels[y0:y1, x0:x1]
    heart = np.exp(-((radius * 4.5) ** 1.4))[..., None] * 0.55
    patch += np.clip(light * 1.15, 0, 1)[..., None] * np.asarray(tint, np.float32) * (1 - patch)
    patch += heart * np.asarray(surface.palette.ink, np.float32) * (1 - np.clip(patch, 0, 1))


def planet(surface: Surface) -> None:
    """A large world with bands of cloud in the light of an unseen sun."""
    _globe(surface, rocky=False)


def moon(surface: Surface) -> None:
    """A large world of plains and craters in the light of an unseen sun."""
    _globe(surface, rocky=True)


def _globe(surface: Surface, rocky: bool) -> None:
    palette, rng = surface.palette, surface.rng
    size = min(surface.width, surface.height)
    _sky(surface, 0.12)
    surface.stars(1.0, bright=6)
    radius = size * rng.uniform(0.33, 0.4)
    across, down = surface.centre
    x, y = surface.soft_grid()
    px, py = (x - across) / radius, (y - down) / radius
    far = np.hypot(px, py)
    pz = np.sqrt(np.clip(1 - far**2, 0, 1))
    sun = np.array([-0.62 if rng.random() < 0.5 else 0.62, -0.42, 0.5])
    sun /= np.linalg.norm(sun)
    texture, bump = _rock(surface, px, py, pz) if rocky else _bands(surface, px, py, pz)
    light = np.clip(px * sun[0] + py * sun[1] + pz * sun[2] + bump, 0, 1) ** 0.85
    edge = surface.grow(np.asarray(far, np.float32))
    inside = np.clip((1 - edge) * np.float32(radius / 1.2), 0, 1)
    dark, bright = mix(palette.deep, palette.mid, 0.4), mix(palette.accent, palette.ink, 0.45)
    surface.cover(inside, mix(palette.ground, palette.deep, 0.25))
    shine = surface.grow(np.asarray(light, np.float32)) * inside
    surface.add(shine * surface.grow(np.asarray(1 - texture, np.float32)), dark, 0.95)
    surface.add(shine * surface.grow(np.asarray(texture, np.float32)), bright, 0.9)
    lit = np.clip((px * sun[0] + py * sun[1]) / np.maximum(far, 1e-3) + 0.45, 0, 1.2) ** 1.6
    rim = np.exp(-np.abs(far - 1) * (26 if rocky else 15)) * lit
    surface.add(np.asarray(rim, np.float32), palette.accent, 0.35 if rocky else 0.75)


def _rock(surface: Surface, px: Floats, py: Floats, pz: Floats) -> tuple[Floats, Floats]:
    """Plains and craters: brightness, and how the ground leans towards the light; foreshortened at the edge."""
    size, rng = min(surface.width, surface.height), surface.rng
    plains, rough = surface.clouds(size * 0.35, 6, 0.55), surface.clouds(size * 0.06, 4, 0.6)
    texture = 0.2 + 0.75 * plains + 0.25 * (rough - 0.5)
    ground = np.zeros_like(px)
    on_disc = pz > 0
    rows, columns = np.flatnonzero(on_disc.any(axis=1)), np.flatnonzero(on_disc.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    x, y = px[window], py[window]
    for _ in range(64):
        angle, out = rng.uniform(0, 6.283), np.sqrt(rng.random()) * 0.96
        across, down = np.cos(angle), np.sin(angle)
        reach = 0.015 + min(rng.pareto(2.4) * 0.03, 0.15)
        squash = max(np.sqrt(1 - out**2), 0.25)
        dx, dy = x - out * across, y - out * down
        inward = dx * across + dy * down
        away = np.sqrt(np.maximum(dx**2 + dy**2 - inward**2, 0) + (inward / squash) ** 2) / reach
        ring = np.exp(-((away - 1.05) ** 2) * 20)
        ground[window] += (np.minimum(away**2 - 1, 0) + 0.5 * ring) * reach
        texture[window] += 0.12 * ring
    slope_y, slope_x = np.gradient(ground)
    bump = (rough - 0.5) * 0.12 + np.clip((slope_x + slope_y) * size / SOFT * 0.065, -0.5, 0.5)
    return np.asarray(np.clip(texture, 0, 1), np.float32), np.asarray(bump, np.float32)


def _bands(surface: Surface, px: Floats, py: Floats, pz: Floats) -> tuple[Floats, Floats]:
    size, lean = min(surface.width, surface.height), surface.rng.uniform(-0.35, 0.35)
    latitude = py * np.cos(lean) - px * np.sin(lean)
    swirl = surface.clouds(size * 0.2, 5, 0.55, stretch=3.0)
    height = latitude * surface.rng.uniform(6, 8.5) + (swirl - 0.5) * 1.15
    bands = 0.5 + 0.28 * np.sin(height * 1.7) + 0.16 * np.sin(height * 4.1 + 1.3) + 0.1 * (swirl - 0.5)
    return np.asarray(np.clip(bands, 0, 1), np.float32), np.zeros_like(px) + np.float32(0.02) * (1 - pz)


def rays(surface: Surface) -> None:
    """Light breaking out from one point, with drifting motes."""
    palette, rng = surface.palette, surface.rng
    size = min(surface.width, surface.height)
    _sky(surface, 0.25)
    x, y = surface.soft_grid()
    across, down = surface.centre
    angle = np.arctan2(y - down, x - across)
    away = np.hypot(x - across, y - down) / size
    beams = np.zeros_like(angle)
    for frequency, weight in ((5, 0.5), (11, 0.9), (23, 0.8), (41, 0.55), (67, 0.35)):
        beams += weight * np.cos(frequency * angle + rng.uniform(0, 6.283))
    beams = np.clip(0.42 + beams * 0.3, 0, 1) ** 1.5
    smoke = surface.clouds(size * 0.5, 5)
    fade = np.exp(-away * 1.5) * np.clip(away * 7, 0, 1)
    surface.add(np.asarray(beams * fade * (0.55 + 0.45 * smoke), np.float32), palette.accent, 0.75)
    surface.add(np.asarray(np.exp(-away * 2.3), np.float32), palette.mid, 0.85)
    surface.add(np.asarray(np.exp(-((away * 5.2) ** 1.1)), np.float32), mix(palette.second, palette.ink, 0.3), 0.95)
    surface.add(np.asarray(np.exp(-((away * 17) ** 1.5)), np.float32), palette.ink, 1.0)
    ring = np.exp(-(((away - 0.46) * 30) ** 2)) * (0.4 + 0.6 * np.cos(angle * 2 + 1) ** 2)
    surface.add(np.asarray(ring, np.float32), palette.second, 0.16)
    surface.stars(0.5, within=np.asarray(np.clip(away * 1.4 - 0.2, 0, 1), np.float32), bright=5)
