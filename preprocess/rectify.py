"""Upright and flat: quarter turns and the perspective of a stone face, each with the transform that leads back.

A ``Rectified`` keeps the homography from its own pixels to those of the picture it came from, so a quad found in it
goes back to the photo. Lines of text are made level and flat one by one, in ``preprocess.lines.crop_line``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from preprocess.lines import quad_size


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


def face_to_photo(face_quad: np.ndarray) -> np.ndarray:
    """Homography (3, 3) from a level rectangle, as large as the face's mean sides and with a corner at 0, 0, to it."""
    face = np.asarray(face_quad, dtype=np.float32).reshape(4, 2)
    width, height = quad_size(face)
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    return np.asarray(cv2.getPerspectiveTransform(level, face))
