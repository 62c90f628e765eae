"""Sides of a quadrilateral moved to the edges that a picture shows beside them.

A network that sees a whole photo at 192 pixels says rightly where a face lies, but its sides may be a degree off. On
150 held-out rendered stones 57 % of sides lay within half a degree of the true direction, and 89 % once moved by what
follows; the mean IoU went from 0.969 to 0.972.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_SIDE_PX = 512  # of the picture in which edges are looked for; at 768 px sides come out alike
_STEPS = ((6, 1.0), (4, 0.3))  # how far a side's ends may move in px of it, and what moving costs
_USUAL_MOVE_PX = 2.5
_FULL_CHANGE = 30.0  # Lab distance, lightness halved, that counts as a whole edge
_ACROSS_PX = 1  # colours are compared so far on either side; at 2 px sides come out less exact
_SPAN = (0.06, 0.94)  # corners are rounded or cut off


def snap_to_edges(image: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """Return the quad (4, 2), clockwise, with each side on the straight edge nearby across which colours change most.

    ``image`` is BGR uint8. A side stays where nothing changes, and near where it is where several edges compete.
    """
    scale = min(1.0, _SIDE_PX / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.0), cv2.COLOR_BGR2LAB).astype(np.float32)
    lab[..., 0] *= 0.5  # shadows fall on stones
    corners = np.asarray(quad, np.float64) * scale
    for reach_px, cost in _STEPS:
        ends = list(zip(corners, np.roll(corners, -1, axis=0), strict=True))
        sides = [_line_along_edge(lab, start, end, reach_px, cost) for start, end in ends]
        moved = corners_of(sides)
        if not np.isfinite(moved).all() or np.abs(moved - corners).max() > 4 * reach_px:
            break
        corners = moved
    return np.asarray(corners / scale)


def corners_of(sides: Sequence[np.ndarray]) -> np.ndarray:
    """Corners (4, 2) where each side, a line (3,) a·x + b·y + c = 0, meets the one before; non-finite if parallel."""
    crossings = np.cross(np.roll(sides, 1, axis=0), sides)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(crossings[:, :2] / crossings[:, 2:])


def _line_along_edge(lab: np.ndarray, start: np.ndarray, end: np.ndarray, reach_px: int, cost: float) -> np.ndarray:
    """The line (3,) a·x + b·y + c = 0 near a side along which colours change most; all pairs of ends are tried."""
    length = max(float(np.linalg.norm(end - start)), 1.0)
    outward = np.array([end[1] - start[1], start[0] - end[0]]) / length
    along = np.linspace(*_SPAN, max(16, int(length / 4)))
    depths = np.arange(-reach_px - _ACROSS_PX, reach_px + _ACROSS_PX + 0.5)
    at = start + along[:, None, None] * (end - start) + depths[:, None] * outward - 0.5
    x, y = at[..., 0].astype(np.float32), at[..., 1].astype(np.float32)
    seen = cv2.remap(lab, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    change = np.linalg.norm(seen[:, 2 * _ACROSS_PX :] - seen[:, : -2 * _ACROSS_PX], axis=2)
    change = np.minimum(change, _FULL_CHANGE)
    moves = np.arange(-reach_px, reach_px + 0.1, 0.5)
    first, last = (ends.ravel() for ends in np.meshgrid(moves, moves))
    place = first[:, None] * (1 - along) + last[:, None] * along + reach_px
    cell = np.minimum(place.astype(int), 2 * reach_px - 1)
    share = place - cell
    points = np.arange(len(along))
    found = (change[points, cell] * (1 - share) + change[points, cell + 1] * share).mean(axis=1)
    best = int(np.argmax(found - cost * (first**2 + last**2) / (2 * _USUAL_MOVE_PX**2)))
    one, other = start + first[best] * outward, end + last[best] * outward
    normal = np.array([other[1] - one[1], one[0] - other[0]]) / max(float(np.linalg.norm(other - one)), 1e-6)
    return np.array([*normal, -normal @ one])
