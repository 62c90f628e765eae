"""Letters cut into, raised from or painted on a stone: paint, grooves with a lit and a shaded side, cast shadows.

Light falls from a direction in the plane of the face; the brightness of a slope is the dot product of its gradient and
that direction (a Lambertian face seen from the front, linearised).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.dice import Dice
from datasets.textures import Image, Material, Plane, f32, noise, octaves, surface

Colour = tuple[float, float, float]


class Look(StrEnum):
    """How letters stand on the stone."""

    PAINTED = "painted"
    SANDBLASTED = "sandblasted"
    V_CUT = "engraved"
    RAISED = "raised"
    PLATE = "plate"
    ETCHED = "etched"


class Theme(StrEnum):
    """Where a stone comes from, which decides its material, lettering, wear and photograph."""

    WORKSHOP = "workshop"
    WORN = "worn"
    HAND_PAINTED = "hand_painted"
    CLEAN = "clean"


THEME_WEIGHTS = {Theme.WORKSHOP: 50.0, Theme.WORN: 25.0, Theme.HAND_PAINTED: 15.0, Theme.CLEAN: 10.0}

WHITE: Colour = (236, 238, 238)
GOLD: Colour = (70, 175, 220)
YELLOW: Colour = (40, 205, 240)
SILVER: Colour = (185, 186, 188)
RED: Colour = (45, 40, 190)
BLACK: Colour = (22, 20, 20)
BLUE: Colour = (150, 75, 35)
BROWN: Colour = (35, 60, 95)
GREEN: Colour = (60, 95, 35)

_PAINTS: dict[Material, dict[Colour, float]] = {
    Material.BLACK: {WHITE: 42, GOLD: 28, YELLOW: 12, SILVER: 15, RED: 3},
    Material.RED: {GOLD: 35, YELLOW: 30, WHITE: 35},
    Material.GREY: {BLACK: 30, RED: 25, GOLD: 20, WHITE: 25},
    Material.SPECKLED: {WHITE: 35, YELLOW: 20, GOLD: 15, RED: 15, BLACK: 15},
    Material.MARBLE: {RED: 32, BLACK: 25, GOLD: 20, BLUE: 15, BROWN: 8},
    Material.CREAM: {RED: 35, BLACK: 30, BROWN: 20, BLUE: 15},
    Material.GREEN: {GOLD: 40, WHITE: 40, YELLOW: 20},
    Material.TERRAZZO: {RED: 45, BLACK: 30, BLUE: 15, WHITE: 10},
    Material.CEMENT: {RED: 35, BLACK: 18, WHITE: 18, BLUE: 14, YELLOW: 15},
    Material.WHITEWASH: {RED: 42, BLACK: 25, BLUE: 23, GREEN: 10},
    Material.GOLD: {BLACK: 90, RED: 10},
    Material.SILVER: {BLACK: 92, BLUE: 8},
    Material.TILE: {RED: 30, BLACK: 30, BLUE: 20, WHITE: 20},
    Material.STEEL: {BLACK: 60, RED: 30, BLUE: 10},
}


@dataclass(frozen=True, slots=True)
class Finish:
    """A stone's material, how its letters are made, their paint (None: bare stone), wear 0 to 1, polish 0 to 1."""

    theme: Theme
    material: Material
    look: Look
    paint: Colour | None
    wear: float
    polish: float
    light: tuple[float, float]


def _jittered(dice: Dice, colour: Colour) -> Colour:
    gain = dice.uniform(0.85, 1.06)
    blue, green, red = (min(252.0, max(4.0, channel * gain + dice.uniform(-14, 14))) for channel in colour)
    return blue, green, red


_MATERIALS: dict[Theme, dict[Material, float]] = {
    Theme.WORKSHOP: {
        Material.BLACK: 58, Material.RED: 9, Material.GOLD: 9, Material.SILVER: 7, Material.SPECKLED: 6,
        Material.GREY: 4,
        Material.MARBLE: 4, Material.GREEN: 2, Material.STEEL: 1,
    },
    Theme.WORN: {
        Material.GREY: 20, Material.SPECKLED: 14, Material.MARBLE: 22, Material.BLACK: 18, Material.CREAM: 6,
        Material.CEMENT: 10,
        Material.TERRAZZO: 5, Material.RED: 5,
    },
    Theme.HAND_PAINTED: {Material.CEMENT: 45, Material.WHITEWASH: 40, Material.TERRAZZO: 15},
    Theme.CLEAN: {
        Material.MARBLE: 25, Material.BLACK: 25, Material.TILE: 20, Material.GREY: 15, Material.STEEL: 5,
        Material.CREAM: 10,
    },
}  # fmt: skip


