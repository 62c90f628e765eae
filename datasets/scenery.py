"""Where a stone stands: a cemetery under the sky, or a workshop's backdrop; boxes in perspective around it.

World units are metres-like: x right, y down, z away from the camera; the face of the stone is centred at the origin in
the plane z = 0. Images are ``uint8`` BGR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.dice import Dice
from datasets.textures import Image, Material, octaves, surface

Points = NDArray[Any]


@dataclass(frozen=True, slots=True)
class View:
    """A pinhole camera that looks at the origin. Angles in degrees; sizes in pixels; distance in world units."""

    width_px: int
    height_px: int
    focal_px: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    distance: float
    shift_px: tuple[float, float]

    def rotation(self) -> Points:
        """World to camera."""
        yaw, pitch, roll = np.radians((self.yaw_deg, self.pitch_deg, self.roll_deg))
        about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        return np.asarray(about_z @ about_x @ about_y)

    def project(self, points: Points) -> NDArray[Any]:
        """(N, 3) world points to (N, 2) pixels; points behind the camera are drawn to its plane."""
        seen = np.asarray(points, np.float64) @ self.rotation().T + (0, 0, self.distance)
        depth = np.maximum(seen[:, 2], 0.05)
        xy = seen[:, :2] / depth[:, None] * self.focal_px
        centre = (self.width_px / 2 + self.shift_px[0], self.height_px / 2 + self.shift_px[1])
        return np.asarray(xy + centre, np.float32)


def warp_onto(view: View, canvas: Image, image: Image, corners: Points, cover: NDArray[Any] | None = None) -> None:
    """Draw ``image`` onto the world rectangle ``corners`` (clockwise from the image's top left) in place."""
    height, width = image.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    to_canvas = cv2.getPerspectiveTransform(source, view.project(corners))
    size = (view.width_px, view.height_px)
    if cover is None:
        cv2.warpPerspective(
            image, to_canvas, size, dst=canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
        )
        return
    drawn = cv2.warpPerspective(image, to_canvas, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpPerspective(cover, to_canvas, size, flags=cv2.INTER_LINEAR).astype(np.float32)[:, :, None] / 255
    np.copyto(canvas, (canvas + (drawn.astype(np.float32) - canvas) * share).astype(np.uint8))


def extrude(view: View, canvas: Image, shape: NDArray[Any], layers: list[Points], colour: NDArray[Any]) -> None:
    """Fill what the outline ``shape`` sweeps over on its way through ``layers`` (world rectangles) with one colour."""
    height, width = shape.shape
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    swept = np.zeros(canvas.shape[:2], np.uint8)
    for corners in layers:
        to_canvas = cv2.getPerspectiveTransform(source, view.project(corners))
        np.maximum(swept, cv2.warpPerspective(shape, to_canvas, (view.width_px, view.height_px)), out=swept)
    share = swept.astype(np.float32)[:, :, None] / 255
    np.copyto(canvas, (canvas + (colour - canvas) * share).astype(np.uint8))


def draw_box(
    dice: Dice,
    view: View,
    canvas: Image,
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    material: Material,
) -> None:
    """An upright box between two corners: its top and the sides that face the camera, each shaded by its direction."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    tile = surface(dice.rng, material, 160, 160, grain=0.6)
    gain = dice.uniform(0.85, 1.15)
    sides = [
        (np.array([[x0, y0, z1], [x1, y0, z1], [x1, y0, z0], [x0, y0, z0]]), 1.12),
        (np.array([[x0, y0, z1], [x0, y0, z0], [x0, y1, z0], [x0, y1, z1]]), 0.62),
        (np.array([[x1, y0, z0], [x1, y0, z1], [x1, y1, z1], [x1, y1, z0]]), 0.72),
        (np.array([[x0, y0, z0], [x1, y0, z0], [x1, y1, z0], [x0, y1, z0]]), 0.95),
    ]
    for corners, shade in sides:
        seen = view.project(corners)
        if cv2.contourArea(seen, oriented=True) > 1:
            warp_onto(view, canvas, np.asarray(cv2.convertScaleAbs(tile, alpha=shade * gain), np.uint8), corners)


def _sky(dice: Dice, height: int, width: int) -> Image:
    top = np.array(
        dice.choice(((205, 165, 110), (225, 200, 170), (228, 226, 222), (190, 190, 188), (235, 215, 190))), np.float32
    )
    low = np.array((235, 230, 222), np.float32) * dice.uniform(0.85, 1.02)
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 0.7
    sky = top * (1 - share) + low * share + np.zeros((1, width, 1), np.float32)
    clouds = np.clip((octaves(dice.arrays, height, width, width / 3, 5) - dice.uniform(0.4, 0.6)) * 3, 0, 1)[:, :, None]
    return np.asarray(np.clip(sky + (245 - sky) * clouds * dice.uniform(0.2, 0.9), 0, 255), np.uint8)


def _leaves(dice: Dice, height: int, width: int) -> Image:
    """Foliage: noise of several sizes in greens, dark below."""
    plane = octaves(dice.arrays, height, width, width / 14, 6)
    plane = (plane - plane.mean()) / max(1e-3, float(plane.std())) * 0.22 + 0.45
    dark = np.array((18, 42, 26), np.float32)
    light = np.array(dice.choice(((70, 150, 120), (80, 165, 140), (60, 130, 90))), np.float32)
    share = np.clip(plane, 0, 1)[:, :, None]
    return np.asarray(dark * (1 - share) + light * share, np.uint8)


def _ground(dice: Dice) -> Image:
    size = 1100
    form = dice.weighted({"grass": 40, "paving": 35, "soil": 25})
    if form == "grass":
        blades = (
            octaves(dice.arrays, size, size, 40, 5) * 0.7 + dice.arrays.random((size, size), dtype=np.float32) * 0.4
        )
        share = np.clip(blades[:, :, None], 0, 1)
        ground = np.array((28, 62, 44), np.float32) * (1 - share) + np.array((95, 170, 150), np.float32) * share
    else:
        material = (
            Material.CEMENT
            if form == "soil"
            else dice.choice((Material.RED, Material.CEMENT, Material.TERRAZZO, Material.GREY))
        )
        ground = surface(dice.rng, material, size, size, grain=0.7).astype(np.float32)
        if form == "soil":
            ground *= np.array((0.62, 0.78, 0.95), np.float32)
        else:
            step = dice.rng.randint(40, 90)
            for line in range(0, size, step):
                cv2.line(ground, (line, 0), (line, size), (95, 100, 105), 2, cv2.LINE_AA)
                cv2.line(ground, (0, line), (size, line), (95, 100, 105), 2, cv2.LINE_AA)
    return np.asarray(np.clip(ground, 0, 255), np.uint8)


_NEIGHBOURS = (Material.MARBLE, Material.GREY, Material.CEMENT, Material.WHITEWASH, Material.BLACK, Material.RED)


def cemetery(dice: Dice, view: View, width: float, height: float, ground_y: float) -> Image:
    """Sky, trees, ground and rows of other graves; everything behind the stone, out of focus as depth asks."""
    canvas = _sky(dice, view.height_px, view.width_px)
    far = np.array(
        [
            [-9, ground_y, 14.0],
            [9, ground_y, 14.0],
            [9, ground_y, -0.75 * view.distance],
            [-9, ground_y, -0.75 * view.distance],
        ]
    )
    horizon = float(view.project(far[:2])[:, 1].mean())
    crowns = octaves(dice.arrays, 1, view.width_px, view.width_px / 6, 4)[0]
    tops = horizon - view.height_px * (dice.uniform(0.0, 0.1) + crowns * dice.uniform(0.05, 0.4))
    leaves = _leaves(dice, view.height_px, view.width_px)
    below = np.arange(view.height_px, dtype=np.float32)[:, None] > cv2.GaussianBlur(
        tops[None].astype(np.float32), (0, 0), 2
    )
    canvas[below] = leaves[below]
    warp_onto(view, canvas, _ground(dice), far)
    material, second = dice.choice(_NEIGHBOURS), dice.choice(_NEIGHBOURS)
    pitch = width * dice.uniform(1.6, 2.4)
    for row in range(dice.rng.randint(1, 3), -1, -1):
        for column in (-3, 3, -2, 2, -1, 1, 0):
            if (row == 0 and column == 0) or dice.chance(0.1):
                continue
            x, z = column * pitch, row * dice.uniform(1.9, 2.3) + dice.uniform(0, 0.1)
            draw_box(
                dice,
                view,
                canvas,
                (x - width * 0.7, ground_y - 0.22, z - 0.2),
                (x + width * 0.7, ground_y, z + 0.9),
                second,
            )
            draw_box(
                dice, view, canvas, (x - width / 2, -height / 2, z), (x + width / 2, ground_y - 0.2, z + 0.1), material
            )
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), dice.uniform(0.6, 3.2)), np.uint8)


def workshop(dice: Dice, view: View) -> Image:
    """Cloth, a painted wall, tiles or boards behind and under a new stone."""
    form = dice.weighted({"cloth": 45, "wall": 30, "board": 25})
    if form == "cloth":
        colour = np.array(
            dice.choice(((40, 30, 150), (150, 70, 20), (60, 35, 110), (90, 90, 90), (40, 90, 40))), np.float32
        )
        folds = octaves(dice.arrays, view.height_px, view.width_px, view.width_px / 3, 3)[:, :, None] * 0.9 + 0.5
        image = colour * folds + dice.arrays.normal(0, 4, (view.height_px, view.width_px, 1)).astype(np.float32)
        return np.asarray(np.clip(image, 0, 255), np.uint8)
    material = (
        Material.CREAM
        if form == "board"
        else dice.choice((Material.CEMENT, Material.WHITEWASH, Material.TILE, Material.MARBLE))
    )
    return surface(dice.rng, material, view.height_px, view.width_px, grain=1.5)


def ground_shadow(dice: Dice, view: View, canvas: Image, width: float, height: float, ground_y: float) -> None:
    """The stone's own shadow on the ground, soft at its edge."""
    run, rise = dice.uniform(-1.2, 1.2), dice.uniform(0.3, 1.2)
    foot = np.array(
        [
            [-width / 2, ground_y, 0],
            [width / 2, ground_y, 0.1],
            [width / 2 + run, ground_y, rise],
            [-width / 2 + run, ground_y, rise],
        ]
    )
    mask = np.zeros(canvas.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.round(view.project(foot)).astype(np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), dice.uniform(1.5, 6)) * dice.uniform(0.25, 0.6)
    np.copyto(canvas, (canvas * (1 - mask[:, :, None])).astype(np.uint8))


def incense(dice: Dice, view: View, canvas: Image, at: tuple[float, float, float], size: float) -> None:
    """A bowl with joss sticks, or a vase of flowers, before the stone."""
    base, top = view.project(np.array([at, (at[0], at[1] - size, at[2])]))
    high = float(base[1] - top[1])
    half = high * dice.uniform(0.35, 0.55)
    bowl = dice.choice(((120, 70, 40), (60, 90, 160), (220, 225, 228), (50, 110, 190)))
    outline = np.array(
        [
            [base[0] - half * 0.6, base[1]],
            [base[0] + half * 0.6, base[1]],
            [base[0] + half, top[1]],
            [base[0] - half, top[1]],
        ]
    )
    cv2.fillPoly(canvas, [np.round(outline).astype(np.int32)], bowl, cv2.LINE_AA)
    cv2.ellipse(
        canvas,
        (round(float(top[0])), round(float(top[1]))),
        (max(1, round(half)), max(1, round(half * 0.25))),
        0,
        0,
        360,
        tuple(c * 0.7 for c in bowl),
        -1,
        cv2.LINE_AA,
    )
    flowers = dice.chance(0.5)
    for _ in range(dice.rng.randint(3, 9)):
        lean, length = dice.uniform(-0.5, 0.5), high * dice.uniform(0.6, 1.4)
        tip = (round(float(top[0]) + lean * length * 0.6), round(float(top[1]) - length))
        stalk = (50, 120, 60) if flowers else (50, 55, 150)
        cv2.line(
            canvas,
            (round(float(top[0]) + lean * half), round(float(top[1]))),
            tip,
            stalk,
            max(1, round(high * 0.03)),
            cv2.LINE_AA,
        )
        if flowers:
            bloom = dice.choice(((60, 210, 250), (180, 120, 230), (245, 245, 250), (60, 60, 220)))
            for petal in range(6):
                angle = petal * np.pi / 3
                reach = high * 0.09
                centre = (round(tip[0] + reach * np.cos(angle)), round(tip[1] + reach * np.sin(angle)))
                cv2.circle(canvas, centre, max(1, round(reach * 0.8)), bloom, -1, cv2.LINE_AA)
