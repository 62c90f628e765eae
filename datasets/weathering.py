"""What years and weather leave on a stone, and what light does to it: moss, stains, cracks, dust, shadows, glare.

All work in place on float32 images (height, width, 3), values between 0 and about 255.
"""

from __future__ import annotations

import cv2
import numpy as np

from datasets.dice import Dice
from datasets.textures import Plane, noise, octaves


def _blend(image: Plane, colour: tuple[float, float, float], cover: Plane) -> None:
    for channel in range(3):
        plane = image[:, :, channel]
        plane += (np.float32(colour[channel]) - plane) * cover


def _gain(image: Plane, gain: Plane) -> None:
    for channel in range(3):
        image[:, :, channel] *= gain


def _patches(dice: Dice, shape: tuple[int, int], cell_px: float, share: float, softness: float) -> Plane:
    """A plane, 0 to 1, that covers about ``share`` of the face in patches."""
    plane = octaves(dice.arrays, *shape, cell_px, 4)
    level = np.quantile(plane[::8, ::8], 1 - min(0.98, share))
    return np.asarray(np.clip((plane - level) / softness, 0, 1), np.float32)


def add_moss(dice: Dice, image: Plane, amount: float) -> None:
    """Moss and lichen in patches, thicker towards the foot."""
    height, width = image.shape[:2]
    cover = _patches(dice, (height, width), dice.uniform(20, 120), amount * 0.6, dice.uniform(0.05, 0.2))
    cover *= np.linspace(dice.uniform(0.2, 1), 1, height, dtype=np.float32)[:, None] * np.float32(
        dice.uniform(0.35, 0.85)
    )
    cover *= 0.6 + 0.4 * noise(dice.arrays, height, width, 2.5)
    colour = dice.choice(((40, 75, 60), (45, 95, 85), (30, 45, 40), (110, 150, 150), (60, 110, 90), (25, 30, 28)))
    _blend(image, colour, cover)