def draw_finish(dice: Dice, theme: Theme | None = None) -> Finish:
    """A plausible stone; half of all are polished workshop stones, as in the photographs that can be had."""
    theme = theme or dice.weighted(THEME_WEIGHTS)
    material = dice.weighted(_MATERIALS[theme])
    paint: Colour | None = _jittered(dice, dice.weighted(_PAINTS[material]))
    polish, wear = 0.0, 0.0
    if material in (Material.GOLD, Material.SILVER):
        look = Look.PLATE
    elif theme is Theme.WORKSHOP:
        look = dice.weighted({Look.SANDBLASTED: 55, Look.PAINTED: 18, Look.V_CUT: 14, Look.RAISED: 8, Look.ETCHED: 5})
        polish = dice.uniform(0.3, 1.0)
        wear = dice.uniform(0, 0.15) if dice.chance(0.2) else 0.0
        if look is Look.ETCHED:
            paint = None if material is Material.BLACK else paint
    elif theme is Theme.WORN:
        look = dice.weighted({Look.V_CUT: 70, Look.RAISED: 10, Look.SANDBLASTED: 20})
        wear = dice.uniform(0.1, 0.85)
        paint = None if dice.chance(0.45) else paint
        polish = dice.uniform(0, 0.4)
    elif theme is Theme.HAND_PAINTED:
        look = Look.PAINTED if dice.chance(0.8) else Look.V_CUT
        wear = dice.uniform(0, 0.6)
    else:
        look = dice.weighted({Look.PAINTED: 60, Look.V_CUT: 40})
    angle = dice.uniform(-np.pi * 0.95, -np.pi * 0.05) if dice.chance(0.85) else dice.uniform(0, np.pi)
    return Finish(theme, material, look, paint, wear, polish, (float(np.cos(angle)), float(np.sin(angle))))


def worn_cover(dice: Dice, mask: Image, wear: float, cap_px: float) -> Plane:
    """How much paint is left, 0 to 1: the mask, broken by noise as wear grows, thinned all over in the end."""
    cover = mask.astype(np.float32) * np.float32(1 / 255)
    if wear <= 0.02:
        return cover
    height, width = mask.shape
    plane = octaves(dice.arrays, height, width, max(3.0, cap_px * dice.uniform(0.3, 2.5)), 3)
    plane += noise(dice.arrays, height, width, 1.5) * 0.15
    left = np.clip((plane - (0.12 + 0.42 * wear)) * dice.uniform(5, 18) + 0.5, 0.0, 1.0)
    return np.asarray(cover * (left * (1 - 0.35 * wear)), np.float32)


def _slope(height: Plane, light: tuple[float, float]) -> Plane:
    gx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=0.25)
    gy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=0.25)
    return np.asarray(cv2.addWeighted(gx, -light[0], gy, -light[1], 0), np.float32)


def _groove(mask: Image, cap_px: float) -> Plane:
    """Depth of a V-shaped groove: the distance from the edge, up to a share of the cap height."""
    distance = cv2.distanceTransform((mask > 110).astype(np.uint8), cv2.DIST_L2, 3)
    depth = np.minimum(distance, max(1.5, cap_px * 0.12))
    return np.asarray(cv2.GaussianBlur(depth, (0, 0), max(0.5, cap_px * 0.02)), np.float32)


def _mix(base: Plane, colour: Colour, cover: Plane) -> Plane:
    """``base`` overlaid by ``colour`` where ``cover`` says so; in place."""
    for channel in range(3):
        plane = base[:, :, channel]
        plane += (np.float32(colour[channel]) - plane) * cover
    return base


def _shifted(mask: Plane, dx: float, dy: float, blur_px: float) -> Plane:
    moved = cv2.warpAffine(
        mask, f32([[1, 0, dx], [0, 1, dy]]), (mask.shape[1], mask.shape[0]), borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), max(0.4, blur_px)), np.float32)


def _scale(base: Plane, gain: Plane) -> Plane:
    for channel in range(3):
        base[:, :, channel] *= gain
    return base


def apply_letters(
    dice: Dice, stone: Image, mask: NDArray[Any], finish: Finish, cap_px: float, held_out: bool = False
) -> Plane:
    """The stone, (height, width, 3) float32, 0 to about 255, with the mask's letters made as ``finish`` says."""
    base = stone.astype(np.float32)
    if finish.look is Look.PLATE:
        return _on_plate(dice, base, mask, finish, cap_px, held_out)
    cover = worn_cover(dice, mask, finish.wear, cap_px)
    if finish.look in (Look.V_CUT, Look.SANDBLASTED):
        return _engraved(dice, base, mask, cover, finish, cap_px)
    if finish.look is Look.RAISED:
        return _raised(dice, base, mask, cover, finish, cap_px)
    if finish.look is Look.ETCHED and finish.paint is None:
        return _mix(base, _jittered(dice, (150, 152, 155)), cover * np.float32(dice.uniform(0.35, 0.9)))
    if finish.theme is Theme.HAND_PAINTED or dice.chance(0.3):
        height, width = mask.shape
        cover = cover * np.clip(0.72 + 0.5 * noise(dice.arrays, height, width, max(2.0, cap_px * 0.3)), 0, 1)
    return _mix(base, finish.paint or WHITE, cover)


