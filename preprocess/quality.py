"""Whether a photo is good enough to read, with reasons a person understands. Judged where the text is.

Every threshold lies where the reader begins to lose text: 460 photos of 55 rendered stones, spoilt in ten ways of
graded strength (``datasets.bad_photos``), a reason being right where at least a tenth of the characters was lost to it.
``python -m bench --only quality`` measures them on other stones, lettered with other fonts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from preprocess.lines import crop_line, enclose, expand_quad, quad_size
from preprocess.rectify import map_quads

_PROBE_HEIGHT_PX = 32  # lines are compared at a recogniser's own scale, so that the size of the photo does not matter
_MAX_LINES = 12  # the widest ones; more would cost time and change no verdict
_FRAME_SIDE_PX = 1024  # sharpness of the whole picture is compared at one size
_AREA_LINE_PX = 14  # a line's height where patches over the text are looked for: letters thin, blossoms whole
_FULL = 250  # grey level from which a sensor shows no difference any more


class QualityReason(StrEnum):
    """What is wrong with a photo."""

    NO_TEXT = "no_text"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    GLARE = "glare"
    CUT_OFF = "cut_off"
    TOO_OBLIQUE = "too_oblique"
    COVERED = "covered"


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured of a picture and the text in it; text measures are None where there is no text.

    ``sharpness`` (of the picture) and ``text_sharpness`` (of the area around the lines) are steepnesses of edges a
    pixel in a picture of 1024 pixels, as shares of its contrast. ``brightest`` and ``median`` (of the picture),
    ``contrast`` and ``ground`` (of the lines) are grey levels. ``line_height_px`` is the median in the picture.
    ``glare`` and ``foreign`` are shares of the text's area: under clipped patches, and under patches of neither the
    stone's colour nor the letters'. ``edge_gap`` is how far from the picture's edge the nearest line ends, in line
    heights; ``tilt_deg`` how far the face is turned away.
    """

    sharpness: float
    brightest: float
    median: float
    line_height_px: float = 0.0
    text_sharpness: float | None = None
    contrast: float = 0.0
    ground: float = 0.0
    glare: float = 0.0
    foreign: float = 0.0
    edge_gap: float = 0.0
    tilt_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Quality:
    """Why a photo should be taken again, and the measures that say so. A good photo has no reasons."""

    measures: Measures
    reasons: tuple[QualityReason, ...]


def judge(image: np.ndarray, text_quads: Sequence[np.ndarray], face_quads: Sequence[np.ndarray] = ()) -> Quality:
    """Judge a picture by its text lines and, where they are known, stone faces, (4, 2) each."""
    measures = measure(image, text_quads, face_quads)
    return Quality(measures, _reasons(measures))


def measure(image: np.ndarray, text_quads: Sequence[np.ndarray], face_quads: Sequence[np.ndarray] = ()) -> Measures:
    """What the reasons are drawn from."""
    scale = min(1.0, _FRAME_SIDE_PX / max(image.shape[:2]))
    frame = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    way = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=way) if scale < 1 else frame
    median, brightest = _levels(frame[::4, ::4], (50, 99))
    sharpness = _sharpness(frame, step=2)
    if not text_quads:
        return Measures(sharpness, brightest, median)
    widest = sorted(text_quads, key=lambda q: -quad_size(q)[0])[:_MAX_LINES]
    height_px = float(np.median([quad_size(q)[1] for q in widest]))
    probes = [cv2.cvtColor(crop_line(image, q, _PROBE_HEIGHT_PX, margin=0.0), cv2.COLOR_BGR2GRAY) for q in widest]
    contrast, ground = (float(np.median(v)) for v in zip(*map(_contrast_and_ground, probes), strict=True))
    glare, foreign = _patches(image, text_quads, height_px)
    return Measures(
        sharpness,
        brightest,
        median,
        line_height_px=height_px,
        text_sharpness=_sharpness(_text_area(frame, text_quads, scale)),
        contrast=contrast,
        ground=ground,
        glare=glare,
        foreign=foreign,
        edge_gap=_edge_gap(text_quads, image.shape[1], image.shape[0]),
        tilt_deg=_tilt_deg(text_quads, face_quads, image.shape[1], image.shape[0]),
    )


def _text_area(frame: np.ndarray, quads: Sequence[np.ndarray], scale: float) -> np.ndarray:
    """The upright box around all lines and some ground, of a picture shrunk by ``scale``."""
    corners = np.concatenate(list(quads)) * scale
    reach = 0.5 * scale * float(np.median([quad_size(quad)[1] for quad in quads]))
    size = np.array([frame.shape[1], frame.shape[0]])
    left, top = np.clip(corners.min(axis=0) - reach, 0, size - 1).astype(int)
    right, bottom = np.clip(corners.max(axis=0) + reach, (left + 1, top + 1), size).astype(int)
    return frame[top:bottom, left:right]


