"""Where the rows of an inscription stand on a stone: fonts, sizes, spacing, columns, banners; one mask for all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.dice import Dice
from datasets.fonts import Face, Style
from datasets.glyphs import Mask, Row, Setting, arch, draw_row, row_width, thicken
from datasets.lettering import Theme
from datasets.textures import f32, noise
from datasets.truth import Role

Quad = NDArray[Any]


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line's text and the tight box of its ink, clockwise from the top left, in pixels of the face."""

    text: str
    quad: Quad
    cap_px: float


@dataclass(frozen=True, slots=True)
class Page:
    """The letters of a whole face as one mask, and where each line is. ``content_top_px`` is where the text begins."""

    mask: Mask
    lines: tuple[PlacedLine, ...]
    column: tuple[int, int]
    content_top_px: int


@dataclass(frozen=True, slots=True)
class TypeSet:
    """The faces of one stone: for the name, for the rest, and their widths."""

    name: Face
    body: Face
    name_stretch: float
    body_stretch: float
    tracking: float
    word_space: float
    bolder: float


_NAME_STYLES: dict[Theme, dict[Style, float]] = {
    Theme.WORKSHOP: {Style.BOOKMAN: 46, Style.SANS: 20, Style.CONDENSED: 12,
        Style.SERIF: 15, Style.SLAB: 4, Style.SCRIPT: 2, Style.HAND: 1},
    Theme.WORN: {Style.BOOKMAN: 20, Style.SANS: 25, Style.CONDENSED: 8,
        Style.SERIF: 35, Style.SLAB: 8, Style.SCRIPT: 2, Style.HAND: 2},
    Theme.HAND_PAINTED: {Style.BOOKMAN: 12, Style.SANS: 30, Style.CONDENSED: 8,
        Style.SERIF: 12, Style.SLAB: 3, Style.SCRIPT: 5, Style.HAND: 30},
    Theme.CLEAN: {Style.BOOKMAN: 20, Style.SANS: 30, Style.CONDENSED: 8,
        Style.SERIF: 25, Style.SLAB: 10, Style.SCRIPT: 4, Style.HAND: 3},
}  # fmt: skip
_BODY_STYLES: dict[Theme, dict[Style, float]] = _NAME_STYLES | {
    Theme.WORKSHOP: {Style.BOOKMAN: 20, Style.SANS: 42, Style.CONDENSED: 20,
        Style.SERIF: 12, Style.SLAB: 3, Style.SCRIPT: 2, Style.HAND: 1},
}  # fmt: skip


def draw_face(dice: Dice, faces: tuple[Face, ...], styles: dict[Style, float], bold_share: float) -> Face:
    """A face by style, then by family, then by weight, so that large families are not drawn more often."""
    present = {style: weight for style, weight in styles.items() if any(face.style is style for face in faces)}
    pool = faces
    if present:
        style = dice.weighted(present)
        pool = tuple(face for face in faces if face.style is style)
        if style is Style.BOOKMAN and dice.chance(0.8):
            pool = tuple(face for face in pool if face.family in ("texgyrebonum", "texgyreschola")) or pool
        if style is Style.SANS and dice.chance(0.5):
            pool = tuple(face for face in pool if face.family in ("texgyreheros", "arimo", "liberationsans")) or pool
    family = dice.choice(sorted({face.family for face in pool}))
    pool = tuple(face for face in pool if face.family == family)
    wanted = dice.chance(bold_share)
    pool = tuple(face for face in pool if face.bold is wanted) or pool
    upright = tuple(face for face in pool if not face.italic)
    return dice.choice(upright if upright and dice.chance(0.93) else pool)


def draw_type_set(dice: Dice, faces: tuple[Face, ...], theme: Theme, capitals: bool) -> TypeSet:
    """Faces for one stone; name and body share one face on two stones in five. Nobody sets script in capitals."""
    if capitals:
        faces = tuple(face for face in faces if face.style is not Style.SCRIPT) or faces
    name = draw_face(dice, faces, _NAME_STYLES[theme], 0.72)
    body = name if dice.chance(0.4) else draw_face(dice, faces, _BODY_STYLES[theme], 0.6)
    return TypeSet(
        name=name,
        body=body,
        name_stretch=dice.uniform(0.72, 1.12),
        body_stretch=dice.uniform(0.72, 1.12),
        tracking=dice.weighted({0.0: 55, -0.03: 8, 0.04: 15, 0.09: 12, 0.18: 7, 0.35: 3}) * dice.uniform(0.6, 1.2),
        word_space=dice.uniform(0.35, 0.8) if dice.chance(0.35) else dice.uniform(0.8, 1.35),
        bolder=dice.uniform(-0.03, 0.045) if dice.chance(0.35) else 0.0,
    )