def _engraved(dice: Dice, base: Plane, mask: Image, cover: Plane, finish: Finish, cap_px: float) -> Plane:
    letters = mask.astype(np.float32) * np.float32(1 / 255)
    if finish.paint is not None:
        if dice.chance(0.1):
            base = _mix(base, _jittered(dice, BLACK), _shifted(letters, 0, 0, cap_px * 0.06) * np.float32(0.8))
        base = _mix(base, finish.paint, cover)
        strength = dice.uniform(0.1, 0.6)
    else:
        # A fresh cut is paler than the polished face, an old one holds dirt.
        dirt = dice.uniform(-0.45, 0.1) if finish.wear > 0.3 else dice.uniform(-0.3, 0.3)
        base = _scale(base, 1 + letters * np.float32(dirt))
        if finish.material is Material.BLACK:
            base = _mix(base, (118, 120, 122), letters * np.float32(dice.uniform(0.2, 0.6)))
        strength = dice.uniform(0.35, 1.0) * (1 - 0.45 * finish.wear)
    depth = _groove(mask, cap_px)
    gain = 1 + _slope(-depth, finish.light) * np.float32(strength)
    if finish.look is Look.SANDBLASTED:
        # Blasted strokes are lit at their rims, or filled thickest in the middle.
        rim = dice.uniform(-0.3, 0.75)
        gain += letters * (0.5 - depth / max(1.0, float(depth.max()))) * np.float32(rim)
        height, width = mask.shape
        gain += letters * (
            (noise(dice.arrays, height, width, dice.uniform(1.2, 3.0)) - 0.5) * np.float32(dice.uniform(0.05, 0.55))
        )
    return _scale(base, np.clip(gain, 0.25, 1.7))


def _raised(dice: Dice, base: Plane, mask: Image, cover: Plane, finish: Finish, cap_px: float) -> Plane:
    letters = mask.astype(np.float32) * np.float32(1 / 255)
    reach = cap_px * dice.uniform(0.04, 0.14)
    shadow = _shifted(letters, -finish.light[0] * reach, -finish.light[1] * reach, cap_px * 0.04)
    base = _scale(base, 1 - np.clip(shadow - letters, 0, 1) * np.float32(dice.uniform(0.3, 0.7)))
    if finish.paint is not None:
        base = _mix(base, finish.paint, cover)
    edge = _slope(np.asarray(cv2.GaussianBlur(letters, (0, 0), max(0.6, cap_px * 0.05)), np.float32), finish.light)
    return _scale(base, np.clip(1 + edge * np.float32(cap_px * dice.uniform(0.04, 0.1)), 0.3, 1.7))


def _on_plate(dice: Dice, base: Plane, mask: Image, finish: Finish, cap_px: float, held_out: bool) -> Plane:
    """Polished letters left standing on a rough, sunk ground, with a chiselled trench around every word."""
    height, width = mask.shape
    letters = mask.astype(np.float32) * np.float32(1 / 255)
    reach = max(1, round(cap_px * dice.uniform(0.1, 0.3)))
    kernel = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE if dice.chance(0.5) else cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1)
    )
    trench: Plane = cv2.dilate(mask, kernel).astype(np.float32) * np.float32(1 / 255)
    trench = cv2.GaussianBlur(trench, (0, 0), max(0.6, cap_px * 0.03))
    bumps = noise(dice.arrays, height, width, max(2.0, cap_px * 0.2)) * np.float32(dice.uniform(0, 0.25))
    gain = 1 + _slope(np.asarray(-trench + bumps, np.float32), finish.light) * f32(
        max(1.5, cap_px * 0.08) * dice.uniform(0.3, 1.2)
    )
    shadow = _shifted(letters, -finish.light[0] * cap_px * 0.06, -finish.light[1] * cap_px * 0.06, cap_px * 0.03)
    base = _scale(base, np.clip(gain, 0.35, 1.6) * (1 - 0.5 * np.clip(shadow - letters, 0, 1)))
    face = surface(dice.rng, Material.BLACK, height, width, held_out).astype(np.float32)
    if finish.paint is not None and max(finish.paint) > 80:
        face += f32(finish.paint) - face.mean(axis=(0, 1))
    return np.asarray(base + (face - base) * letters[:, :, None], np.float32)
