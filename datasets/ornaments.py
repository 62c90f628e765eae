"""What stands on stones beside letters: frames, meanders, corner scrolls, stars, leaves, lotus, crosses, portraits.

Everything is drawn into ``uint8`` masks with the same tool as the letters, or into colour images (portraits, emblems).
A reader must learn to pass over all of it.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.dice import Dice
from datasets.textures import Image, Plane, f32, octaves

Mask = NDArray[Any]
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels."""


def draw_frame(dice: Dice, mask: Mask, inset_px: int, unit_px: int) -> None:
    """One or two rules, a meander band or dots around the face."""
    height, width = mask.shape
    thick = max(1, unit_px // 6)
    unit_px = max(3, min(unit_px, height // 12, width // 12))
    box = (inset_px, inset_px, width - 1 - inset_px, height - 1 - inset_px)
    form = dice.weighted({"single": 30, "double": 20, "meander": 25, "corners": 15, "beads": 10})
    if form in ("single", "double", "corners"):
        cv2.rectangle(mask, box[:2], box[2:], 255, thick, cv2.LINE_AA)
    if form == "double":
        gap = max(2, unit_px // 2)
        cv2.rectangle(
            mask, (box[0] + gap, box[1] + gap), (box[2] - gap, box[3] - gap), 255, max(1, thick // 2), cv2.LINE_AA
        )
    if form == "meander":
        _meander_band(mask, box, max(4, unit_px), thick)
    if form == "beads":
        step = max(3, unit_px // 2)
        for x in range(box[0], box[2], step):
            cv2.circle(mask, (x, box[1]), max(1, step // 4), 255, -1, cv2.LINE_AA)
            cv2.circle(mask, (x, box[3]), max(1, step // 4), 255, -1, cv2.LINE_AA)
    if dice.chance(0.5):
        for corner in range(4):
            _corner_scroll(
                dice,
                mask,
                box,
                corner,
                max(4, min(height // 14, width // 14, round(unit_px * dice.uniform(1.0, 2.5)))),
                thick,
            )


def _meander_band(mask: Mask, box: Box, unit: int, thick: int) -> None:
    """The Greek key that runs around most workshop stones."""
    key = f32([(0.0, 1.0), (0.0, 0.0), (0.8, 0.0), (0.8, 0.75), (0.3, 0.75), (0.3, 0.4), (0.55, 0.4)])
    x0, y0, x1, y1 = box

    def stroke(points: NDArray[Any]) -> None:
        cv2.polylines(mask, [np.round(points).astype(np.int32)], False, 255, max(1, thick), cv2.LINE_AA)

    for x in range(x0, x1 - unit, unit):
        stroke(key * unit * 0.9 + (x, y0))
        stroke(key * (unit * 0.9, -unit * 0.9) + (x, y1))
    for y in range(y0 + unit, y1 - 2 * unit, unit):
        stroke(key[:, ::-1] * unit * 0.9 + (x0, y))
        stroke(key[:, ::-1] * (-unit * 0.9, unit * 0.9) + (x1, y))


def _spiral(centre: tuple[float, float], radius: float, turns: float, start: float, flip: bool) -> NDArray[Any]:
    t = np.linspace(0, 1, 28)
    angle = start + (-1 if flip else 1) * t * turns * 2 * np.pi
    r = radius * (1 - 0.85 * t)
    return np.round(np.stack([centre[0] + r * np.cos(angle), centre[1] + r * np.sin(angle)], axis=1)).astype(np.int32)


def _corner_scroll(dice: Dice, mask: Mask, box: Box, corner: int, size: int, thick: int) -> None:
    x = box[0] if corner in (0, 3) else box[2]
    y = box[1] if corner < 2 else box[3]
    inward = (1 if corner in (0, 3) else -1, 1 if corner < 2 else -1)
    for reach, flip in ((0.9, False), (0.9, True), (1.9, False)):
        centre = (
            x + inward[0] * size * (reach if not flip else 0.9),
            y + inward[1] * size * (0.9 if not flip else 1.9),
        )
        cv2.polylines(
            mask, [_spiral(centre, size * 0.6, 1.4, dice.uniform(0, 6.28), flip)], False, 255, thick, cv2.LINE_AA
        )


def star_points(centre: tuple[float, float], radius: float, turn: float = 0.0) -> NDArray[Any]:
    """Outline of a five-pointed star, one point up."""
    angle = -np.pi / 2 + turn + np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2 == 0, radius, radius * 0.382)
    return np.round(np.stack([centre[0] + reach * np.cos(angle), centre[1] + reach * np.sin(angle)], axis=1)).astype(
        np.int32
    )


def draw_star(dice: Dice, mask: Mask, centre: tuple[float, float], radius: float) -> None:
    """A star, filled, outlined or ringed."""
    points = star_points(centre, radius, dice.uniform(-0.05, 0.05))
    if dice.chance(0.7):
        cv2.fillPoly(mask, [points], 255, cv2.LINE_AA)
    else:
        cv2.polylines(mask, [points], True, 255, max(1, round(radius * 0.08)), cv2.LINE_AA)
    if dice.chance(0.3):
        cv2.circle(
            mask,
            (round(centre[0]), round(centre[1])),
            round(radius * 1.2),
            255,
            max(1, round(radius * 0.07)),
            cv2.LINE_AA,
        )


def draw_leaf_spray(dice: Dice, mask: Mask, foot: tuple[float, float], length: float, heading: float) -> None:
    """A bent stalk with leaves in pairs: laurel, rice, palm."""
    bend, point, direction = dice.uniform(-0.25, 0.25), np.array(foot, np.float64), heading
    count = dice.rng.randint(5, 11)
    leaf = length / count * dice.uniform(0.8, 1.5)
    for _ in range(count):
        step = np.array([np.cos(direction), np.sin(direction)]) * length / count
        cv2.line(
            mask, tuple(np.round(point).astype(int)), tuple(np.round(point + step).astype(int)), 255, 1, cv2.LINE_AA
        )
        point += step
        for side in (-0.7, 0.7):
            angle = direction + side
            centre = point + np.array([np.cos(angle), np.sin(angle)]) * leaf * 0.5
            axes = (max(1, round(leaf * 0.5)), max(1, round(leaf * 0.17)))
            cv2.ellipse(
                mask, tuple(np.round(centre).astype(int)), axes, np.degrees(angle), 0, 360, 255, -1, cv2.LINE_AA
            )
        direction += bend


def draw_lotus(mask: Mask, centre: tuple[float, float], size: float, thick: int) -> None:
    """A lotus seen from the side: petals as pointed outlines."""
    for spread in (-1.2, -0.75, -0.35, 0.0, 0.35, 0.75, 1.2):
        tip = (centre[0] + np.sin(spread) * size, centre[1] - np.cos(spread) * size * 0.8)
        side = np.array([np.cos(spread), np.sin(spread) * 0.8]) * size * 0.22
        middle = ((centre[0] + tip[0]) / 2, (centre[1] + tip[1]) / 2)
        petal = np.round(
            [centre, (middle[0] - side[0], middle[1] - side[1]), tip, (middle[0] + side[0], middle[1] + side[1])]
        ).astype(np.int32)
        cv2.polylines(mask, [petal], True, 255, thick, cv2.LINE_AA)


def draw_cross(mask: Mask, centre: tuple[float, float], size: float) -> None:
    """A plain Latin cross."""
    x, y, w = round(centre[0]), round(centre[1]), max(1, round(size * 0.1))
    cv2.rectangle(mask, (x - w, y - round(size)), (x + w, y + round(size)), 255, -1)
    cv2.rectangle(
        mask,
        (x - round(size * 0.6), y - round(size * 0.5) - w),
        (x + round(size * 0.6), y - round(size * 0.5) + w),
        255,
        -1,
    )


def draw_motif(dice: Dice, mask: Mask, centre: tuple[float, float], size: float, crosses: bool = True) -> None:
    """One ornament of about the given half size."""
    form = dice.weighted({"star": 30, "lotus": 25, "sprays": 30, "cross": 8 if crosses else 0, "spirals": 7})
    if form == "star":
        draw_star(dice, mask, centre, size)
    elif form == "lotus":
        draw_lotus(mask, (centre[0], centre[1] + size * 0.5), size, max(1, round(size * 0.07)))
    elif form == "cross":
        draw_cross(mask, centre, size)
    elif form == "sprays":
        for side in (-1, 1):
            heading = -np.pi / 2 + side * dice.uniform(0.6, 1.3)
            draw_leaf_spray(dice, mask, (centre[0], centre[1] + size), size * 1.8, heading)
    else:
        for side in (-1, 1):
            path = _spiral(
                (centre[0] + side * size * 0.6, centre[1]), size * 0.6, 1.8, np.pi if side > 0 else 0, side > 0
            )
            cv2.polylines(mask, [path], False, 255, max(1, round(size * 0.08)), cv2.LINE_AA)


def portrait(dice: Dice, height: int, width: int) -> tuple[Image, Mask]:
    """An oval or square ceramic portrait of nobody: flat backdrop, shoulders, head, hair; and its mask."""
    image: Plane = np.empty((height, width, 3), np.float32)
    image[:] = dice.choice(((190, 140, 60), (200, 200, 200), (150, 150, 150), (160, 60, 30), (230, 210, 190)))
    image *= np.linspace(1.08, 0.9, height, dtype=np.float32)[:, None, None]
    skin = f32((120, 160, 205)) * dice.uniform(0.75, 1.1)
    coat = f32(dice.choice(((40, 45, 40), (60, 95, 70), (235, 235, 230), (90, 60, 50), (50, 80, 60))))
    cx, cy = width / 2 + dice.uniform(-0.03, 0.03) * width, height * dice.uniform(0.4, 0.47)
    cv2.ellipse(
        image,
        (round(cx), round(height * 1.08)),
        (round(width * 0.42), round(height * 0.42)),
        0,
        0,
        360,
        coat.tolist(),
        -1,
        cv2.LINE_AA,
    )
    cv2.rectangle(
        image,
        (round(cx - width * 0.07), round(cy)),
        (round(cx + width * 0.07), round(cy + height * 0.3)),
        (skin * 0.85).tolist(),
        -1,
    )
    hair = (dice.uniform(15, 180),) * 3
    cv2.ellipse(
        image,
        (round(cx), round(cy - height * 0.04)),
        (round(width * 0.19), round(height * 0.21)),
        0,
        0,
        360,
        hair,
        -1,
        cv2.LINE_AA,
    )
    cv2.ellipse(
        image,
        (round(cx), round(cy + height * 0.03)),
        (round(width * 0.155), round(height * 0.18)),
        0,
        0,
        360,
        skin.tolist(),
        -1,
        cv2.LINE_AA,
    )
    for side in (-1, 1):
        eye = (round(cx + side * width * 0.065), round(cy + height * 0.01))
        cv2.ellipse(
            image,
            eye,
            (max(1, round(width * 0.025)), max(1, round(height * 0.01))),
            0,
            0,
            360,
            (40, 45, 50),
            -1,
            cv2.LINE_AA,
        )
    cv2.ellipse(
        image,
        (round(cx), round(cy + height * 0.13)),
        (max(1, round(width * 0.05)), max(1, round(height * 0.012))),
        0,
        0,
        180,
        (80, 85, 140),
        1,
        cv2.LINE_AA,
    )
    if dice.chance(0.35):
        cap = f32((60, 100, 80))
        cv2.ellipse(
            image,
            (round(cx), round(cy - height * 0.12)),
            (round(width * 0.22), round(height * 0.1)),
            0,
            180,
            360,
            cap.tolist(),
            -1,
            cv2.LINE_AA,
        )
        cv2.fillPoly(image, [star_points((cx, cy - height * 0.15), width * 0.035)], (40, 200, 230), cv2.LINE_AA)
    image += (octaves(dice.arrays, height, width, 12, 3) - 0.5)[:, :, None] * 25
    image = cv2.GaussianBlur(image, (0, 0), max(0.5, width * 0.008))
    if dice.chance(0.3):
        image[:] = image.mean(axis=2, keepdims=True)
    mask = np.zeros((height, width), np.uint8)
    if dice.chance(0.75):
        cv2.ellipse(mask, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, 255, -1, cv2.LINE_AA)
    else:
        mask[1:-1, 1:-1] = 255
    return np.asarray(np.clip(image, 0, 255), np.uint8), mask


def paste(base: Plane, image: Image, mask: Mask, left: int, top: int) -> None:
    """Lay ``image`` over ``base`` (float32) where ``mask`` says so; parts outside are cut off."""
    height, width = base.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + image.shape[1]), min(height, top + image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    cover = mask[part].astype(np.float32)[:, :, None] / 255
    window = base[y0:y1, x0:x1]
    window += (image[part].astype(np.float32) - window) * cover
