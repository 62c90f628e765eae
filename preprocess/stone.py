"""Stone faces in a photo: the quadrilateral around an inscription, from a network's opinion of every pixel.

A network sees the whole photo, small, with the detected text marked in it, and says which pixels belong to the face
that carries this text (``models.faces``). Four straight lines are fitted to the edge of what it says, and moved to the
edges that the picture shows there. Where they fit badly there is no face, and the caller keeps the whole picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from preprocess.edges import corners_of, snap_to_edges
from preprocess.lines import quad_angle_deg, quad_size, split_columns

VIEW_PX = 192
"""Side of the square that the network sees; a face that takes up half of it has sides of some 100 px."""

PLANES = 5
"""Blue, green and red around 0, the marked text, and what of the square is picture."""

Segment: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""From planes (``PLANES``, ``VIEW_PX``, ``VIEW_PX``) to the chance of each pixel to belong to the face."""

_SLANTED_DEG = 10.0  # lines of one face differ by less even where it is seen from 30° aside
_FINE = 4  # text is drawn so many times larger and averaged, or thin lines would come and go
_LEAST_SCORE = 0.85  # of 294 faces of held-out rendered stones found with an IoU of 0.9, the least has 0.90
_FRAME_PX = 3.0  # of the view: a side so near to the picture's edge is that edge
_SIDE_SPAN = (0.08, 0.92)  # where a side is fitted: corners are rounded or cut off
_REACH_PX = (6, 6, 4, 4)  # how far from a side its edge is looked for, step by step
_OVERSHOOT = 0.05  # of the face's longer side; text that stands out further does not stand on the face


@dataclass(frozen=True, slots=True)
class StoneFace:
    """One face: ``quad`` (4, 2) in pixels of the picture, clockwise from the top left of its text; score 0 to 1.

    The score is the overlap of the quad and the pixels taken for the face, as a share of their union.
    """

    quad: np.ndarray
    score: float


@dataclass(frozen=True, slots=True)
class FaceView:
    """What the network sees of a picture, and the affine map (2, 3) from the picture's pixels to those of the view."""

    planes: np.ndarray
    to_view: np.ndarray


def find_stones(image: np.ndarray, text_quads: Sequence[np.ndarray], segment: Segment) -> list[StoneFace]:
    """Return the faces that carry the given text: none, one, or two side by side, left first.

    ``image`` is BGR uint8, ``text_quads`` are (4, 2) in its pixels. A picture that its stone fills has no face.
    """
    if not text_quads:
        return []
    quads = _without_slanted([np.asarray(quad, dtype=np.float64) for quad in text_quads])
    groups = [[quads[index] for index in group] for group in split_columns(quads)]
    faces = [_find_face(image, group, segment) for group in groups]
    if len(groups) == 2 and not _apart(faces, groups):
        faces = [_find_face(image, quads, segment)]
    return [face for face in faces if face is not None]


def face_view(image: np.ndarray, text_quads: Sequence[np.ndarray]) -> FaceView:
    """Shrink a picture into the middle of a square and mark the text; training and serving see alike."""
    height, width = image.shape[:2]
    scale = VIEW_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (VIEW_PX - size[0]) // 2, (VIEW_PX - size[1]) // 2
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    planes = np.zeros((PLANES, VIEW_PX, VIEW_PX), np.float32)
    inside = np.s_[top : top + size[1], left : left + size[0]]
    planes[:3, *inside] = small.transpose(2, 0, 1) / np.float32(255.0) - np.float32(0.5)
    planes[4, *inside] = 1.0
    to_view = np.array([[size[0] / width, 0.0, left], [0.0, size[1] / height, top]])
    planes[3] = fill_quads([map_points(quad, to_view) for quad in text_quads]) * planes[4]
    return FaceView(planes, to_view)


