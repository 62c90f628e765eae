"""Photographs spoilt on purpose: one defect each, in graded strength, with what became of every line.

A defect is drawn into a finished photograph (``datasets.stones``). Another place of the camera is a homography of the
picture, exact for the flat face of the stone; what the picture did not show is filled with another part of a cemetery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets import scenery
from datasets.dice import Dice
from datasets.photo import add_noise, blur_by_motion
from datasets.stones import Quad, StonePhoto
from datasets.textures import Image, f32, octaves


class Defect(StrEnum):
    """What went wrong when a photograph was taken."""

    DEFOCUS = "defocus"
    SHAKE = "shake"
    DARK = "dark"
    BRIGHT = "bright"
    GLARE = "glare"
    CUT_OFF = "cut_off"
    FAR = "far"
    OBLIQUE = "oblique"
    COVERED = "covered"
    WORN = "worn"


@dataclass(frozen=True, slots=True)
class BadPhoto:
    """A spoilt photograph: ``line_quads`` as ``StonePhoto`` has them (beyond the frame where cut off).

    ``hidden`` is the share of each line's area that no longer shows.
    """

    image: Image
    texts: tuple[str, ...]
    line_quads: tuple[Quad, ...]
    stone_quad: Quad
    hidden: tuple[float, ...]
    defect: Defect
    strength: float


@dataclass(frozen=True, slots=True)
class _Spoilt:
    """A picture, how the old one's pixels came into it, and what stands before it (255: covered)."""

    image: Image
    to_new: NDArray[Any]
    cover: NDArray[Any] | None = None


def spoil(dice: Dice, photo: StonePhoto, defect: Defect, strength: float) -> BadPhoto:
    """Draw one defect into a photograph; ``strength`` runs from 0 (hardly seen) to 1 (hopeless)."""
    spoilt = _SPOILERS[defect](dice, photo, strength)
    quads = tuple(_moved(quad, spoilt.to_new) for quad in photo.line_quads)
    height, width = spoilt.image.shape[:2]
    seen = np.full((height, width), 255, np.uint8) if spoilt.cover is None else 255 - spoilt.cover
    hidden = tuple(_hidden_share(quad, seen) for quad in quads)
    stone = _moved(photo.stone_quad, spoilt.to_new)
    return BadPhoto(spoilt.image, photo.texts, quads, stone, hidden, defect, strength)


def _moved(quad: Quad, transform: NDArray[Any]) -> Quad:
    return np.asarray(cv2.perspectiveTransform(np.asarray(quad, np.float64)[None], transform)[0], np.float32)


def _hidden_share(quad: Quad, seen: NDArray[Any]) -> float:
    """Share of a quad that is covered or lies beyond the frame."""
    low = np.floor(quad.min(axis=0)).astype(int)
    size = np.ceil(quad.max(axis=0)).astype(int) - low + 1
    area = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(area, np.round(quad - low).astype(np.int32), 1)
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]]], np.float64)
    window = cv2.warpAffine(seen, shift, (int(size[0]), int(size[1])), flags=cv2.INTER_NEAREST)
    return float(1 - (area * (window > 127)).sum() / max(1, int(area.sum())))


def line_height_px(photo: StonePhoto) -> float:
    """Median height of the lines' ink."""
    heights = [float(np.linalg.norm(quad[3] - quad[0])) for quad in photo.line_quads]
    return float(np.median(heights)) if heights else 30.0


def _in_place(image: NDArray[Any], cover: NDArray[Any] | None = None) -> _Spoilt:
    return _Spoilt(np.asarray(np.clip(image, 0, 255), np.uint8), np.eye(3), cover)


def _text_box(photo: StonePhoto) -> tuple[NDArray[Any], NDArray[Any]]:
    corners = np.concatenate(photo.line_quads)
    return corners.min(axis=0), corners.max(axis=0)


