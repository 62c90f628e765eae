"""What collections of headstone photographs hold besides headstones, drawn with what each picture is.

Gates, monuments, overviews, name boards, number plates, plans, and pictures that have nothing to do with graves. They
are drawn after what such places have in common (an arch with the cemetery's name, a tower with TỔ QUỐC GHI CÔNG, rows
of small stones), not after any one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from types import MappingProxyType

import cv2
import numpy as np

from datasets import panels, scenery, wording
from datasets.dice import Dice
from datasets.fonts import Face, held_out_faces, training_faces
from datasets.martyrs import sample_martyr
from datasets.panels import Panel, lettered
from datasets.photo import draw_camera, expose
from datasets.scenery import Points, View
from datasets.stones import StoneRequest, make_stone
from datasets.textures import Image, Material
from datasets.truth import Inscription, Kind


class Subject(StrEnum):
    """What a picture shows (DOMAIN: ``image.kind``)."""

    HEADSTONE = "headstone"
    NUMBER_PLATE = "number_plate"
    NAME_BOARD = "name_board"
    COLLECTIVE_STONE = "collective_stone"
    GATE = "gate"
    MONUMENT = "monument"
    OVERVIEW = "overview"
    PLAN = "plan"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph (height, width, 3) and what it shows."""

    image: Image
    subject: Subject


def draw_picture(rng: Random, subject: Subject, *, long_side_px: int = 1400, held_out: bool = False) -> Picture:
    """One picture of a subject; the same state of ``rng`` gives the same picture."""
    if subject in (Subject.HEADSTONE, Subject.COLLECTIVE_STONE):
        stone = _inscription(rng, collective=subject is Subject.COLLECTIVE_STONE)
        request = StoneRequest(stone, long_side_px=long_side_px, hardness=0.4, held_out=held_out)
        return Picture(make_stone(rng, request).image, subject)
    dice = Dice.of(rng)
    face = dice.choice(held_out_faces() if held_out else training_faces())
    canvas = _PAINTERS[subject](dice, face, long_side_px, held_out)
    return Picture(expose(dice, canvas, draw_camera(dice, 0.4)), subject)


def _inscription(rng: Random, *, collective: bool) -> Inscription:
    while True:
        found = sample_martyr(rng)
        if (found.kind is Kind.COLLECTIVE) == collective:
            return found


def _view(dice: Dice, long_side_px: int, *, tall: bool, distance: float, pitch_deg: float, spread: float) -> View:
    short_px = round(0.75 * long_side_px)
    width, height = (short_px, long_side_px) if tall else (long_side_px, short_px)
    shift = (dice.uniform(-0.04, 0.04) * width, dice.uniform(-0.04, 0.04) * height)
    yaw, roll = dice.rng.gauss(0, spread), dice.rng.gauss(0, 1.2)
    return View(width, height, long_side_px * dice.uniform(0.85, 1.1), yaw, pitch_deg, roll, distance, shift)


def _front(x0: float, y0: float, x1: float, y1: float, z: float) -> Points:
    return np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]])


def _cemetery_name(dice: Dice) -> tuple[str, str]:
    place = wording.draw_place(dice.rng)
    level = dice.choice((f"XÃ {place.commune}", f"HUYỆN {place.district}", f"TỈNH {place.province}", place.commune))
    return dice.choice(("NGHĨA TRANG LIỆT SĨ", "NGHĨA TRANG LIỆT SỸ", "NTLS")), level.upper()


def _beyond(dice: Dice, view: View, ground_y: float) -> Image:
    return scenery.cemetery(dice, view, dice.uniform(0.5, 0.8), 0.9, ground_y)


