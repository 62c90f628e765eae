"""Stone faces in a photo: the quadrilateral around the inscription, from line segments, colour and detected text.

A face is framed by four straight lines outside the text. Candidates for each side come from line segments (von Gioi
et al. 2010, "LSD"); every combination is judged by how much the colour changes across its sides, how well the colour
inside agrees with the stone between the letters, and whether its text would come out level. An engraved frame changes
nothing across itself and loses; the outline of a wall behind the stone has the wrong colour inside and loses too. Where
no combination convinces, there is no face, and the caller keeps the whole picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from preprocess.lines import enclose, quad_angle_deg, split_columns

_WORK_SIDE_PX = 512  # 640 with more candidates found as many faces on 104 rendered scenes in twice the time
_MIN_SEGMENT = 0.05  # of the working side; shorter segments are letters and leaves
_SIDES_KEPT = 4  # candidates a side, by supporting length, besides the picture's edge
_SAMPLES = 24  # points along each side where colour is compared
_STEP_PX = 5  # how far inside and outside: beyond an engraved frame (2 px here), within the rim of a stone
_FULL_CONTRAST = 14.0  # Lab distance that counts as a complete change of colour
_COLOUR_TOLERANCE = 45.0  # Lab distance from the stone's own colour at which agreement has fallen to 1/e
_SURFACE_TOLERANCE = 22.0  # the same for the inside, where stones are veined, stained and shaded
_TILT_DEG = 4.0  # detected boxes of level text lie within 1° of it
_UNSEEN_SIDE = 0.35  # score of a side beyond the picture: neither for nor against
_MIN_SCORE = 0.40  # of 52 scenes, 44 true faces (IoU above 0.8) scored more; a picture without any edge reaches 0.35


@dataclass(frozen=True, slots=True)
class StoneFace:
    """One face: ``quad`` (4, 2) in pixels of the picture, clockwise from the top left of its text; score 0 to 1."""

    quad: np.ndarray
    score: float


def find_stones(image: np.ndarray, text_quads: Sequence[np.ndarray]) -> list[StoneFace]:
    """Return the faces that carry the given text: none, one, or two side by side, left first.

    ``text_quads`` are (4, 2) in pixels of ``image``. A face always holds all text that it was found by.
    """
    if not text_quads:
        return []
    scale = _WORK_SIDE_PX / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    scale = min(scale, 1.0)
    lab = _lab(small)
    segments = _segments(small)
    quads = [np.asarray(q, dtype=np.float64) * scale for q in text_quads]
    groups = [[quads[i] for i in group] for group in split_columns(quads)]
    faces = [_find_face(lab, segments, group) for group in groups]
    if len(groups) == 2 and not _apart(faces, groups):
        faces = [_find_face(lab, segments, quads)]
    found = [face for face in faces if face is not None and face.score >= _MIN_SCORE]
    return [StoneFace((f.quad / scale).astype(np.float32), f.score) for f in found]


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
    corners = _corners_of(*sides)
    corners = corners[_plausible(corners, hull, lab.shape[1], lab.shape[0])]
    if len(corners) == 0:
        return None
    colour = _stone_colour(lab, hull)
    scores = _outline_score(lab, corners, colour) * _surface_score(lab, corners, colour) * _level_score(corners, quads)
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
    """Corners (N, 4, 2) of all combinations of four sides; parallel neighbours give non-finite corners."""
    t, r, b, lft = (a.ravel() for a in np.meshgrid(*(np.arange(len(s)) for s in (top, right, bottom, left))))
    pairs = ((left[lft], top[t]), (top[t], right[r]), (right[r], bottom[b]), (bottom[b], left[lft]))
    crossings = np.stack([np.cross(first, second) for first, second in pairs], axis=1)
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


def _stone_colour(lab: np.ndarray, hull: np.ndarray) -> np.ndarray:
    """Median colour inside the text's hull: strokes cover less than half of it."""
    mask = np.zeros(lab.shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 1)
    inside = lab[mask > 0]
    return np.asarray(np.median(inside if len(inside) else lab.reshape(-1, 3), axis=0))


