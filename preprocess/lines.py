"""Text lines: cut one out for the recogniser, put all in reading order, share them among stones.

``crop_line`` is used by training and serving alike, so a recogniser sees in production what it learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

CROP_MARGIN = 0.0
"""Share of the line height added on every side. The detector's quads carry ground already: 0.06 more read 1 % worse."""

MAX_CROP_ASPECT = 60.0  # the longest real line, 70 narrow letters, is about 40 times as wide as high


def crop_line(image: np.ndarray, quad: np.ndarray, height_px: int, *, margin: float = CROP_MARGIN) -> np.ndarray:
    """Cut a text line out of a picture, level and ``height_px`` high; aspect is kept.

    ``image`` is (H, W, 3) or (H, W) uint8; ``quad`` is (4, 2), clockwise from the top left of the text. The crop is at
    least ``height_px // 2`` wide. Beyond the picture its edge is repeated, so the crop holds no black wedges.
    """
    corners = expand_quad(np.asarray(quad, dtype=np.float32).reshape(4, 2), margin)
    quad_width, quad_height = quad_size(corners)
    aspect = min(quad_width / max(quad_height, 1e-3), MAX_CROP_ASPECT)
    width_px = max(round(height_px * aspect), height_px // 2, 1)
    # Warping straight down to the crop would skip pixels; warp at most 2:1 finer than the crop, then average.
    fine = max(1, min(8, int(quad_height // height_px)))
    size = (width_px * fine, height_px * fine)
    target = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], dtype=np.float32) - 0.5
    to_crop = cv2.getPerspectiveTransform(corners - 0.5, target)
    interpolation = cv2.INTER_CUBIC if fine == 1 else cv2.INTER_LINEAR
    crop: np.ndarray = cv2.warpPerspective(image, to_crop, size, flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
    return crop if fine == 1 else cv2.resize(crop, (width_px, height_px), interpolation=cv2.INTER_AREA)


def quad_size(quad: np.ndarray) -> tuple[float, float]:
    """Mean width and mean height of a quad in its own direction, in pixels."""
    top, right, bottom, left = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return float(top + bottom) / 2, float(left + right) / 2


def quad_angle_deg(quad: np.ndarray) -> float:
    """Direction of the text, clockwise positive, between -180° and 180°; 0° is level."""
    along = (quad[1] - quad[0]) + (quad[2] - quad[3])
    return float(np.degrees(np.arctan2(along[1], along[0])))


def expand_quad(quad: np.ndarray, margin: float) -> np.ndarray:
    """Push every side outwards by ``margin`` times the quad's height."""
    width, height = quad_size(quad)
    step = margin * height
    along = np.stack([quad[1] - quad[0], quad[2] - quad[3]]) / max(width, 1e-6) * step
    down = np.stack([quad[3] - quad[0], quad[2] - quad[1]]) / max(height, 1e-6) * step
    moves = [-along[0] - down[0], along[0] - down[1], along[1] + down[1], -along[1] + down[0]]
    return np.asarray(quad + np.stack(moves), dtype=np.float32)


def split_rows(quads: Sequence[np.ndarray]) -> list[list[int]]:
    """Rows of line indices, top to bottom, each from left to right.

    Two lines share a row where they overlap by more than half of the lower one's height, measured across the common
    text direction.
    """
    if not quads:
        return []
    boxes = _level_boxes(quads)
    rows: list[list[int]] = []
    for index in sorted(range(len(quads)), key=lambda i: (boxes[i, 1] + boxes[i, 3], boxes[i, 0])):
        row = next((r for r in reversed(rows[-3:]) if all(_shares_row(boxes[index], boxes[j]) for j in r)), None)
        if row is None:
            rows.append([index])
        else:
            row.append(index)
    for row in rows:
        row.sort(key=lambda i: float(boxes[i, 0]))
    rows.sort(key=lambda r: float(np.mean([boxes[i, 1] + boxes[i, 3] for i in r])))
    return rows


def split_columns(quads: Sequence[np.ndarray]) -> list[list[int]]:
    """One group of indices, or two, left and right, where two inscriptions stand side by side.

    Two need an empty strip from top to bottom between them, at least two lines each that stand beside each other, and
    comparable widths; a table (a narrow number column, three columns and more) stays one group, to be read by rows.
    """
    whole = list(range(len(quads)))
    if len(quads) < 4:
        return [whole]
    boxes = _level_boxes(quads)
    by_left = sorted(whole, key=lambda i: float(boxes[i, 0]))
    reach = np.maximum.accumulate(boxes[by_left, 2])
    gaps = boxes[by_left[1:], 0] - reach[:-1]
    wide = np.flatnonzero(gaps > 0.5 * float(np.median(boxes[:, 3] - boxes[:, 1])))
    if len(wide) != 1:
        return [whole]
    left, right = by_left[: wide[0] + 1], by_left[wide[0] + 1 :]
    return [left, right] if _side_by_side(boxes[left], boxes[right]) else [whole]


def order_lines(quads: Sequence[np.ndarray]) -> list[int]:
    """Indices in reading order: the left inscription before the right one, rows top to bottom, each left to right."""
    order: list[int] = []
    for group in split_columns(quads):
        members = [quads[i] for i in group]
        order.extend(group[i] for row in split_rows(members) for i in row)
    return order


def assign_stones(quads: Sequence[np.ndarray], stone_quads: Sequence[np.ndarray]) -> list[int]:
    """Index of the stone that each line stands on: the one that holds its centre, else the nearest."""
    if len(stone_quads) < 2:
        return [0] * len(quads)
    contours = [np.asarray(stone, dtype=np.float32).reshape(-1, 1, 2) for stone in stone_quads]
    centres = [np.asarray(quad, dtype=np.float32).mean(axis=0) for quad in quads]
    return [int(np.argmax([cv2.pointPolygonTest(c, (float(x), float(y)), True) for c in contours])) for x, y in centres]


def enclose(quads: Sequence[np.ndarray]) -> np.ndarray:
    """The smallest quad in the common text direction that holds all given quads."""
    turn = _to_level(quads)
    points = np.concatenate(list(quads)) @ turn.T
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    level = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    return np.asarray(level @ turn, dtype=np.float32)


def _to_level(quads: Sequence[np.ndarray]) -> np.ndarray:
    """Rotation (2, 2) that makes the common text direction level; wide quads know their direction best."""
    along = np.sum([(q[1] - q[0]) + (q[2] - q[3]) for q in quads], axis=0)
    length = float(np.hypot(along[0], along[1]))
    if length < 1e-6:
        return np.eye(2)
    cos, sin = along[0] / length, along[1] / length
    return np.array([[cos, sin], [-sin, cos]])


def _level_boxes(quads: Sequence[np.ndarray]) -> np.ndarray:
    """Boxes (N, 4) as x0, y0, x1, y1 after turning the common text direction level."""
    turned = np.stack([np.asarray(q, dtype=np.float64) for q in quads]) @ _to_level(quads).T
    # Mean of the two corners a side, not the outermost one: a slanted quad would reach into the next row.
    x, y = turned[..., 0], turned[..., 1]
    sides = ((x[:, 0] + x[:, 3]), (y[:, 0] + y[:, 1]), (x[:, 1] + x[:, 2]), (y[:, 2] + y[:, 3]))
    return np.stack(sides, axis=1) / 2


def _shares_row(a: np.ndarray, b: np.ndarray) -> bool:
    overlap = min(a[3], b[3]) - max(a[1], b[1])
    return bool(overlap > 0.5 * min(a[3] - a[1], b[3] - b[1]))


def _side_by_side(left: np.ndarray, right: np.ndarray) -> bool:
    if min(len(left), len(right)) < 2:
        return False
    widths = sorted(float(g[:, 2].max() - g[:, 0].min()) for g in (left, right))
    tops, feet = [float(g[:, 1].min()) for g in (left, right)], [float(g[:, 3].max()) for g in (left, right)]
    shared = min(feet) - max(tops)
    return widths[0] > 0.5 * widths[1] and shared > 0.6 * min(feet[0] - tops[0], feet[1] - tops[1])
