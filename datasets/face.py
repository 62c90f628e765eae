"""A whole stone face seen from the front: surface, letters, ornaments, weather and light, and where each line is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from datasets import layout, ornaments
from datasets.dice import Dice
from datasets.fonts import Face
from datasets.glyphs import Mask
from datasets.layout import Page, PlacedLine
from datasets.lettering import BLACK, GOLD, WHITE, YELLOW, Colour, Finish, Look, Theme, apply_letters
from datasets.textures import Image, Material, Plane, surface
from datasets.truth import Role
from datasets.weathering import illuminate, weather


@dataclass(frozen=True, slots=True)
class StoneFace:
    """The face as an image (height, width, 3) and its lines in reading order, in pixels of that image."""

    image: Image
    lines: tuple[PlacedLine, ...]
    letters: Mask
    finish: Finish


@dataclass(frozen=True, slots=True)
class FaceStyle:
    """What may stand on a face beside its letters: chances from 0 to 1."""

    frame: float = 0.45
    motif: float = 0.3
    portrait: float = 0.12
    stray: float = 0.15
    crosses: bool = True


@dataclass(frozen=True, slots=True)
class _Band:
    """The frame's place: how far from the edge it begins and how wide it is."""

    inset_px: int
    unit_px: int

    @classmethod
    def draw(cls, dice: Dice, cap_px: float) -> _Band:
        return cls(round(dice.uniform(0.2, 0.9) * cap_px), max(4, round(cap_px * dice.uniform(0.5, 1.1))))


def width_for(dice: Dice, texts: tuple[str, ...], cap_px: float) -> int:
    """A width that holds most rows without squeezing; the longest will be squeezed, as on real stones."""
    lengths = sorted(len(text) for text in texts)
    typical = lengths[int(0.7 * (len(lengths) - 1))]
    return round(max(cap_px * 9, cap_px * min(46, typical + 4) * dice.uniform(0.72, 1.15)))


def _decorate(dice: Dice, mask: np.ndarray, cap_px: float, style: FaceStyle, page: Page) -> None:
    height, width = mask.shape
    if dice.chance(style.frame):
        ornaments.draw_frame(
            dice, mask, round(dice.uniform(0.2, 0.9) * cap_px), max(4, round(cap_px * dice.uniform(0.5, 1.1)))
        )
    if page.content_top_px > 2 * cap_px and dice.chance(0.9):
        size = min(page.content_top_px * 0.42, width * 0.2)
        ornaments.draw_motif(dice, mask, (sum(page.column) / 2, page.content_top_px * 0.5), size, style.crosses)
    if dice.chance(style.stray):
        for _ in range(dice.rng.randint(1, 4)):
            left = dice.chance(0.5)
            x = dice.uniform(0, 0.1) * width if left else dice.uniform(0.9, 1) * width
            ornaments.draw_motif(
                dice, mask, (x, dice.uniform(0.05, 0.95) * height), cap_px * dice.uniform(0.7, 2.0), style.crosses
            )


def make_face(
    dice: Dice, texts: tuple[str, ...], roles: tuple[Role, ...], faces: tuple[Face, ...], cap_px: float,
    finish: Finish, *,
    style: FaceStyle, held_out: bool = False, two_columns: bool | None = None,
) -> StoneFace:  # fmt: skip
    """One face with body capitals ``cap_px`` high; its height follows from the rows."""
    width = width_for(dice, texts, cap_px)
    if two_columns:
        width = round(width * 1.5)
    with_portrait = dice.chance(style.portrait)
    beside = with_portrait and dice.chance(0.35)
    framed = dice.chance(style.frame)
    band = _Band.draw(dice, cap_px) if framed or finish.look is Look.PLATE else _Band(0, 0)
    # A few stones are set so tightly that their frame touches the letters.
    clear = band.inset_px + band.unit_px if dice.chance(0.85) else 0
    margin = clear + round(width * dice.uniform(0.04, 0.11))
    width += 2 * clear
    top = clear + round(cap_px * dice.uniform(0.3, 1.0))
    if (with_portrait and not beside) or dice.chance(style.motif):
        top = clear + round(cap_px * (dice.uniform(5, 9) if with_portrait else dice.uniform(2.5, 5.5)))
    left = round(cap_px * dice.uniform(6, 9)) if beside else 0
    types = layout.draw_type_set(dice, faces, finish.theme, sum(map(str.isupper, texts)) > len(texts) / 2)
    page = layout.compose_page(
        dice,
        texts,
        roles,
        types,
        cap_px,
        width + left,
        top_px=top,
        left_px=left,
        margin_px=margin,
        two_columns=two_columns,
    )
    wobbly = finish.theme is Theme.HAND_PAINTED and dice.chance(0.8)
    if wobbly or dice.chance(0.03):
        page = replace(page, mask=layout.hand_wobble(dice, page.mask, cap_px, dice.uniform(0.03, 0.12)))
    mask = cv2.copyMakeBorder(page.mask, 0, clear, 0, 0, cv2.BORDER_CONSTANT, value=0)
    page = replace(page, mask=mask.copy())
    if not with_portrait:
        _decorate(dice, mask, cap_px, style, page)
    if framed and finish.look is not Look.PLATE:
        ornaments.draw_frame(dice, mask, band.inset_px, band.unit_px)
    image = _surfaced(dice, mask, finish, cap_px, held_out)
    if finish.look is Look.PLATE and clear:
        _edge_plate(dice, image, band, held_out)
    if with_portrait:
        _add_portrait(dice, image, page, cap_px, beside, left)
    weather(dice, image, finish.wear if finish.theme is not Theme.WORKSHOP else finish.wear * 0.4)
    illuminate(dice, image, finish.polish)
    return StoneFace(np.asarray(np.clip(image, 0, 255), np.uint8), page.lines, page.mask, finish)


