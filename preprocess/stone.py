"""Stone faces in a photo: the quadrilateral around the inscription, from line segments, colour and detected text.

A face is framed by four straight lines outside the text. Candidates for each side come from line segments (von Gioi
et al. 2010, "LSD"); every combination is judged by ``preprocess.outline``. Where none convinces, there is no face, and
the caller keeps the whole picture. On 64 held-out rendered stones 83 % of faces are found with an IoU of 0.9 and more
(``python -m bench --only faces``); by detected lines that all belong to the stone 86 %, and 92 % is the best that these
candidates hold. What still fails: a plinth of the stone's own colour below it, and letters in a row taken for a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from preprocess.lines import enclose, quad_angle_deg, quad_size, split_columns
from preprocess.outline import outline_scores

_WORK_SIDE_PX = 512  # segments found at 384 px cost 4 ms less of 32 and 1 face in 64
_MIN_SEGMENT = 0.05  # of the working side; shorter segments are letters and leaves
_SIDES_KEPT = 4  # candidates a side, by supporting length, besides the picture's edge; with 6, one face in 64 less
_SLANTED_DEG = 10.0  # lines of one face differ by less even where it is seen from 30° aside
_MIN_SCORE = 0.5  # see the bias in preprocess.outline


@dataclass(frozen=True, slots=True)
class StoneFace:
    """One face: ``quad`` (4, 2) in pixels of the picture, clockwise from the top left of its text; score 0 to 1."""

    quad: np.ndarray
    score: float


def find_stones(image: np.ndarray, text_quads: Sequence[np.ndarray]) -> list[StoneFace]:
    """Return the faces that carry the given text: none, one, or two side by side, left first.

    ``text_quads`` are (4, 2) in pixels of ``image``. A face always holds all text that it was found by:
    that is all of it, but for watermarks, which run across.
    """
    if not text_quads:
        return []
    scale = _WORK_SIDE_PX / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    scale = min(scale, 1.0)
    lab = _lab(small)
    segments = _segments(small)
    quads = _without_slanted([np.asarray(q, dtype=np.float64) * scale for q in text_quads])
    groups = [[quads[i] for i in group] for group in split_columns(quads)]
    faces = [_find_face(lab, segments, group) for group in groups]
    if len(groups) == 2 and not _apart(faces, groups):
        faces = [_find_face(lab, segments, quads)]
    found = [face for face in faces if face is not None and face.score >= _MIN_SCORE]
    return [StoneFace((f.quad / scale).astype(np.float32), f.score) for f in found]


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
        if face is None or face.score < _MIN_SCORE:
            return False
        outline = face.quad.astype(np.float32)[:, None]
        middles = [quad.mean(axis=0) for quad in others]
        if any(cv2.pointPolygonTest(outline, (float(x), float(y)), False) > 0 for x, y in middles):
            return False
    return True


def _lab(image: np.ndarray) -> np.ndarray:
    lab = np.asarray(cv2.cvtColor(cv2.blur(image, (3, 3)), cv2.COLOR_BGR2LAB), dtype=np.float32)
    lab[..., 0] *= 100.0 / 255.0
    return lab


def _segments(image: np.ndarray) -> np.ndarray:
    """Line segments (N, 4) as x0, y0, x1, y1."""
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(gray)[0]
    if found is None:
        return np.zeros((0, 4))
    segments = np.asarray(found, dtype=np.float64).reshape(-1, 4)
    long = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    return np.asarray(segments[long > _MIN_SEGMENT * max(image.shape[:2])])


def _find_face(lab: np.ndarray, segments: np.ndarray, quads: Sequence[np.ndarray]) -> StoneFace | None:
    hull = enclose(quads).astype(np.float64)
    sides = _candidate_sides(segments, hull, lab.shape[1], lab.shape[0])
    if any(len(lines) == 0 for lines in sides):
        return None
    choices = np.stack([a.ravel() for a in np.meshgrid(*(np.arange(len(lines)) for lines in sides))])
    corners = _corners_of(*(lines[chosen] for lines, chosen in zip(sides, choices, strict=True)))
    plausible = _plausible(corners, hull, lab.shape[1], lab.shape[0])
    if not plausible.any():
        return None
    corners = corners[plausible]
    scores = outline_scores(lab, sides, choices[:, plausible], corners, quads, hull)
    best = int(np.argmax(scores))
    return StoneFace(corners[best], float(scores[best]))


def _candidate_sides(segments: np.ndarray, hull: np.ndarray, width: int, height: int) -> tuple[np.ndarray, ...]:
    """Lines (N, 3) with a·x + b·y + c = 0 for top, right, bottom, left: the best supported, and the picture's edge.

    Lines cross the text's own axes outside the text; top and bottom lie within 25° of the text's direction (a yaw of
    35° from an arm's length), left and right within 30° of its normal.
    """
    centre = hull.mean(axis=0)
    angle = np.radians(quad_angle_deg(hull))
    along = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-along[1], along[0]])
    half = np.array([np.linalg.norm(hull[1] - hull[0]), np.linalg.norm(hull[3] - hull[0])]) / 2
    frame = np.array([[0, 1, 0], [1, 0, -width], [0, 1, -height], [1, 0, 0]], dtype=np.float64)
    start, end = segments[:, :2], segments[:, 2:]
    step = end - start
    length = np.hypot(step[:, 0], step[:, 1])
    slope_along, slope_down = np.abs(step @ along) / length, np.abs(step @ down) / length
    sides = []
    for edge, (axis, across, sign, reach) in enumerate(
        [(down, along, -1, half[1]), (along, down, 1, half[0]), (down, along, 1, half[1]), (along, down, -1, half[0])]
    ):
        level = slope_along > np.cos(np.radians(25)) if axis is down else slope_down > np.cos(np.radians(30))
        chosen = np.flatnonzero(level)
        if len(chosen):
            # where the line through the segment crosses the text's axis
            run = step[chosen] @ across
            at = (start[chosen] - centre) @ axis - ((start[chosen] - centre) @ across) * (step[chosen] @ axis) / run
            chosen = chosen[sign * at > 0.97 * reach]
        lines = _merge(start[chosen], end[chosen], length[chosen])
        sides.append(np.concatenate([lines, frame[edge : edge + 1]]))
    return tuple(sides)


def _merge(start: np.ndarray, end: np.ndarray, length: np.ndarray) -> np.ndarray:
    """The longest segments as lines, each standing for all others that lie on it."""
    lines = np.cross(np.c_[start, np.ones(len(start))], np.c_[end, np.ones(len(end))])
    lines = lines / np.maximum(np.hypot(lines[:, :1], lines[:, 1:2]), 1e-9) if len(lines) else np.zeros((0, 3))
    middle = (start + end) / 2
    left = length.copy()
    kept = []
    # The support of a line is the length of all segments whose ends lie within two pixels of it.
    near = np.ones((len(lines), len(lines)), dtype=bool)
    for points in (start, middle, end):
        near &= np.abs(np.c_[points, np.ones(len(points))] @ lines.T).T < 2.0 if len(lines) else near
    for _ in range(min(_SIDES_KEPT, len(lines))):
        support = near @ left
        best = int(np.argmax(support * (left > 0)))
        if left[best] <= 0:
            break
        kept.append(lines[best])
        left[near[best]] = 0.0
    return np.array(kept).reshape(-1, 3)


def _corners_of(top: np.ndarray, right: np.ndarray, bottom: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Corners (N, 4, 2) of quads by the lines (N, 3) of their sides; parallel neighbours give non-finite corners."""
    crossings = np.stack([np.cross(a, b) for a, b in ((left, top), (top, right), (right, bottom), (bottom, left))], 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(crossings[..., :2] / crossings[..., 2:])


def _plausible(corners: np.ndarray, hull: np.ndarray, width: int, height: int) -> np.ndarray:
    """Which quads (N, 4, 2) are convex, clockwise, not far beyond the picture, and hold the text."""
    size = np.array([width, height])
    near = (np.isfinite(corners) & (corners > -0.3 * size) & (corners < 1.3 * size)).all(axis=(1, 2))
    sides = np.roll(corners, -1, axis=1) - corners
    lengths = np.linalg.norm(sides, axis=2)
    following = np.roll(sides, -1, axis=1)
    with np.errstate(invalid="ignore"):
        turning = sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0]
        convex = (turning > 0).all(axis=1)
        # Opposite sides of a flat rectangle seen from where its text is legible differ by less than a factor of two.
        balanced = (np.maximum(lengths[:, :2], lengths[:, 2:]) < 2.0 * np.minimum(lengths[:, :2], lengths[:, 2:])).all(
            1
        )
        to_text = hull[None, None] - corners[:, :, None]
        inside = sides[:, :, None, 0] * to_text[..., 1] - sides[:, :, None, 1] * to_text[..., 0]
        holds = (inside / np.maximum(lengths[..., None], 1e-6) > -0.01 * max(width, height)).all(axis=(1, 2))
    return np.asarray(near & convex & balanced & holds)
