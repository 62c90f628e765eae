"""An endless, seeded source of training lines: crops as the service cuts them, with their texts.

Several lines are set on one small stone, weathered, lit, photographed and then cut out with quads as a detector would
give them, so neighbours, frames and ornaments look into the crops as they do in service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.dice import Dice
from datasets.face import FaceStyle, StoneFace, make_face
from datasets.fonts import Face, held_out_faces, training_faces
from datasets.inscriptions import sample_inscription, sample_odd_text
from datasets.lettering import Theme, draw_finish
from datasets.photo import add_watermark, draw_camera, expose
from datasets.textures import Image, Material, f32, surface
from datasets.truth import Role
from preprocess.lines import crop_line

Quad = NDArray[Any]

CROP_HEIGHT_PX = 48
ODD_STONES = 0.1
ODD_LINES = 0.05
# Photographs of new stones are taken by their makers, near and sharp; worn ones by anybody.
_HARDNESS = {Theme.WORKSHOP: 0.6, Theme.WORN: 1.0, Theme.HAND_PAINTED: 1.0, Theme.CLEAN: 0.3}
# Of 1,200 lines drawn at random, hardly one below 0.28 could be read by eye, most above could; 7 % are left out.
LEAST_LEGIBLE = 0.28
LEAST_CONTRAST = 3.0  # standard deviation in grey levels
_GROUNDS = (Material.CEMENT, Material.GREY, Material.WHITEWASH, Material.TILE, Material.RED, Material.BLACK)


@dataclass(frozen=True, slots=True)
class LineSource:
    """Crops (``height_px``, width, 3) ``uint8`` BGR and their texts, without end.

    The same seed gives the same lines. ``held_out`` draws fonts and surfaces that training never sees. ``theme`` keeps
    to one kind of stone; otherwise half are polished workshop stones (``lettering.THEME_WEIGHTS``). ``blank_share`` is
    the chance of a crop after each stone that shows an ornament, a frame or bare stone, with the empty text: what a
    reader should say to a detector's false alarm.
    """

    seed: int
    height_px: int = CROP_HEIGHT_PX
    held_out: bool = False
    theme: Theme | None = None
    hardness: float = 1.0
    blank_share: float = 0.0

    def __iter__(self) -> Iterator[tuple[Image, str]]:
        """Yield (crop, text) pairs; lines of one stone follow each other, so shuffle over a few hundred."""
        rng = Random(self.seed)  # noqa: S311 (seeded pictures, not secrets)
        faces = held_out_faces() if self.held_out else training_faces()
        while True:
            yield from self._stone(Dice.of(Random(rng.getrandbits(64))), faces)  # noqa: S311

    def _stone(self, dice: Dice, faces: tuple[Face, ...]) -> Iterator[tuple[Image, str]]:
        texts, roles = _draw_texts(dice.rng)
        cap_px = float(np.exp(dice.uniform(np.log(7.5), np.log(34))))
        finish = draw_finish(dice, self.theme)
        face = make_face(dice, texts, roles, faces, cap_px, finish, style=FaceStyle(), held_out=self.held_out)
        picture, to_picture = _photograph(dice, face)
        if dice.chance(0.07):
            picture = add_watermark(dice, picture, dice.choice(faces))
        hardness = self.hardness * _HARDNESS[finish.theme] * (0.3 if dice.chance(0.4) else 1.0)
        # Blur that a large letter survives would erase a small one.
        picture = expose(dice, picture, draw_camera(dice, hardness * min(1.0, cap_px / 16)))
        letters = cv2.warpPerspective(face.letters, to_picture, (picture.shape[1], picture.shape[0]))
        for line in face.lines:
            quad = detected(dice, cv2.perspectiveTransform(line.quad[None], to_picture)[0])
            crop = np.asarray(crop_line(picture, quad, self.height_px), np.uint8)
            if legibility(crop, crop_line(letters, quad, self.height_px // 2)) > LEAST_LEGIBLE:
                yield crop, line.text
        if dice.chance(self.blank_share):
            yield from _blank_crop(dice, picture, letters, cap_px, self.height_px)


def _draw_texts(rng: Random) -> tuple[tuple[str, ...], tuple[Role, ...]]:
    if rng.random() < ODD_STONES:
        texts = tuple(sample_odd_text(rng) for _ in range(rng.randint(2, 7)))
        return texts, tuple(rng.choice((Role.FACT, Role.FACT, Role.NAME, Role.SMALL)) for _ in texts)
    inscription = sample_inscription(rng)
    texts = tuple(sample_odd_text(rng) if rng.random() < ODD_LINES else line for line in inscription.lines)
    return texts, inscription.roles


def _photograph(dice: Dice, face: StoneFace) -> tuple[Image, NDArray[Any]]:
    """The face from a slightly oblique place, and the homography from face to picture pixels."""
    height, width = face.image.shape[:2]
    pad = round(0.04 * width)
    corners = f32([[0, 0], [width, 0], [width, height], [0, height]])
    slant = dice.uniform(0.01, 0.09) if dice.chance(0.7) else 0.0
    moved = corners + f32(
        [[dice.uniform(-slant, slant) * width, dice.uniform(-slant, slant) * height] for _ in range(4)]
    )
    if dice.chance(0.6):
        angle = np.radians(dice.rng.gauss(0, 3.0))
        turn = f32([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved = (moved - moved.mean(axis=0)) @ turn.T
    moved = moved - moved.min(axis=0) + pad
    size = tuple(int(v) for v in np.ceil(moved.max(axis=0) + pad))
    to_picture = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    ground = surface(dice.rng, dice.choice(_GROUNDS), size[1], size[0])
    way = cv2.INTER_CUBIC if dice.chance(0.5) else cv2.INTER_LINEAR
    cv2.warpPerspective(face.image, to_picture, size, dst=ground, flags=way, borderMode=cv2.BORDER_TRANSPARENT)
    return ground, to_picture


def _blank_crop(
    dice: Dice, picture: Image, letters: NDArray[Any], cap_px: float, height_px: int
) -> Iterator[tuple[Image, str]]:
    """A crop without letters, the most patterned of a few; nothing if letters are everywhere."""
    best: tuple[float, Image] | None = None
    for _ in range(12):
        height = cap_px * dice.uniform(1.2, 3.0)
        width = height * dice.uniform(1.0, 6.0)
        x, y = dice.uniform(0, picture.shape[1] - width), dice.uniform(0, picture.shape[0] - height)
        quad = f32([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
        if x < 0 or y < 0 or crop_line(letters, quad, 16).max() > 60:
            continue
        crop = np.asarray(crop_line(picture, quad, height_px), np.uint8)
        pattern = float(crop.std())
        if best is None or pattern > best[0]:
            best = (pattern, crop)
    if best is not None:
        yield best[1], ""


def legibility(crop: Image, letters: NDArray[Any]) -> float:
    """How much of a crop's light and dark, or of its edges, is explained by its letters: a correlation, 0 to 1.

    ``letters`` is the mask of the letters cut from the same place, at any size. Painted letters correlate by
    themselves, unpainted grooves by their edges.
    """
    size = (letters.shape[1], letters.shape[0])
    planes = [p.astype(np.float32) for p in cv2.split(cv2.resize(crop, size, interpolation=cv2.INTER_AREA))]
    mask = letters.astype(np.float32)
    # Slow changes of light are not what letters are read by.
    planes = [plane - cv2.blur(plane, (size[1], size[1])) for plane in planes]
    mask -= cv2.blur(mask, (size[1], size[1]))
    if max(float(plane.std()) for plane in planes) < LEAST_CONTRAST:
        return 0.0
    grooves, edges = (
        cv2.magnitude(cv2.Sobel(p, cv2.CV_32F, 1, 0), cv2.Sobel(p, cv2.CV_32F, 0, 1)) for p in (planes[1], mask)
    )
    return max(_correlation(grooves, edges), *(abs(_correlation(plane, mask)) for plane in planes))


def _correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(1e-3, float(np.sqrt((a * a).sum() * (b * b).sum()))))


def detected(dice: Dice, quad: Quad) -> Quad:
    """The quad as a detector would give it: a little loose or tight, a little turned, seldom far off."""
    (x0, y0), (x1, y1) = (quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2
    width = max(1.0, float(np.hypot(x1 - x0, y1 - y0)))
    height = max(1.0, float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2)
    along = f32([(x1 - x0) / width, (y1 - y0) / width])
    down = f32([-along[1], along[0]])
    wide = 2.5 if dice.chance(0.08) else 1.0
    # In heights of the ink, as PP-OCRv6 small (unclip 1.6) found 251 lines of rendered stones: above and below median
    # 0.15, 10-90 % 0.01 to 0.3, correlated by half; left and right median 0.19, 10-90 % 0.12 to 0.31; turned by 0.65°.
    both = dice.rng.gauss(0.15, 0.085 * wide)
    top, foot = (max(-0.08, both + dice.rng.gauss(0, 0.075)) * height for _ in range(2))
    left, right = (max(-0.03, dice.rng.gauss(0.2, 0.08 * wide)) * height for _ in range(2))
    grown = quad + f32(
        [
            -left * along - top * down,
            right * along - top * down,
            right * along + foot * down,
            foot * down - left * along,
        ]
    )
    if dice.chance(0.5):
        turn = np.radians(dice.rng.gauss(0, 0.65))
        grown += f32([-1, 1, 1, -1])[:, None] * np.float32(turn * width / 2) * down
    return np.asarray(
        grown + f32([[dice.rng.gauss(0, 0.015) * height for _ in range(2)] for _ in range(4)]), np.float32
    )