def _surfaced(dice: Dice, mask: np.ndarray, finish: Finish, cap_px: float, held_out: bool) -> Plane:
    height, width = mask.shape
    grain = dice.uniform(0.5, 1.4) * (0.6 if finish.look is Look.PLATE else 1.0)
    stone = surface(dice.rng, finish.material, height, width, held_out, grain)
    if dice.chance(0.5):
        stone = np.asarray(
            cv2.convertScaleAbs(stone, alpha=dice.uniform(0.75, 1.25), beta=dice.uniform(-12, 12)), np.uint8
        )
    return apply_letters(dice, stone, mask, _with_contrast(dice, finish, stone), cap_px, held_out)


_LEAST_CONTRAST = 55.0  # grey levels; below it, renders were illegible at a cap height of 12 px even when clean


def _with_contrast(dice: Dice, finish: Finish, stone: Image) -> Finish:
    """The finish with a paint that can be told from this stone: nobody paints letters in the colour of the ground."""
    if finish.paint is None or finish.look is Look.PLATE:
        return finish
    ground = cv2.mean(stone[::4, ::4])[:3]
    difference = [abs(a - b) for a, b in zip(finish.paint, ground, strict=True)]
    if max(difference) > 1.6 * _LEAST_CONTRAST or sum(difference) / 3 > _LEAST_CONTRAST:
        return finish
    paints: tuple[Colour, ...] = (WHITE, YELLOW, GOLD) if sum(ground) / 3 < 115 else (BLACK, BLACK, (30, 30, 120))
    return replace(finish, paint=dice.choice(paints))


def _edge_plate(dice: Dice, image: Plane, band: _Band, held_out: bool) -> None:
    """A plate is let into a polished dark stone, whose own frame is cut white or gold."""
    height, width = image.shape[:2]
    stone = surface(dice.rng, Material.BLACK, height, width, held_out).astype(np.float32)
    frame = np.zeros((height, width), np.uint8)
    ornaments.draw_frame(dice, frame, band.inset_px // 2, band.unit_px)
    paint = np.array(dice.choice((WHITE, WHITE, GOLD)), np.float32)
    stone += (paint - stone) * (frame.astype(np.float32) / 255)[:, :, None]
    edge = band.inset_px // 2 + band.unit_px
    inner = image[edge : height - edge, edge : width - edge].copy()
    image[:] = stone
    image[edge : height - edge, edge : width - edge] = inner


def _add_portrait(dice: Dice, image: Plane, page: Page, cap_px: float, beside: bool, left_px: int) -> None:
    if beside:
        width = round(left_px * 0.75)
        height = round(width * 1.3)
        x, y = round(left_px * 0.25), max(0, (image.shape[0] - height) // 2)
    else:
        height = round(page.content_top_px * 0.85)
        width = round(height * 0.76)
        x, y = (sum(page.column) - width) // 2, round(page.content_top_px * 0.08)
    picture, cover = ornaments.portrait(dice, max(12, height), max(9, width))
    ornaments.paste(image, picture, cover, x, y)
