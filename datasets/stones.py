"""Photographs of whole stones that nobody took: a face in perspective in its place, with the truth about it.

The truth follows the format of the project's truth files: ``lines`` in reading order, ``truth`` (fields),
``stone_quad`` and ``line_quads`` in pixels of the upright picture (clockwise from the top left), ``size``
[width, height], ``scene``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets import scenery
from datasets.dice import Dice
from datasets.face import FaceStyle, StoneFace, make_face
from datasets.fonts import Face, held_out_faces, training_faces
from datasets.inscriptions import sample_inscription
from datasets.lettering import Finish, Theme, draw_finish
from datasets.photo import add_watermark, draw_camera, expose
from datasets.scenery import View
from datasets.textures import Image, Material
from datasets.truth import Inscription, Kind

Quad = NDArray[Any]


@dataclass(frozen=True, slots=True)
class StonePhoto:
    """An upright photograph (height, width, 3) and everything that is known about it."""

    image: Image
    inscription: Inscription
    texts: tuple[str, ...]
    line_quads: tuple[Quad, ...]
    stone_quad: Quad
    finish: Finish
    view: View
    exif_orientation: int

    def as_json(self) -> dict[str, Any]:
        """The truth file's content."""
        scene = {
            "theme": str(self.finish.theme), "material": str(self.finish.material), "cut": str(self.finish.look),
            "wear": round(self.finish.wear, 2), "yaw": round(self.view.yaw_deg, 1),
            "pitch": round(self.view.pitch_deg, 1),
            "roll": round(self.view.roll_deg, 1), "exif": self.exif_orientation,
        }  # fmt: skip
        return {
            "lines": list(self.texts),
            "truth": self.inscription.truth.as_json(),
            "kind": str(self.inscription.kind),
            "scene": scene,
            "stone_quad": np.round(self.stone_quad, 1).tolist(),
            "line_quads": [np.round(quad, 1).tolist() for quad in self.line_quads],
            "size": [self.view.width_px, self.view.height_px],
        }


@dataclass(frozen=True, slots=True)
class StoneRequest:
    """What a stone should be; whatever is None is drawn."""

    inscription: Inscription | None = None
    theme: Theme | None = None
    finish: Finish | None = None
    long_side_px: int = 1400
    portrait_format: bool | None = None
    yaw_deg: float | None = None
    two_columns: bool | None = None
    occluder: bool | None = None
    watermark: bool | None = None
    exif_orientation: int = 1
    hardness: float = 1.0
    held_out: bool = False