_SIZES = {
    Role.NAME: (1.25, 2.2),
    Role.HEADER: (0.95, 1.6),
    Role.FACT: (0.95, 1.05),
    Role.SMALL: (0.7, 0.95),
    Role.FOOT: (0.65, 1.0),
}


def _row(dice: Dice, text: str, role: Role, types: TypeSet, cap_px: float, room_px: float) -> tuple[Row, float]:
    """A row no wider than ``room_px``: squeezed first, as masons do, then made smaller. Also its cap height."""
    face, stretch = (types.name, types.name_stretch) if role is Role.NAME else (types.body, types.body_stretch)
    setting = Setting(face.path, cap_px, types.tracking, stretch, types.word_space)
    width = row_width(text, setting)
    if width > room_px:
        squeezed = max(0.55, stretch * room_px / width)
        setting = replace(setting, stretch=squeezed, tracking=min(types.tracking, 0.02))
        width = row_width(text, setting)
        if width > room_px:
            setting = replace(setting, cap_height_px=max(5.0, cap_px * room_px / width))
    row = draw_row(text, setting)
    return Row(thicken(row.mask, types.bolder * setting.cap_height_px), row.baseline_px), setting.cap_height_px


def _put(canvas: Mask, mask: Mask, left: int, top: int) -> tuple[int, int, int, int] | None:
    """Lay a row into the canvas; returns the box that is visible, or None if nothing is."""
    x0, y0, x1, y1 = (
        max(0, left),
        max(0, top),
        min(canvas.shape[1], left + mask.shape[1]),
        min(canvas.shape[0], top + mask.shape[0]),
    )
    if x0 >= x1 or y0 >= y1:
        return None
    window = canvas[y0:y1, x0:x1]
    np.maximum(window, mask[y0 - top : y1 - top, x0 - left : x1 - left], out=window)
    return x0, y0, x1, y1


def _banner(dice: Dice, canvas: Mask, row: Row, left: int, top: int, cap_px: float, rise: float) -> None:
    """A ribbon of paint from which the letters are left out."""
    height, width = row.mask.shape
    pad = max(2, round(cap_px * dice.uniform(0.3, 0.6)))
    x = np.linspace(-1.25, 1.25, 24)
    lift = rise * np.clip(1 - x * x, -0.6, 1)
    xs = left + width / 2 + x * width / 2 - 0
    upper, lower = top - pad + max(rise, 0) - lift, top + height + pad - max(-rise, 0) - lift + min(rise, 0)
    ribbon = np.concatenate([np.stack([xs, upper], 1), np.stack([xs, lower], 1)[::-1]]).round().astype(np.int32)
    if dice.chance(0.6):
        cv2.fillPoly(canvas, [ribbon], 255, cv2.LINE_AA)
        y1, x1 = min(canvas.shape[0], top + height), min(canvas.shape[1], left + width)
        if top >= 0 and left >= 0:
            window = canvas[top:y1, left:x1]
            np.minimum(window, 255 - row.mask[: y1 - top, : x1 - left], out=window)
    else:
        cv2.polylines(canvas, [ribbon], True, 255, max(1, round(cap_px * 0.08)), cv2.LINE_AA)
        _put(canvas, row.mask, left, top)


@dataclass(frozen=True, slots=True)
class _Entry:
    text: str
    row: Row
    cap_px: float
    rise_px: float
    banner: bool
    beside: bool  # stands to the right of the entry before it


def _can_stand_beside(entries: list[_Entry], text: str, roles: tuple[Role, ...], room_px: float) -> bool:
    """Two short dated facts share a row: both hold digits, and the first leaves half of the row free."""
    if not entries or entries[-1].beside or set(roles) != {Role.FACT} or len(text) >= 24:
        return False
    dated = all(any(char.isdigit() for char in line) for line in (text, entries[-1].text))
    return dated and entries[-1].row.mask.shape[1] < 0.5 * room_px


