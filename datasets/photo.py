"""A camera's part: exposure, colour, blur, sensor noise, sharpening, JPEG, sellers' watermarks, date stamps.

Input and output are ``uint8`` BGR images (height, width, 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from datasets.dice import Dice
from datasets.fonts import Face
from datasets.glyphs import Setting, draw_row
from datasets.textures import Image, f32


@dataclass(frozen=True, slots=True)
class Camera:
    """How one photograph was taken and stored."""

    blur_px: float
    motion_px: float
    motion_angle_deg: float
    shrink: float
    noise: float
    sharpen: float
    jpeg_quality: int
    gamma: float
    gain: float
    contrast: float
    balance: tuple[float, float, float]


def draw_camera(dice: Dice, hardness: float = 1.0) -> Camera:
    """A plausible camera; ``hardness`` scales blur, noise and compression (0 gives a clean picture)."""
    bad = hardness * (dice.uniform(0, 1) ** 1.7)
    return Camera(
        blur_px=dice.uniform(0, 0.45) + (dice.uniform(0.2, 1.6) * bad if dice.chance(0.55) else 0.0),
        motion_px=dice.uniform(1.5, 6.5) * bad if dice.chance(0.12) else 0.0,
        motion_angle_deg=dice.uniform(0, 180),
        shrink=1.0 if dice.chance(0.65) else dice.uniform(1.0, 1.0 + 1.2 * bad),
        noise=dice.uniform(0, 3) + (dice.uniform(2, 16) * bad if dice.chance(0.5) else 0.0),
        sharpen=dice.uniform(0.3, 2.6) if dice.chance(0.6) else 0.0,
        jpeg_quality=round(96 - 62 * bad * dice.uniform(0.2, 1.0)),
        gamma=float(np.exp(dice.rng.gauss(-0.03, 0.2))),
        gain=float(np.exp(dice.rng.gauss(0, 0.12))),
        contrast=dice.uniform(0.4, 0.8) if dice.chance(0.15 * hardness) else dice.uniform(0.9, 1.5),
        balance=(dice.uniform(0.88, 1.1), dice.uniform(0.96, 1.04), dice.uniform(0.9, 1.12)),
    )


@lru_cache(maxsize=1)
def _noise_tile() -> np.ndarray:
    tile = np.random.default_rng(1).normal(0, 1, (1024, 1024, 3)).astype(np.float32)
    # Phones smooth noise: half of it is a little wider than one pixel.
    return np.asarray(tile * 0.7 + cv2.GaussianBlur(tile, (0, 0), 0.9) * 1.1, np.float32)


def _tone(image: Image, camera: Camera) -> Image:
    ramp = np.arange(256, dtype=np.float32) / 255
    tables = []
    for balance in camera.balance:
        curve = 0.5 + (ramp * balance * camera.gain - 0.5) * camera.contrast
        tables.append(np.clip(curve, 0, 1) ** camera.gamma * 255)
    return np.asarray(cv2.LUT(image, np.stack(tables, axis=1).astype(np.uint8)[None]), np.uint8)


def blur_by_motion(image: Image, length_px: float, angle_deg: float) -> Image:
    """The picture smeared along a line by a camera that moved."""
    size = max(3, int(length_px) | 1)
    kernel: Image = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1
    turn = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), angle_deg, 1)
    kernel = cv2.warpAffine(kernel, turn, (size, size))
    return np.asarray(cv2.filter2D(image, -1, f32(kernel / kernel.sum())), np.uint8)


def add_noise(dice: Dice, image: Image, sigma: float) -> Image:
    """Sensor noise of the given standard deviation in grey levels, coloured a little."""
    height, width = image.shape[:2]
    tile = _noise_tile()
    if height > 1024 or width > 1024:
        tile = np.tile(tile, (height // 1024 + 1, width // 1024 + 1, 1))
    y, x = dice.rng.randint(0, tile.shape[0] - height), dice.rng.randint(0, tile.shape[1] - width)
    piece = np.ascontiguousarray(tile[y : y + height, x : x + width])
    return np.asarray(cv2.addWeighted(image, 1.0, piece, sigma, 0, dtype=cv2.CV_8U), np.uint8)


def expose(dice: Dice, image: Image, camera: Camera) -> Image:
    """The picture as that camera would have stored it; same size."""
    height, width = image.shape[:2]
    image = _tone(image, camera)
    if camera.blur_px > 0.15:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), camera.blur_px), np.uint8)
    if camera.motion_px > 1:
        image = blur_by_motion(image, camera.motion_px, camera.motion_angle_deg)
    if camera.shrink > 1.05:
        small = (max(8, round(width / camera.shrink)), max(8, round(height / camera.shrink)))
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
    if camera.noise > 0.5:
        image = add_noise(dice, image, camera.noise)
    if camera.sharpen > 0:
        soft = cv2.GaussianBlur(image, (0, 0), 1.2)
        image = np.asarray(cv2.addWeighted(image, 1 + camera.sharpen, soft, -camera.sharpen, 0), np.uint8)
    if camera.jpeg_quality < 95:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg_quality])
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    if image.shape[:2] != (height, width):
        way = cv2.INTER_CUBIC if dice.chance(0.5) else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, (width, height), interpolation=way), np.uint8)
    return image


def _watermark_text(dice: Dice) -> str:
    rng = dice.rng
    word = "".join(rng.choice("abcdeghiklmnoprstuvxy") for _ in range(rng.randint(5, 11)))
    return rng.choice((
        f"{word}.com", f"{word}.vn", f"0{rng.randint(300, 999)} {rng.randint(100, 999)} {rng.randint(100, 999)}",
        f"Đá mỹ nghệ {word.title()}",
        f"{rng.randint(1, 1999)} Đường {word.title()}", f"Xưởng bia đá {word.title()}",
        f"ĐT: 09{rng.randint(10**7, 10**8 - 1)}", f"www.{word}.net",
    ))  # fmt: skip


def add_watermark(dice: Dice, image: Image, face: Face) -> Image:
    """A seller's text laid over the picture after it was taken: bright, flat, slanted, often see-through."""
    height, width = image.shape[:2]
    cap_px = max(8.0, width * dice.uniform(0.02, 0.06))
    setting = Setting(face.path, cap_px)
    rows = [draw_row(_watermark_text(dice), setting).mask for _ in range(dice.rng.randint(1, 3))]
    line_px = max(row.shape[0] for row in rows) + round(cap_px * 0.3)
    block = np.zeros((line_px * len(rows), max(row.shape[1] for row in rows)), np.uint8)
    for index, row in enumerate(rows):
        left = (block.shape[1] - row.shape[1]) // 2
        block[index * line_px : index * line_px + row.shape[0], left : left + row.shape[1]] = row
    angle = dice.uniform(-22, 22) if dice.chance(0.7) else 0.0
    turn = cv2.getRotationMatrix2D((block.shape[1] / 2, block.shape[0] / 2), angle, 1)
    turn[:, 2] += (dice.uniform(0, width) - block.shape[1] / 2, dice.uniform(0, height) - block.shape[0] / 2)
    mask = cv2.warpAffine(block, turn, (width, height)).astype(np.float32) / 255 * np.float32(dice.uniform(0.25, 1.0))
    colour = dice.choice(
        ((30, 205, 250), (225, 215, 60), (255, 255, 255), (60, 60, 240), (210, 230, 130), (200, 200, 200))
    )
    mixed = image.astype(np.float32)
    if dice.chance(0.35):
        shadow = cv2.warpAffine(mask, f32([[1, 0, 1], [0, 1, 1]]), (width, height))
        mixed *= (1 - 0.7 * shadow)[:, :, None]
    mixed += (f32(colour) - mixed) * mask[:, :, None]
    return np.asarray(mixed, np.uint8)