def _sharpness(grey: np.ndarray, step: int = 1) -> float:
    """Steepness of a picture's steepest edges as a share of its contrast, in the direction where they are least steep.

    A shaken picture is smeared in one direction only. Every ``step``-th pixel a way is looked at.
    """
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)  # noise has steep edges too
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125)[::step, ::step]
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)[::step, ::step]
    slopes = (across, down, (across + down) * 0.7071, (across - down) * 0.7071)
    low, high = _levels(grey[::step, ::step], (1, 99))
    return min(_levels(np.abs(slope), (99.5,))[0] for slope in slopes) / max(high - low, 1.0)


def _levels(values: np.ndarray, percents: Sequence[float]) -> list[float]:
    """Percentiles without interpolation, which costs most of ``numpy.percentile``'s time on small arrays."""
    flat = values.ravel()
    places = [int(percent / 100 * (flat.size - 1)) for percent in percents]
    return [float(level) for level in np.partition(flat, places)[places]]


def _contrast_and_ground(probe: np.ndarray) -> tuple[float, float]:
    low, ground, high = _levels(cv2.GaussianBlur(probe, (3, 3), 0), (3, 50, 97))
    return high - low, ground


def _patches(image: np.ndarray, quads: Sequence[np.ndarray], height_px: float) -> tuple[float, float]:
    """Glare and foreign colours over the text's area, seen flat with lines ``_AREA_LINE_PX`` high."""
    area = expand_quad(enclose(quads), 0.0)
    middle = area.mean(axis=0)
    wide, high = quad_size(area)
    reach = np.array([1 + 0.6 * height_px / max(wide, 1.0), 1 + 1.6 * height_px / max(high, 1.0)])
    along, down = (area[1] - area[0]) / 2 * reach[0], (area[3] - area[0]) / 2 * reach[1]
    area = np.array([middle - along - down, middle + along - down, middle + along + down, middle - along + down])
    shrink = _AREA_LINE_PX / height_px
    size = (max(8, round(quad_size(area)[0] * shrink)), max(8, round(quad_size(area)[1] * shrink)))
    corners = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    to_area = cv2.getPerspectiveTransform(area.astype(np.float32), corners)
    # Shrunk first, so that the warp skips no pixels.
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) if shrink < 1 else image
    back = np.diag([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0], 1.0])
    flat = cv2.warpPerspective(small, to_area @ back, size, flags=cv2.INTER_LINEAR)
    seen = cv2.warpPerspective(np.ones(small.shape[:2], np.uint8), to_area @ back, size, flags=cv2.INTER_NEAREST) > 0
    lines = map_quads(quads, to_area)
    pixels = max(1, int(seen.sum()))
    clipped = _opened((cv2.cvtColor(flat, cv2.COLOR_BGR2GRAY) >= _FULL) & seen, 11)
    foreign = _opened((_off_colour(flat, seen, lines) > _FOREIGN_LAB) & seen, 5)
    return float(clipped.sum()) / pixels, float(foreign.sum()) / pixels


def _opened(mask: np.ndarray, size_px: int) -> np.ndarray:
    """What is left of a mask where nothing narrower than ``size_px`` counts."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size_px, size_px))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel))


_PALE_LIGHTNESS, _PALE_CHROMA = 42.0, 12.0  # of light mirrored by the stone, which is not a thing before it
_HUELESS_LAB = 8.0  # nearer to black, or to the stone's own hue, a colour says nothing
_FOREIGN_LAB = 16.0  # distance in Lab, lightness halved; veins, flecks and weathering of stones stay below it


def _off_colour(flat: np.ndarray, seen: np.ndarray, lines: Sequence[np.ndarray]) -> np.ndarray:
    """How far each pixel's colour lies from all mixtures of the stone's colour and the letters'."""
    lab = cv2.cvtColor(flat, cv2.COLOR_BGR2LAB).astype(np.float32) - np.array([0, 128, 128], np.float32)
    lab[..., 0] *= 0.5 * 100 / 255  # shadows fall on stones
    if not seen.any():
        return np.zeros(seen.shape, np.float32)
    stone = np.median(lab[seen], axis=0)
    letters = np.median([_colour_of_letters(lab, line, stone) for line in lines], axis=0)
    # Shade scales lightness and chroma alike, so the stone, its letters and both in the shade lie in one plane through
    # black; where the letters have the stone's hue, in one line.
    first = stone / np.linalg.norm(stone) if np.linalg.norm(stone) > _HUELESS_LAB else np.array([1.0, 0.0, 0.0])
    second = letters - (letters @ first) * first
    off_plane = lab - (lab @ first)[..., None] * first
    if (length := float(np.linalg.norm(second))) > _HUELESS_LAB:
        off_plane -= (off_plane @ second / length)[..., None] * second / length
    off = np.linalg.norm(off_plane, axis=2)
    pale = (lab[..., 0] > _PALE_LIGHTNESS) & (np.hypot(lab[..., 1], lab[..., 2]) < _PALE_CHROMA)
    return np.where(pale, 0.0, off)


