"""Which of many quadrilaterals is the outline of the stone that carries a text, by the colours along their sides.

An engraved or painted frame lies inside the edge of its stone: beyond it the colour changes, but further out the stone
goes on. So each side is judged by the colours at several depths inside and outside of it, not at one. A linear model
weighs what is seen; its weights were fitted, by the likelihood of choosing the quad with the best IoU, on 149 rendered
stones of the training kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_PITCH_PX = 4.0  # between the points of a side where colours are compared
_EDGE_PX = 2.0  # right at a side
_BAND_PX = (5.0, 9.0, 14.0, 20.0)  # beyond an engraved frame (2 px here), up to the rim around a wide one
_DEPTHS_PX = np.array([_EDGE_PX, *_BAND_PX], dtype=np.float32)
_FULL_CHANGE = 14.0  # Lab distance that counts as a complete change of colour
_LEAST_SPREAD = np.array([14.0, 8.0, 8.0], dtype=np.float32)  # of a stone's own colours in Lab; shadows fall on stones
_SPREADS = 2.5  # median deviations that still count as the stone's own colour
_SURFACE_TOLERANCE = 22.0  # Lab distance from the stone's colour at which a point inside hardly agrees
_TILT_DEG = 4.0  # detected boxes of level text lie within 1° of it
_WORST_TILT = 3.0  # times _TILT_DEG; beyond, a quad is as wrong as can be

# What is seen of a quad, in the order of ``_seen``, and what it weighs.
_WEIGHTS = np.array([6.8, 3.8, 2.9, -4.6, -6.9, -5.5, -0.6, 4.5])
_BIAS = -5.5  # of 27 pictures cut out of the middle of stones 23 end below 0.5; of 180 faces found well, none


def outline_scores(
    lab: np.ndarray,
    sides: Sequence[np.ndarray],
    choices: np.ndarray,
    corners: np.ndarray,
    text_quads: Sequence[np.ndarray],
    hull: np.ndarray,
) -> np.ndarray:
    """Score between 0 and 1 of each quad in ``corners`` (N, 4, 2) to be the outline of the stone; (N,).

    ``lab``: (H, W, 3) float32. ``sides``: lines (n, 3) for top, right, bottom, left; ``choices`` (4, N): the index of
    the line that each quad takes as that side. ``hull``: the quad around all text.
    """
    seen = _seen(lab, sides, choices, corners, text_quads, hull)
    return np.asarray(1.0 / (1.0 + np.exp(-(seen @ _WEIGHTS + _BIAS))))


def _seen(
    lab: np.ndarray,
    sides: Sequence[np.ndarray],
    choices: np.ndarray,
    corners: np.ndarray,
    text_quads: Sequence[np.ndarray],
    hull: np.ndarray,
) -> np.ndarray:
    """What is seen of each quad, (N, 8).

    The mean over its sides of the change of colour across a band and right at the side, of how unlike the stone it is
    outside at every depth, of how like the stone inside, and how unlike it inside at every depth; how far the text
    stands from the middle, how tilted it is on the face, and how much of the face has the stone's colour.
    """
    colour, spread = _stone_colour(lab, hull)
    along = [
        _means_along(*_profiles(lab, lines, hull.mean(axis=0), colour, spread), chosen, corners, side)
        for side, (lines, chosen) in enumerate(zip(sides, choices, strict=True))
    ]
    square = np.linalg.inv(_square_to_quad(corners))
    return np.concatenate(
        [
            np.mean(along, axis=0),
            _off_centre(square, hull)[:, None],
            _tilt(square, corners, text_quads)[:, None],
            _surface(lab, corners, colour)[:, None],
        ],
        axis=1,
    )


def _stone_colour(lab: np.ndarray, hull: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median colour inside the text's hull (strokes cover less than half of it), and how far it spreads."""
    mask = np.zeros(lab.shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 1)
    inside = lab[mask > 0][::4]
    inside = inside if len(inside) else lab.reshape(-1, 3)
    colour = np.median(inside, axis=0)
    return colour, np.maximum(_LEAST_SPREAD, _SPREADS * np.median(np.abs(inside - colour), axis=0))


