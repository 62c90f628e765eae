"""Stone surfaces: polished granites, marbles, terrazzo, cement, hammered gold and silver plates.

Tiles are made from noise once per kind and variant and kept (``uint8`` BGR, ``TILE_PX`` square); a surface is a random
window of a tile, mirrored, scaled and tinted. Variants from ``HELD_OUT_FROM`` on are for validation only.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from random import Random
from typing import Any
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

# OpenCV types every result alike, so these names carry what the annotation cannot.
Image = NDArray[Any]
"""``uint8`` (height, width, 3), BGR."""
Plane = NDArray[Any]
"""``float32`` (height, width) or (height, width, 3)."""

TILE_PX = 768
HELD_OUT_FROM = 6
VARIANTS = 9


def f32(values: ArrayLike) -> Plane:
    """A ``float32`` array of the values."""
    return np.asarray(values, np.float32)


class Material(StrEnum):
    """What a stone, or the plate let into it, is made of."""

    BLACK = "black"
    RED = "red"
    GREY = "grey"
    SPECKLED = "speckled"
    MARBLE = "marble"
    CREAM = "cream"
    GREEN = "green"
    TERRAZZO = "terrazzo"
    CEMENT = "cement"
    WHITEWASH = "whitewash"
    GOLD = "gold"
    SILVER = "silver"
    TILE = "tile"
    STEEL = "steel"


def noise(rng: np.random.Generator, height: int, width: int, cell_px: float) -> Plane:
    """Smooth noise between 0 and 1 whose features are about ``cell_px`` large."""
    grid = rng.random((max(2, int(height / cell_px) + 2), max(2, int(width / cell_px) + 2)), dtype=np.float32)
    return np.asarray(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def octaves(rng: np.random.Generator, height: int, width: int, cell_px: float, count: int) -> Plane:
    """Noise of several sizes, each half as large and half as strong as the one before; mean about 0.5."""
    total, weight = np.zeros((height, width), np.float32), 0.0
    for step in range(count):
        total += noise(rng, height, width, max(1.0, cell_px / 2**step)) * 0.5**step
        weight += 0.5**step
    return total / weight


def _grains(rng: np.random.Generator, sizes: tuple[float, ...]) -> Plane:
    """Crystal grains: hard-edged noise of a few sizes, zero mean."""
    total = np.zeros((TILE_PX, TILE_PX), np.float32)
    for size in sizes:
        cells = int(TILE_PX / size) + 1
        grid = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        total += cv2.resize(grid, (TILE_PX, TILE_PX), interpolation=cv2.INTER_CUBIC if size > 2 else cv2.INTER_LINEAR)
    return total / np.float32(len(sizes) ** 0.5)


def _coloured(plane: Plane, dark: ArrayLike, light: ArrayLike) -> Plane:
    share = np.clip(plane, 0, 1)[:, :, None]
    return np.asarray(f32(dark) * (1 - share) + f32(light) * share, np.float32)


def _flecks(
    rng: np.random.Generator, tile: Plane, share: float, colour: tuple[float, float, float], size_px: float
) -> Plane:
    mask = noise(rng, TILE_PX, TILE_PX, size_px)
    cover = np.clip((mask - np.quantile(mask[::4, ::4], 1 - share)) * 12, 0, 1)[:, :, None]
    return np.asarray(tile * (1 - cover) + f32(colour) * cover, np.float32)


def _black(rng: np.random.Generator) -> Plane:
    base = rng.uniform(6, 34)
    tile = _coloured(0.5 + _grains(rng, (1.0, 2.2)) * 0.22, (base * 0.6,) * 3, (base * 1.5 + 6,) * 3)
    for _ in range(int(rng.integers(0, 3))):
        tile = _flecks(rng, tile, rng.uniform(0.002, 0.03), (rng.uniform(60, 150),) * 3, rng.uniform(1.2, 3))
    return tile


def _red(rng: np.random.Generator) -> Plane:
    dark = (rng.uniform(15, 40), rng.uniform(15, 40), rng.uniform(60, 95))
    light = (rng.uniform(50, 95), rng.uniform(55, 100), rng.uniform(120, 180))
    tile = _coloured(0.5 + _grains(rng, (2.0, 4.0, 7.0)) * 0.25, dark, light)
    tile = _flecks(rng, tile, 0.08, (25, 22, 30), rng.uniform(2, 5))
    return _flecks(rng, tile, 0.05, (120, 125, 150), rng.uniform(2, 4))


def _grey(rng: np.random.Generator) -> Plane:
    base = rng.uniform(70, 170)
    tint = rng.uniform(-8, 8, 3)
    dark, light = base - rng.uniform(20, 45) + tint, base + rng.uniform(15, 45) + tint
    return _coloured(0.5 + _grains(rng, (1.5, 3.0, 6.0)) * 0.2, dark, light)


def _speckled(rng: np.random.Generator) -> Plane:
    base = rng.uniform(45, 140)
    tile = _coloured(0.5 + _grains(rng, (2.0, 3.5)) * 0.35, (base * 0.55,) * 3, (base * 1.5,) * 3)
    tile = _flecks(rng, tile, rng.uniform(0.06, 0.2), (18, 18, 20), rng.uniform(2, 5))
    return _flecks(rng, tile, rng.uniform(0.04, 0.15), (rng.uniform(170, 225),) * 3, rng.uniform(2, 4))


def _veined(rng: np.random.Generator, base: tuple[float, float, float], vein: tuple[float, float, float]) -> Plane:
    warp = octaves(rng, TILE_PX, TILE_PX, 160, 5)
    veins = np.abs(np.sin(warp * rng.uniform(8, 18) + noise(rng, TILE_PX, TILE_PX, 300) * 6))
    share = np.clip(1 - veins * rng.uniform(2.5, 7), 0, 1) * rng.uniform(0.3, 0.9) + (warp - 0.5) * 0.5
    return _coloured(share, base, vein)


def _marble(rng: np.random.Generator) -> Plane:
    white = rng.uniform(200, 245)
    return _veined(rng, (white, white, white - rng.uniform(0, 8)), (rng.uniform(110, 170),) * 3)


def _cream(rng: np.random.Generator) -> Plane:
    return _veined(rng, (rng.uniform(150, 190), rng.uniform(185, 215), rng.uniform(205, 235)), (105, 140, 170))


def _green(rng: np.random.Generator) -> Plane:
    return _flecks(
        rng, _coloured(0.5 + _grains(rng, (2.0, 5.0)) * 0.3, (30, 38, 22), (88, 105, 72)), 0.06, (120, 140, 110), 3
    )


def _terrazzo(rng: np.random.Generator) -> Plane:
    base = rng.uniform(130, 205)
    tile = _coloured(octaves(rng, TILE_PX, TILE_PX, 40, 4), (base - 25,) * 3, (base + 15,) * 3)
    for _ in range(1400):
        centre = (int(rng.integers(TILE_PX)), int(rng.integers(TILE_PX)))
        axes = (int(rng.integers(1, 7)), int(rng.integers(1, 5)))
        shade = rng.uniform(30, 250)
        colour = tuple(float(np.clip(shade + c, 0, 255)) for c in rng.uniform(-25, 25, 3))
        cv2.ellipse(tile, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return tile


def _cement(rng: np.random.Generator) -> Plane:
    base = rng.uniform(105, 190)
    tint = np.array([rng.uniform(-14, 2), rng.uniform(-3, 3), rng.uniform(0, 12)])
    plane = octaves(rng, TILE_PX, TILE_PX, 120, 7) + _grains(rng, (1.2, 2.5)) * 0.06
    tile = _coloured(f32((plane - 0.3) * 2.2), base - 45 + tint, base + 30 + tint)
    return _flecks(rng, tile, 0.012, (60, 62, 66), rng.uniform(2, 5))


def _whitewash(rng: np.random.Generator) -> Plane:
    paint = [(225, 232, 235), (215, 205, 170), (150, 200, 225), (190, 190, 190), (205, 225, 205)][int(rng.integers(5))]
    strokes = cv2.resize(rng.random((TILE_PX, 24), dtype=np.float32), (TILE_PX, TILE_PX), interpolation=cv2.INTER_CUBIC)
    plane = octaves(rng, TILE_PX, TILE_PX, 150, 6) * 0.8 + strokes * 0.15
    tile = _coloured((plane - 0.25) * 2, f32(paint) * 0.82, paint)
    return _flecks(rng, tile, rng.uniform(0.01, 0.06), (125, 130, 135), rng.uniform(4, 14))


def _hammered(rng: np.random.Generator, dark: tuple[float, float, float], light: tuple[float, float, float]) -> Plane:
    """A rough cast plate: the light on a bumpy surface, from the upper left."""
    height = noise(rng, TILE_PX, TILE_PX, rng.uniform(3, 9)) + noise(rng, TILE_PX, TILE_PX, 2.0) * rng.uniform(0.2, 0.6)
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) + cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    shine = 0.5 + slope * rng.uniform(0.08, 0.3) + (octaves(rng, TILE_PX, TILE_PX, 300, 3) - 0.5) * 0.5
    return _coloured(np.asarray(shine, np.float32), dark, light)


def _gold(rng: np.random.Generator) -> Plane:
    return _hammered(rng, (10, 70, 100), (rng.uniform(60, 130), rng.uniform(185, 225), rng.uniform(225, 252)))


def _silver(rng: np.random.Generator) -> Plane:
    return _hammered(rng, (120, 120, 122), (248, 248, 248))


def _tile(rng: np.random.Generator) -> Plane:
    colour = [(235, 238, 240), (190, 215, 228), (60, 40, 120), (120, 60, 30), (40, 40, 40)][int(rng.integers(5))]
    return _coloured(octaves(rng, TILE_PX, TILE_PX, 300, 3), f32(colour) * 0.92, colour)


def _steel(rng: np.random.Generator) -> Plane:
    streaks = cv2.resize(rng.random((TILE_PX, 6), dtype=np.float32), (TILE_PX, TILE_PX), interpolation=cv2.INTER_LINEAR)
    plane = streaks * 0.4 + octaves(rng, TILE_PX, TILE_PX, 380, 3) * 0.8
    light = [(225, 225, 222), (120, 195, 225), (110, 160, 190)][int(rng.integers(3))]
    return _coloured(np.asarray(plane, np.float32), f32(light) * 0.6, light)


_MAKERS: dict[Material, Callable[[np.random.Generator], Plane]] = {
    Material.BLACK: _black, Material.RED: _red, Material.GREY: _grey, Material.SPECKLED: _speckled,
    Material.MARBLE: _marble,
    Material.CREAM: _cream, Material.GREEN: _green, Material.TERRAZZO: _terrazzo, Material.CEMENT: _cement,
    Material.WHITEWASH: _whitewash, Material.GOLD: _gold, Material.SILVER: _silver, Material.TILE: _tile,
    Material.STEEL: _steel,
}  # fmt: skip


@lru_cache(maxsize=len(Material) * VARIANTS)
def _tile_of(material: Material, variant: int) -> Image:
    rng = np.random.default_rng(crc32(f"{material}:{variant}".encode()))
    return np.asarray(np.clip(_MAKERS[material](rng), 0, 255), np.uint8)


def surface(
    rng: Random, material: Material, height: int, width: int, held_out: bool = False, grain: float = 1.0
) -> Image:
    """A random piece of a material, (height, width, 3). ``grain`` above 1 enlarges the pattern."""
    variant = rng.randrange(HELD_OUT_FROM, VARIANTS) if held_out else rng.randrange(HELD_OUT_FROM)
    tile = _tile_of(material, variant)
    need_h, need_w = max(8, int(height / grain)), max(8, int(width / grain))
    if rng.random() < 0.5:
        tile = tile[:, ::-1]
    if rng.random() < 0.5:
        tile = tile[::-1]
    if need_h > TILE_PX or need_w > TILE_PX:
        repeats = ((0, max(0, need_h - TILE_PX)), (0, max(0, need_w - TILE_PX)))
        window = cv2.copyMakeBorder(np.ascontiguousarray(tile), 0, repeats[0][1], 0, repeats[1][1], cv2.BORDER_REFLECT)
    else:
        top, left = rng.randint(0, TILE_PX - need_h), rng.randint(0, TILE_PX - need_w)
        window = tile[top : top + need_h, left : left + need_w]
    window = np.ascontiguousarray(window[:need_h, :need_w])
    if (need_h, need_w) != (height, width):
        window = cv2.resize(window, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(window, np.uint8)
