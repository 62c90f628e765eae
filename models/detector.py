"""Text lines in a picture: PP-OCR's differentiable-binarisation detector, by ONNX Runtime and OpenCV.

Liao et al. 2020, "Real-time scene text detection with differentiable binarization".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from models.bundle import DetectorSpec
from models.onnx_session import open_session
from preprocess.level import level_lines

Point: TypeAlias = tuple[float, float]
Quad: TypeAlias = tuple[Point, Point, Point, Point]

_STRIDE_PX = 32  # the network halves its input five times
_MIN_SIDE_PX = 3.0  # of a shrunken text region on the probability map; thinner ones are noise

# Whether a glance at a smaller side is enough. 64 held-out rendered stones, 419 lines: 91.2 % of them covered at 960 px
# for 181 ms of CPU, 90.5 % at 640 for 74. Of lines 34 px thick and more on the network's input 98 % were found, between
# 18 and 24 px 93 %, between 12 and 14 px 84 %. Glancing, and looking again but under the conditions below, covers
# 90.7 % for 116 ms. Where text takes up little of the frame, a glance misses lines and takes others for large: without
# the conditions on extent and count, 14 stones in a frame twice their size went from 14.7 to 18.5 % character errors,
# with them they read as before.
_GLANCE_PX = 640
_LARGE_LINE_PX = 20.0  # three of four lines are at least as thick, on the network's input
_NEAR_EXTENT = 0.4  # of the frame's longer side, from the first line to the last
_SEVERAL_LINES = 4


@dataclass(frozen=True, slots=True)
class DetectedLine:
    """One line of text: quad in pixels of the picture, clockwise from the text's top left; score between 0 and 1."""

    quad: Quad
    score: float