def _colour_of_letters(lab: np.ndarray, line: np.ndarray, stone: np.ndarray) -> np.ndarray:
    """What differs most from the stone in the box of one line; the median over lines outvotes those behind flowers."""
    low = np.clip(np.floor(line.min(axis=0)), 0, None).astype(int)
    high = np.ceil(line.max(axis=0)).astype(int)
    inside = lab[low[1] : high[1] + 1, low[0] : high[0] + 1].reshape(-1, 3)
    if not len(inside):
        return stone
    away = np.linalg.norm(inside - stone, axis=1)
    return np.asarray(np.median(inside[away >= np.percentile(away, 85)], axis=0))


def _edge_gap(quads: Sequence[np.ndarray], width: int, height: int) -> float:
    """Least distance of a line from the picture's edge, in that line's heights; below 0 beyond it."""
    gaps = []
    for quad in quads:
        inner = min(float(quad.min()), width - float(quad[:, 0].max()), height - float(quad[:, 1].max()))
        gaps.append(inner / max(quad_size(quad)[1], 1.0))
    return min(gaps)


def _tilt_deg(text_quads: Sequence[np.ndarray], face_quads: Sequence[np.ndarray], width: int, height: int) -> float:
    """Angle between the line of sight and the face's normal, for a lens as long as the picture's longer side.

    From the vanishing points of a face's sides; without a face from that of the text lines, which tells a turn to the
    side alone.
    """
    if face_quads:
        return max(_tilt_of_face(_centred(face, width, height)) for face in face_quads)
    long = [_centred(q, width, height) for q in text_quads if quad_size(q)[0] > 2 * quad_size(q)[1]]
    if len(long) < 2:
        return 0.0
    along = _vanishing([(quad[0], quad[1]) for quad in long] + [(quad[3], quad[2]) for quad in long])
    return float(np.degrees(np.arcsin(min(1.0, abs(along[2])))))


def _centred(quad: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray((np.asarray(quad, np.float64) - [width / 2, height / 2]) / max(width, height))


def _tilt_of_face(face: np.ndarray) -> float:
    along = _vanishing([(face[0], face[1]), (face[3], face[2])])
    down = _vanishing([(face[0], face[3]), (face[1], face[2])])
    normal = np.cross(along, down)
    return float(np.degrees(np.arccos(min(1.0, abs(normal[2]) / max(float(np.linalg.norm(normal)), 1e-9)))))


def _vanishing(lines: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Direction (3,), of length 1, in which lines through pairs of points run that are parallel in the world."""
    planes = np.array([np.cross([*start, 1.0], [*end, 1.0]) for start, end in lines])
    planes /= np.maximum(np.linalg.norm(planes[:, :2], axis=1, keepdims=True), 1e-9)
    return np.asarray(np.linalg.svd(planes)[2][-1])


def _reasons(m: Measures) -> tuple[QualityReason, ...]:
    """Thresholds of the data named above."""
    if m.text_sharpness is None:
        return (QualityReason.NO_TEXT, *_reasons_of_frame(m))
    found = {
        QualityReason.TOO_DARK: m.contrast < 10.5 and m.ground < 40,
        QualityReason.TOO_BRIGHT: m.ground > 245 and m.contrast < 70,
        QualityReason.TOO_SMALL: m.line_height_px < 19.5,
        QualityReason.CUT_OFF: m.edge_gap < 0.1,  # detected lines end a little beyond their letters
        QualityReason.TOO_OBLIQUE: m.tilt_deg > 57,
        QualityReason.GLARE: m.glare > 0.07 and m.ground < 230,  # a white stone is white without any glare
        QualityReason.COVERED: m.foreign > 0.07,
        QualityReason.BLURRED: m.text_sharpness < 0.09 and m.sharpness < 0.072,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def _reasons_of_frame(m: Measures) -> tuple[QualityReason, ...]:
    """Why a picture without text may have none; a good picture of something else has no further reason."""
    if m.brightest < 21:
        return (QualityReason.TOO_DARK,)
    if m.median > 250:
        return (QualityReason.TOO_BRIGHT,)
    return (QualityReason.BLURRED,) if m.sharpness < 0.055 else ()
