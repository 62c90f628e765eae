"""Which lines of a photo were found, by where they stand: read quads against those of the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ocr_service.records import Quad

FOUND_IOU = 0.5
"""A line counts as found where a read quad covers it this well: the usual bar of text detection (ICDAR 2015)."""


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """Line quads of one or more photos; counts add up with ``+``.

    A line read in two pieces, neither of which covers half of it, is one missed line and two false ones.
    """

    lines: int = 0
    missed: int = 0
    false: int = 0

    def __add__(self, other: DetectionScore) -> DetectionScore:
        return DetectionScore(self.lines + other.lines, self.missed + other.missed, self.false + other.false)

    @property
    def found(self) -> int:
        """Return how many lines of the truth were found."""
        return self.lines - self.missed


def score_detection(truth: Sequence[Quad], read: Sequence[Quad]) -> DetectionScore:
    """Compare the quads of one photo; each stands for one line of the other side at most."""
    found = len(match_quads(truth, read))
    return DetectionScore(len(truth), len(truth) - found, len(read) - found)


def match_quads(truth: Sequence[Quad], read: Sequence[Quad]) -> list[tuple[int, int]]:
    """Pair quads that overlap by at least FOUND_IOU one to one, the best overlaps first."""
    overlaps = [(quad_iou(a, b), row, column) for row, a in enumerate(truth) for column, b in enumerate(read)]
    rows, columns, pairs = set[int](), set[int](), list[tuple[int, int]]()
    for overlap, row, column in sorted(overlaps, reverse=True):
        if overlap >= FOUND_IOU and row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            pairs.append((row, column))
    return pairs


def quad_iou(a: Quad, b: Quad) -> float:
    """Return the overlap of two convex quads as a share of their union."""
    first, second = np.asarray(a, dtype=np.float32), np.asarray(b, dtype=np.float32)
    overlap, _ = cv2.intersectConvexConvex(first, second)
    union = cv2.contourArea(first) + cv2.contourArea(second) - overlap
    return float(overlap / union) if union > 0 else 0.0