def _outline_score(lab: np.ndarray, corners: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """How much each quad (N, 4, 2) looks like the outline of a face: the mean of its sides' scores, (N,)."""
    height, width = lab.shape[:2]
    start, end = corners, np.roll(corners, -1, axis=1)
    step = end - start
    normal = np.stack([-step[..., 1], step[..., 0]], axis=-1)  # points inwards for clockwise quads
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    along = np.linspace(0.04, 0.96, _SAMPLES)
    points = start[:, :, None] + step[:, :, None] * along[:, None]

    def colours(shift: float) -> tuple[np.ndarray, np.ndarray]:
        at = np.floor(points + shift * normal[:, :, None]).astype(int)
        seen = ((at >= 0) & (at < [width, height])).all(axis=-1)
        return lab[np.clip(at[..., 1], 0, height - 1), np.clip(at[..., 0], 0, width - 1)], seen

    inner, inner_seen = colours(_STEP_PX)
    outer, outer_seen = colours(-_STEP_PX)
    change = np.minimum(np.linalg.norm(inner - outer, axis=-1) / _FULL_CONTRAST, 1.0)
    # Deeper inside, too: a painted border along the edge has a colour of its own.
    far = np.minimum(*(np.linalg.norm(seen - colour, axis=-1) for seen in (inner, colours(4 * _STEP_PX)[0])))
    agreement = np.exp(-far / _COLOUR_TOLERANCE)
    per_point = np.where(inner_seen & outer_seen, change * agreement, _UNSEEN_SIDE)
    return np.asarray(per_point.mean(axis=(1, 2)))


def _surface_score(lab: np.ndarray, corners: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """How much of each quad's inside has the stone's colour; lightness counts half, because shadows fall on stones."""
    height, width = lab.shape[:2]
    u, v = (a.ravel()[:, None] for a in np.meshgrid(*[np.linspace(0.08, 0.92, 9)] * 2))
    a, b, c, d = (corners[:, None, i] for i in range(4))
    at = np.floor((a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v).astype(int)
    seen = ((at >= 0) & (at < [width, height])).all(axis=-1)
    found = lab[np.clip(at[..., 1], 0, height - 1), np.clip(at[..., 0], 0, width - 1)]
    distance = np.linalg.norm((found - colour) * [0.5, 1.0, 1.0], axis=-1)
    agreement = np.exp(-((distance / _SURFACE_TOLERANCE) ** 2))
    mean = (agreement * seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return np.asarray(0.5 + 0.5 * mean)


def _level_score(corners: np.ndarray, text_quads: Sequence[np.ndarray]) -> np.ndarray:
    """How level the text lies once each quad (N, 4, 2) is made a rectangle: 1 for level, 1/e at ``_TILT_DEG``."""
    wide = [q for q in text_quads if np.linalg.norm(q[1] - q[0]) > 3 * np.linalg.norm(q[3] - q[0])]
    if not wide:
        return np.ones(len(corners))
    ends = np.array([[(q[0] + q[3]) / 2, (q[1] + q[2]) / 2] for q in wide])  # lines, 2, xy
    to_square = np.linalg.inv(_square_to_quad(corners))
    mapped = np.einsum("nij,lej->nlei", to_square, np.concatenate([ends, np.ones((*ends.shape[:2], 1))], axis=-1))
    flat = mapped[..., :2] / mapped[..., 2:]
    lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    run = (flat[..., 1, :] - flat[..., 0, :]) * np.stack(
        [lengths[:, ::2].mean(axis=1), lengths[:, 1::2].mean(axis=1)], axis=-1
    )[:, None]
    tilt_deg = np.degrees(np.arctan2(np.abs(run[..., 1]), np.abs(run[..., 0])))
    return np.asarray(np.exp(-np.median(tilt_deg, axis=1) / _TILT_DEG))


def _square_to_quad(corners: np.ndarray) -> np.ndarray:
    """Homographies (N, 3, 3) from the unit square to quads (Heckbert 1989, "Fundamentals of texture mapping")."""
    a, b, c, d = (corners[:, i] for i in range(4))
    p, q, r = b - c, d - c, a - b + c - d
    cross = p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1]
    g = (r[:, 0] * q[:, 1] - q[:, 0] * r[:, 1]) / cross
    h = (p[:, 0] * r[:, 1] - r[:, 0] * p[:, 1]) / cross
    first = np.concatenate([b - a + g[:, None] * b, g[:, None]], axis=1)
    second = np.concatenate([d - a + h[:, None] * d, h[:, None]], axis=1)
    third = np.concatenate([a, np.ones((len(a), 1))], axis=1)
    return np.stack([first, second, third], axis=2)