def add_stains(dice: Dice, image: Plane, amount: float) -> None:
    """Dark or pale clouds, and streaks where water ran down."""
    height, width = image.shape[:2]
    small = (max(8, height // 4), max(8, width // 4))
    plane: Plane = octaves(dice.arrays, *small, dice.uniform(8, 40), 3) - 0.5
    if dice.chance(0.5):
        streaks = cv2.resize(dice.arrays.random((2, small[1] // 2 + 2), dtype=np.float32), (small[1], small[0]))
        plane = plane + (streaks - 0.5) * 0.7
    plane = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
    _gain(image, np.asarray(np.clip(1 + plane * np.float32(amount * dice.uniform(0.4, 1.3)), 0.3, 1.6), np.float32))


def add_dust(dice: Dice, image: Plane, amount: float) -> None:
    """A pale veil that takes contrast away, thicker in places."""
    height, width = image.shape[:2]
    veil = noise(dice.arrays, height, width, dice.uniform(30, 150)) * np.float32(amount * dice.uniform(0.15, 0.6))
    shade = dice.uniform(95, 190)
    _blend(image, (shade * 0.86, shade * 0.95, shade), np.clip(veil, 0, 0.75))


def add_cracks(dice: Dice, image: Plane, count: int) -> None:
    """Wandering cracks, dark with a lit edge."""
    height, width = image.shape[:2]
    for _ in range(count):
        point = np.array([dice.uniform(0, width), dice.uniform(0, height)])
        heading = dice.uniform(0, 2 * np.pi)
        points = [point.copy()]
        for _ in range(dice.rng.randint(6, 30)):
            heading += dice.uniform(-0.6, 0.6)
            point += np.array([np.cos(heading), np.sin(heading)]) * dice.uniform(3, 0.05 * width + 4)
            points.append(point.copy())
        path = np.round(points).astype(np.int32)
        shade = dice.uniform(10, 70)
        cv2.polylines(image, [path + 1], False, (shade + 90,) * 3, 1, cv2.LINE_AA)
        cv2.polylines(image, [path], False, (shade,) * 3, dice.rng.randint(1, 2), cv2.LINE_AA)


def add_scratches(dice: Dice, image: Plane, count: int) -> None:
    """Straight pale scratches."""
    height, width = image.shape[:2]
    for _ in range(count):
        x, y, angle, length = (
            dice.uniform(0, width),
            dice.uniform(0, height),
            dice.uniform(0, np.pi),
            dice.uniform(10, 0.4 * width),
        )
        end = (round(x + length * np.cos(angle)), round(y + length * np.sin(angle)))
        cv2.line(image, (round(x), round(y)), end, (dice.uniform(70, 220),) * 3, 1, cv2.LINE_AA)


def add_splashes(dice: Dice, image: Plane, count: int) -> None:
    """Drops of paint, lime, bird droppings, leaves: small blots of any colour."""
    height, width = image.shape[:2]
    for _ in range(count):
        centre = (dice.rng.randrange(width), dice.rng.randrange(height))
        axes = (dice.rng.randint(1, max(2, width // 60)), dice.rng.randint(1, max(2, width // 90)))
        colour = dice.choice(((230, 235, 235), (60, 90, 70), (40, 60, 90), (35, 35, 170), (120, 120, 120)))
        cv2.ellipse(image, centre, axes, dice.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)


def weather(dice: Dice, image: Plane, amount: float) -> None:
    """All of the above in the strength of ``amount`` (0: as new, 1: many years under trees)."""
    if dice.chance(0.25 + 0.7 * amount):
        add_stains(dice, image, 0.15 + 0.85 * amount)
    if dice.chance(0.8 * amount):
        add_moss(dice, image, amount)
    if dice.chance(0.06 + 0.5 * amount):
        add_dust(dice, image, 0.2 + 0.8 * amount)
    if dice.chance(0.02 + 0.25 * amount):
        add_cracks(dice, image, dice.rng.randint(1, 3))
    if dice.chance(0.05 + 0.2 * amount):
        add_scratches(dice, image, dice.rng.randint(1, 12))
    if dice.chance(0.03 + 0.2 * amount):
        add_splashes(dice, image, dice.rng.randint(1, 14))


def light_gradient(dice: Dice, image: Plane, strength: float) -> None:
    """Brighter on one side, and often darker towards the corners."""
    height, width = image.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    angle = dice.uniform(0, 2 * np.pi)
    gain: Plane = 1 + np.float32(strength) * (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)))
    if dice.chance(0.4):
        gain = gain - np.float32(dice.uniform(0.05, 0.3)) * (x * x + y * y)
    _gain(image, np.clip(gain, 0.15, 2.0))


def cast_shadow(dice: Dice, image: Plane) -> None:
    """A shadow with a straight edge (a wall, the next stone, the photographer) or the dapple of leaves."""
    height, width = image.shape[:2]
    dark = np.float32(dice.uniform(0.2, 0.65))
    if dice.chance(0.5):
        small = (max(4, height // 2), max(4, width // 2))
        plane = octaves(dice.arrays, *small, dice.uniform(10, 60), 2)
        lit = np.clip((plane - dice.uniform(0.35, 0.6)) * dice.uniform(6, 40), 0, 1)
    else:
        small = (max(4, height // 2), max(4, width // 2))
        lit = np.zeros(small, np.float32)
        angle, offset = dice.uniform(0, 2 * np.pi), dice.uniform(-0.35, 0.35)
        x = np.linspace(-0.5, 0.5, small[1], dtype=np.float32)[None, :]
        y = np.linspace(-0.5, 0.5, small[0], dtype=np.float32)[:, None]
        lit = np.clip((x * np.cos(angle) + y * np.sin(angle) - offset) * dice.uniform(8, 80) + 0.5, 0, 1)
    gain = cv2.resize(np.asarray(dark + (1 - dark) * lit, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    _gain(image, np.asarray(gain, np.float32))


def reflect_scene(dice: Dice, image: Plane, polish: float) -> None:
    """What a polished face mirrors: sky and horizon, trees, the photographer, windows; added to its own colour."""
    height, width = image.shape[:2]
    small: Plane = np.zeros((48, 64), np.float32)
    small += noise(dice.arrays, 48, 64, dice.uniform(6, 30)) * 0.6
    if dice.chance(0.6):
        horizon = dice.rng.randrange(8, 40)
        small[:horizon] += dice.uniform(0.1, 0.8)
        small[horizon:] *= 0.5
    for _ in range(dice.rng.randint(0, 4)):
        centre = (dice.rng.randrange(64), dice.rng.randrange(48))
        axes = (dice.rng.randint(2, 14), dice.rng.randint(3, 22))
        cv2.ellipse(small, centre, axes, dice.uniform(0, 180), 0, 360, dice.uniform(0, 1.2), -1)
    if dice.chance(0.3):
        x, y = dice.rng.randrange(50), dice.rng.randrange(36)
        cv2.rectangle(
            small, (x, y), (x + dice.rng.randint(4, 24), y + dice.rng.randint(4, 16)), dice.uniform(0.4, 1.4), -1
        )
    small = cv2.GaussianBlur(small, (0, 0), dice.uniform(0.4, 3.0))
    plane = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    strength = polish * (dice.uniform(5, 45) if dice.chance(0.8) else dice.uniform(40, 120))
    tint = (dice.uniform(0.9, 1.1), 1.0, dice.uniform(0.85, 1.05))
    for channel in range(3):
        image[:, :, channel] += plane * np.float32(strength * tint[channel])


def add_glare(dice: Dice, image: Plane, strength: float) -> None:
    """One bright spot or streak that washes out what lies under it."""
    height, width = image.shape[:2]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :] - np.float32(dice.uniform(-0.1, 1.1))
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None] - np.float32(dice.uniform(-0.1, 1.1))
    angle, long_side, short_side = dice.uniform(0, np.pi), dice.uniform(0.15, 1.0), dice.uniform(0.03, 0.25)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    spot = np.exp(-((along / long_side) ** 2) - (across / short_side) ** 2).astype(np.float32) * np.float32(strength)
    for channel in range(3):
        image[:, :, channel] += spot


def illuminate(dice: Dice, image: Plane, polish: float) -> None:
    """The light of one photograph: gradient always, shadow, reflections and glare now and then."""
    light_gradient(dice, image, dice.uniform(0, 0.35))
    if dice.chance(0.2):
        cast_shadow(dice, image)
    if polish > 0.1 and dice.chance(0.5):
        reflect_scene(dice, image, polish)
    if dice.chance(0.1 + 0.2 * polish):
        add_glare(dice, image, dice.uniform(20, 160))