def fill_quads(quads: Sequence[np.ndarray]) -> np.ndarray:
    """Share of each pixel of a view, (``VIEW_PX``, ``VIEW_PX``) float32, that lies within ``quads`` (4, 2)."""
    fine = np.zeros((VIEW_PX * _FINE, VIEW_PX * _FINE), np.uint8)
    for quad in quads:
        centres = np.clip(np.asarray(quad) * _FINE - 0.5, -8 * VIEW_PX, 16 * VIEW_PX)  # fixed point must not overflow
        cv2.fillConvexPoly(fine, np.round(centres * 16).astype(np.int32), 255, shift=4)
    share = cv2.resize(fine, (VIEW_PX, VIEW_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(share, np.float32) / np.float32(255.0)


def map_points(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Map points (n, 2) by an affine map (2, 3)."""
    return np.asarray(np.asarray(points, np.float64) @ affine[:, :2].T + affine[:, 2])


def _without_slanted(quads: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The quads without wide ones that run another way than most: watermarks, which reach beyond their stone."""
    angles_deg = np.array([quad_angle_deg(quad) for quad in quads])
    widths, heights = np.array([quad_size(quad) for quad in quads]).T
    wide = widths > 2.5 * heights
    if not wide.any():
        return list(quads)
    slanted = wide & (np.abs(angles_deg - np.median(angles_deg[wide])) > _SLANTED_DEG)
    return [quad for quad, out in zip(quads, slanted, strict=True) if not out]


def _apart(faces: Sequence[StoneFace | None], groups: Sequence[Sequence[np.ndarray]]) -> bool:
    """Whether two columns of text have a face each that does not reach over the other's text."""
    for face, others in zip(faces, reversed(groups), strict=True):
        if face is None or any(_holds(face.quad, quad.mean(axis=0)) for quad in others):
            return False
    return True


def _holds(outline: np.ndarray, point: np.ndarray) -> bool:
    contour = outline.astype(np.float32)[:, None]
    return cv2.pointPolygonTest(contour, (float(point[0]), float(point[1])), False) > 0


def _find_face(image: np.ndarray, text: Sequence[np.ndarray], segment: Segment) -> StoneFace | None:
    view = face_view(image, text)
    chances = segment(view.planes) * view.planes[4]
    fitted = fit_quad(chances)
    if fitted is None or _fills(fitted, view.planes[4]):
        return None
    drawn = fill_quads([fitted]) * view.planes[4]
    score = float(np.minimum(drawn, chances).sum() / np.maximum(drawn, chances).sum())
    if score < _LEAST_SCORE:
        return None
    corners = snap_to_edges(image, map_points(fitted, cv2.invertAffineTransform(view.to_view)))
    corners = _around_text(corners, text)
    return StoneFace(np.roll(corners, -_top_left(corners, text), axis=0).astype(np.float32), score)


def fit_quad(chances: np.ndarray) -> np.ndarray | None:
    """The quad (4, 2), clockwise, whose sides run where the largest region of ``chances`` (H, W) ends; None without.

    Begins with a quad around the region's hull and moves each side to the line that fits its edge best (Huber's
    weights). An edge lies as far out as the chances along the way to it add up to, which is finer than a pixel.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((chances > 0.5).astype(np.uint8))
    if count < 2:
        return None
    region = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    hull = cv2.convexHull(np.concatenate(cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]))
    if len(hull) < 4:
        return None
    quad = cv2.approxPolyN(hull, 4, ensure_convex=True).reshape(-1, 2).astype(np.float64) + 0.5
    if len(quad) != 4:
        return None
    quad = quad[np.argsort(np.arctan2(*(quad - quad.mean(axis=0)).T[::-1]))]
    for reach_px in _REACH_PX:
        moved = corners_of([_fit_side(chances, quad[i], quad[(i + 1) % 4], reach_px) for i in range(4)])
        if not np.isfinite(moved).all() or np.abs(moved - quad).max() > VIEW_PX / 4:
            break
        quad = moved
    return quad


def _fit_side(chances: np.ndarray, start: np.ndarray, end: np.ndarray, reach_px: int) -> np.ndarray:
    """The line (3,) a·x + b·y + c = 0 along the edge of ``chances`` near the side from ``start`` to ``end``."""
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
    outward = np.array([along[1], -along[0]])
    steps = np.arange(-reach_px, reach_px + 0.1, 0.5)
    on_side = start + np.linspace(*_SIDE_SPAN, max(8, round(np.linalg.norm(end - start))))[:, None] * (end - start)
    at = (on_side[:, None] + steps[:, None] * outward - 0.5).astype(np.float32)
    seen = cv2.remap(chances, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    clear = (seen[:, 0] > 0.5) & (seen[:, -1] < 0.5)
    if clear.sum() < 4:
        clear[:] = True
    edge_px = np.trapezoid(seen, dx=0.5, axis=1) - reach_px
    edge = (on_side + edge_px[:, None] * outward)[clear]
    dx, dy, x, y = cv2.fitLine(edge.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    return np.array([dy, -dx, y * dx - x * dy])


def _fills(quad: np.ndarray, picture: np.ndarray) -> bool:
    """Whether every side of a quad lies at the edge of the picture or beyond it."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    low = np.array([columns[0], rows[0]]) + _FRAME_PX
    high = np.array([columns[-1], rows[-1]]) + 1 - _FRAME_PX
    middles = (quad + np.roll(quad, -1, axis=0)) / 2
    return bool(((middles < low) | (middles > high)).any(axis=1).all())


def _around_text(quad: np.ndarray, text: Sequence[np.ndarray]) -> np.ndarray:
    """The quad with sides moved out so that no line which stands on it is cut off."""
    points = np.concatenate([line for line in text if _holds(quad, line.mean(axis=0))] or [quad])
    most = _OVERSHOOT * float(np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1).max())
    sides = []
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        outward = np.array([end[1] - start[1], start[0] - end[0]]) / max(float(np.linalg.norm(end - start)), 1e-6)
        over = (points - start) @ outward
        move = float(over[over <= most].max(initial=0.0))
        sides.append(np.array([*outward, -outward @ (start + move * outward)]))
    return corners_of(sides)


def _top_left(corners: np.ndarray, text: Sequence[np.ndarray]) -> int:
    """Which corner is at the top left of the text, by the direction in which the text runs."""
    along = np.sum([(quad[1] - quad[0]) + (quad[2] - quad[3]) for quad in text], axis=0)
    down = np.array([-along[1], along[0]])
    return int(np.argmin((corners - corners.mean(axis=0)) @ (along + down)))
