"""Whether a photo is good enough to read, with reasons a person understands. Judged where the text is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from preprocess.lines import crop_line, quad_size

_PROBE_HEIGHT_PX = 32  # lines are compared at a recogniser's own scale, so that the size of the photo does not matter
_MAX_LINES = 12  # the widest ones; more would cost time and change no verdict


class QualityReason(StrEnum):
    """What is wrong with a photo."""

    NO_TEXT = "no_text"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    GLARE = "glare"
    LOW_CONTRAST = "low_contrast"


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of the text in a photo, and what they mean for a person.

    ``line_height_px`` is the median in the decoded picture; ``sharpness`` the steepest change across letters' edges, in
    shares of their contrast a pixel at 32 px line height; ``contrast`` and ``ground`` are grey levels;
    ``glare`` is the share of the text's area under clipped patches wider than strokes.
    """

    line_height_px: float
    sharpness: float
    contrast: float
    ground: float
    glare: float
    reasons: tuple[QualityReason, ...]


def judge(image: np.ndarray, text_quads: Sequence[np.ndarray]) -> Quality:
    """Judge a picture by its detected text lines, (4, 2) each. A picture without text has that one reason."""
    if not text_quads:
        return Quality(0.0, 0.0, 0.0, float(np.median(image)), 0.0, (QualityReason.NO_TEXT,))
    widest = sorted(text_quads, key=lambda q: -quad_size(q)[0])[:_MAX_LINES]
    probes = [cv2.cvtColor(crop_line(image, q, _PROBE_HEIGHT_PX, margin=0.0), cv2.COLOR_BGR2GRAY) for q in widest]
    height_px = float(np.median([quad_size(q)[1] for q in widest]))
    sharpness, contrast, ground = (float(np.median(v)) for v in zip(*map(_measure, probes), strict=True))
    glare = _glare(probes)
    return Quality(
        height_px, sharpness, contrast, ground, glare, _reasons(height_px, sharpness, contrast, ground, glare)
    )


def _measure(probe: np.ndarray) -> tuple[float, float, float]:
    """Sharpness, contrast and ground level of one line."""
    smooth = cv2.GaussianBlur(probe.astype(np.float32), (3, 3), 0)  # noise has steep edges too
    low, high = np.percentile(smooth, (3, 97))
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125))
    contrast = float(high - low)
    return float(np.percentile(slope, 97)) / max(contrast, 1.0), contrast, float(np.median(smooth))


def _glare(probes: Sequence[np.ndarray]) -> float:
    """Share of clipped pixels that survive an opening wider than strokes (a fifth of the line's height)."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    clipped = [cv2.morphologyEx((p >= 250).astype(np.uint8), cv2.MORPH_OPEN, kernel) for p in probes]
    return float(sum(int(c.sum()) for c in clipped) / sum(c.size for c in clipped))


def _reasons(
    height_px: float, sharpness: float, contrast: float, ground: float, glare: float
) -> tuple[QualityReason, ...]:
    """Thresholds from the 16 photos of the sample pack, blurred, shrunk, darkened, brightened and flattened in steps.

    Character error rate of the interim reader on them as they are: 19 %. Each threshold lies where it has risen by
    half or more, and beyond what any of them shows undegraded.
    """
    reasons = []
    if height_px < 17.0:  # shrunk to a quarter: median 18 px, 32 %; to 0.18: 15 px, 44 %
        reasons.append(QualityReason.TOO_SMALL)
    if sharpness < 0.20:  # blur of 4.5 px at 1400 px height: median 0.19, 42 %; undegraded: 0.28 and more on 90 %
        reasons.append(QualityReason.BLURRED)
    if contrast < 10.0:  # exposure × 0.05 or contrast × 0.05: median 7, 60 %; × 0.12: 14, 27 %; undegraded: from 55 on
        reasons.append(QualityReason.TOO_DARK if ground < 40.0 else QualityReason.LOW_CONTRAST)
    if ground > 245.0 and (contrast < 40.0 or glare > 0.5):  # exposure × 4: median ground 251, 48 %
        reasons.append(QualityReason.TOO_BRIGHT)
    elif glare > 0.04:  # none of the undegraded photos has a clipped patch wider than strokes
        reasons.append(QualityReason.GLARE)
    return tuple(reasons)
