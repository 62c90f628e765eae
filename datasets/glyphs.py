"""Rows of text as masks: one font, a cap height in pixels, letter spacing, width, and a curve for banners.

Masks are ``uint8`` arrays (height, width), 255 where there is a letter. Rows know their baseline, so that lines sit as
a mason would set them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

Mask = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A drawn row: tight mask, and how far below the mask's top the baseline lies."""

    mask: Mask
    baseline_px: float


@dataclass(frozen=True, slots=True)
class Setting:
    """How a row is set: font, cap height, extra space between letters (in cap heights), stretch, width of spaces."""

    font: Path
    cap_height_px: float
    tracking: float = 0.0
    stretch: float = 1.0
    word_space: float = 1.0


@lru_cache(maxsize=512)
def _font(path: Path, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size_px, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1024)
def _cap_ratio(path: Path) -> float:
    return -_font(path, 200).getbbox("H", anchor="ls")[1] / 200


@lru_cache(maxsize=20_000)
def _glyph(path: Path, size_px: int, char: str) -> tuple[Mask, int, int, float]:
    """A letter's mask, its offset from the pen (x, y) and its advance."""
    font = _font(path, size_px)
    image, (left, top) = font.getmask2(char, mode="L", anchor="ls")
    width, height = image.size
    mask = (
        np.frombuffer(bytes(image), np.uint8).reshape(height, width) if width and height else np.zeros((0, 0), np.uint8)
    )
    return mask, left, top, font.getlength(char)


def _size_px(setting: Setting) -> int:
    """The font size for a cap height, in steps of about 6 %, so that drawn letters can be used again."""
    size_px = setting.cap_height_px / _cap_ratio(setting.font)
    step = max(1, int(size_px / 16))
    return max(6, round(size_px / step) * step)


def draw_row(text: str, setting: Setting) -> Row:
    """``text`` in one row. The mask is tight in x and y and never empty; blank text gives one empty pixel."""
    size_px = _size_px(setting)
    pen, placed = 0.0, []
    for char in text:
        mask, left, top, advance = _glyph(setting.font, size_px, char)
        if mask.size:
            placed.append((mask, round(pen) + left, top))
        pen += advance * (setting.word_space if char == " " else 1.0) + setting.tracking * setting.cap_height_px
    if not any(mask.any() for mask, _, _ in placed):
        return Row(np.zeros((1, 1), np.uint8), 1.0)
    x0, y0 = min(p[1] for p in placed), min(p[2] for p in placed)
    x1 = max(x + m.shape[1] for m, x, _ in placed)
    y1 = max(y + m.shape[0] for m, _, y in placed)
    canvas = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for mask, x, y in placed:
        window = canvas[y - y0 : y - y0 + mask.shape[0], x - x0 : x - x0 + mask.shape[1]]
        np.maximum(window, mask, out=window)
    across, down = np.flatnonzero(canvas.max(axis=0)), np.flatnonzero(canvas.max(axis=1))
    canvas = canvas[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    y0 += int(down[0])
    if abs(setting.stretch - 1) > 0.01:
        width = max(1, round(canvas.shape[1] * setting.stretch))
        way = cv2.INTER_AREA if setting.stretch < 1 else cv2.INTER_LINEAR
        canvas = np.asarray(cv2.resize(canvas, (width, canvas.shape[0]), interpolation=way), np.uint8)
    return Row(canvas, float(-y0))


def row_width(text: str, setting: Setting) -> float:
    """About how wide ``draw_row`` would be, without drawing."""
    size_px = _size_px(setting)
    advances = ((char, _glyph(setting.font, size_px, char)[3]) for char in text)
    advance = sum(width * (setting.word_space if char == " " else 1.0) for char, width in advances)
    return (advance + len(text) * setting.tracking * setting.cap_height_px) * setting.stretch


def thicken(mask: Mask, by_px: float) -> Mask:
    """Strokes made bolder (positive) or thinner (negative) by about that many pixels on each side."""
    if abs(by_px) < 0.2:
        return mask
    if by_px < 0:
        padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        eroded = cv2.erode(padded, np.ones((2, 2), np.uint8))[1:-1, 1:-1]
        share = min(1.0, -by_px)
        return np.asarray(cv2.addWeighted(eroded, share, mask, 1 - share, 0), np.uint8)
    reach = max(1, round(by_px))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = cv2.dilate(mask, kernel)
    share = min(1.0, by_px / reach)
    return np.asarray(cv2.addWeighted(grown, share, mask, 1 - share, 0), np.uint8)


def arch(row: Row, rise_px: float) -> Row:
    """The row bent along a parabola whose middle stands ``rise_px`` above its ends (below if negative)."""
    height, width = row.mask.shape
    extra = int(np.ceil(abs(rise_px)))
    if extra == 0 or width < 8:
        return row
    x = np.linspace(-1, 1, width, dtype=np.float32)
    lift = (1 - x * x) * rise_px - (0 if rise_px < 0 else rise_px)
    ys = np.arange(height + extra, dtype=np.float32)[:, None]
    map_y = ys + lift[None, :]
    map_x = np.broadcast_to(np.arange(width, dtype=np.float32)[None, :], map_y.shape)
    # Letters lean with the curve: points above the middle move away from it at the ends.
    lean = (2 * x * rise_px / max(width / 2, 1))[None, :] * (map_y - height / 2)
    bent = cv2.remap(row.mask, map_x + lean.astype(np.float32), map_y, cv2.INTER_LINEAR, borderValue=0)
    return Row(np.asarray(bent, np.uint8), row.baseline_px + max(0.0, -float(lift.min())))