class LineDetector:
    """Finds text lines. Holds one ONNX Runtime session; safe to call from several threads."""

    def __init__(self, spec: DetectorSpec, threads: int = 1, *, levelled: bool = True) -> None:
        """``levelled`` False leaves lines as the map's regions lie, to measure what levelling brings."""
        self.spec = spec
        self._levelled = levelled
        self._session = open_session(spec.model, threads)
        self._input = self._session.get_inputs()[0].name
        levels = np.arange(256, dtype=np.float32) / np.float32(255.0)
        self._levels = [
            (levels - np.float32(mean)) / np.float32(std) for mean, std in zip(spec.mean, spec.std, strict=True)
        ]

    def detect(self, image: NDArray[np.uint8], side_px: int | None = None) -> list[DetectedLine]:
        """Return the text lines of ``image`` (height, width, 3; BGR), top to bottom; quads stay inside the picture.

        ``side_px`` is the longest side that the network sees; smaller pictures are not enlarged. By default a glance
        decides: where its letters are large it is enough, else the network looks again at the bundle's own side.
        """
        if side_px is not None or min(self.spec.side_px, max(image.shape[:2])) <= _GLANCE_PX:
            return self._look(image, side_px or self.spec.side_px)
        lines = self._look(image, _GLANCE_PX)
        return lines if _near_and_large(lines, max(image.shape[:2])) else self._look(image, self.spec.side_px)

    def _look(self, image: NDArray[np.uint8], side_px: int) -> list[DetectedLine]:
        seen = _shrunk(image, side_px)
        lines = lines_from_probability(self.probability_map(seen), self.spec)
        size = np.array(image.shape[1::-1])
        regions = [quad for quad, _ in lines]
        level = level_lines(seen, regions) if self._levelled else regions
        quads = [quad * size / seen.shape[1::-1] for quad in level]
        found = [
            DetectedLine(_as_quad(np.clip(quad, 0.0, size)), score)
            for quad, (_, score) in zip(quads, lines, strict=True)
        ]
        return sorted(found, key=lambda line: line.quad[0][1])

    def probability_map(self, seen: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the chance of each pixel of ``seen``, whose sides the network's stride divides, to lie in the core of
        a text line."""
        tensor = np.empty((1, 3, *seen.shape[:2]), np.float32)
        for plane, level, target in zip(cv2.split(seen), self._levels, tensor[0], strict=True):
            cv2.LUT(plane, level, dst=target)  # a table of 256 instead of arithmetic on every pixel: 1 ms, not 12
        output: NDArray[np.float32] = self._session.run(None, {self._input: tensor})[0][0, 0]
        return output


def lines_from_probability(
    probability: NDArray[np.float32], spec: DetectorSpec
) -> list[tuple[NDArray[np.float64], float]]:
    """Return (quad, score) of each text region of ``probability``, in its own pixels.

    A region is the smallest rectangle around the pixels above ``binary_threshold``, grown again by the amount that
    training shrank it: area x ``unclip_ratio`` / perimeter on every side.
    """
    mask = (probability > spec.binary_threshold).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for contour in contours:
        centre, axis, length, thickness = _upright_rectangle(contour)
        if min(length, thickness) < _MIN_SIDE_PX:
            continue
        score = _mean_inside(probability, _corners(centre, axis, length, thickness))
        if score < spec.box_threshold:
            continue
        margin = length * thickness * spec.unclip_ratio / (2.0 * (length + thickness))
        lines.append((_corners(centre, axis, length + 2 * margin, thickness + 2 * margin), score))
    return lines


def _upright_rectangle(
    contour: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """Return centre, reading direction, length along it and thickness of the smallest rectangle around ``contour``.

    The reading direction is the side nearer to the horizontal, pointing right: the photo is upright by now.
    """
    (x, y), (side_a, side_b), angle_deg = cv2.minAreaRect(contour)
    angle = math.radians(angle_deg)
    along = np.array([math.cos(angle), math.sin(angle)])
    if abs(along[0]) < abs(along[1]):
        along, side_a, side_b = np.array([-along[1], along[0]]), side_b, side_a
    if along[0] < 0:
        along = -along
    # pixels are areas: a region of n pixels is n wide, while minAreaRect measures between pixel centres
    return np.array([x + 0.5, y + 0.5]), along, side_a + 1.0, side_b + 1.0


def _corners(
    centre: NDArray[np.float64], axis: NDArray[np.float64], length: float, thickness: float
) -> NDArray[np.float64]:
    right = axis * (length / 2.0)
    down = np.array([-axis[1], axis[0]]) * (thickness / 2.0)
    return np.stack([centre - right - down, centre + right - down, centre + right + down, centre - right + down])


def _mean_inside(probability: NDArray[np.float32], quad: NDArray[np.float64]) -> float:
    height, width = probability.shape
    left, top = np.clip(np.floor(quad.min(axis=0)).astype(int), 0, [width - 1, height - 1])
    right, bottom = np.clip(np.ceil(quad.max(axis=0)).astype(int), 0, [width - 1, height - 1])
    mask = np.zeros((bottom - top + 1, right - left + 1), dtype=np.uint8)
    cv2.fillPoly(mask, [np.round(quad - [left + 0.5, top + 0.5]).astype(np.int32)], 1)
    return float(cv2.mean(probability[top : bottom + 1, left : right + 1], mask)[0])


def _near_and_large(lines: Sequence[DetectedLine], frame_px: int) -> bool:
    """Return whether a glance at a picture whose longer side is ``frame_px`` has seen all its text well enough."""
    if len(lines) < _SEVERAL_LINES:
        return False
    quads = np.array([line.quad for line in lines])
    extent_px = float(np.ptp(quads.reshape(-1, 2), axis=0).max())
    thickness_px = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    typical_px = float(np.percentile(thickness_px, 25)) * _GLANCE_PX / frame_px
    return extent_px > _NEAR_EXTENT * frame_px and typical_px >= _LARGE_LINE_PX


def _shrunk(image: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """Return ``image`` with its longer side at most about ``side_px``, each side as the network's stride wants it."""
    height, width = image.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    interpolation = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(image, (_to_stride(width * scale), _to_stride(height * scale)), interpolation=interpolation),
        np.uint8,
    )


def _to_stride(pixels: float) -> int:
    return max(_STRIDE_PX, round(pixels / _STRIDE_PX) * _STRIDE_PX)


def _as_quad(corners: NDArray[np.float64]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in corners)
    return (a, b, c, d)
