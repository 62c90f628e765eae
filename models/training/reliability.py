"""A reliability diagram: how often lines of each confidence were read exactly right, drawn for a model card.

DeGroot and Fienberg 1983, "The comparison and evaluation of forecasters". Needs OpenCV alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

BINS = 10
SIDE_PX, MARGIN_PX, COUNTS_PX = 400, 56, 90
_INK, _GRID, _RIGHT, _COUNT = (60, 60, 60), (220, 220, 220), (176, 114, 46), (190, 190, 190)  # BGR


@dataclass(frozen=True, slots=True)
class Bin:
    """Lines whose confidences are alike: how many, their mean confidence, the share that was exactly right."""

    lines: int
    confidence: float
    exact_share: float


def reliability(confidences: Sequence[float], correct: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Return the equal bins of confidence that hold lines, lowest first."""
    given, right = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=float)
    index = np.minimum((given * bins).astype(int), bins - 1)
    return [
        Bin(int((index == at).sum()), float(given[index == at].mean()), float(right[index == at].mean()))
        for at in range(bins)
        if (index == at).any()
    ]


def draw_reliability(found: Sequence[Bin], path: Path) -> None:
    """Write the diagram of lines as PNG."""
    _, encoded = cv2.imencode(".png", reliability_diagram(found, "lines"))
    path.write_bytes(encoded.tobytes())


def reliability_diagram(found: Sequence[Bin], what: str) -> np.ndarray:
    """Return the diagram (height, width, 3): share right over confidence, and below it how many each bin holds."""
    side, margin = SIDE_PX, MARGIN_PX
    picture = np.full((side + COUNTS_PX + 2 * margin, side + 2 * margin, 3), 255, np.uint8)

    def place(confidence: float, share: float) -> tuple[int, int]:
        return margin + round(confidence * side), margin + round((1.0 - share) * side)

    for tick in np.linspace(0, 1, 6):
        cv2.line(picture, place(tick, 0), place(tick, 1), _GRID)
        cv2.line(picture, place(0, tick), place(1, tick), _GRID)
        _write(picture, f"{tick:.1f}", (place(tick, 0)[0] - 10, side + COUNTS_PX + margin + 18))
        _write(picture, f"{tick:.1f}", (margin - 32, place(0, tick)[1] + 4))
    cv2.line(picture, place(0, 0), place(1, 1), _INK, 1, cv2.LINE_AA)
    most, foot = max(entry.lines for entry in found), margin + side + COUNTS_PX
    for entry in found:
        x = place(entry.confidence, 0)[0]
        top = foot - round((COUNTS_PX - 24) * entry.lines / most)
        cv2.rectangle(picture, (x - 9, top), (x + 9, foot), _COUNT, -1)
        _write(picture, str(entry.lines), (x - 4 * len(str(entry.lines)), top - 4))
    points = np.array([place(entry.confidence, entry.exact_share) for entry in found], np.int32)
    cv2.polylines(picture, [points], False, _RIGHT, 2, cv2.LINE_AA)
    for x, y in points.tolist():
        cv2.circle(picture, (x, y), 5, _RIGHT, -1, cv2.LINE_AA)
    cv2.rectangle(picture, place(0, 1), place(1, 0), _INK)
    _write(picture, f"share of {what} exactly right", (margin, margin - 10))
    _write(picture, f"confidence (bars: {what})", (margin, foot + 40))
    return picture


def _write(picture: np.ndarray, text: str, corner: tuple[int, int]) -> None:
    cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
