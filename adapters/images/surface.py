"""What boards are painted with: gradients, noise, stars, lines, light and grain on float pictures (0 to 1, sRGB)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from adapters.images.palette import Colour, Palette

Floats = npt.NDArray[np.float32]
SOFT = 4
"""Soft things (clouds, glows, gradients) are computed at a quarter of the size: nobody can see the difference."""


@dataclass
class Surface:
    """A picture being painted. `focus` is where the eye should go, as shares of width and height."""

    width: int
    height: int
    palette: Palette
    rng: np.random.Generator
    focus: tuple[float, float]

    def __post_init__(self) -> None:
        self.pixels: Floats = np.empty((self.height, self.width, 3), np.float32)
        self.pixels[:] = self.palette.ground

    @property
    def unit(self) -> float:
        """A thousandth of the shorter side in pixels: sizes in units look alike in every format."""
        return min(self.width, self.height) / 1000

    @property
    def centre(self) -> tuple[float, float]:
        return self.focus[0] * self.width, self.focus[1] * self.height

    def soft_grid(self) -> tuple[Floats, Floats]:
        """Coordinates of the quarter-size picture in full-size pixels: x, y."""
        rows, columns = -(-self.height // SOFT), -(-self.width // SOFT)
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        return (x + 0.5) * SOFT, (y + 0.5) * SOFT

    def grow(self, soft: Floats) -> Floats:
        """Bring a quarter-size field to full size."""
        grown = cv2.resize(soft, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(grown, np.float32)

    # ── Painting ──────────────────────────────────────────────────────────────────────────────────────────
    def ramp(self, stops: Sequence[Colour], along: Floats) -> None:
        """Fill with a gradient through the stops; `along` is a quarter-size field from 0 to 1."""
        places = np.linspace(0, 1, len(stops))
        colours = np.asarray(stops)
        eased = np.clip(along, 0, 1)
        channels = [np.interp(eased, places, colours[:, channel]).astype(np.float32) for channel in range(3)]
        self.pixels = self.grow(np.stack(channels, axis=-1))

    def add(self, light: Floats, colour: Colour, strength: float = 1.0) -> None:
        """Add light like a projector: never beyond white. `light` is full or quarter size, 0 to 1."""
        if light.shape[:2] != (self.height, self.width):
            light = self.grow(light)
        amount = np.clip(light, 0, 1)[..., None] * (np.asarray(colour, np.float32) * np.float32(strength))
        self.pixels += amount * (1 - np.clip(self.pixels, 0, 1))

    def cover(self, mask: Floats, colour: Colour, strength: float = 1.0) -> None:
        """Paint over where the mask is 1. `mask` is full or quarter size."""
        if mask.shape[:2] != (self.height, self.width):
            mask = self.grow(mask)
        share = np.clip(mask, 0, 1)[..., None] * np.float32(strength)
        self.pixels += share * (np.asarray(colour, np.float32) - self.pixels)

    def glow(
        self, x: float, y: float, radius: float, colour: Colour, strength: float = 1.0, power: float = 2.0
    ) -> None:
        """Add a round glow that has faded to a third at `radius` pixels."""
        grid_x, grid_y = self.soft_grid()
        away = np.hypot(grid_x - x, grid_y - y) / radius
        self.add(np.exp(-(away**power)).astype(np.float32), colour, strength)

    # ── Noise ─────────────────────────────────────────────────────────────────────────────────────────────
    def clouds(self, size: float, octaves: int = 5, gain: float = 0.5, stretch: float = 1.0) -> Floats:
        """Quarter-size fractal noise from 0 to 1; `size` = pixels of the largest wisps, `stretch` widens them."""
        rows, columns = -(-self.height // SOFT), -(-self.width // SOFT)
        total, weight, amount = np.zeros((rows, columns), np.float32), 0.0, 1.0
        for octave in range(octaves):
            cell = max(size / SOFT / 2**octave, 1.5)
            small = (max(3, int(rows / cell) + 3), max(3, int(columns / cell / stretch) + 3))
            grid = self.rng.random(small, dtype=np.float32)
            total += amount * cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_CUBIC)
            weight += amount
            amount *= gain
        total /= weight
        low, high = np.percentile(total, (1, 99))
        return np.asarray(np.clip((total - low) / (high - low + 1e-6), 0, 1), np.float32)

    # ── Lines ─────────────────────────────────────────────────────────────────────────────────────────────
    def lines(self, paths: Iterable[npt.NDArray[np.floating]], thickness: float, closed: bool = False) -> Floats:
        """A full-size mask of smooth lines through points (n, 2) in pixels."""
        mask = np.zeros((self.height, self.width), np.uint8)
        whole = max(1, round(thickness))
        points = [np.round(path * 16).astype(np.int32).reshape(-1, 1, 2) for path in paths]
        cv2.polylines(mask, points, closed, 255, whole, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / np.float32(255)

    def shape(self, path: npt.NDArray[np.floating]) -> Floats:
        """A full-size mask of a filled outline."""
        mask = np.zeros((self.height, self.width), np.uint8)
        cv2.fillPoly(mask, [np.round(path * 16).astype(np.int32).reshape(-1, 1, 2)], 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / np.float32(255)

    # ── Stars ─────────────────────────────────────────────────────────────────────────────────────────────
    def stars(self, density: float = 1.0, within: Floats | None = None, bright: int = 10) -> None:
        """Scatter stars; `within` (quarter size, 0 to 1) thins them out, `bright` of them get a glow and spikes."""
        count = int(self.width * self.height / 1500 * density)
        x = self.rng.random(count) * (self.width - 4) + 2
        y = self.rng.random(count) * (self.height - 4) + 2
        light = np.minimum(self.rng.pareto(1.6, count) * 0.17 + 0.06, 1.0).astype(np.float32)
        if within is not None:
            light *= within[(y / SOFT).astype(int), (x / SOFT).astype(int)]
        warm = self.rng.random((count, 1)).astype(np.float32)
        tints = warm * np.asarray([1.0, 0.93, 0.84], np.float32) + (1 - warm) * np.asarray([0.82, 0.9, 1.0], np.float32)
        column, row = x.astype(int), y.astype(int)
        share_x, share_y = (x - column).astype(np.float32), (y - row).astype(np.float32)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            share = (share_y if dy else 1 - share_y) * (share_x if dx else 1 - share_x)
            spot = (row + dy, column + dx)
            room = 1 - np.clip(self.pixels[spot], 0, 1)
            np.add.at(self.pixels, spot, tints * (light * share)[:, None] * np.float32(1.9) * room)
        np.clip(self.pixels, 0, 1, out=self.pixels)
        for index in np.argsort(-light)[: max(bright, 0)]:
            self._beacon(float(x[index]), float(y[index]), tints[index])

    def _beacon(self, x: float, y: float, tint: Floats) -> None:
        reach = round(self.unit * self.rng.uniform(9, 26))
        left, top = round(x) - reach, round(y) - reach
        if left < 0 or top < 0 or left + 2 * reach >= self.width or top + 2 * reach >= self.height:
            return
        dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32) / reach
        away = np.hypot(dx, dy)
        halo = np.exp(-((away * 5) ** 2)) + 0.22 * np.exp(-((away * 2.6) ** 1.4)) * (1 - np.clip(away, 0, 1))
        spikes = np.exp(-np.abs(dx) * reach * 1.1) * (1 - np.clip(np.abs(dy), 0, 1)) ** 3
        spikes = spikes + np.exp(-np.abs(dy) * reach * 1.1) * (1 - np.clip(np.abs(dx), 0, 1)) ** 3
        patch = self.pixels[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
        patch += np.clip(halo + 0.45 * spikes, 0, 1)[..., None] * tint * (1 - np.clip(patch, 0, 1))

    # ── Finish ────────────────────────────────────────────────────────────────────────────────────────────
    def vignette(self, strength: float = 0.35) -> None:
        grid_x, grid_y = self.soft_grid()
        away = np.hypot(grid_x / self.width - 0.5, grid_y / self.height - 0.5) / 0.7071
        self.pixels *= self.grow((1 - strength * np.clip(away, 0, 1) ** 2.4).astype(np.float32))[..., None]

    def finish(self, grain: float = 1.5) -> npt.NDArray[np.uint8]:
        """Answer 8-bit pixels with film grain (in levels), which also hides the steps of gradients."""
        noise = self.rng.standard_normal((self.height, self.width), dtype=np.float32) * np.float32(grain)
        dither = self.rng.random((self.height, self.width, 1), dtype=np.float32)
        levels = np.clip(self.pixels, 0, 1) * 255 + noise[..., None] + dither
        return np.clip(levels, 0, 255).astype(np.uint8)