def _profiles(
    lab: np.ndarray, lines: np.ndarray, centre: np.ndarray, colour: np.ndarray, spread: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Running sums (lines, points + 1, 5) of what is seen along each line, and where its points begin and run, (n, 2).

    Points run clockwise around ``centre``. Where a line's outside lies beyond the picture, nothing is seen: all zeros.
    """
    height, width = lab.shape[:2]
    distance = lines[:, :2] @ centre + lines[:, 2]
    outward = np.where(distance > 0, -1.0, 1.0)[:, None] * lines[:, :2]
    run = np.stack([-outward[:, 1], outward[:, 0]], axis=1) * _PITCH_PX
    points = int(2.6 * max(height, width) / _PITCH_PX)
    begin = centre - distance[:, None] * lines[:, :2] - run * (points / 2)
    depths = np.concatenate([-_DEPTHS_PX, _DEPTHS_PX])
    on_line = begin[:, None] + np.arange(points)[:, None] * run[:, None]
    cell = np.floor(on_line[:, :, None] + depths[:, None] * outward[:, None, None]).astype(np.int32)
    x, y = cell[..., 0], cell[..., 1]
    in_picture = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = lab[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    inside, outside = found[:, :, : len(_DEPTHS_PX)], found[:, :, len(_DEPTHS_PX) :]
    unlike = np.sqrt((((found - colour) / spread) ** 2).sum(axis=-1))
    unlike_in, unlike_out = unlike[:, :, 1 : len(_DEPTHS_PX)], unlike[:, :, len(_DEPTHS_PX) + 1 :]
    seen = np.stack(
        [
            _change(inside[:, :, 1:4].mean(axis=2), outside[:, :, 1:4].mean(axis=2)),
            _change(inside[:, :, 0], outside[:, :, 0]),
            np.minimum(unlike_out.min(axis=2), 1.0),
            np.exp(-unlike_in).mean(axis=2),
            np.minimum(unlike_in.min(axis=2), 1.0),
        ],
        axis=-1,
    )
    seen[~(in_picture[:, :, 1] & in_picture[:, :, len(_DEPTHS_PX) + 1])] = 0.0
    return np.pad(np.cumsum(seen, axis=1), ((0, 0), (1, 0), (0, 0))), begin, run


def _change(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.minimum(np.sqrt(((a - b) ** 2).sum(axis=-1)) / _FULL_CHANGE, 1.0))


def _means_along(
    sums: np.ndarray, begin: np.ndarray, run: np.ndarray, chosen: np.ndarray, corners: np.ndarray, side: int
) -> np.ndarray:
    """Means (N, 5) between the two corners of one ``side`` of each quad, which lies on the ``chosen`` line."""
    ends = np.stack([corners[:, side], corners[:, (side + 1) % 4]])
    at = ((ends - begin[chosen]) * run[chosen]).sum(axis=-1) / _PITCH_PX**2
    first, last = np.clip(np.round(at).astype(int), 0, sums.shape[1] - 1)
    return np.asarray((sums[chosen, last] - sums[chosen, first]) / np.maximum(last - first, 1)[:, None])


def _off_centre(square: np.ndarray, hull: np.ndarray) -> np.ndarray:
    """Difference of the ground left and right of the text, as a share of the face's width: inscriptions are centred."""
    mapped = np.einsum("nij,kj->nki", square, np.c_[hull, np.ones(len(hull))])
    across = mapped[..., 0] / mapped[..., 2]
    return np.asarray(np.abs(across.min(axis=1) + across.max(axis=1) - 1.0))


def _tilt(square: np.ndarray, corners: np.ndarray, text_quads: Sequence[np.ndarray]) -> np.ndarray:
    """How tilted the text is once each quad (N, 4, 2) is made a rectangle, in units of ``_TILT_DEG``."""
    wide = [q for q in text_quads if np.linalg.norm(q[1] - q[0]) > 3 * np.linalg.norm(q[3] - q[0])]
    if not wide:
        return np.zeros(len(corners))
    ends = np.array([[(q[0] + q[3]) / 2, (q[1] + q[2]) / 2] for q in wide])  # lines, 2, xy
    mapped = np.einsum("nij,lej->nlei", square, np.concatenate([ends, np.ones((*ends.shape[:2], 1))], axis=-1))
    flat = mapped[..., :2] / mapped[..., 2:]
    lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    size = np.stack([lengths[:, ::2].mean(axis=1), lengths[:, 1::2].mean(axis=1)], axis=-1)
    run = (flat[..., 1, :] - flat[..., 0, :]) * size[:, None]
    tilt_deg = np.degrees(np.arctan2(np.abs(run[..., 1]), np.abs(run[..., 0])))
    return np.asarray(np.minimum(np.median(tilt_deg, axis=1) / _TILT_DEG, _WORST_TILT))


def _surface(lab: np.ndarray, corners: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """How much of each quad's inside has the stone's colour; lightness counts half, because shadows fall on stones."""
    height, width = lab.shape[:2]
    u, v = (a.ravel()[:, None] for a in np.meshgrid(*[np.linspace(0.08, 0.92, 9)] * 2))
    a, b, c, d = (corners[:, None, i] for i in range(4))
    at = np.floor((a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v).astype(int)
    inside = ((at >= 0) & (at < [width, height])).all(axis=-1)
    found = lab[np.clip(at[..., 1], 0, height - 1), np.clip(at[..., 0], 0, width - 1)]
    off = (((found - colour) * np.array([0.5, 1.0, 1.0], dtype=np.float32)) ** 2).sum(axis=-1)
    agreement = np.exp(-off / _SURFACE_TOLERANCE**2)
    return np.asarray((agreement * inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1))


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