def _entries(
    dice: Dice,
    texts: tuple[str, ...],
    roles: tuple[Role, ...],
    types: TypeSet,
    cap_px: float,
    room_px: float,
    two_columns: bool | None,
) -> list[_Entry]:
    factors = {role: dice.uniform(*bounds) for role, bounds in _SIZES.items()}
    if two_columns is None:
        two_columns = dice.chance(0.1)
    entries: list[_Entry] = []
    for index, (text, role) in enumerate(zip(texts, roles, strict=True)):
        size = cap_px * factors[role]
        if two_columns and _can_stand_beside(entries, text, roles[max(0, index - 1) : index + 1], room_px):
            row, size = _row(dice, text, role, types, entries[-1].cap_px, room_px * 0.46)
            entries.append(_Entry(text, row, size, 0.0, banner=False, beside=True))
            continue
        curved = index == 0 and role is not Role.NAME and len(text) < 24 and dice.chance(0.35)
        row, size = _row(dice, text, role, types, size, room_px * (0.6 if curved else 1.0))
        rise = (
            min(size * dice.uniform(0.3, 1.4), 0.13 * row.mask.shape[1]) * (1 if dice.chance(0.75) else -1)
            if curved
            else 0.0
        )
        entries.append(_Entry(text, arch(row, rise), size, rise, curved and dice.chance(0.7), False))
    return entries


def compose_page(
    dice: Dice,
    texts: tuple[str, ...],
    roles: tuple[Role, ...],
    types: TypeSet,
    cap_px: float,
    width_px: int,
    *,
    top_px: int,
    left_px: int,
    margin_px: int,
    two_columns: bool | None = None,
) -> Page:
    """Rows down a column from ``top_px``, between ``left_px`` and the right margin; their sum is the height."""
    margin = margin_px
    column = (left_px + (margin if left_px == 0 else margin // 3), width_px - margin)
    entries = _entries(dice, texts, roles, types, cap_px, column[1] - column[0], two_columns)
    leading = dice.uniform(1.5, 2.3)
    aligned_left = dice.chance(0.15)
    tops: list[int] = []
    y = float(top_px)
    for entry in entries:
        if entry.beside and tops:
            tops.append(round(tops[-1] + entries[len(tops) - 1].row.baseline_px - entry.row.baseline_px))
            continue
        # Baselines keep their distance from the capitals below; marks may reach into the gap.
        y += (
            entry.cap_px * leading * (1.0 if tops else 0.75)
            + max(entry.rise_px, 0)
            + (0.4 * entry.cap_px if entry.banner else 0)
        )
        tops.append(round(y - entry.row.baseline_px))
        y += (0.45 * entry.cap_px if entry.banner else 0) + max(-entry.rise_px, 0)
    height = round(y + cap_px * dice.uniform(1.0, 2.5))
    # A stone with two lines on it is no ribbon: the lines stand in the middle of a face of ordinary shape.
    spare = max(0, round(dice.uniform(0.35, 0.6) * width_px) - height)
    tops = [top + spare // 2 for top in tops]
    height += spare
    canvas = np.zeros((height, width_px), np.uint8)
    lines = []
    for index, (entry, top) in enumerate(zip(entries, tops, strict=True)):
        width = entry.row.mask.shape[1]
        paired = entry.beside or (index + 1 < len(entries) and entries[index + 1].beside)
        if paired:
            left = (
                column[0]
                if not entry.beside
                else max(column[0] + (column[1] - column[0]) // 2, column[1] - width - margin // 2)
            )
        else:
            left = column[0] if aligned_left else (column[0] + column[1] - width) // 2
        box: tuple[int, int, int, int] | None
        if entry.banner:
            _banner(dice, canvas, entry.row, left, top, entry.cap_px, entry.rise_px)
            box = (left, top, left + width, top + entry.row.mask.shape[0])
        else:
            box = _put(canvas, entry.row.mask, left, top)
        if box is not None:
            x0, y0, x1, y1 = box
            lines.append(PlacedLine(entry.text, f32([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), entry.cap_px))
            if dice.chance(0.02):
                cv2.line(canvas, (x0, y1 + 2), (x1, y1 + 2), 255, max(1, round(entry.cap_px * 0.07)))
    return Page(canvas, tuple(lines), column, top_px)


def hand_wobble(dice: Dice, mask: Mask, cap_px: float, amount: float) -> Mask:
    """Letters as a hand paints them: every point moved a little, smoothly, by up to ``amount`` cap heights."""
    height, width = mask.shape
    shift = np.float32(2 * amount * cap_px)
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    xs += (noise(dice.arrays, height, width, cap_px * dice.uniform(0.6, 2.0)) - 0.5) * shift
    ys += (noise(dice.arrays, height, width, cap_px * dice.uniform(0.6, 2.0)) - 0.5) * shift
    return np.asarray(cv2.remap(mask, xs, ys, cv2.INTER_LINEAR, borderValue=0), np.uint8)