def _gate(dice: Dice, face: Face, long_side_px: int, held_out: bool) -> Image:
    view = _view(dice, long_side_px, tall=dice.chance(0.2), distance=dice.uniform(8, 13), pitch_deg=-3, spread=8)
    canvas = _beyond(dice, view, 1.6)
    material = dice.choice((Material.CEMENT, Material.WHITEWASH, Material.CREAM, Material.RED))
    half, thick = dice.uniform(2.2, 3.2), dice.uniform(0.3, 0.5)
    top, beam = -dice.uniform(1.8, 2.6), dice.uniform(0.8, 1.2)
    for x in (-half, half):
        scenery.draw_box(dice, view, canvas, (x - thick, top, -0.3), (x + thick, 1.6, 0.3), material)
    scenery.draw_box(dice, view, canvas, (-half - 0.6, top - beam, -0.35), (half + 0.6, top, 0.35), material)
    ratio = (2 * half + 0.8) / beam
    ground = dice.choice((Material.RED, Material.WHITEWASH, Material.GREEN, Material.BLACK, Material.CEMENT))
    panel = Panel.of(dice, ground, round(220 * ratio), 220, held_out)
    texts, caps = list(_cemetery_name(dice)), [62.0, 58.0]
    if dice.chance(0.3):
        texts, caps = [*texts, "TỔ QUỐC GHI CÔNG"], [48.0, 40.0, 36.0]
    lettered(dice, panel, face, texts, caps, 0.55)
    scenery.warp_onto(view, canvas, panel.image, _front(-half - 0.4, top - beam + 0.05, half + 0.4, top - 0.05, -0.36))
    return canvas


def _monument(dice: Dice, face: Face, long_side_px: int, held_out: bool) -> Image:
    view = _view(dice, long_side_px, tall=dice.chance(0.7), distance=dice.uniform(9, 13), pitch_deg=-6, spread=8)
    canvas = _beyond(dice, view, 1.6)
    material = dice.choice((Material.GREY, Material.CEMENT, Material.MARBLE, Material.RED, Material.WHITEWASH))
    for step in range(3):
        reach = 2.6 - 0.5 * step
        scenery.draw_box(
            dice, view, canvas, (-reach, 1.3 - 0.3 * step, -reach / 2), (reach, 1.6 - 0.3 * step, 1), material
        )
    half, top = dice.uniform(0.5, 0.9), -dice.uniform(2.6, 4.2)
    scenery.draw_box(dice, view, canvas, (-half, top, -0.2), (half, 0.7, 0.6), material)
    slogan = dice.choice(("TỔ QUỐC GHI CÔNG", "TỔ QUỐC GHI CÔNG", "ĐỜI ĐỜI NHỚ ƠN CÁC LIỆT SĨ", "TỔ QUỐC GHI ƠN"))
    if dice.chance(0.65):
        words = slogan.split()
        panel = Panel.of(dice, material, 300, 200 + 150 * len(words), held_out)
        lettered(dice, panel, face, words, [85.0] * len(words), 0.7)
        corners = _front(-half * 0.8, top + 0.3, half * 0.8, 0.3, -0.21)
    else:
        wide = dice.uniform(1.2, 1.9)
        scenery.draw_box(dice, view, canvas, (-wide, -0.4, -0.5), (wide, 0.7, 0.2), material)
        panel = Panel.of(dice, dice.choice((Material.RED, Material.BLACK, material)), 900, 420, held_out)
        texts = [slogan] if dice.chance(0.6) else ["ĐÀI TƯỞNG NIỆM", "CÁC ANH HÙNG LIỆT SĨ"]
        lettered(dice, panel, face, texts, [64.0] * len(texts), 0.8)
        corners = _front(-wide * 0.95, -0.3, wide * 0.95, 0.6, -0.51)
    scenery.warp_onto(view, canvas, panel.image, corners)
    return canvas


