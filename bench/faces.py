"""How well stone faces are found, and how level lines come out: ``python -m bench.faces [FOLDER]``.

Own held-out stones are rendered by default; a folder holds photos with truth files that have ``stone_quad`` and
``line_quads``. Photos go through the whole of ``read_photo``, so faces are found by the lines that were read.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from datasets.validation import write_validation
from ocr_service.evaluation import load_truth
from ocr_service.evaluation.detection import match_quads, quad_iou
from ocr_service.reading import Reader, load_reader, read_photo
from ocr_service.records import Quad
from preprocess.lines import quad_angle_deg
from preprocess.rectify import face_to_photo, map_quads

STONES = 64
GOOD_IOU = 0.9
_WHOLE = 0.98
"""A line of which so much of its area lies inside the face is not cut off: the rest is rounding of its corners."""
LEVEL_DEG = 0.5


@dataclass(frozen=True, slots=True)
class FaceScore:
    """One photo: IoU of its face (0 where none was found), true lines that the face cuts off, how each read line lies
    in its crop and how far its letters lean there, in degrees, and how long finding the face took."""

    photo: str
    iou: float
    cut_off: int
    tilts_deg: tuple[float, ...]
    leans_deg: tuple[float, ...]
    face_ms: float


def run(console: Console) -> Mapping[str, float]:
    """Measure on held-out rendered stones, print the table, and return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        write_validation(Path(folder), 1, STONES)
        return measure_folder(Path(folder) / "stones", load_reader(None), console)


def measure_folder(folder: Path, reader: Reader, console: Console) -> Mapping[str, float]:
    """Measure every photo of ``folder`` whose truth has a ``stone_quad``; raises UsageError where there is no truth."""
    scores = []
    for photo in load_truth(folder):
        truth = json.loads(photo.path.with_suffix(".json").read_text(encoding="utf-8"))
        if stone := truth.get("stone_quad"):
            scores.append(score_photo(photo.path, _quad(stone), photo.line_quads, reader))
    found = figures(scores)
    table = Table(title=f"Faces of {len(scores)} stones; the worst: {_worst(scores)}")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in found.items():
        table.add_row(name.replace("_", " "), f"{value:g}")
    console.print(table)
    return found


def score_photo(path: Path, stone: Quad, lines: tuple[Quad, ...], reader: Reader) -> FaceScore:
    """Read the photo at ``path`` and compare its face and lines with the true quads, in pixels of the upright photo."""
    reading = read_photo(path.read_bytes(), path.name, reader)
    iou = max((quad_iou(stone, face) for face in reading.stone_quads), default=0.0)
    cut_off = sum(1 for line in lines if reading.stone_quads and _share_inside(line, reading.stone_quads) < _WHOLE)
    read = [line.quad for line in reading.lines]
    pairs = [(lines[row], read[column]) for row, column in match_quads(lines, read)]
    tilts, leans = tuple(tilt_deg(*pair) for pair in pairs), tuple(lean_deg(*pair) for pair in pairs)
    return FaceScore(path.name, iou, cut_off, tilts, leans, reading.timings_ms.get("stone", 0.0))


def figures(scores: list[FaceScore]) -> dict[str, float]:
    """Return the shares of good and of missing faces, photos with a line cut off, how level lines are and how upright
    their letters."""
    tilts = np.abs(np.concatenate([np.zeros(0), *(score.tilts_deg for score in scores)]))
    leans = np.abs(np.concatenate([np.zeros(0), *(score.leans_deg for score in scores)]))
    return {
        "photos": len(scores),
        "good_faces": _share([score.iou >= GOOD_IOU for score in scores]),
        "no_faces": _share([score.iou == 0.0 for score in scores]),
        "mean_iou": round(float(np.mean([score.iou for score in scores])), 4) if scores else 0.0,
        "photos_with_a_line_cut_off": sum(score.cut_off > 0 for score in scores),
        "lines_cut_off": sum(score.cut_off for score in scores),
        "lines": len(tilts),
        "level_lines": _share(list(tilts <= LEVEL_DEG)),
        "median_tilt_deg": round(float(np.median(tilts)), 3) if len(tilts) else 0.0,
        "tilt_deg_of_19_in_20_lines": round(float(np.percentile(tilts, 95)), 3) if len(tilts) else 0.0,
        "upright_lines": _share(list(leans <= LEVEL_DEG)),
        "lean_deg_of_19_in_20_lines": round(float(np.percentile(leans, 95)), 3) if len(leans) else 0.0,
        "face_ms": round(float(np.mean([score.face_ms for score in scores])), 1) if scores else 0.0,
    }


def tilt_deg(true_line: Quad, read_line: Quad) -> float:
    """Return how a true line lies in the crop that is cut by a read quad: 0 is level, clockwise is positive."""
    return quad_angle_deg(_in_crop(true_line, read_line))


def lean_deg(true_line: Quad, read_line: Quad) -> float:
    """Return how far the letters of a true line lean in the crop of a read quad: 0 is unsheared, right is positive."""
    quad = _in_crop(true_line, read_line)
    down = quad[3] - quad[0] + quad[2] - quad[1]
    return float(np.degrees(np.arctan2(-down[0], down[1]))) - quad_angle_deg(quad)


def _in_crop(true_line: Quad, read_line: Quad) -> np.ndarray:
    to_crop = np.linalg.inv(face_to_photo(np.asarray(read_line, dtype=np.float32)))
    return map_quads([np.asarray(true_line, dtype=np.float32)], to_crop)[0]


def _share_inside(line: Quad, faces: tuple[Quad, ...]) -> float:
    quad = np.asarray(line, dtype=np.float32)
    inside = max(cv2.intersectConvexConvex(quad, np.asarray(face, dtype=np.float32))[0] for face in faces)
    return float(inside / max(cv2.contourArea(quad), 1e-6))


def _share(values: list[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0


def _worst(scores: list[FaceScore]) -> str:
    return ", ".join(f"{s.photo} {s.iou:.2f}" for s in sorted(scores, key=lambda score: score.iou)[:6])


def _quad(points: list[list[float]]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in points)
    return (a, b, c, d)


if __name__ == "__main__":
    if sys.argv[1:]:
        measure_folder(Path(sys.argv[1]), load_reader(None), Console())
    else:
        run(Console())