def _shape(dice: Dice, face: StoneFace) -> NDArray[Any]:
    """The outline of the stone as a mask over its face: square, with cut or round shoulders, or arched."""
    height, width = face.image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    form = dice.weighted({"square": 62, "round": 14, "arch": 16, "cut": 8})
    first = min((float(line.quad[:, 1].min()) for line in face.lines), default=height * 0.3)
    rise = round(min(first * 0.8, width * dice.uniform(0.05, 0.2)))
    if form == "square" or rise < 6:
        mask[:] = 255
        return mask
    mask[rise:] = 255
    if form == "arch":
        cv2.ellipse(mask, (width // 2, rise), (width // 2, rise), 0, 180, 360, 255, -1, cv2.LINE_AA)
    elif form == "round":
        cv2.rectangle(mask, (rise, 0), (width - rise, rise), 255, -1)
        for x in (rise, width - rise):
            cv2.circle(mask, (x, rise), rise, 255, -1, cv2.LINE_AA)
    else:
        cv2.fillPoly(mask, [np.array([[rise, 0], [width - rise, 0], [width, rise], [0, rise]])], 255, cv2.LINE_AA)
    return mask


def _view(dice: Dice, request: StoneRequest, width: float, height: float, workshop: bool) -> View:
    tall = (
        request.portrait_format
        if request.portrait_format is not None
        else dice.chance(0.75 if height > width else 0.35)
    )
    long_side, short_side = request.long_side_px, round(request.long_side_px * 0.75)
    size = (short_side, long_side) if tall else (long_side, short_side)
    spread = 4.0 if workshop else 13.0
    yaw = request.yaw_deg if request.yaw_deg is not None else float(np.clip(dice.rng.gauss(0, spread), -32, 32))
    pitch = float(np.clip(dice.rng.gauss(3, 3) if workshop else dice.rng.gauss(9, 7), -4, 28))
    focal = max(size) * dice.uniform(0.85, 1.3)
    fill = dice.uniform(0.72, 0.95) if workshop else dice.uniform(0.58, 0.98)
    distance = max(width * focal / (size[0] * fill), height * focal / (size[1] * fill))
    shift = (dice.uniform(-0.04, 0.04) * size[0], dice.uniform(-0.05, 0.03) * size[1])
    return View(size[0], size[1], focal, yaw, pitch, dice.rng.gauss(0, 2.0), distance, shift)


def _corners(width: float, height: float, z: float) -> NDArray[Any]:
    return np.array(
        [
            [-width / 2, -height / 2, z],
            [width / 2, -height / 2, z],
            [width / 2, height / 2, z],
            [-width / 2, height / 2, z],
        ]
    )


def _place(dice: Dice, face: StoneFace, view: View, width: float, height: float, workshop: bool) -> Image:
    ground_y = height / 2 + 0.24
    canvas = scenery.workshop(dice, view) if workshop else scenery.cemetery(dice, view, width, height, ground_y)
    shape = _shape(dice, face)
    depth = 0.03 if workshop else dice.uniform(0.06, 0.14)
    if workshop:
        shade = np.zeros(canvas.shape[:2], np.float32)
        drop = view.project(_corners(width, height, 0.1) + np.array((0.03, 0.04, 0)))
        cv2.fillPoly(shade, [np.round(drop).astype(np.int32)], 1.0)
        canvas = np.asarray(canvas * (1 - 0.6 * cv2.GaussianBlur(shade, (0, 0), 9)[:, :, None]), np.uint8)
    else:
        if dice.chance(0.6):
            scenery.ground_shadow(dice, view, canvas, width, height, ground_y)
        plinth = dice.choice(
            (Material.CEMENT, Material.RED, Material.GREY, Material.TILE, Material.WHITEWASH, Material.BLACK)
        )
        reach = width * dice.uniform(0.56, 0.75)
        scenery.draw_box(dice, view, canvas, (-reach, height / 2, -0.12), (reach, ground_y, 0.35), plinth)
    tint = np.clip(np.asarray(cv2.mean(face.image)[:3]) * dice.uniform(0.45, 0.8), 0, 255)
    layers = [_corners(width, height, float(z)) for z in np.linspace(depth, 0.004, 14)]
    scenery.extrude(view, canvas, shape, layers, tint)
    scenery.warp_onto(view, canvas, face.image, _corners(width, height, 0.0), shape)
    return canvas


def make_stone(rng: Random, request: StoneRequest, faces: tuple[Face, ...] | None = None) -> StonePhoto:
    """One photograph with its truth; the same state of ``rng`` gives the same picture."""
    dice = Dice.of(rng)
    faces = faces or (held_out_faces() if request.held_out else training_faces())
    inscription = request.inscription or sample_inscription(dice.rng)
    finish = request.finish or draw_finish(dice, request.theme)
    workshop = finish.theme is Theme.WORKSHOP and dice.chance(0.6)
    civil = inscription.kind is Kind.CIVIL
    style = FaceStyle(frame=0.6, motif=0.55, portrait=0.5 if civil else 0.15, stray=0.1, crosses=civil)
    if inscription.kind in (Kind.UNKNOWN, Kind.COLLECTIVE):
        style = replace(style, portrait=0.0)
    cap_px = request.long_side_px * dice.uniform(0.016, 0.026)
    face = make_face(
        dice, inscription.lines, inscription.roles, faces, cap_px, finish, held_out=request.held_out,
        style=style, two_columns=request.two_columns,
    )  # fmt: skip
    pixels_high, pixels_wide = face.image.shape[:2]
    height = 1.0
    width = pixels_wide / pixels_high
    view = _view(dice, request, width, height, workshop)
    canvas = _place(dice, face, view, width, height, workshop)
    if not workshop and (request.occluder if request.occluder is not None else dice.chance(0.3)):
        # Before the foot, where it may reach the last line as it does in cemeteries, but seldom hides it.
        at = dice.choice((-1, 1)) * dice.uniform(0.3, 0.6) * width
        scenery.incense(dice, view, canvas, (at, height / 2, -0.1), dice.uniform(0.04, 0.075))
    if workshop and (request.watermark if request.watermark is not None else dice.chance(0.25)):
        canvas = add_watermark(dice, canvas, dice.choice(faces))
    picture = expose(dice, canvas, draw_camera(dice, request.hardness))
    corners = _corners(width, height, 0.0)
    source = np.array([[0, 0], [pixels_wide, 0], [pixels_wide, pixels_high], [0, pixels_high]], np.float32)
    to_picture = cv2.getPerspectiveTransform(source, view.project(corners))
    quads = tuple(
        np.asarray(cv2.perspectiveTransform(line.quad[None], to_picture)[0], np.float32) for line in face.lines
    )
    texts = tuple(line.text for line in face.lines)
    return StonePhoto(picture, inscription, texts, quads, view.project(corners), finish, view, request.exif_orientation)