def _overview(dice: Dice, face: Face, long_side_px: int, held_out: bool) -> Image:
    view = _view(
        dice,
        long_side_px,
        tall=dice.chance(0.15),
        distance=dice.uniform(5, 9),
        pitch_deg=dice.uniform(8, 20),
        spread=12,
    )
    canvas = _beyond(dice, view, 0.75)
    material = dice.choice((Material.CEMENT, Material.RED, Material.GREY, Material.WHITEWASH, Material.TILE))
    ground = dice.choice((Material.BLACK, Material.MARBLE, Material.WHITEWASH, Material.RED))
    stones = [_small_stone(dice, face, ground, held_out) for _ in range(4)]
    pitch, depth = dice.uniform(1.1, 1.6), dice.uniform(1.9, 2.6)
    for row in range(dice.rng.randint(3, 6), -1, -1):
        for column in range(-5, 6):
            x, z = column * pitch, row * depth - 1.0
            scenery.draw_box(dice, view, canvas, (x - 0.42, 0.5, z - 0.1), (x + 0.42, 0.75, z + 1.4), material)
            scenery.draw_box(dice, view, canvas, (x - 0.32, -0.2, z), (x + 0.32, 0.5, z + 0.1), material)
            scenery.warp_onto(view, canvas, dice.choice(stones), _front(x - 0.28, -0.16, x + 0.28, 0.4, z - 0.01))
    return canvas


def _small_stone(dice: Dice, face: Face, ground: Material, held_out: bool) -> Image:
    """A grave's stone as it is seen from the path: drawn large and shrunk as its place asks."""
    lines = sample_martyr(dice.rng).lines[:7]
    panel = Panel.of(dice, ground, 280, 280, held_out)
    lettered(dice, panel, face, lines, [280 / (2.6 * max(5, len(lines)))] * len(lines), 1.0)
    return np.asarray(cv2.GaussianBlur(panel.image, (0, 0), 1.2), np.uint8)


def _held_up(dice: Dice, panel: Panel, long_side_px: int, fill: float, *, outdoors: bool) -> Image:
    """A flat panel photographed from nearby, before a wall or in a cemetery."""
    high, wide = panel.image.shape[:2]
    view = _view(dice, long_side_px, tall=high > wide, distance=1.0, pitch_deg=dice.rng.gauss(3, 4), spread=8)
    width, height = wide / high, 1.0
    distance = max(width * view.focal_px / (view.width_px * fill), view.focal_px / (view.height_px * fill))
    view = View(
        view.width_px,
        view.height_px,
        view.focal_px,
        view.yaw_deg,
        view.pitch_deg,
        view.roll_deg,
        distance,
        view.shift_px,
    )
    canvas = _beyond(dice, view, height / 2 + 0.2) if outdoors else scenery.workshop(dice, view)
    scenery.warp_onto(view, canvas, panel.image, _front(-width / 2, -height / 2, width / 2, height / 2, 0.0))
    return canvas


def _name_board(dice: Dice, face: Face, long_side_px: int, held_out: bool) -> Image:
    panel = panels.name_board(dice, face, held_out)
    return _held_up(dice, panel, round(1.15 * long_side_px), dice.uniform(0.85, 1.0), outdoors=dice.chance(0.5))


def _number_plate(dice: Dice, face: Face, long_side_px: int, held_out: bool) -> Image:
    panel = panels.number_plate(dice, face, held_out)
    return _held_up(dice, panel, long_side_px, dice.uniform(0.3, 0.85), outdoors=dice.chance(0.5))


def _plan(dice: Dice, face: Face, long_side_px: int, held_out: bool) -> Image:
    return _held_up(dice, panels.plan(dice, face), long_side_px, dice.uniform(0.8, 1.0), outdoors=False)


def _other(dice: Dice, face: Face, long_side_px: int, held_out: bool) -> Image:
    form = dice.weighted({"sheet": 5, "path": 3, "wall": 2})
    if form == "sheet":
        return _held_up(
            dice, panels.sheet(dice, face), long_side_px, dice.uniform(0.6, 0.95), outdoors=dice.chance(0.3)
        )
    view = _view(dice, long_side_px, tall=dice.chance(0.4), distance=4.0, pitch_deg=5, spread=10)
    return _beyond(dice, view, 0.8) if form == "path" else scenery.workshop(dice, view)


_PAINTERS: Mapping[Subject, Callable[[Dice, Face, int, bool], Image]] = MappingProxyType(
    {
        Subject.NUMBER_PLATE: _number_plate,
        Subject.NAME_BOARD: _name_board,
        Subject.GATE: _gate,
        Subject.MONUMENT: _monument,
        Subject.OVERVIEW: _overview,
        Subject.PLAN: _plan,
        Subject.OTHER: _other,
    }
)
