"""Upright and flat: turns, deskewing and perspective removal, each with the transform that leads back.

A ``Rectified`` keeps the homography from its own pixels to those of the picture it came from, so a quad found in it
goes back to the photo. Canvases only ever grow around the text; nothing that was detected is cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from preprocess.lines import quad_angle_deg, quad_size

_PAD = 0.03  # of the face's size, on every side: an outline found a few pixels too far inside costs no letters


@dataclass(frozen=True, slots=True)
class Rectified:
    """A view of a picture: BGR uint8 ``image`` and the (3, 3) homography from its pixels ``to_photo`` pixels."""

    image: np.ndarray
    to_photo: np.ndarray


def map_quads(quads: Sequence[np.ndarray], transform: np.ndarray) -> list[np.ndarray]:
    """Quads (4, 2) after a (3, 3) homography, as float32."""
    if not quads:
        return []
    points = np.concatenate([np.asarray(q, dtype=np.float64) for q in quads]).reshape(1, -1, 2)
    mapped = cv2.perspectiveTransform(points, np.asarray(transform, dtype=np.float64)).reshape(-1, 4, 2)
    return list(mapped.astype(np.float32))


def turn_quarters(image: np.ndarray, quarters: int) -> Rectified:
    """Turn a picture clockwise by ``quarters`` × 90°."""
    quarters %= 4
    height, width = image.shape[:2]
    turned = image if quarters == 0 else cv2.rotate(image, (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, 2)[quarters - 1])
    to_photo = (
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0, 1, 0], [-1, 0, height], [0, 0, 1]],
        [[-1, 0, width], [0, -1, height], [0, 0, 1]],
        [[0, -1, width], [1, 0, 0], [0, 0, 1]],
    )[quarters]
    return Rectified(turned, np.array(to_photo, dtype=np.float64))


def text_angle_deg(quads: Sequence[np.ndarray]) -> float:
    """Common direction of the text, clockwise positive: the median over quads, weighted by their widths; 0 for none."""
    if not quads:
        return 0.0
    angles = np.array([quad_angle_deg(q) for q in quads])
    # A short box knows its direction badly: letters of unequal height tilt it.
    weights = np.array([max(quad_size(q)[0] - quad_size(q)[1], 1e-3) for q in quads])
    order = np.argsort(angles)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(angles[order][middle])


def deskew(image: np.ndarray, angle_deg: float, *, max_side_px: int) -> Rectified:
    """Turn a picture by ``-angle_deg`` on a canvas that holds all of it, ``max_side_px`` at most."""
    height, width = image.shape[:2]
    whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    radians = np.radians(angle_deg)
    turn = np.array([[np.cos(radians), np.sin(radians), 0], [-np.sin(radians), np.cos(radians), 0], [0, 0, 1]])
    return _render(image, turn, cv2.perspectiveTransform(whole[None], turn)[0], max_side_px)


def face_to_photo(face_quad: np.ndarray) -> np.ndarray:
    """Homography (3, 3) from a level rectangle, as large as the face's mean sides and with a corner at 0, 0, to it."""
    face = np.asarray(face_quad, dtype=np.float32).reshape(4, 2)
    width, height = quad_size(face)
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    return np.asarray(cv2.getPerspectiveTransform(level, face))


def rectify(
    image: np.ndarray, face_quad: np.ndarray, text_quads: Sequence[np.ndarray] = (), *, max_side_px: int
) -> Rectified:
    """Make a face a level rectangle; the canvas also holds ``text_quads`` that reach beyond it.

    ``face_quad`` (4, 2) runs clockwise from the top left; sides keep their mean lengths, scaled down together where the
    longest side would exceed ``max_side_px``. Beyond the picture its edge is repeated.
    """
    width, height = quad_size(face_quad)
    to_level = np.linalg.inv(face_to_photo(face_quad))
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    pad = np.array([width, height]) * _PAD
    corners = [level - pad * [[1, 1], [-1, 1], [-1, -1], [1, -1]], *map_quads(text_quads, to_level)]
    return _render(image, to_level, np.concatenate(corners).astype(np.float64), max_side_px)


def _render(image: np.ndarray, transform: np.ndarray, keep: np.ndarray, max_side_px: int) -> Rectified:
    """Warp by ``transform`` on the smallest canvas that holds the points ``keep`` (N, 2), given after the transform."""
    low, high = keep.min(axis=0), keep.max(axis=0)
    scale = min(1.0, max_side_px / float((high - low).max()))
    size = np.maximum(np.ceil((high - low) * scale - 1e-6), 1).astype(int)
    place = np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale], [0, 0, 1]])
    to_view = place @ transform
    # Coordinates are continuous here (centre of the first pixel 0.5), while OpenCV counts from pixel centres.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    shrunk, shrink = _shrink(image, scale)
    view = cv2.warpPerspective(
        shrunk,
        np.linalg.inv(half) @ to_view @ np.linalg.inv(shrink) @ half,
        (int(size[0]), int(size[1])),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Rectified(view, np.linalg.inv(to_view))


def _shrink(image: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture averaged down to ``scale``, because warping alone would skip pixels; and the transform to it."""
    if scale > 0.8:
        return image, np.eye(3)
    shrunk = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return shrunk, np.diag([shrunk.shape[1] / image.shape[1], shrunk.shape[0] / image.shape[0], 1.0])