def _defocus(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    sigma = line_height_px(photo) * (0.03 + 0.22 * strength)
    return _in_place(add_noise(dice, np.asarray(cv2.GaussianBlur(photo.image, (0, 0), sigma), np.uint8), 2.0))


def _shake(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    length_px = line_height_px(photo) * (0.1 + 0.8 * strength)
    return _in_place(add_noise(dice, blur_by_motion(photo.image, length_px, dice.uniform(0, 180)), 2.0))


def _dark(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    # Light falls by half a stop a tenth; the sensor's own noise stays, and JPEG keeps whole grey levels only.
    gain = 0.5 * 0.02**strength
    dim = np.asarray(photo.image.astype(np.float32) * gain, np.uint8)
    return _in_place(add_noise(dice, dim, 2.5))


def _bright(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    # The sensor is full at white: light stones lose their letters first, dark ones keep them longest.
    gain = 1.2 * 12**strength
    return _in_place(photo.image.astype(np.float32) * gain + dice.uniform(0, 60) * strength)


def _glare(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    """The sky or a flash mirrored by a polished face, over text."""
    height, width = photo.image.shape[:2]
    low, high = _text_box(photo)
    light: Image = np.zeros((height, width), np.float32)
    for _ in range(dice.rng.randint(1, 2)):
        centre = (dice.uniform(low[0], high[0]), dice.uniform(low[1], high[1]))
        reach = line_height_px(photo) * (0.4 + 3.6 * strength)
        axes = (reach * dice.uniform(0.8, 2.0), reach * dice.uniform(0.5, 1.0))
        patch: Image = np.zeros((height, width), np.float32)
        box = (centre, (2 * axes[0], 2 * axes[1]), dice.uniform(-40, 40))
        cv2.ellipse(patch, box, 1.0, -1, cv2.LINE_AA)
        light = np.maximum(light, cv2.GaussianBlur(patch, (0, 0), max(1.0, reach * dice.uniform(0.1, 0.35))))
    gain = dice.uniform(230, 420)
    return _in_place(photo.image.astype(np.float32) + gain * light[:, :, None])


def _seen_from(dice: Dice, photo: StonePhoto, to_new: NDArray[Any]) -> _Spoilt:
    """The photograph from another place, in a frame of the same size with a cemetery around it."""
    image = photo.image
    size = (image.shape[1], image.shape[0])
    shrink = float(np.sqrt(abs(np.linalg.det(to_new[:2, :2]))))
    if shrink < 0.7:  # a warp alone would skip pixels
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.45 / shrink), np.uint8)
    drawn = cv2.warpPerspective(image, to_new, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpPerspective(np.ones(image.shape[:2], np.float32), to_new, size)[:, :, None]
    ground = scenery.cemetery(dice, photo.view, 0.6, 0.9, 0.7).astype(np.float32)
    return _Spoilt(np.asarray(ground + (drawn - ground) * share, np.uint8), to_new)


def _cut_off(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    """The frame's edge runs through the text; what lies beyond it is not in the picture."""
    low, high = _text_box(photo)
    size = np.array([photo.image.shape[1], photo.image.shape[0]], np.float64)
    lost = (0.02 + 0.5 * strength) * (high - low)
    side = dice.weighted({"left": 3, "right": 3, "bottom": 2, "top": 1})
    start, stop = np.zeros(2), size.copy()
    axis = 0 if side in ("left", "right") else 1
    if side in ("left", "top"):
        start[axis] = low[axis] + lost[axis]
    else:
        stop[axis] = high[axis] - lost[axis]
    x0, y0, x1, y1 = (round(float(v)) for v in (*start, *stop))
    return _Spoilt(np.ascontiguousarray(photo.image[y0:y1, x0:x1]), f32([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]]))


def _far(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    scale = 0.6 * 0.12**strength
    size = np.array([photo.image.shape[1], photo.image.shape[0]])
    at = size * (1 - scale) * (dice.uniform(0.2, 0.8), dice.uniform(0.2, 0.8))
    far = _seen_from(dice, photo, np.array([[scale, 0, at[0]], [0, scale, at[1]], [0, 0, 1]]))
    return _Spoilt(add_noise(dice, far.image, 1.5), far.to_new)


def _oblique(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    """The camera walked round the stone (or stands above it), at the same distance."""
    angle = np.radians(35 + 45 * strength) * dice.choice((-1, 1))
    height, width = photo.image.shape[:2]
    focal = float(max(height, width))
    cos, sin = np.cos(angle), np.sin(angle)
    if dice.chance(0.75):
        turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    else:
        turn = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    lens = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    # The picture is taken for a plane at distance 1; its points turn about its middle.
    plane = np.array([[1 / focal, 0, -width / 2 / focal], [0, 1 / focal, -height / 2 / focal], [0, 0, 1]])
    about = np.column_stack([turn[:, 0], turn[:, 1], (0.0, 0.0, 1.25)])
    return _seen_from(dice, photo, lens @ about @ plane)


_BLOOMS = ((60, 210, 250), (180, 120, 230), (245, 245, 250), (60, 60, 220), (40, 150, 250))


def _leaf_or_bloom(dice: Dice, canvas: Image, cover: NDArray[Any], at: tuple[float, float], reach: float) -> None:
    """One leaf or blossom, shaded, and its place in ``cover``."""
    if dice.chance(0.55):
        axes = (reach * dice.uniform(0.7, 1.3), reach * dice.uniform(0.2, 0.4))
        angle = dice.uniform(0, 180)
        green = np.array((35, 95, 50)) * dice.uniform(0.5, 1.5)
        for plane, colour in ((canvas, tuple(green.tolist())), (cover, (255.0,))):
            cv2.ellipse(plane, (at, (2 * axes[0], 2 * axes[1]), angle), colour, -1, cv2.LINE_AA)
        return
    bloom = np.array(dice.choice(_BLOOMS)) * dice.uniform(0.75, 1.0)
    for petal in range(7):
        turn = petal * 2 * np.pi / 7
        place = (at[0] + 0.5 * reach * float(np.cos(turn)), at[1] + 0.5 * reach * float(np.sin(turn)))
        shade = tuple((bloom * (0.8 + 0.2 * np.cos(turn))).tolist())
        for plane, colour in ((canvas, shade), (cover, (255.0,))):
            cv2.circle(plane, (round(place[0]), round(place[1])), max(1, round(0.42 * reach)), colour, -1, cv2.LINE_AA)
    cv2.circle(canvas, (round(at[0]), round(at[1])), max(1, round(0.25 * reach)), (40, 140, 190), -1, cv2.LINE_AA)


def _covered(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    """A wreath leaning on the stone, or flowers and incense standing before it, over the text."""
    canvas = photo.image.copy()
    cover = np.zeros(canvas.shape[:2], np.uint8)
    low, high = _text_box(photo)
    size = high - low
    unit = line_height_px(photo)
    amount = 0.08 + 0.6 * strength
    if dice.chance(0.4):
        centre = low + size * (dice.uniform(0.2, 0.8), dice.uniform(0.3, 0.8))
        ring = float(np.sqrt(amount * size[0] * size[1] / np.pi)) * 1.1
        for _ in range(round(60 + 5 * ring / unit)):
            turn, away = dice.uniform(0, 2 * np.pi), ring * dice.uniform(0.55, 1.0)
            at = (float(centre[0] + away * np.cos(turn)), float(centre[1] + away * np.sin(turn)))
            _leaf_or_bloom(dice, canvas, cover, at, unit * dice.uniform(0.6, 1.2))
    else:
        left = dice.uniform(low[0], high[0] - 0.5 * size[0])
        tall, wide = amount * size[1] * 1.1, size[0] * dice.uniform(0.45, 0.9)
        for _ in range(round(30 + 0.7 * tall * wide / unit**2)):
            at = (left + dice.uniform(0, wide), float(high[1]) + 1.5 * unit - tall * dice.uniform(0, 1) ** 0.8)
            _leaf_or_bloom(dice, canvas, cover, at, unit * dice.uniform(0.5, 1.1))
    canvas = np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.8), np.uint8)
    return _in_place(np.where(cover[:, :, None] > 0, canvas, photo.image), cover)


def _worn(dice: Dice, photo: StonePhoto, strength: float) -> _Spoilt:
    """Letters weathered away and stained over: no defect of the photograph, no other one would show more."""
    image = photo.image.astype(np.float32)
    reach = max(3, round(line_height_px(photo) * 0.6)) | 1
    ground = cv2.medianBlur(photo.image, min(reach, 255)).astype(np.float32)
    height, width = image.shape[:2]
    stain = octaves(dice.arrays, height, width, max(8.0, width / 8), 5)[:, :, None]
    share = np.clip((0.6 + 0.45 * strength) + (stain - 0.5) * 0.5 * (1 - strength), 0, 1)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(inside, np.round(photo.stone_quad).astype(np.int32), 255)
    share = share * (inside[:, :, None] > 0)
    worn = image + (ground - image) * share
    speckle = octaves(dice.arrays, height, width, max(4.0, reach / 3), 3)[:, :, None] - 0.5
    worn *= 1 + 0.22 * strength * speckle * (inside[:, :, None] > 0)
    return _in_place(add_noise(dice, np.asarray(np.clip(worn, 0, 255), np.uint8), 2.0))


_SPOILERS: Mapping[Defect, Callable[[Dice, StonePhoto, float], _Spoilt]] = MappingProxyType(
    {
        Defect.DEFOCUS: _defocus,
        Defect.SHAKE: _shake,
        Defect.DARK: _dark,
        Defect.BRIGHT: _bright,
        Defect.GLARE: _glare,
        Defect.CUT_OFF: _cut_off,
        Defect.FAR: _far,
        Defect.OBLIQUE: _oblique,
        Defect.COVERED: _covered,
        Defect.WORN: _worn,
    }
)
